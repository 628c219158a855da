"""Knobs of tensor parallelism."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorParallelPolicy:
    """The links between the GPUs and what the library reaches on them."""

    link_GBps: float = knob(
        300.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=25,
        help="NVLink bandwidth of one GPU in one direction.",
        cls="public",
        source="NVIDIA A100 datasheet: NVLink 600 GB/s in both directions together",
    )
    hop_us: float = knob(
        28.0,
        unit="us",
        ge=0,
        le=10_000,
        step=1,
        help="Time of one step of the ring beside its bytes: start, synchronisation, hand-over.",
        cls="calibrated",
        source="TensorRT-LLM on LLaMA2-70B at batch 1: 17.4 tokens/s (Hermes, Figs. 11 and 17); "
        "stands for all the machine loses on the way, a bare hop takes a few microseconds",
    )
    memory_efficiency: float = knob(
        0.9,
        gt=0,
        le=1,
        step=0.05,
        help="Share of the GPU memory's peak that long reads reach.",
        cls="public",
        source="BabelStream on A100 40 GB: about 1.4 of 1.555 TB/s (recalled, not re-read)",
    )
