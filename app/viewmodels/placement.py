"""The placement map as pixels: which level of detail to ask for, and how to colour it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import Theme, blend, place_colours, rgb
from simcore.results.placement import (
    FLAG_FALSE_ALARM,
    FLAG_MISSED,
    FLAG_MOVING,
    FLAGS,
    NO_CELL,
    PlacementGrid,
)
from simcore.results.run import Run

MAX_PER_CELL = 4096
COARSE = 8
"""Items per pixel column from which on the grid's counts are drawn instead of single items."""

_PALE = 0.30
"""How much of a place's colour is left where nothing is active."""
MARK_GAIN = 4.0
"""How much stronger than its share a mark colours a cell of many items."""

Cells = NDArray[np.uint32]


class ColourBy(StrEnum):
    """What the colours of the map say."""

    PLACE = "place"
    ACTIVITY = "activity"
    MISPREDICTIONS = "mispredictions"
    MOVES = "moves"


def items_per_cell(items: float, pixels: float) -> int:
    """Largest power of two that keeps a cell at one pixel or more, 1 when items are wider."""
    if pixels <= 0 or items <= pixels:
        return 1
    return int(min(MAX_PER_CELL, 2 ** int(np.floor(np.log2(items / pixels)))))


@dataclass(frozen=True, slots=True)
class Look:
    """What decides the colours of the map, apart from the grid.

    Attributes:
        theme: tokens in force.
        by: what the colours say.
        hidden: places shown as ground.
    """

    theme: Theme
    by: ColourBy = ColourBy.PLACE
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A grid with its colours.

    Attributes:
        grid: exact or finer than the pixels, see `per_cell`.
        pixels: packed colours of (rows, cells).
        per_cell: items behind one pixel column.
        first: the grid's cell in the first pixel column; not 0 when only a part is coloured.
        shares: share of all items in each place.
    """

    grid: PlacementGrid
    pixels: Cells
    per_cell: int
    first: int = 0
    shares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def draw_map(
    run: Run, step: int, per_cell: int, look: Look, part: tuple[int, int] | None = None
) -> MapPicture:
    """The map of a step with `per_cell` items a column; made to run in the background.

    With `part`, only these columns (in items) of an exact grid are coloured.
    """
    picture = _drawn(run, step, per_cell, look, part)
    pixels = np.ascontiguousarray(picture.pixels, np.uint32)  # as it is painted
    return dataclasses.replace(picture, pixels=pixels, shares=shares(picture.grid))


def _drawn(
    run: Run, step: int, per_cell: int, look: Look, part: tuple[int, int] | None
) -> MapPicture:
    grid = run.placement(step, per_cell if per_cell >= COARSE else 1)
    if grid.counts is not None and grid.flag_counts is not None:
        return MapPicture(grid, _shares_coloured(grid, look), grid.items_per_cell)
    if part is not None and per_cell == grid.items_per_cell == 1:
        begin, end = max(0, part[0]), min(grid.columns, part[1])
        return MapPicture(grid, _flagged(_cut(grid, begin, end), look), 1, begin)
    colours = _flagged(grid, look)
    group = max(1, per_cell // grid.items_per_cell)
    if group > 1:
        colours = _mixed(colours, group)
    return MapPicture(grid, colours, grid.items_per_cell * group)


def offered(run: Run) -> tuple[ColourBy, ...]:
    """What the map of a run can be coloured by: only neurons are predicted, not all things move."""
    neurons = "n_gpu" in run.column_names
    moves = neurons or any(op.category == "migration" for op in run.ops)
    found = [ColourBy.PLACE, ColourBy.ACTIVITY]
    if neurons:
        found.append(ColourBy.MISPREDICTIONS)
    if moves:
        found.append(ColourBy.MOVES)
    return tuple(found)


def visible_part(left: float, right: float) -> tuple[int, int]:
    """Columns to colour for a window: the window and its surroundings, in coarse blocks."""
    block = 2 ** int(np.ceil(np.log2(max(right - left, 256.0))))
    return int(left // block - 1) * block, int(right // block + 2) * block


def _cut(grid: PlacementGrid, begin: int, end: int) -> PlacementGrid:
    return dataclasses.replace(
        grid,
        category=grid.category[:, begin:end],
        active=grid.active[:, begin:end],
        flags=grid.flags[:, begin:end],
    )


def _flagged(grid: PlacementGrid, look: Look) -> Cells:
    colours = _colours(grid, look)
    for flag, colour in _flag_colours(look):
        colours = np.where(grid.flags & flag, np.uint32(_packed(colour)), colours)
    return colours


def _flag_colours(look: Look) -> tuple[tuple[int, str], ...]:
    """The marks that colour the map, and their colours."""
    theme = look.theme
    if look.by is ColourBy.MOVES:
        return ((FLAG_MOVING, theme.moving),)
    if look.by is ColourBy.MISPREDICTIONS:
        return ((FLAG_FALSE_ALARM, theme.false_alarm), (FLAG_MISSED, theme.missed))
    return ()


def _shares_coloured(grid: PlacementGrid, look: Look) -> Cells:
    """Colours of cells of many items: the mean of its places, lifted by the share that is active.

    A mark colours a cell in proportion to the items that carry it, MARK_GAIN times stronger so
    that a few of them are seen.
    """
    assert grid.counts is not None
    assert grid.flag_counts is not None
    theme = look.theme
    total = np.maximum(grid.counts.sum(axis=0, dtype=np.float32), 1)
    if look.by is ColourBy.ACTIVITY:
        heat = np.array([_unpacked(int(c)) for c in _ramp(theme.heat, 256)], np.float32)
        mean = np.stack([channel[_LIFT[grid.active]] for channel in heat.T])
    else:
        ids = tuple(category.id for category in grid.categories)
        full = np.array([rgb(colour) for colour in place_colours(theme, ids)], np.float32)
        for index in look.hidden & frozenset(range(len(ids))):  # places come and go with the run
            full[index] = rgb(blend(theme.canvas, theme.border, 0.25))
        # By channel, so that all of it is one product of two matrices: (3, rows, cells).
        items = grid.counts.astype(np.float32).reshape(len(ids), -1)
        mean = (full.T @ items).reshape(3, *total.shape)
        mean /= total
        canvas = np.array(rgb(theme.canvas), np.float32)[:, None, None]
        mean -= canvas
        if look.by is ColourBy.PLACE:
            mean *= np.float32(_PALE) + np.float32(1 - _PALE) * _LIFTED[grid.active]
        else:
            mean *= np.float32(_PALE)
        mean += canvas
    for flag, colour in _flag_colours(look):
        weight = grid.flag_counts[FLAGS.index(flag)].astype(np.float32) / total
        np.minimum(weight * np.float32(MARK_GAIN), 1, out=weight)
        mean += (np.array(rgb(colour), np.float32)[:, None, None] - mean) * weight
    red, green, blue = mean.astype(np.uint32)
    packed = np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue
    packed[grid.category == NO_CELL] = _packed(theme.canvas)
    return np.asarray(packed)


def _colours(grid: PlacementGrid, look: Look) -> Cells:
    index = grid.category.astype(np.uint16) << 8
    if look.by is ColourBy.ACTIVITY:
        table = np.broadcast_to(_ramp(look.theme.heat, 256), (256, 256)).copy()
        table[NO_CELL] = _packed(look.theme.canvas)
        index |= grid.active
    else:
        table = _place_table(grid, look)
        if look.by is ColourBy.PLACE:
            index |= grid.active
    return np.asarray(np.take(table.reshape(-1), index))


def _place_table(grid: PlacementGrid, look: Look) -> Cells:
    theme = look.theme
    table = np.full((256, 256), _packed(theme.canvas), np.uint32)
    ids = tuple(category.id for category in grid.categories)
    for index, colour in enumerate(place_colours(theme, ids)):
        if index in look.hidden:
            table[index] = _packed(blend(theme.canvas, theme.border, 0.25))
            continue
        low = blend(theme.canvas, colour, _PALE)
        table[index] = _ramp((low, blend(low, colour, 0.75), colour), 256)
    return table


def _mixed(colours: Cells, group: int) -> Cells:
    """Mean colour of every `group` neighbours in a row."""
    rows, count = colours.shape
    columns = -(-count // group)
    if columns * group != count:
        colours = np.pad(colours, ((0, 0), (0, columns * group - count)), mode="edge")
    red = np.zeros((rows, columns), np.uint32)
    green, blue = red.copy(), red.copy()
    low = np.uint32(0xFF)
    for offset in range(group):
        part = colours[:, offset::group]
        red += (part >> np.uint32(16)) & low
        green += (part >> np.uint32(8)) & low
        blue += part & low
    count32 = np.uint32(group)
    packed = (red // count32) << np.uint32(16) | (green // count32) << np.uint32(8)
    return np.asarray(np.uint32(0xFF000000) | packed | blue // count32)


def _unpacked(colour: int) -> tuple[int, int, int]:
    return (colour >> 16) & 255, (colour >> 8) & 255, colour & 255


def _packed(colour: str) -> int:
    red, green, blue = rgb(colour)
    return 0xFF000000 | red << 16 | green << 8 | blue


def _ramp(stops: tuple[str, ...], steps: int) -> Cells:
    points = np.array([rgb(stop) for stop in stops], dtype=np.float64)
    at = np.linspace(0, len(stops) - 1, steps)
    parts = [np.interp(at, np.arange(len(stops)), points[:, c]) for c in range(3)]
    red, green, blue = (np.round(part).astype(np.uint32) for part in parts)
    return np.asarray(np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue)


_LIFT = np.round(255 * (np.arange(256) / 255) ** 0.6).astype(np.uint8)
"""Lifts low shares: of the items of a cell, rarely more than half are active."""
_LIFTED = _LIFT.astype(np.float32) / 255


def columns_text(grid: PlacementGrid, first: int, stop: int) -> str:
    """The columns first..stop, numbered inside their sections as everywhere else."""
    inside = [s for s in grid.sections if s.start < stop and s.stop > first]
    parts = [
        f"{s.title} {max(first, s.start) - s.start:,}–{min(stop, s.stop) - s.start - 1:,}"
        for s in inside
    ]
    return " · ".join(parts)


def marks(
    grid: PlacementGrid, area: tuple[int, int, int, int], flag: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and cells inside an area that carry a flag."""
    r0, r1, c0, c1 = area
    rows, cells = np.nonzero(grid.flags[r0:r1, c0:c1] & flag)
    return rows + r0, cells + c0


def shares(grid: PlacementGrid) -> NDArray[np.float64]:
    """Share of all items in each place."""
    if grid.counts is not None:
        items = grid.counts.sum(axis=(1, 2), dtype=np.int64)
        return np.asarray(items / max(1, items.sum()))
    sample = grid.category[:, :: max(1, grid.category.shape[1] // 2048)]
    counts = np.bincount(sample.reshape(-1), minlength=256)[: len(grid.categories)]
    return np.asarray(counts / max(1, counts.sum()))
