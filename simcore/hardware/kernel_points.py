"""A run's kernels on the roofline of the device they ran on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.hardware.devices import Device
from simcore.results.run import Plan, Run
from simcore.results.totals import totals


@dataclass(frozen=True, slots=True)
class KernelPoint:
    """One kind of operation on one device.

    Attributes:
        op: index into the run's ops.
        title: name of the op.
        amount_bytes, flops: all of it.
        time_ps: how long the device's units were at it; the longest if several were.
        intensity: operations a byte.
        GFLOPS, GBps: achieved.
    """

    op: int
    title: str
    amount_bytes: float
    flops: float
    time_ps: int
    intensity: float
    GFLOPS: float
    GBps: float


def kernel_points(
    plan: Plan, device: Device, op_ps: ArrayLike, op_bytes: ArrayLike, op_flops: ArrayLike
) -> tuple[KernelPoint, ...]:
    """The ops that read and computed on a device, longest first.

    Ops that read nothing (sums of partial results in a vector unit) have no place on a roofline.

    Args:
        plan: of the run.
        device: one of its devices.
        op_ps, op_bytes, op_flops: (lanes, ops) totals of a step or of many.
    """
    lanes, reads = list(device.lanes), list(device.reads)
    if not lanes or not reads:
        return ()
    times, amounts = np.asarray(op_ps), np.asarray(op_bytes, dtype=np.float64)
    flops = np.asarray(op_flops, dtype=np.float64)[lanes].sum(axis=0)
    if set(reads) - set(lanes):
        found = _apart(plan, times, amounts, flops, lanes, reads)
    else:
        busy, read = times[lanes].max(axis=0), amounts[reads].sum(axis=0)
        found = [
            _point(index, op.title, read[index], flops[index], int(busy[index]))
            for index, op in enumerate(plan.ops)
            if not op.is_wait and min(busy[index], flops[index], read[index]) > 0
        ]
    return tuple(sorted(found, key=lambda point: -point.time_ps))


def _apart(
    plan: Plan,
    times: NDArray[np.int64],
    amounts: NDArray[np.float64],
    flops: NDArray[np.float64],
    lanes: list[int],
    reads: list[int],
) -> list[KernelPoint]:
    """A memory that is a lane of its own names its reads by what is read, not by kernel.

    So kernels are told apart as far as the reads are: attention over keys and values, and all that
    reads weights. Both sides work at the same time; the longer of them counts.
    """
    work = [i for i, op in enumerate(plan.ops) if not op.is_wait]
    found = []
    for title, over_kv in (("weight kernels", False), ("attention", True)):
        kernels = [i for i in work if (plan.ops[i].category == "attention") is over_kv]
        kernels = [i for i in kernels if flops[i] > 0]
        reading = [i for i in work if ("kv" in plan.ops[i].id) is over_kv and not flops[i]]
        read = amounts[np.ix_(reads, reading)].sum()
        computing = times[np.ix_(lanes, kernels)].sum(axis=1).max(initial=0)
        moving = times[np.ix_(reads, [i for i in reading if amounts[reads, i].any()])]
        time = int(max(computing, moving.sum(axis=1).max(initial=0)))
        if kernels and read > 0:
            found.append(_point(kernels[0], title, float(read), float(flops[kernels].sum()), time))
    return found


def _point(op: int, title: str, amount: float, flops: float, time_ps: int) -> KernelPoint:
    rate = 1e3 / time_ps
    intensity = float(flops / amount)
    return KernelPoint(
        op, title, float(amount), float(flops), time_ps, intensity, flops * rate, amount * rate
    )


def run_points(
    run: Run, device: Device, start: int = 0, stop: int | None = None
) -> tuple[KernelPoint, ...]:
    """The same over steps start..stop of a run (all of them by default)."""
    sums = totals(run, start, stop)
    return kernel_points(run.plan, device, sums.lane_op_ps, sums.lane_op_bytes, sums.lane_op_flops)


def roof_GFLOPS(device: Device, intensity: ArrayLike) -> NDArray[np.float64]:
    """Most a device reaches at an intensity: the lower of bandwidth and compute; any shape."""
    slope = np.asarray(intensity, dtype=np.float64) * device.peak_GBps
    return np.asarray(np.minimum(slope, device.peak_GFLOPS) if device.peak_GFLOPS else slope)
