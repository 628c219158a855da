"""The machine view's numbers and places: traffic of a step, boxes, lines; plain data without Qt."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from app.viewmodels.formatting import bytes_text, percent_text, significant
from simcore.hardware.devices import Device, DeviceKind, Link, Machine, machine
from simcore.hardware.traffic import DeviceState, LinkTraffic
from simcore.results.run import Run

GAP = 6.0
HEAD = 30.0  # of a box that holds others: title and bar
LOOP = 24.0  # above the boxes, for a link among devices drawn as one
MIN_BOX = 24.0
MOST = 120.0  # height of a box that holds no others


_MACHINES: weakref.WeakKeyDictionary[Run, Machine] = weakref.WeakKeyDictionary()


def machine_of(run: Run) -> Machine:
    """Devices and links of a run, made once for all views."""
    known = _MACHINES.get(run)
    if known is None:
        known = _MACHINES[run] = machine(run.plan)
    return known


# Texts.


def rate_of(link: Link, traffic: LinkTraffic) -> str:
    """``23.1 of 64 GB/s · 36 %``; for lanes of their own the busiest, as the share is."""
    shown = traffic.GBps if link.shared else max(traffic.lanes)
    return (
        f"{significant(shown, 3)} of {significant(link.peak_GBps, 3)} GB/s · "
        f"{percent_text(traffic.share)}"
    )


def link_text(run: Run, link: Link, traffic: LinkTraffic) -> str:
    """A link with all its lanes, for a tip."""
    lines = [f"{link.title}: {percent_text(traffic.share)} of its bandwidth in this step"]
    for lane, rate in zip(link.lanes, traffic.lanes, strict=True):
        what = run.lanes[lane]
        share = f", {percent_text(rate / link.peak_GBps)}" if not link.shared else ""
        lines.append(f"{what.title}: {significant(rate, 4)} GB/s{share}")
    together = "all lanes together" if link.shared else "each lane"
    lines.append(f"peak {significant(link.peak_GBps)} GB/s, {together}")
    return "\n".join(lines)


def device_text(device: Device, state: DeviceState) -> str:
    """A device with what it holds and does, for a tip."""
    lines = [device.title + (f" — {device.parts}" if device.parts else "")]
    if device.lanes:
        lines.append(f"busy {percent_text(state.busy)} of this step")
    if device.peak_GBps and device.reads:
        lines.append(
            f"reads {significant(state.GBps, 4)} of {significant(device.peak_GBps)} GB/s of its own"
            " memory"
        )
    if device.peak_GFLOPS:
        lines.append(f"computes at up to {significant(device.peak_GFLOPS)} GFLOP/s")
    if state.capacity_bytes:
        share = state.used_bytes / state.capacity_bytes
        lines.append(
            f"holds {bytes_text(state.used_bytes)} of {bytes_text(state.capacity_bytes)}, "
            f"{percent_text(share)}"
        )
        lines.extend(f"  {name}: {bytes_text(size)}" for name, size in state.kinds)
    return "\n".join(lines)


# Places.


@dataclass(frozen=True, slots=True)
class Box:
    """Place of a device in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x <= x <= self.right and self.y <= y <= self.bottom


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wire:
    """Course of a link.

    Attributes:
        lines: polylines; the first is its main one, others are branches of a bus.
        label: where its name is centred.
        upright: whether the label is one line, for lines from top to bottom and in tight places.
        room: width the label may take.
    """

    lines: tuple[tuple[Point, ...], ...]
    label: Point
    upright: bool
    room: float

    def distance(self, x: float, y: float) -> float:
        """Distance of a point in pixels."""
        return min(_distance((x, y), a, b) for line in self.lines for a, b in pairwise(line))


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where everything is, by id, and how large it is in all."""

    boxes: Mapping[str, Box]
    wires: Mapping[str, Wire]
    width: float
    height: float

    def at(self, x: float, y: float, machine: Machine) -> str:
        """Id of the device, or else of the link, at a point; empty if there is none."""
        inner = [d.id for d in machine.devices if d.inside] + [d.id for d in machine.devices]
        for id in inner:
            if id in self.boxes and self.boxes[id].holds(x, y):
                return id
        near = [(wire.distance(x, y), id) for id, wire in self.wires.items()]
        return min(near)[1] if near and min(near)[0] <= 9 else ""


def _distance(p: Point, a: Point, b: Point) -> float:
    (px, py), (ax, ay), (bx, by) = p, a, b
    length = (bx - ax) ** 2 + (by - ay) ** 2
    t = 0.0 if not length else ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length
    t = min(1.0, max(0.0, t))
    return float(np.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)))


@dataclass
class _Columns:
    """Devices by column, from the left: memory at the host, hosts, what computes, its memory."""

    far: list[Device] = field(default_factory=list)
    hosts: list[Device] = field(default_factory=list)
    compute: list[Device] = field(default_factory=list)
    own: list[Device] = field(default_factory=list)


def draw(machine: Machine, width: float, height: float) -> Drawing:
    """Places for a machine in a room of pixels; taller than the room if it does not fit.

    Memory stands beside what it belongs to: host, DIMMs and ranksets on the left, GPUs and chips
    on the right, and links run between the columns or along one.
    """
    columns = _columns(machine)
    inside = {
        d.id: [c for c in machine.devices if c.inside == d.id]
        for d in machine.devices
        if any(c.inside == d.id for c in machine.devices)
    }
    used = [
        (name, devices)
        for name in ("far", "hosts", "compute", "own")
        if (devices := getattr(columns, name))
    ]
    top = GAP + (
        LOOP if any(len(one.ends) == 1 and not one.internal for one in machine.links) else 0
    )
    under = 22.0 if any(_along(link, columns) for link in machine.links) else GAP
    need = max((_height(devices, inside) for _, devices in used), default=0.0) + top + under
    tall = max(height, need)
    weights = {"far": 1.9 if inside else 1.5, "hosts": 0.8, "compute": 1.0, "own": 1.0}
    gaps = max(0, len(used) - 1)
    spare = max(70.0, min(170.0, 0.142 * width))
    edge = 24.0 if any(_along(link, columns) for link in machine.links) else GAP
    room = max(60.0 * len(used), width - gaps * spare - edge - GAP)
    whole = sum(weights[name] for name, _ in used)
    boxes: dict[str, Box] = {}
    x = edge
    for name, devices in used:
        wide = room * weights[name] / whole
        _stack(devices, inside, Box(x, top, wide, tall - top - under), boxes)
        x += wide + spare
    wires = {
        link.id: wire for link in machine.links if (wire := _wire(link, boxes, columns)) is not None
    }
    return Drawing(boxes, _apart(wires), width, tall)


def _columns(machine: Machine) -> _Columns:
    out = _Columns()
    computing = {d.id for d in machine.devices if d.kind in (DeviceKind.GPU, DeviceKind.CHIP)}
    own = {e for one in machine.links if one.internal for e in one.ends if computing & {*one.ends}}
    modules = {e for one in machine.links if one.id == "modules" for e in one.ends}
    for device in machine.devices:
        if device.inside:
            continue
        if device.id in computing or device.id in modules:
            out.compute.append(device)
        elif device.id in own:
            out.own.append(device)
        elif device.kind in (DeviceKind.NEAR, DeviceKind.MEMORY):
            out.far.append(device)
        else:
            out.hosts.append(device)
    return out


def _height(devices: Sequence[Device], inside: Mapping[str, list[Device]]) -> float:
    """Least height of a column."""
    if not any(d.id in inside for d in devices):
        rows = _rows(len(devices))
        return rows * MIN_BOX + GAP * max(0, rows - 1)
    total = GAP * (len(devices) - 1)
    for device in devices:
        rows = -(-len(inside.get(device.id, [])) // 2)
        total += HEAD + GAP + rows * (MIN_BOX + GAP) if rows else MIN_BOX
    return total


def _rows(count: int) -> int:
    """Long lists stand in two columns."""
    return -(-count // 2) if count > 4 else count


def _stack(
    devices: Sequence[Device],
    inside: Mapping[str, list[Device]],
    room: Box,
    boxes: dict[str, Box],
) -> None:
    """Boxes of a column, evenly over its height; in two columns where one has no room."""
    count = len(devices)
    if not count:
        return
    across = 2 if count > 4 or count * (MIN_BOX + GAP) - GAP > room.height else 1
    rows = -(-count // across)
    gap = 20.0 if count == 2 and across == 1 and room.height >= 2 * MIN_BOX + 20.0 else GAP
    most = MOST if not any(d.id in inside for d in devices) else 1e9
    height = min(most, (room.height - gap * (rows - 1)) / rows)
    top = room.y + (room.height - rows * height - gap * (rows - 1)) / 2
    wide = (room.width - GAP * (across - 1)) / across
    for index, device in enumerate(devices):
        row, column = index % rows, index // rows
        box = Box(room.x + column * (wide + GAP), top + row * (height + gap), wide, height)
        boxes[device.id] = box
        children = inside.get(device.id, [])
        if children:
            inner = Box(
                box.x + GAP,
                box.y + HEAD + GAP / 2,
                box.width - 2 * GAP,
                box.height - HEAD - 1.5 * GAP,
            )
            _stack(children, {}, inner, boxes)


def _along(link: Link, columns: _Columns) -> bool:
    """Whether a link runs along the outermost column: between DIMMs."""
    far = {d.id for d in columns.far}
    return len(link.ends) > 1 and set(link.ends) <= far


def _wire(link: Link, boxes: Mapping[str, Box], columns: _Columns) -> Wire | None:
    """Course of a link; none for a device's way to memory inside the same box."""
    ends = [boxes[id] for id in link.ends if id in boxes]
    if not ends or (link.internal and len(ends) == 1):
        return None
    if len(ends) == 1:
        return _loop(ends[0])
    if _along(link, columns) and len(ends) > 2:
        return _rail(ends)
    if len(ends) > 2:
        return _bus(ends[0], ends[1:])
    a, b = sorted(ends, key=lambda box: (box.x, box.y))
    if b.x >= a.right:
        low, high = max(a.y, b.y), min(a.bottom, b.bottom)
        y = (low + high) / 2 if high > low else (a.middle[1] + b.middle[1]) / 2
        line = ((a.right, y), (b.x, y))
        return Wire((line,), ((a.right + b.x) / 2, y), False, b.x - a.right)
    a, b = sorted(ends, key=lambda box: box.y)
    if b.y - a.bottom <= 25:
        x = a.x + a.width / 2
        return Wire((((x, a.bottom), (x, b.y)),), (x, (a.bottom + b.y) / 2), True, a.width)
    # Not neighbours: round the outside.
    x = min(a.x, b.x) - 12
    line2 = ((a.x, a.middle[1]), (x, a.middle[1]), (x, b.middle[1]), (b.x, b.middle[1]))
    return Wire((line2,), (x, (a.middle[1] + b.middle[1]) / 2), True, 60.0)


def _loop(box: Box) -> Wire:
    """A link among devices drawn as one box: a bracket on its upper edge."""
    left, right, top = box.x + 0.1 * box.width, box.right - 0.1 * box.width, box.y - 13
    line = ((left, box.y), (left, top), (right, top), (right, box.y))
    return Wire((line,), ((left + right) / 2, top), True, max(box.width, 130.0))


def _rail(ends: Sequence[Box]) -> Wire:
    """A rail on the left of boxes, with a branch to each."""
    x = min(box.x for box in ends) - 11
    top, bottom = min(b.middle[1] for b in ends), max(b.middle[1] for b in ends)
    first = min(box.x for box in ends)
    branches = tuple(
        ((x, box.middle[1]), (box.x, box.middle[1])) for box in ends if box.x - first < 2
    )
    return Wire(
        (((x, top), (x, bottom)), *branches), (x, max(box.bottom for box in ends) + 11), True, 190.0
    )


def _bus(root: Box, others: Sequence[Box]) -> Wire:
    """From one box to a rail beside many."""
    right = max(box.right for box in others)
    x = right + 12
    y = root.middle[1]
    top = min(y, *(b.middle[1] for b in others))
    bottom = max(y, *(b.middle[1] for b in others))
    edge = [box for box in others if right - box.right < 2]
    branches = tuple(((x, box.middle[1]), (box.right, box.middle[1])) for box in edge)
    main = ((root.x, y), (x, y))
    middle = (root.x + x) / 2
    return Wire((main, ((x, top), (x, bottom)), *branches), (middle, y), False, root.x - x)


def _apart(wires: dict[str, Wire]) -> dict[str, Wire]:
    """Labels that would lie on each other are moved down."""
    placed: list[Point] = []
    out = {}
    for id, wire in wires.items():
        x, y = wire.label
        while any(abs(x - px) < 90 and abs(y - py) < 15 for px, py in placed):
            y += 16
        placed.append((x, y))
        out[id] = Wire(wire.lines, (x, y), wire.upright, wire.room)
    return out
