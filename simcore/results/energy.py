"""Dynamic energy of a run from bytes moved and operations done, with a source for every constant.

Everything here is an estimate from public figures, the same for every system, not from a paper,
and is labelled so. Background, refresh and static power are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcore.results.run import Plan
from simcore.results.spans import Lane, LaneKind
from simcore.results.totals import Totals
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import presets

PJ = 1e-12
NOT_FROM_PAPER = "not from the paper"


@dataclass(frozen=True, slots=True)
class EnergyConstant:
    """One energy figure.

    Attributes:
        title: what it is the energy of.
        value: the figure.
        unit: ``pJ/bit`` or ``pJ/MAC``.
        source_class, source: class and citation.
        note: what to keep in mind; may be empty.
    """

    title: str
    value: float
    unit: str
    source_class: SourceClass
    source: str
    note: str = NOT_FROM_PAPER


CONSTANTS: Mapping[str, EnergyConstant] = {
    "gddr6x": EnergyConstant(
        "GDDR6X access",
        14.0,
        "pJ/bit",
        SourceClass.PUBLIC,
        "StarBeat/cpu-gpu-arch notes, table of DRAM types (uncited there)",
        f"order of magnitude; {NOT_FROM_PAPER}",
    ),
    "gddr6": EnergyConstant(
        "GDDR6 access",
        15.0,
        "pJ/bit",
        SourceClass.PUBLIC,
        "StarBeat/cpu-gpu-arch notes, table of DRAM types (uncited there)",
        f"order of magnitude; {NOT_FROM_PAPER}",
    ),
    "gddr7": EnergyConstant(
        "GDDR7 access",
        8.0,
        "pJ/bit",
        SourceClass.PUBLIC,
        "StarBeat/cpu-gpu-arch notes, table of DRAM types (uncited there)",
        f"order of magnitude; {NOT_FROM_PAPER}",
    ),
    "hbm2": EnergyConstant(
        "HBM2 access",
        3.97,
        "pJ/bit",
        SourceClass.PUBLIC,
        "O'Connor et al., Fine-Grained DRAM, MICRO 2017",
    ),
    "ddr4_read": EnergyConstant(
        "DDR4-3200 core read",
        5.44,
        "pJ/bit",
        SourceClass.DERIVED,
        "Micron TN-40-07 formulas with public DDR4-3200 x8 IDD currents",
        f"DRAM interface left out; {NOT_FROM_PAPER}",
    ),
    "ddr4_activate": EnergyConstant(
        "DDR4-3200 activation",
        0.064,
        "pJ/bit",
        SourceClass.DERIVED,
        "Micron TN-40-07 formulas with public DDR4-3200 x8 IDD currents, full 8-KiB rows",
        NOT_FROM_PAPER,
    ),
    "pcie": EnergyConstant(
        "PCIe transfer", 4.4, "pJ/bit", SourceClass.PUBLIC, "CENT power calculator"
    ),
    "dimm_link": EnergyConstant(
        "DIMM-link transfer",
        1.17,
        "pJ/bit",
        SourceClass.PAPER,
        "Hermes, arXiv 2502.16963, Table II",
        "",
    ),
    "hbm": EnergyConstant(
        "HBM access",
        3.97,
        "pJ/bit",
        SourceClass.PUBLIC,
        "O'Connor et al., Fine-Grained DRAM, MICRO 2017 (HBM2); of hardware.hbm where it is set",
    ),
    "lpddr": EnergyConstant(
        "LPDDR access",
        9.9,
        "pJ/bit",
        SourceClass.CALIBRATED,
        "H2M2's memory energy on GPT3-175B: HBM costs 0.4 of LPDDR; of hardware.lpddr where set",
        "a ratio of one paper, not a measurement",
    ),
    "chip_link": EnergyConstant(
        "link between accelerator chips",
        0.0,
        "pJ/bit",
        SourceClass.CALIBRATED,
        "hardware.chip_link.energy_pJ_per_bit; H2M2's energy study counts memory accesses only",
    ),
    "fp16_mac": EnergyConstant(
        "FP16 multiply-accumulate",
        0.32,
        "pJ/MAC",
        SourceClass.PUBLIC,
        "AttAcc simulator energy table",
    ),
}
"""Every energy figure in use, by id."""

_GPU_MEMORY: Mapping[str, str] = {
    "GDDR6X": "gddr6x",
    "GDDR6": "gddr6",
    "GDDR7": "gddr7",
    "HBM2": "hbm2",
    "HBM2e": "hbm2",
}


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a run.

    Attributes:
        joules: component to energy; the last entry is ``total``.
        basis: component to the ids in `CONSTANTS` its energy is computed with.
        notes: what is estimated, assumed or left out.
    """

    joules: Mapping[str, float]
    basis: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def energy(plan: Plan, totals: Totals) -> Energy:
    """Dynamic energy by component.

    Args:
        plan: the plan of the run.
        totals: sums over the steps to account for.
    """
    joules: dict[str, float] = {}
    basis: dict[str, tuple[str, ...]] = {}
    notes = [
        "An estimate from public figures, not from the paper.",
        "Dynamic energy only: background, refresh and static power are left out.",
    ]
    for index, lane in enumerate(plan.lanes):
        component, constants, note = _memory_of(plan, lane)
        if note and note not in notes:
            notes.append(note)
        if not component:
            continue
        amount_bits = 8.0 * float(totals.lane_op_bytes[index].sum())
        value = sum(_value(plan, name) for name in constants)
        joules[component] = joules.get(component, 0.0) + amount_bits * value * PJ
        basis[component] = constants
    macs = float(totals.lane_op_flops.sum()) / 2.0
    joules["compute"] = macs * CONSTANTS["fp16_mac"].value * PJ
    basis["compute"] = ("fp16_mac",)
    joules["total"] = sum(joules.values())
    return Energy(joules, basis, tuple(notes))


def _value(plan: Plan, name: str) -> float:
    if name in ("dimm_link", "hbm", "lpddr", "chip_link"):
        component = getattr(plan.scenario.hardware, name)
        if component is not None:
            return float(component.energy_pJ_per_bit)
    return CONSTANTS[name].value


def _memory_of(plan: Plan, lane: Lane) -> tuple[str, tuple[str, ...], str]:
    """Component, constants and remark for the bytes of a lane."""
    if plan.scenario.hardware.hbm is not None:
        return _two_sided(lane)
    words = f"{lane.id} {lane.title} {lane.group}".lower()
    if lane.kind is LaneKind.LINK:
        if "dimm" in words and "pcie" not in words:
            return "dimm_link", ("dimm_link",), ""
        return "pcie", ("pcie",), ""
    if lane.kind is LaneKind.HOST:
        return (
            "",
            (),
            f"Reads of {lane.title} from its caches are left out: no sourced figure.",
        )
    if "dimm" in words:
        return "dimm_memory", ("ddr4_read", "ddr4_activate"), ""
    if "cpu" in words or "host" in words:
        return "host_memory", ("ddr4_read", "ddr4_activate"), ""
    return _gpu_memory(plan)


def _two_sided(lane: Lane) -> tuple[str, tuple[str, ...], str]:
    """The same on a board with HBM and LPDDR, whose memories are lanes of their own."""
    if lane.kind is not LaneKind.LINK:
        return "", (), "INT8 multiply-accumulates are counted like FP16 ones."
    if lane.group == "memory":
        name = "lpddr" if lane.id == "lpddr" else "hbm"
        return f"{name}_memory", (name,), ""
    return "chip_link", ("chip_link",), ""


def _gpu_memory(plan: Plan) -> tuple[str, tuple[str, ...], str]:
    gpu = plan.scenario.hardware.gpu
    preset = presets("gpu").get(gpu.preset) if gpu and gpu.preset else None
    kind = str(preset.info.get("memory_type", "")) if preset else ""
    if kind in _GPU_MEMORY:
        return "gpu_memory", (_GPU_MEMORY[kind],), ""
    if kind.startswith("HBM"):
        return "gpu_memory", ("hbm2",), f"No sourced figure for {kind}; taken as HBM2."
    what = kind or "unknown"
    return "gpu_memory", ("gddr6x",), f"GPU memory of type {what} is taken as GDDR6X."
