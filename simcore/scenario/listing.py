"""Every field of a scenario with its description: what forms and lists are generated from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simcore.scenario.binding import FieldSpec, field_specs
from simcore.scenario.fields import Knob, Provenance
from simcore.scenario.load import known_systems
from simcore.scenario.presets import PRESET_KINDS, presets
from simcore.scenario.schema import ACTIVATIONS, COMPONENTS, Scenario

GROUP_TITLES = {
    "gpu": "GPU",
    "pcie": "PCIe",
    "ndp_dimms": "NDP-DIMMs",
    "dimm_link": "DIMM-link",
    "host": "Host",
    "hbm": "HBM",
    "hbm_npu": "Chip at the HBM",
    "lpddr": "LPDDR",
    "lpddr_npu": "Chip at the LPDDR",
    "chip_link": "Chip link",
    "mmu": "MMU",
    "nvlink": "NVLink",
    "dimm_pim": "DIMM-PIM",
    "hbm_pim": "HBM-PIM",
}
"""Component to the title of its group."""

EXPERT_FIELDS = ("model.experts", "model.experts_per_token")
"""Fields that make a model a mixture of experts."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of a scenario.

    Attributes:
        path: where it stands in a document; ``hardware.gpu`` and ``model`` choose a preset.
        knob: description, with unit, range, choices and help.
        type: bool, int, float or str.
        value: resolved value; None means automatic.
        provenance: class and citation of the value; None for a name.
        group: title of the group it belongs to.
    """

    path: str
    knob: Knob
    type: type[Any]
    value: Any
    provenance: Provenance | None
    group: str


def scenario_fields(scenario: Scenario) -> tuple[FieldInfo, ...]:
    """All fields of a scenario that a user can set, group by group."""
    return tuple(_fields(scenario))


def _fields(scenario: Scenario) -> Iterator[FieldInfo]:
    general = field_specs(Scenario)
    yield _field(scenario, "name", general["name"], scenario.name, "Scenario")
    yield _word(scenario, "system", scenario.system, tuple(known_systems()), "Scenario")
    yield _field(scenario, "seed", general["seed"], scenario.seed, "Scenario")
    yield _preset(scenario, "model", "model", scenario.model, "Model")
    for info in _group(scenario, "model", scenario.model, "Model"):
        # What a system has no use for is not offered.
        if info.path not in EXPERT_FIELDS or known_systems()[scenario.system].experts:
            yield info
    for name in COMPONENTS:
        component = getattr(scenario.hardware, name)
        if component is not None:
            title = GROUP_TITLES.get(name, name)
            yield _preset(scenario, f"hardware.{name}", name, component, title)
            yield from _group(scenario, f"hardware.{name}", component, title)
    workload, activations = scenario.workload, scenario.activations
    kinds = tuple(known_systems()[scenario.system].workloads)
    yield _word(scenario, "workload.kind", workload.kind, kinds, "Workload")
    yield from _group(scenario, "workload", workload, "Workload")
    source = activations.source
    yield _word(scenario, "activations.source", source, tuple(ACTIVATIONS), "Activations")
    yield from _group(scenario, "activations", activations, "Activations")
    if scenario.policy is not None:
        yield from _group(scenario, "policy", scenario.policy, "Policy")


def _group(scenario: Scenario, path: str, instance: Any, title: str) -> Iterator[FieldInfo]:
    for name, spec in field_specs(type(instance)).items():
        value = getattr(instance, name)
        if spec.nested:
            yield from _group(scenario, f"{path}.{name}", value, title)
        elif spec.knob is not None:
            yield _field(scenario, f"{path}.{name}", spec, value, title)


def _field(scenario: Scenario, path: str, spec: FieldSpec, value: Any, group: str) -> FieldInfo:
    assert spec.knob is not None
    return FieldInfo(path, spec.knob, spec.type, value, scenario.provenance.get(path), group)


def _word(
    scenario: Scenario, path: str, value: str, choices: tuple[str, ...], group: str
) -> FieldInfo:
    helps = {
        "system": "System or variant to simulate.",
        "workload.kind": "Kind of workload.",
        "activations.source": "Where the activations come from.",
    }
    knob = Knob(help=helps[path], choices=choices, live=False)
    return FieldInfo(path, knob, str, value, scenario.provenance.get(path), group)


def _preset(scenario: Scenario, path: str, component: str, instance: Any, group: str) -> FieldInfo:
    known = presets(component)
    if component == "model" and not known_systems()[scenario.system].experts:
        known = {id: one for id, one in known.items() if one.values.get("experts", 1) == 1}
    ids = tuple(known) if instance.preset in known else (instance.preset, *known)
    knob = Knob(
        help=f"Preset that gives the values not set here; one of {PRESET_KINDS[component]}.yaml.",
        choices=ids,
    )
    return FieldInfo(path, knob, str, instance.preset, None, group)
