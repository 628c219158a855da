"""Totals and lengths of many rows of work, for simulating; no span is made for them.

There is a compiled loop for it, and the same by operations on columns. Loading the loop takes as
long as a thousand steps of a system without single neurons, so it is used where it is loaded:
by systems whose steps are loops anyway, and in processes that wait for work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from simcore.engine import row_arrays
from simcore.engine.phases import Template, Work
from simcore.errors import InvariantError

Int = NDArray[np.int64]

_loops: ModuleType | None = None


def load_loops() -> None:
    """Use the compiled loop in this process from now on; everything comes out the same."""
    global _loops
    from simcore.engine import row_pass

    _loops = row_pass


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Sums of each step by lane and op, waits included.

    Attributes:
        duration_ps: (steps,) length of each step.
        time_ps, amount_bytes, flops: (steps, lanes, ops).
    """

    duration_ps: Int
    time_ps: Int
    amount_bytes: Int
    flops: Int


def row_totals(template: Template, work: Work, rows_each: int = 1) -> RowTotals:
    """Totals of every step by itself.

    Args:
        template: what a row is made of.
        work: the rows of all steps, one step after the other.
        rows_each: rows of each step.

    Raises:
        InvariantError: if the work is not whole steps of rows of the template.
    """
    _check(template, work, rows_each)
    if _loops is None:
        return RowTotals(*row_arrays.totals(template, work, rows_each))
    steps = len(work.time_ps) // rows_each
    shape = (steps, len(template.lanes), len(template.ops))
    found = RowTotals(np.zeros(steps, np.int64), *(np.zeros(shape, np.int64) for _ in range(3)))
    _loops.add_totals(
        template.flat,
        template.first_wait,
        (work.time_ps, work.amount_bytes, work.flops),
        rows_each,
        found.duration_ps,
        (found.time_ps, found.amount_bytes, found.flops),
    )
    return found


def _check(template: Template, work: Work, rows_each: int = 1) -> None:
    """Refuse work with which a compiled loop would read or write beside its arrays."""
    parts = work.time_ps, work.amount_bytes, work.flops
    shapes = {part.shape for part in parts}
    rows = len(work.time_ps)
    if shapes != {(rows, template.columns)} or rows_each < 1 or rows % rows_each:
        raise InvariantError(
            f"work of {shapes}, {rows_each} rows a step, for a template of {template.columns} "
            "columns"
        )


def summed(parts: Sequence[RowTotals], times: Sequence[int] = ()) -> RowTotals:
    """Totals of steps made of parts one after the other, each so many times (once)."""
    often = times or [1] * len(parts)
    return RowTotals(
        *(
            sum(getattr(part, name) * n for part, n in zip(parts, often, strict=True))
            for name in RowTotals.__slots__
        )
    )


def joined(parts: Sequence[RowTotals]) -> RowTotals:
    """The steps of some totals, one after the other."""
    return RowTotals(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in RowTotals.__slots__)
    )


def row_lengths(template: Template, work: Work) -> Int:
    """Length of every row by itself, (rows,).

    Raises:
        InvariantError: if the work is not rows of the template.
    """
    _check(template, work)
    if _loops is None:
        return row_arrays.lengths(template, work)
    lengths = np.empty(len(work.time_ps), np.int64)
    _loops.measure(template.flat, work.time_ps, lengths)
    return lengths
