"""Sums of a run's columns over its steps, read in bounded chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run
from simcore.units import PS_PER_S

_CHUNK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a range of steps.

    Attributes:
        steps: number of steps.
        tokens, decode_tokens: output tokens of all steps, of the decode steps.
        duration_ps, prefill_ps, decode_ps: time of all, of the prefill, of the decode steps.
        lane_op_ps, lane_op_bytes: (lanes, ops) int64 sums.
        lane_op_flops: (lanes, ops) float64 sums, since long runs exceed 63 bits.
        memory_bytes: (devices, kinds) at the end of the last step.
        memory_peak_bytes: (devices,) largest sum of all kinds at the end of any step.
    """

    steps: int
    tokens: int
    decode_tokens: int
    duration_ps: int
    prefill_ps: int
    decode_ps: int
    lane_op_ps: NDArray[np.int64]
    lane_op_bytes: NDArray[np.int64]
    lane_op_flops: NDArray[np.float64]
    memory_bytes: NDArray[np.int64]
    memory_peak_bytes: NDArray[np.int64]


def chunks(run: Run, column: str, start: int, stop: int) -> Iterator[NDArray[Any]]:
    """A column over start..stop in pieces of bounded size."""
    if stop <= start:
        return
    row_bytes = max(1, np.asarray(run.value(column, start)).nbytes)
    take = max(1, _CHUNK_BYTES // row_bytes)
    for at in range(start, stop, take):
        yield run.column(column, at, min(stop, at + take))


def totals(run: Run, start: int = 0, stop: int | None = None) -> Totals:
    """Sums over the steps start..stop (all of them by default)."""
    stop = len(run) if stop is None else min(stop, len(run))
    start = max(0, min(start, stop))
    shape = (len(run.lanes), len(run.ops))
    memory_shape = (len(run.plan.memory), len(run.plan.memory_kinds))
    duration = run.column("duration_ps", start, stop).astype(np.int64)
    prefill = run.column("kind", start, stop) == KIND_PREFILL
    tokens = run.column("tokens", start, stop).astype(np.int64)
    peak = np.zeros(memory_shape[0], np.int64)
    for piece in chunks(run, "memory_bytes", start, stop):
        peak = np.maximum(peak, piece.sum(axis=2).max(axis=0))
    last = (
        np.array(run.value("memory_bytes", stop - 1), dtype=np.int64)
        if stop > start
        else np.zeros(memory_shape, np.int64)
    )
    return Totals(
        steps=stop - start,
        tokens=int(tokens.sum()),
        decode_tokens=int(tokens[~prefill].sum()),
        duration_ps=int(duration.sum()),
        prefill_ps=int(duration[prefill].sum()),
        decode_ps=int(duration[~prefill].sum()),
        lane_op_ps=_sum(run, "lane_op_ps", start, stop, np.zeros(shape, np.int64)),
        lane_op_bytes=_sum(run, "lane_op_bytes", start, stop, np.zeros(shape, np.int64)),
        lane_op_flops=_sum(run, "lane_op_flops", start, stop, np.zeros(shape, np.float64)),
        memory_bytes=last,
        memory_peak_bytes=peak,
    )


def tokens_per_s(run: Run) -> float:
    """Output tokens of all steps over their time; 0 for a run without time.

    The same as from `totals`, which a long run takes longer to sum up than to simulate.
    """
    tokens = int(run.column("tokens").astype(np.int64).sum())
    duration_ps = int(run.column("duration_ps").astype(np.int64).sum())
    return tokens * PS_PER_S / duration_ps if duration_ps else 0.0


def _sum(run: Run, column: str, start: int, stop: int, into: NDArray[Any]) -> NDArray[Any]:
    for piece in chunks(run, column, start, stop):
        into += piece.sum(axis=0, dtype=into.dtype)
    return into
