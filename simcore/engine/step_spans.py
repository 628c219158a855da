"""The spans of a step: its segments laid out one after the other, with what each op needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simcore.engine.layout import Laid, lay_out
from simcore.engine.phases import Int, Template, Work
from simcore.results.spans import Spans

_NONE, _OPENS = -1, -2
"""Of sources: nothing is needed, and the barrier that opens the row."""


def last_inputs(template: Template, laid: Laid) -> tuple[Int, Int]:
    """For each op the one it needed last: of its `after`, else what ended the phase before.

    An op that runs after another one of its lane needs nothing but the lane, unless its group
    says so. Ops of no duration hand on what they needed.

    Returns:
        Place of that op as row * columns + column, shape (rows, columns); -1 for none and -2 for
        what came before the segment. And the place of the op that ends each row, (rows,).
    """
    rows, columns = laid.start_ps.shape
    places = np.arange(rows * columns).reshape(rows, columns)
    root = places.copy()
    source = np.full((rows, columns), _NONE)
    every = np.arange(rows)
    begin = np.zeros(rows, np.int64)  # of the phase; set for the first one below
    last = template.slice(template.phases[-1].groups[0].id).start
    begin[1:] = laid.end_ps[:-1, last:].max(axis=1)
    barrier = np.full(rows, _OPENS)
    for phase in template.phases:
        free = np.repeat(begin[:, None], len(template.lanes), axis=1)
        first = template.slice(phase.groups[0].id).start
        stop = first
        for group in phase.groups:
            where = template.slice(group.id)
            stop = where.stop
            lanes = template.group_lanes[group.id]
            opens = free[:, lanes] == begin[:, None]
            found = np.where(opens, barrier[:, None], _NONE)
            if group.after:
                before = template.before[group.id]
                ends = laid.end_ps[:, before]
                latest = ends.argmax(axis=1)
                cause = root[every, before[latest]][:, None]
                later = (ends.max(axis=1) > begin)[:, None] | ~opens
                found = np.where(later, cause, found)
            empty = laid.end_ps[:, where] == laid.start_ps[:, where]
            if empty.any():
                root[:, where] = np.where(empty, found, root[:, where])
            source[:, where] = found
            free[:, lanes] = laid.end_ps[:, where]
        ends = laid.end_ps[:, first:stop]
        barrier = root[every, first + ends.argmax(axis=1)]
        begin = ends.max(axis=1)
    ended = np.full(rows, _OPENS)
    ended[1:] = barrier[:-1]
    for row in np.flatnonzero(ended == _OPENS)[1:].tolist():  # rows without any work hand on
        ended[row] = ended[row - 1]
    source = np.where(source == _OPENS, ended[:, None], source)
    closing = np.where(barrier == _OPENS, ended, barrier)
    return source, closing


def _period(time_ps: Int) -> int:
    """After how many rows all of them come again; as many as there are if they do not."""
    again = (time_ps[1:] == time_ps[0]).all(axis=1)
    if not again.any():
        return len(time_ps)
    period = int(again.argmax()) + 1
    return period if (time_ps[period:] == time_ps[:-period]).all() else len(time_ps)


def _laid(template: Template, work: Work) -> tuple[Laid, Int, int]:
    """`lay_out`, `last_inputs`, and the op that ends the segment.

    Layers may come again in turn, as those of L3 do. Then two rounds say all: the second one has
    what every later one has, so many rows further on and so much later.
    """
    rows, period = len(work.time_ps), _period(work.time_ps)
    if 2 * period >= rows:
        laid = lay_out(template, work)
        needed, closing = last_inputs(template, laid)
        return laid, needed, int(closing[-1])
    two = slice(0, 2 * period)
    laid = lay_out(template, Work(work.time_ps[two], work.amount_bytes[two], work.flops[two]))
    needed, closing = last_inputs(template, laid)
    like = np.arange(rows)
    like[period:] = period + like[period:] % period
    further = np.arange(rows) - like
    later_ps = (further // period * (laid.duration_ps // 2))[:, None]
    places = (further * template.columns)[:, None]
    whole = Laid(
        laid.start_ps[like] + later_ps,
        laid.end_ps[like] + later_ps,
        laid.gap_start_ps[like] + later_ps,
        laid.gap_end_ps[like] + later_ps,
        laid.gap_lane,
        laid.gap_reason[like],
        laid.gap_cause[like],
        int(laid.end_ps[like[-1]].max() + later_ps[-1, 0]),
    )
    needed = needed[like]
    needed = np.where(needed >= 0, needed + places, needed)
    last = int(closing[like[-1]])
    return whole, needed, last + int(places[-1, 0]) if last >= 0 else last


def spans(segments: Sequence[tuple[Template, Work, bool]]) -> Spans:
    """Spans of a step made of segments one after the other.

    Args:
        segments: template, work, and whether its rows are layers.
    """
    total = sum(
        len(work.time_ps) * (template.columns + template.gap_lane.size)
        for template, work, _ in segments
    )
    # Ops and waits of all segments, each written once to where it belongs.
    lane, op, layer = (np.empty(total, np.int16) for _ in range(3))
    start, end = np.empty(total, np.int64), np.empty(total, np.int64)
    amount, flops = np.zeros(total, np.int64), np.zeros(total, np.int64)
    cause, ids, needs = (np.full(total, -1) for _ in range(3))
    offset = base = at = 0
    before = _NONE  # the op that ended the segment before
    for template, work, layered in segments:
        laid, needed, ended = _laid(template, work)
        rows, columns = work.time_ps.shape
        layers = np.arange(rows)[:, None] if layered else -1

        here, shape = slice(at, at + rows * columns), work.time_ps.shape
        lane[here].reshape(shape)[:] = template.column_lane
        op[here].reshape(shape)[:] = template.column_op
        layer[here].reshape(shape)[:] = layers
        np.add(laid.start_ps, offset, out=start[here].reshape(shape))
        np.add(laid.end_ps, offset, out=end[here].reshape(shape))
        amount[here].reshape(shape)[:] = work.amount_bytes
        flops[here].reshape(shape)[:] = work.flops
        ids[here] = np.arange(base, base + rows * columns)
        inner = np.where(needed == _OPENS, before, _NONE)
        needs[here].reshape(shape)[:] = np.where(needed >= 0, needed + base, inner)
        before = ended + base if ended >= 0 else before
        at = here.stop

        here, shape = slice(at, at + rows * laid.gap_lane.size), (rows, laid.gap_lane.size)
        lane[here].reshape(shape)[:] = laid.gap_lane
        np.add(template.first_wait, laid.gap_reason, out=op[here].reshape(shape), casting="unsafe")
        layer[here].reshape(shape)[:] = layers
        np.add(laid.gap_start_ps, offset, out=start[here].reshape(shape))
        np.add(laid.gap_end_ps, offset, out=end[here].reshape(shape))
        firsts = base + np.arange(rows)[:, None] * columns
        np.add(firsts, laid.gap_cause, out=cause[here].reshape(shape))
        at = here.stop
        offset += laid.duration_ps
        base += rows * columns
    keep = np.flatnonzero(end > start)
    order = keep[_by_lane(lane[keep], start[keep])]
    position = np.full(base + 1, -1, np.int32)  # the last is of what there is not
    mine = ids[order]
    position[mine[mine >= 0]] = np.flatnonzero(mine >= 0)
    return Spans(
        lane[order],
        op[order],
        layer[order],
        start[order],
        end[order],
        amount[order],
        flops[order],
        position[cause[order]],
        position[needs[order]],
    )


def _by_lane(lane: NDArray[np.int16], start_ps: Int) -> NDArray[np.intp]:
    """The order by lane, and by start within a lane.

    One number for both is sorted in a quarter of the time of two, where there is room for it.
    """
    if len(start_ps):
        room = np.int64(1 << (62 - int(lane.max()).bit_length()))
        if start_ps.min() >= 0 and start_ps.max() < room:
            joined = lane * room
            joined += start_ps
            order = np.argsort(joined)
            joined = joined[order]
            if (joined[1:] > joined[:-1]).all():  # else equal ones keep the order they have
                return order
    return np.lexsort((start_ps, lane))
