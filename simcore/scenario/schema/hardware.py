"""Components of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcore.scenario.fields import knob
from simcore.scenario.schema.asymmetric import ChipLink, Mmu, NpuChip, SideMemory
from simcore.scenario.schema.dimm_pim import DimmPim
from simcore.scenario.schema.hbm_pim import HbmPim, Nvlink

_HERMES = "Hermes, arXiv 2502.16963"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU (or one of several alike)."""

    preset: str = ""
    title: str = "GPU"
    memory_GiB: float = knob(
        24.0,
        unit="GiB",
        gt=0,
        le=4096,
        step=4,
        help="Memory of the card.",
        cls="paper",
        source=f"{_HERMES}, V-A: RTX 4090, 24 GB",
    )
    bandwidth_GBps: float = knob(
        936.0,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=50,
        help="Peak bandwidth of the GPU memory.",
        cls="paper",
        source=f"{_HERMES}, V-A prints 936 (a real RTX 4090 has 1008)",
    )
    fp16_TFLOPS: float = knob(
        330.0,
        unit="TFLOPS",
        gt=0,
        le=100_000,
        step=10,
        help="Dense FP16 tensor peak.",
        cls="paper",
        source=f"{_HERMES}, V-A: 330 tensor TOPS FP16",
    )
    reserve_GB: float = knob(
        2.0,
        unit="GB",
        ge=0,
        le=1000,
        step=0.5,
        help="Memory kept for buffers, context and activations, not for weights.",
        cls="calibrated",
        source="fits Hermes-base of LLaMA2-70B over batch 1-16",
    )
    kernel_launch_us: float = knob(
        1.0,
        unit="us",
        ge=0,
        le=10_000,
        step=1,
        help="Time to launch one kernel.",
        cls="calibrated",
        source="Hermes at batch 1; more than this puts the 13B models further below the paper",
    )
    count: int = knob(1, ge=1, le=64, step=1, help="Number of GPUs.", cls="paper", source=_HERMES)
    price_USD: float | None = knob(
        None,
        unit="USD",
        ge=0,
        le=1e7,
        optional=True,
        live=False,
        help="Price, for cost comparisons only.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pcie:
    """The link between host and GPU."""

    preset: str = ""
    title: str = "PCIe"
    bandwidth_GBps: float = knob(
        64.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=4,
        help="Bandwidth of one transfer between host memory and the GPU.",
        cls="paper",
        source=f"{_HERMES}, V-A: PCIe 4.0, 64 GB/s (both directions of a x16 link added)",
    )
    sync_us: float = knob(
        1.0,
        unit="us",
        ge=0,
        le=10_000,
        step=1,
        help="One-way synchronisation between GPU and DIMM side (T_sync).",
        cls="calibrated",
        source="Hermes at batch 1; more than this puts the 13B models further below the paper",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NdpDimms:
    """DIMMs with a processing unit in the buffer chip."""

    preset: str = ""
    title: str = "NDP-DIMM"
    count: int = knob(
        8,
        ge=1,
        le=64,
        step=1,
        help="Number of NDP-DIMMs.",
        cls="paper",
        source=f"{_HERMES}, V-A: 8 x 32 GB",
    )
    capacity_GiB: float = knob(
        32.0,
        unit="GiB",
        gt=0,
        le=4096,
        step=8,
        help="Capacity of one DIMM.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    ranks: int = knob(
        4,
        ge=1,
        le=16,
        step=1,
        help="Ranks of one DIMM.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    data_rate_MTps: float = knob(
        3200.0,
        unit="MT/s",
        gt=0,
        le=20_000,
        step=200,
        help="Data rate of the DRAM bus.",
        cls="paper",
        source=f"{_HERMES}, Table II: DDR4-3200",
    )
    bus_bytes: int = knob(
        8,
        unit="B",
        ge=1,
        le=64,
        step=1,
        help="Width of one rank's data bus.",
        cls="public",
        source="DDR4: 64-bit rank",
    )
    internal_bandwidth: str = knob(
        "calibrated",
        choices=("calibrated", "ccd_l", "ranks", "bank_groups"),
        help="Which reading of the DIMM-internal bandwidth to use (the paper leaves it open).",
        cls="calibrated",
        source="Hermes-base of LLaMA2-70B over batch 1-16 (5 points, two unknowns)",
    )
    read_efficiency: float = knob(
        0.521,
        gt=0,
        le=1,
        step=0.01,
        help="Sustained share of the ranks' peak when internal_bandwidth is 'calibrated'.",
        cls="calibrated",
        source="Hermes-base of LLaMA2-70B over batch 1-16: 427 of 819 GB/s over 8 DIMMs",
    )
    nBL: int = knob(
        4,
        unit="cycles",
        ge=1,
        le=64,
        step=1,
        help="Burst length in clock cycles.",
        cls="paper",
        source=f"{_HERMES}, Table II tBL",
    )
    nCCD_L: int = knob(
        8,
        unit="cycles",
        ge=1,
        le=64,
        step=1,
        help="Column-to-column delay inside one bank group.",
        cls="paper",
        source=f"{_HERMES}, Table II tCCD_L",
    )
    bank_groups: int = knob(
        2,
        ge=1,
        le=16,
        step=1,
        help="Bank groups of one rank.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    multipliers: int = knob(
        256,
        ge=1,
        le=65_536,
        step=32,
        help="128-bit multipliers of one GEMV unit.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    clock_GHz: float = knob(
        1.0,
        unit="GHz",
        gt=0,
        le=10,
        step=0.1,
        help="Clock of the NDP core.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    values_per_multiplier: int = knob(
        8,
        ge=1,
        le=64,
        step=1,
        help="FP16 values one multiplier handles at once.",
        cls="paper",
        source=f"{_HERMES}, IV-A",
    )
    cycles_per_value: int = knob(
        16,
        unit="cycles",
        ge=1,
        le=64,
        step=1,
        help="Cycles of one bit-serial FP16 multiplication.",
        cls="derived",
        source="one bit a cycle over 16 bits",
    )
    gemv_utilisation: float = knob(
        0.584,
        gt=0,
        le=1,
        step=0.01,
        help="Sustained share of the GEMV unit's peak.",
        cls="calibrated",
        source="Hermes-base of LLaMA2-70B over batch 1-16: 74.8 of 128 GMAC/s per DIMM",
    )
    activation_lanes: int = knob(
        256,
        ge=1,
        le=65_536,
        step=32,
        help="FP16 lanes of the activation unit (softmax, add).",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )
    overlap: str = knob(
        "additive",
        choices=("additive", "max"),
        help="Whether reading and multiplying add up or overlap in the NDP core.",
        cls="calibrated",
        source="Hermes-base of LLaMA2-70B is linear in batch within 0.2 %: reading plus computing",
    )
    price_USD: float | None = knob(
        None,
        unit="USD",
        ge=0,
        le=1e6,
        optional=True,
        live=False,
        help="Price of one DIMM, for cost comparisons only.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DimmLink:
    """Point-to-point links between DIMMs."""

    preset: str = ""
    title: str = "DIMM-link"
    bandwidth_GBps: float = knob(
        25.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=5,
        help="Bandwidth of one link.",
        cls="paper",
        source=f"{_HERMES}, Table II: 8 lanes x 25 Gb/s",
    )
    latency_us: float = knob(
        0.5,
        unit="us",
        ge=0,
        le=1000,
        step=0.1,
        help="Latency of one hop.",
        cls="calibrated",
        source="not stated; order of a serial hop with controller",
    )
    energy_pJ_per_bit: float = knob(
        1.17,
        unit="pJ/bit",
        ge=0,
        le=1000,
        step=0.1,
        live=False,
        help="Energy of one bit moved.",
        cls="paper",
        source=f"{_HERMES}, Table II",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The host processor and its path to memory."""

    preset: str = ""
    title: str = "Host CPU"
    bandwidth_GBps: float = knob(
        89.6,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=5,
        help="Bandwidth between CPU and DRAM.",
        cls="paper",
        source=f"{_HERMES}, V-A: i9-13900K",
    )
    cache_GBps: float = knob(
        200.0,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=10,
        help="Rate at which the predictor tables are read from the last-level cache.",
        cls="calibrated",
        source="order of a desktop last-level cache; not stated by the paper",
    )
    gather_efficiency: float = knob(
        0.34,
        gt=0,
        le=1,
        step=0.01,
        help="Share of the bandwidth the CPU reaches when it gathers scattered weight rows.",
        cls="calibrated",
        source="Hermes-host on all models, together with dispatch_us",
    )
    dispatch_us: float = knob(
        110.0,
        unit="us",
        ge=0,
        le=100_000,
        step=10,
        help="Time for the CPU to start one parallel section: waking its threads, meeting the GPU.",
        cls="calibrated",
        source="Hermes-host on all models: small models take longer than their bytes account for",
    )
    compute_GMACps: float = knob(
        640.0,
        unit="GMAC/s",
        gt=0,
        le=1e6,
        step=10,
        help="Multiply-accumulates the CPU sustains.",
        cls="derived",
        source="i9-13900K: 8 performance cores x 2 x 8-wide FMA x 5 GHz",
    )
    memory_GiB: float = knob(
        256.0,
        unit="GiB",
        gt=0,
        le=100_000,
        step=32,
        help="Host memory.",
        cls="derived",
        source="as the eight 32-GiB DIMMs",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """The components a machine can have; a system says which it needs."""

    gpu: Gpu | None = None
    pcie: Pcie | None = None
    ndp_dimms: NdpDimms | None = None
    dimm_link: DimmLink | None = None
    host: Host | None = None
    hbm: SideMemory | None = None
    hbm_npu: NpuChip | None = None
    lpddr: SideMemory | None = None
    lpddr_npu: NpuChip | None = None
    chip_link: ChipLink | None = None
    mmu: Mmu | None = None
    nvlink: Nvlink | None = None
    dimm_pim: DimmPim | None = None
    hbm_pim: HbmPim | None = None


COMPONENTS: Mapping[str, type[Any]] = {
    "gpu": Gpu,
    "pcie": Pcie,
    "ndp_dimms": NdpDimms,
    "dimm_link": DimmLink,
    "host": Host,
    "hbm": SideMemory,
    "hbm_npu": NpuChip,
    "lpddr": SideMemory,
    "lpddr_npu": NpuChip,
    "chip_link": ChipLink,
    "mmu": Mmu,
    "nvlink": Nvlink,
    "dimm_pim": DimmPim,
    "hbm_pim": HbmPim,
}
"""Component name in `hardware:` to its dataclass."""
