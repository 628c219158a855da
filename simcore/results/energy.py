"""Dynamic energy of a run from bytes moved and operations done, with a source for every constant.

Everything here is an estimate from public figures, the same for every system, not from a paper,
and is labelled so. Refresh and static power of processors are left out; background power of DDR4 is
in a part of its own (`EnergyTable`), because other memories have no sourced figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcore.results.run import Plan
from simcore.results.spans import Lane, LaneKind
from simcore.results.totals import Totals
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import presets
from simcore.units import PS_PER_S

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
    "ddr4_background": EnergyConstant(
        "DDR4-3200 background, rows open",
        0.5,
        "W/rank",
        SourceClass.DERIVED,
        "Micron TN-40-07 formulas with public DDR4-3200 x8 IDD currents",
        f"a rank of 8 GiB; {NOT_FROM_PAPER}",
    ),
    "hbm_bank": EnergyConstant(
        "HBM read by a unit in the bank",
        0.55,
        "pJ/bit",
        SourceClass.PUBLIC,
        "AttAcc simulator energy table, citing Fine-Grained DRAM, MICRO 2017: cell activate 0.11 "
        "and read 0.44",
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

_PARTS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "hbm2": (("activate", 1.21), ("array", 2.54), ("interface", 0.22)),
    "hbm_bank": (("activate", 0.11), ("array", 0.44)),
    "ddr4_read": (("array", 1.0),),
    "ddr4_activate": (("activate", 1.0),),
    "pcie": (("link", 1.0),),
    "dimm_link": (("link", 1.0),),
    "chip_link": (("link", 1.0),),
    "fp16_mac": (("MAC", 1.0),),
}
"""How the energy of a constant divides into parts (HBM2: O'Connor et al., MICRO 2017; in the bank:
AttAcc); what is published as one sum is the part ``access``."""

RANK_GiB = 8
"""Size of the rank `ddr4_background` holds for (derived: 8 Gb x8 devices)."""

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


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """Energy of a run by component and by part.

    Attributes:
        joules: component to part to energy: ``activate``, ``array``, ``interface``, ``access``
            (where only their sum is known), ``link``, ``MAC``, ``background``.
        per_token: the same for each output token; empty before the first.
        total_J: dynamic energy and background.
        dynamic_J: without background: `Energy.joules` in total.
        background_W: component to background power, where a sourced figure is known.
        missing: components of which no background is known.
    """

    joules: Mapping[str, Mapping[str, float]]
    per_token: Mapping[str, Mapping[str, float]]
    total_J: float
    dynamic_J: float
    background_W: Mapping[str, float]
    missing: tuple[str, ...]


def energy_table(plan: Plan, totals: Totals) -> EnergyTable:
    """Energy by component and part, background of DDR4 included, and for each token.

    Args:
        plan: the plan of the run.
        totals: sums over the steps to account for.
    """
    spent = energy(plan, totals)
    joules: dict[str, dict[str, float]] = {}
    for component, names in spent.basis.items():
        values = {name: _value(plan, name) for name in names}
        whole = sum(values.values())
        parts = joules.setdefault(component, {})
        for name, value in values.items():
            shares = _PARTS.get(name, (("access", 1.0),))
            weight = sum(share for _, share in shares)
            for part, share in shares:
                one = spent.joules[component] * value / whole * share / weight if whole else 0.0
                parts[part] = parts.get(part, 0.0) + one
    watts = background_W(plan)
    seconds = totals.duration_ps / PS_PER_S
    for component, power in watts.items():
        joules.setdefault(component, {})["background"] = power * seconds
    per_token = {
        component: {part: value / totals.tokens for part, value in parts.items()}
        for component, parts in joules.items()
        if totals.tokens > 0
    }
    memories = [name for name in joules if name.endswith("_memory") or name == "hbm_pim"]
    missing = tuple(name for name in memories if name not in watts)
    dynamic = spent.joules["total"]
    total = dynamic + sum(watts.values()) * seconds
    return EnergyTable(joules, per_token, total, dynamic, watts, missing)


def background_W(plan: Plan) -> dict[str, float]:
    """Background power of the machine's DDR4 by component, all ranks with open rows.

    NDP-DIMMs and DIMM-PIMs by their ranks, host memory by its size in ranks of 8 GiB.
    """
    hardware, value = plan.scenario.hardware, CONSTANTS["ddr4_background"].value
    groups = {lane.group for lane in plan.lanes}
    found: dict[str, float] = {}
    if hardware.ndp_dimms and "DIMM" in groups:
        found["dimm_memory"] = value * hardware.ndp_dimms.count * hardware.ndp_dimms.ranks
    elif hardware.dimm_pim and "DIMM-PIM" in groups:
        pim = hardware.dimm_pim
        ranks = pim.channels * pim.dimms_per_channel * pim.ranks_per_dimm
        found["dimm_memory"] = value * ranks
    elif hardware.host and any(d.id in ("host", "cpu", "kv") for d in plan.memory):
        found["host_memory"] = value * hardware.host.memory_GiB / RANK_GiB
    return found


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
        "Dynamic energy only: background is shown apart, refresh and static power are left out.",
    ]
    # One replica is simulated and stands for all; tokens count for all of them.
    replicas = max(1, int(getattr(plan, "replicas", 1)))
    for index, lane in enumerate(plan.lanes):
        component, constants, note = _memory_of(plan, lane)
        if note and note not in notes:
            notes.append(note)
        if not component:
            continue
        amount_bits = 8.0 * replicas * float(totals.lane_op_bytes[index].sum())
        value = sum(_value(plan, name) for name in constants)
        joules[component] = joules.get(component, 0.0) + amount_bits * value * PJ
        basis[component] = constants
    macs = replicas * float(totals.lane_op_flops.sum()) / 2.0
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
    if lane.group == "HBM-PIM":
        return "hbm_pim", ("hbm_bank",), ""
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
