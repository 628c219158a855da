"""HBM stacks that compute in their banks, and the links between GPUs."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_L3 = "L3 (CHIME), arXiv 2504.17584 v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class HbmPim:
    """Stacks with bank units: those of the GPUs, or modules beside them."""

    preset: str = ""
    title: str = "HBM-PIM"
    stacks_per_gpu: int = knob(
        5,
        ge=1,
        le=64,
        step=1,
        help="Stacks of one GPU.",
        cls="paper",
        source=f"{_L3}, Table I",
    )
    stack_GBps: float = knob(
        407.5,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=10,
        help="External bandwidth of one stack.",
        cls="derived",
        source=f"{_L3}, Table I: 260.8 TB/s over 16 x 40 stacks",
    )
    internal_scale: float = knob(
        16.0,
        gt=0,
        le=64,
        step=1,
        help="Bandwidth of a stack's bank units over its external bandwidth.",
        cls="paper",
        source=f"{_L3}, Table I: 16 x HBM",
    )
    efficiency: float = knob(
        0.85,
        gt=0,
        le=1,
        step=0.05,
        help="Sustained share of the internal bandwidth.",
        cls="public",
        source="AttAcc simulator: cap of the memory utilisation",
    )
    queries_per_read: int = knob(
        0,
        ge=0,
        le=64,
        step=1,
        help="Query heads a bank unit serves with one read; 0 for all that share a KV head. Else "
        "keys and values are read again for the others.",
        cls="derived",
        source=f"as many as the bank units of DIMM-PIM serve: {_L3}, Table I (N_cmr)",
    )
    kernel_us: float = knob(
        2.5,
        unit="us",
        ge=0,
        le=1000,
        step=0.1,
        help="Fixed time of one attention kernel on a stack.",
        cls="derived",
        source="AttAcc simulator: 3930 and 20938 cycles of 0.769 ns for 3 and 77 heads",
    )
    extra_stacks: int = knob(
        20,
        ge=1,
        le=1024,
        step=1,
        help="Stacks that hold nothing but keys and values (HBM-PIM-EXT).",
        cls="paper",
        source=f"{_L3}, Table I",
    )
    extra_stack_GiB: float = knob(
        16.0,
        unit="GiB",
        gt=0,
        le=1024,
        step=8,
        help="Capacity of one of these.",
        cls="paper",
        source=f"{_L3}, Table I: 320 GB in 20 modules",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Nvlink:
    """Links between the GPUs that share a model."""

    preset: str = ""
    title: str = "NVLink"
    bandwidth_GBps: float = knob(
        300.0,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=25,
        help="Bandwidth of one GPU in one direction.",
        cls="public",
        source="NVIDIA A100 datasheet: NVLink 600 GB/s in both directions together",
    )
    hop_us: float = knob(
        6.06,
        unit="us",
        ge=0,
        le=10_000,
        step=0.5,
        help="Latency of one of the N - 1 hops of an all-reduce.",
        cls="public",
        source="AttAcc simulator: all-reduce of 6.06 us times (N - 1)",
    )
