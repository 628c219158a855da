"""The neuron map of a Hermes step, at any level of detail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import WORD, Plane, add_one, read_counter, unpack
from simcore.results.placement import (
    FLAG_FALSE_ALARM,
    FLAG_MISSED,
    FLAG_MOVING,
    NO_CELL,
    ItemInfo,
    PlacementGrid,
    Section,
)
from simcore.results.run import Run
from simcore.systems.hermes.machine import make_places
from simcore.systems.hermes.plan import HermesPlan

_BYTE = 8


def _arrived(run: Run, index: int, gpu: Plane) -> Plane:
    """Neurons whose copy reached the GPU in this step."""
    if index == 0:
        return np.zeros_like(gpu)
    before: Plane = run.value("gpu_bits", index - 1)
    return gpu & ~before


def _home_planes(plan: HermesPlan, run: Run, index: int) -> list[Plane]:
    """One plane a DIMM from the recorded bit planes of the DIMM number."""
    number = run.attachments["home"][int(run.value("home", index))]
    without = [~plane for plane in number]
    valid = plan.space.valid()
    planes = []
    for dimm in range(plan.units.count):
        mine = valid & (number[0] if dimm & 1 else without[0])
        for bit in range(1, len(number)):
            mine &= number[bit] if (dimm >> bit) & 1 else without[bit]
        planes.append(mine)
    return planes


def _largest(counts: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The first place with the most, of (places, layers, cells): `argmax`, only faster."""
    most = counts[0].copy()
    found = np.zeros(most.shape, np.uint8)
    for place in range(1, len(counts)):
        np.copyto(found, np.uint8(place), where=counts[place] > most)
        np.maximum(most, counts[place], out=most)
    return found


def _cells(plane: Plane, items_per_cell: int) -> NDArray[np.uint16]:
    """Set bits of each cell of 8 or more items (a power of two), (layers, cells)."""
    word = min(items_per_cell, WORD)
    bits = np.bitwise_count(plane.view(f"u{word // _BYTE}")).astype(np.uint16)
    while word < items_per_cell:
        if bits.shape[1] % 2:
            bits = np.pad(bits, ((0, 0), (0, 1)))
        bits = bits[:, ::2] + bits[:, 1::2]
        word *= 2
    return bits


def _exact_category(plan: HermesPlan, run: Run, index: int, gpu: Plane) -> NDArray[np.uint8]:
    """Category of every neuron: 0 on the GPU, else 1 + home DIMM, from a bit-sliced number."""
    home = run.attachments["home"][int(run.value("home", index))]
    code = [*(plane.copy() for plane in home), np.zeros_like(gpu)]
    add_one(code)
    off_gpu = ~gpu
    category = read_counter([plane & off_gpu for plane in code])
    category[:, unpack(plan.space.valid()[None])[0] == 0] = NO_CELL
    return category


def placement(plan: HermesPlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
    """Place and activity of neurons at a step.

    Args:
        plan, run, index: the step.
        items_per_cell: neurons behind one cell: 1, or a power of two from 8 on (others are
            rounded down to such a width).
    """
    wide = max(1, items_per_cell)
    if not plan.items:
        raise ValueError("the run was made without single neurons")
    gpu: Plane = run.value("gpu_bits", index)
    active: Plane = run.value("active_bits", index)
    predicted: Plane = run.value("predicted_bits", index)
    flags = (
        (FLAG_MISSED, active & ~predicted),
        (FLAG_FALSE_ALARM, predicted & ~active),
        (FLAG_MOVING, _arrived(run, index, gpu)),
    )
    valid = np.broadcast_to(plan.space.valid(), plan.space.shape)
    counts = marked = None
    if wide < _BYTE:
        wide = 1
        category = _exact_category(plan, run, index, gpu)
        intensity = unpack(active) * np.uint8(255)
        marks = np.zeros_like(category)
        for flag, plane in flags:
            marks |= unpack(plane) * np.uint8(flag)
    else:
        wide = 1 << (wide.bit_length() - 1)
        off_gpu = ~gpu
        places = [gpu, *(home & off_gpu for home in _home_planes(plan, run, index))]
        counts = np.stack([_cells(plane, wide) for plane in places])
        items = _cells(np.ascontiguousarray(valid), wide)
        category = _largest(counts)
        category[items == 0] = NO_CELL
        share = _cells(active, wide) * 255 // np.maximum(items, 1)
        intensity = share.astype(np.uint8)
        marked = np.stack([_cells(plane, wide) for _, plane in flags])
        marks = np.zeros_like(category)
        for (flag, _), amount in zip(flags, marked, strict=True):
            marks |= np.where(amount > 0, np.uint8(flag), np.uint8(0))
    return PlacementGrid(
        row_title="layer",
        column_title="neuron",
        rows=plan.space.layers,
        columns=plan.space.columns,
        items_per_cell=wide,
        sections=tuple(
            Section(b.id, b.title, b.first_column, b.first_column + b.neurons)
            for b in plan.space.blocks
        ),
        categories=make_places(plan.units),
        category=category,
        active=intensity,
        flags=marks,
        counts=counts,
        flag_counts=marked,
    )


def _bit(plane: Plane, row: int, column: int) -> bool:
    return bool((int(plane[row, column // WORD]) >> (column % WORD)) & 1)


def item(plan: HermesPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
    """What is known about one neuron at a step."""
    if not (0 <= row < plan.space.layers and 0 <= column < plan.space.columns):
        return ItemInfo("outside the map", ())
    block = plan.space.block_of(column)
    neuron = column - block.first_column
    if neuron >= block.neurons:
        return ItemInfo("padding", ())
    gpu, active, predicted = (
        _bit(run.value(name, index), row, column)
        for name in ("gpu_bits", "active_bits", "predicted_bits")
    )
    number = run.attachments["home"][int(run.value("home", index))]
    home = sum(_bit(plane, row, column) << bit for bit, plane in enumerate(number))
    unit = plan.units.lane_title(home)
    fired = sum(_bit(run.value("active_bits", step), row, column) for step in range(1, index + 1))
    outcome = {
        (True, True): "fires, predicted",
        (True, False): "fires, missed by the predictor (its work is dropped)",
        (False, True): "silent, predicted in vain (work for nothing)",
        (False, False): "silent",
    }[active, predicted]
    facts = [
        ("place", f"GPU copy, home {unit}" if gpu else unit),
        ("this token", outcome if index else "prefill: every neuron is computed"),
        ("fired so far", f"{fired} of {index} tokens"),
        ("weights", f"{block.neuron_bytes:,} B"),
    ]
    if index and gpu and not _bit(run.value("gpu_bits", index - 1), row, column):
        facts.append(("moving", "copied to the GPU for this token"))
    return ItemInfo(f"layer {row} · {block.title} · neuron {neuron}", tuple(facts))
