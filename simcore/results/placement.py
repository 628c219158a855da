"""Where things are at one step: a grid of rows and columns of categories and intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_CELL = 255
"""Category of a cell that does not exist (a short row)."""

FLAG_MISSED = 1
"""The neuron fired but was not predicted (its work was dropped)."""
FLAG_FALSE_ALARM = 2
"""The neuron was predicted but did not fire (work for nothing)."""
FLAG_MOVING = 4
"""The item changes its place in this step."""

FLAGS = (FLAG_MISSED, FLAG_FALSE_ALARM, FLAG_MOVING)


@dataclass(frozen=True, slots=True)
class PlaceCategory:
    """A place such as ``GPU`` or ``DIMM 3``.

    Attributes:
        id: stable id, equal to the lane id of the device where there is one.
        title: as shown.
    """

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """A run of columns that belong together, such as the MLP neurons.

    Attributes:
        id, title: stable id and name as shown.
        start, stop: columns in items (not in cells).
    """

    id: str
    title: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PlacementGrid:
    """Placement and activity at one step, aggregated to cells of equal width.

    Attributes:
        row_title: what a row is, ``layer``.
        column_title: what a column is, ``neuron``.
        rows: number of rows.
        columns: number of items in a full row.
        items_per_cell: items behind one cell of the arrays below (1 = exact).
        sections: the column sections, left to right.
        categories: the places; `category` indexes into them.
        category: (rows, cells) uint8, the place of most items of the cell; NO_CELL if none.
        active: (rows, cells) uint8, number of active items, scaled to 0..255 of the cell's items.
        flags: (rows, cells) uint8, OR of FLAG_* over the items of the cell.
        counts: (places, rows, cells) uint16, items of the cell in each place; None if exact.
        flag_counts: (flags, rows, cells) uint16, items of the cell with each flag, in the order of
            FLAGS; None if exact.
    """

    row_title: str
    column_title: str
    rows: int
    columns: int
    items_per_cell: int
    sections: tuple[Section, ...]
    categories: tuple[PlaceCategory, ...]
    category: NDArray[np.uint8]
    active: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    counts: NDArray[np.uint16] | None = None
    flag_counts: NDArray[np.uint16] | None = None


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """Everything known about one item of the grid, for hover and details.

    Attributes:
        title: such as ``layer 12 · MLP neuron 400``.
        facts: label and value, in order of interest.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
