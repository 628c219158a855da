"""What a machine's links carried and its devices did in one step of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.hardware.devices import Device, Machine
from simcore.results.run import Run


@dataclass(frozen=True, slots=True)
class LinkTraffic:
    """What a link carried in a step.

    Attributes:
        lanes: GB/s on each of its lanes.
        GBps: all lanes together.
        share: of the bandwidth of its busiest lane, or of all where lanes share it.
    """

    lanes: tuple[float, ...]
    GBps: float
    share: float


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a device did in a step.

    Attributes:
        busy: share of the step its busiest unit worked.
        used_bytes, capacity_bytes: of its memory; 0 and 0 without one.
        kinds: name and bytes of what fills it.
        GBps: read from its own memory.
    """

    busy: float
    used_bytes: int
    capacity_bytes: int
    kinds: tuple[tuple[str, int], ...]
    GBps: float


@dataclass(frozen=True, slots=True)
class StepTraffic:
    """A machine in one step.

    Attributes:
        links, devices: by id.
        hottest: id of the link with the largest share; empty if nothing moves.
    """

    links: Mapping[str, LinkTraffic]
    devices: Mapping[str, DeviceState]
    hottest: str


def step_traffic(run: Run, machine: Machine, step: int) -> StepTraffic:
    """Traffic, use of memory and work of a step of a run."""
    duration = max(float(run.value("duration_ps", step)), 1.0)
    rate = np.asarray(run.value("lane_op_bytes", step)).sum(axis=1) * 1e3 / duration
    work = [index for index, op in enumerate(run.ops) if not op.is_wait]
    busy = np.asarray(run.value("lane_op_ps", step))[:, work].sum(axis=1) / duration
    links = {}
    for link in machine.links:
        lanes = tuple(float(rate[lane]) for lane in link.lanes)
        most = sum(lanes) if link.shared else max(lanes)
        links[link.id] = LinkTraffic(lanes, sum(lanes), most / link.peak_GBps)
    memory = np.asarray(run.value("memory_bytes", step))
    devices = {d.id: _state(run, d, rate, busy, memory) for d in machine.devices}
    moving = [one for one in machine.links if links[one.id].share > 0]
    hottest = max(moving, key=lambda one: links[one.id].share).id if moving else ""
    return StepTraffic(links, devices, hottest)


def _state(
    run: Run,
    device: Device,
    rate: NDArray[np.float64],
    busy: NDArray[np.float64],
    memory: NDArray[np.int64],
) -> DeviceState:
    kinds: tuple[tuple[str, int], ...] = ()
    capacity = used = 0
    if device.memory >= 0:
        named = zip(run.plan.memory_kinds, memory[device.memory], strict=True)
        kinds = tuple((name, int(size)) for name, size in named if size)
        used = sum(size for _, size in kinds)
        capacity = int(run.plan.memory[device.memory].capacity_bytes)
    return DeviceState(
        max((float(busy[lane]) for lane in device.lanes), default=0.0),
        used,
        capacity,
        kinds,
        sum(float(rate[lane]) for lane in device.reads),
    )
