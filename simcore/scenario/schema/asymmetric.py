"""Components of a board with two memories and an accelerator chip at each."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_H2M2 = "H2M2, arXiv 2504.14893"


@dataclass(frozen=True, slots=True, kw_only=True)
class NpuChip:
    """An accelerator chip: cores with a systolic array, dot-product trees and a vector unit."""

    preset: str = ""
    title: str = "accelerator chip"
    cores: int = knob(
        4,
        ge=1,
        le=1024,
        step=1,
        help="Cores of the chip.",
        cls="paper",
        source=f"{_H2M2}, Table 2",
    )
    clock_GHz: float = knob(
        1.0,
        unit="GHz",
        gt=0,
        le=10,
        step=0.1,
        help="Clock of the cores.",
        cls="paper",
        source=f"{_H2M2}, Table 2",
    )
    array_rows: int = knob(
        128,
        ge=1,
        le=4096,
        step=16,
        help="Rows of a core's weight-stationary systolic array: inputs of one weight tile.",
        cls="paper",
        source=f"{_H2M2}, Table 2: 128 x 128",
    )
    array_columns: int = knob(
        128,
        ge=1,
        le=4096,
        step=16,
        help="Columns of the systolic array: outputs of one weight tile.",
        cls="paper",
        source=f"{_H2M2}, Table 2: 128 x 128",
    )
    mv_units: int = knob(
        32,
        ge=1,
        le=4096,
        step=4,
        help="Dot-product trees of one core.",
        cls="paper",
        source=f"{_H2M2}, Table 2: 32 x (128 x 1)",
    )
    mv_width: int = knob(
        128,
        ge=2,
        le=4096,
        step=16,
        help="Products one tree adds up in a cycle.",
        cls="paper",
        source=f"{_H2M2}, Table 2: 32 x (128 x 1)",
    )
    vector_lanes: int = knob(
        128,
        ge=1,
        le=65_536,
        step=16,
        help="Elements a core's vector unit handles in a cycle.",
        cls="calibrated",
        source="width not stated; as wide as the array, so that it keeps up with its outputs",
    )
    scratchpad_MiB: float = knob(
        32.0,
        unit="MiB",
        gt=0,
        le=4096,
        step=1,
        help="Scratchpad of one core, both halves of the double buffer; activations must fit.",
        cls="paper",
        source=f"{_H2M2}, Table 2: 2 x 16 MB",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SideMemory:
    """The memory of one side of the board."""

    preset: str = ""
    title: str = "memory"
    capacity_GB: float = knob(
        96.0,
        unit="GB",
        gt=0,
        le=1_000_000,
        step=16,
        help="Capacity, all devices of the side together.",
        cls="paper",
        source=f"{_H2M2}, Table 1",
    )
    bandwidth_GBps: float = knob(
        3000.0,
        unit="GB/s",
        gt=0,
        le=1_000_000,
        step=50,
        help="Peak bandwidth.",
        cls="paper",
        source=f"{_H2M2}, Table 1",
    )
    latency_ns: float = knob(
        32.0,
        unit="ns",
        ge=0,
        le=100_000,
        step=1,
        help="Latency of one access; a kernel pays it once.",
        cls="paper",
        source=f"{_H2M2}, Table 2",
    )
    efficiency: float = knob(
        1.0,
        gt=0,
        le=1,
        step=0.05,
        help="Sustained share of the peak (refresh, row misses).",
        cls="calibrated",
        source="not stated; long sequential reads are taken to reach the peak",
    )
    energy_pJ_per_bit: float = knob(
        3.97,
        unit="pJ/bit",
        ge=0,
        le=1000,
        step=0.1,
        live=False,
        help="Energy of one bit read or written.",
        cls="public",
        source="HBM2: O'Connor et al., Fine-Grained DRAM, MICRO 2017",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipLink:
    """The link between the two chips."""

    preset: str = ""
    title: str = "chip link"
    bandwidth_GBps: float = knob(
        960.0,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=40,
        help="Bandwidth between the chips.",
        cls="paper",
        source=f"{_H2M2}, section on the architecture: 960 GB/s",
    )
    latency_us: float = knob(
        0.0,
        unit="us",
        ge=0,
        le=1000,
        step=0.1,
        help="Latency of one transfer.",
        cls="calibrated",
        source="not stated; taken to be part of the barrier after a kernel",
    )
    energy_pJ_per_bit: float = knob(
        0.0,
        unit="pJ/bit",
        ge=0,
        le=1000,
        step=0.1,
        live=False,
        help="Energy of one bit moved between the chips.",
        cls="calibrated",
        source="the paper's energy study counts memory accesses only",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mmu:
    """Paging in hardware: page tables and translation caches of the two chips."""

    preset: str = ""
    title: str = "MMU"
    page_KiB: int = knob(
        2048,
        unit="KiB",
        ge=4,
        le=1_048_576,
        step=1024,
        help="Size of a page.",
        cls="paper",
        source=f"{_H2M2}, section on the MMU: 2 MB",
    )
    tlb_entries: int = knob(
        2048,
        ge=1,
        le=1_048_576,
        step=256,
        help="Translations each chip keeps.",
        cls="paper",
        source=f"{_H2M2}, section on the MMU",
    )
    miss_ns: float = knob(
        300.0,
        unit="ns",
        ge=0,
        le=100_000,
        step=50,
        help="Time of one walk of the page table; also of dropping a translation that moved.",
        cls="paper",
        source=f"{_H2M2}, section on the MMU: 300 ns a miss",
    )
    walkers: int = knob(
        8,
        ge=1,
        le=1024,
        step=1,
        help="Walks a chip has under way at once.",
        cls="public",
        source="mNPUsim, the public simulator of the same first author: example with 8 walkers",
    )
    logical_TiB: float = knob(
        1.0,
        unit="TiB",
        gt=0,
        le=1024,
        step=1,
        help="Logical address space; a flat page table covers all of it on each side.",
        cls="paper",
        source=f"{_H2M2}, section on the MMU: 1 TB",
    )
    entry_bytes: int = knob(
        8,
        unit="B",
        ge=1,
        le=64,
        step=1,
        help="Size of a page table entry.",
        cls="derived",
        source="a table of 4 MB over 524288 pages (H2M2, arXiv 2504.14893)",
    )
