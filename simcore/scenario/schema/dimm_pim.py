"""DIMMs that compute inside their DRAM banks (DIMM-PIM)."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_L3 = "L3 (CHIME), arXiv 2504.17584 v2"
_TABLE = f"{_L3}, Table I"


@dataclass(frozen=True, slots=True, kw_only=True)
class DimmPim:
    """All DIMM-PIMs of a host: a rank of every channel is a rankset."""

    preset: str = ""
    title: str = "DIMM-PIM"
    channels: int = knob(
        16, ge=1, le=128, step=1, help="Memory channels.", cls="paper", source=_TABLE
    )
    dimms_per_channel: int = knob(
        2, ge=1, le=16, step=1, help="DIMMs on one channel.", cls="paper", source=_TABLE
    )
    ranks_per_dimm: int = knob(
        2, ge=1, le=16, step=1, help="Ranks of one DIMM.", cls="paper", source=_TABLE
    )
    chips: int = knob(
        8,
        ge=1,
        le=16,
        step=1,
        help="DRAM chips that make one rank (x8 chips on a 64-bit bus).",
        cls="paper",
        source=_TABLE,
    )
    bank_groups: int = knob(
        4, ge=1, le=16, step=1, help="Bank groups of one chip.", cls="paper", source=_TABLE
    )
    banks_per_group: int = knob(
        4, ge=1, le=16, step=1, help="Banks of one bank group.", cls="paper", source=_TABLE
    )
    capacity_GiB: float = knob(
        2048.0,
        unit="GiB",
        gt=0,
        le=1_000_000,
        step=256,
        help="Capacity of all DIMMs together.",
        cls="paper",
        source=f"{_TABLE}: 2 TB, which the text's 310 GB after weights shows to be binary",
    )
    tCK_ns: float = knob(
        0.63,
        unit="ns",
        ge=0.05,
        le=10,
        step=0.01,
        help="Clock period of the DRAM.",
        cls="public",
        source="DRAMSim3, DDR4_8Gb_x8_3200: the file whose timing the paper prints",
    )
    burst_bytes: int = knob(
        64,
        unit="B",
        ge=8,
        le=256,
        step=8,
        help="Bytes one burst moves over a channel.",
        cls="public",
        source="DDR4: 64-bit bus, burst length 8",
    )
    nBL: int = knob(
        4, unit="cycles", ge=1, le=64, step=1, help="Cycles of a burst.", cls="paper", source=_TABLE
    )
    nCCD_S: int = knob(
        4,
        unit="cycles",
        ge=1,
        le=64,
        step=1,
        help="Column-to-column delay between bank groups.",
        cls="paper",
        source=_TABLE,
    )
    nCCD_L: int = knob(
        8,
        unit="cycles",
        ge=1,
        le=64,
        step=1,
        help="Column-to-column delay inside a bank group: the pace of a bank unit.",
        cls="paper",
        source=_TABLE,
    )
    efficiency: float = knob(
        0.80,
        gt=0,
        le=1,
        step=0.01,
        help="Sustained share of the peak of bank units and rank units.",
        cls="calibrated",
        source=f"serial over pipelined attention at 8192 tokens, {_L3}, Fig. 14; the DDR4 timing "
        "with row changes and refresh gives 0.83 with all banks of a rank in step",
    )
    mac_per_read: int = knob(
        0,
        ge=0,
        le=64,
        step=1,
        help="Query heads a bank unit serves with one read (N_cmr); 0 for those of a KV head.",
        cls="paper",
        source=_TABLE,
    )
    n_hc: int = knob(
        0,
        ge=0,
        le=16,
        step=1,
        help="Chips one head is spread over (N_hc); 0 for the largest Eq. (1) allows.",
        cls="paper",
        source=f"{_L3}, V-A: 8 for MHA, 1 for GQA-8",
    )
    n_hc_ccd: str = knob(
        "S",
        choices=("S", "L"),
        help="Column delay the rule of Eq. (1) is evaluated with.",
        cls="derived",
        source=f"{_L3}, V-A: its 8 and 1 follow with tCCD_S, tCCD_L gives 16 and 2",
    )
    relayout_ns: float = knob(
        313.0,
        unit="ns",
        ge=0,
        le=100_000,
        step=10,
        help="Re-layout by the CPU, for one KV head of a request: fixed part.",
        cls="calibrated",
        source=f"re-layout at 512 tokens (MHA) and 8192 tokens (GQA), {_L3}, Fig. 14",
    )
    relayout_vector_ns: float = knob(
        56.0,
        unit="ns",
        ge=0,
        le=100_000,
        step=1,
        help="Re-layout by the CPU, for each vector (query, key or value of a head).",
        cls="calibrated",
        source=f"re-layout at 512 tokens (MHA) and 8192 tokens (GQA), {_L3}, Fig. 14",
    )
