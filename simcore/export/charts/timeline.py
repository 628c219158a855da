"""Timeline: what each lane does, and why it waits.

Spans narrower than a pixel are not dropped: those that fall together are merged to one box, split
in height by the share of each kind of work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import (
    DENSE,
    axes,
    boxes,
    frame,
    labels,
    legend,
    look,
    op_order,
    patch,
    time_unit,
)
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run

BINS = 1000
"""Boxes that are told apart over the whole width."""
_MAX_STEPS = 4 * BINS
_HATCHED = 0.006  # of the width: about four lines of a hatch
_FIELDS = ("lane", "bin", "op", "layer", "start", "end", "time", "count")


def data(run: Run, start: int, stop: int) -> ChartData:
    """Boxes of the timeline; times count from the start of the range."""
    begin_ps = run.start_ps(start) if stop > start else 0
    end_ps = begin_ps
    if stop > start:
        end_ps = run.start_ps(stop - 1) + int(run.value("duration_ps", stop - 1))
    parts = (
        _from_totals(run, start, stop)
        if stop - start > _MAX_STEPS
        else [_from_spans(run, index, begin_ps, end_ps) for index in range(start, stop)]
    )
    return _chart(run, parts, begin_ps, end_ps, caption(run, start, stop))


def layer_data(run: Run, step: int, first: int, last: int) -> ChartData:
    """Boxes while the layers first..last of a step are worked on.

    Raises:
        UserError: if the model has no such layers.
    """
    spans = run.spans(step)
    is_wait = np.array([op.is_wait for op in run.ops])
    mine = (spans.layer >= first) & (spans.layer < last) & ~is_wait[spans.op]
    if not mine.any():
        raise UserError(
            f"no work on layers {first} to {last - 1}; the model has layers 0 to "
            f"{int(spans.layer.max(initial=0))}"
        )
    last = int(spans.layer[mine].max()) + 1
    offset = run.start_ps(step)
    begin_ps = offset + int(spans.start_ps[mine].min())
    end_ps = offset + int(spans.end_ps[mine].max())
    layers = f"layer {first}" if last - first == 1 else f"layers {first} to {last - 1}"
    return _chart(
        run,
        [_from_spans(run, step, begin_ps, end_ps)],
        begin_ps,
        end_ps,
        f"{caption(run, step, step + 1)} · {layers}",
    )


def _chart(
    run: Run, parts: list[dict[str, NDArray[Any]]], begin_ps: int, end_ps: int, line: str
) -> ChartData:
    """The chart of collected rows."""
    rows = (
        _merge({name: np.concatenate([p[name] for p in parts]) for name in _FIELDS})
        if parts
        else {name: np.empty(0, np.int64) for name in _FIELDS}
    )
    low, share = _stack(rows)
    merged = (rows["count"] > 1) | (share < 1)
    notes = (
        (
            f"{int(rows['count'][merged].sum())} operations and waits are too short to draw alone "
            "and merged with their neighbours; the height of a colour is its share of the time.",
        )
        if merged.any()
        else ()
    )
    return ChartData(
        "timeline",
        "Timeline",
        (
            codes(rows["lane"], tuple(lane.id for lane in run.lanes), "lane"),
            codes(rows["op"], tuple(op.id for op in run.ops), "op"),
            Column("layer", "", rows["layer"]),
            Column("start", "us", (rows["start"] - begin_ps) / 1e6),
            Column("end", "us", (rows["end"] - begin_ps) / 1e6),
            Column("share_from", "", low),
            Column("share", "", share),
            Column("stands_for", "", rows["count"]),
        ),
        line,
        notes,
        {"lanes": run.lanes, "ops": run.ops, "length_ps": end_ps - begin_ps},
    )


def _from_spans(run: Run, index: int, begin_ps: int, end_ps: int) -> dict[str, NDArray[Any]]:
    """Spans of a step within a time; short ones carry the number of their bin, long ones -1."""
    width_ps = max(1.0, (end_ps - begin_ps) / BINS)
    spans = run.spans(index)
    offset = run.start_ps(index)
    start = np.clip(spans.start_ps + offset, begin_ps, end_ps)
    end = np.clip(spans.end_ps + offset, begin_ps, end_ps)
    length = end - start
    bins = ((start + length // 2 - begin_ps) / width_ps).astype(np.int64)
    rows = {
        "lane": spans.lane.astype(np.int64),
        "bin": np.where(length >= width_ps, -1, bins),
        "op": spans.op.astype(np.int64),
        "layer": spans.layer.astype(np.int64),
        "start": start,
        "end": end,
        "time": length,
        "count": np.ones(len(spans), np.int64),
    }
    return _merge({name: values[length > 0] for name, values in rows.items()})


def _from_totals(run: Run, start: int, stop: int) -> list[dict[str, NDArray[Any]]]:
    """Blocks of steps from their recorded totals, for runs too long to derive every span."""
    parts = []
    block = -(-(stop - start) // BINS)
    for number, at in enumerate(range(start, stop, block)):
        to = min(stop, at + block)
        times = run.column("lane_op_ps", at, to).sum(axis=0)
        lane, op = np.nonzero(times)
        last = run.start_ps(to - 1) + int(run.value("duration_ps", to - 1))
        parts.append(
            {
                "lane": lane,
                "bin": np.full(len(lane), number),
                "op": op,
                "layer": np.full(len(lane), -1),
                "start": np.full(len(lane), run.start_ps(at)),
                "end": np.full(len(lane), last),
                "time": times[lane, op],
                "count": np.full(len(lane), to - at),
            }
        )
    return parts


def _merge(rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Add up the rows of one lane, bin and op; rows of bin -1 stay as they are."""
    short = rows["bin"] >= 0
    if not short.any():
        return rows
    part = {name: values[short] for name, values in rows.items()}
    key = (part["lane"] << 40) | (part["bin"] << 16) | part["op"]
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    part = {name: values[order] for name, values in part.items()}
    count = np.add.reduceat(part["count"], first)
    same_layer = np.minimum.reduceat(part["layer"], first) == np.maximum.reduceat(
        part["layer"], first
    )
    merged = {
        "lane": part["lane"][first],
        "bin": part["bin"][first],
        "op": part["op"][first],
        "layer": np.where(same_layer, part["layer"][first], -1),
        "start": np.minimum.reduceat(part["start"], first),
        "end": np.maximum.reduceat(part["end"], first),
        "time": np.add.reduceat(part["time"], first),
        "count": count,
    }
    return {name: np.concatenate([rows[name][~short], merged[name]]) for name in _FIELDS}


def _stack(rows: dict[str, NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower edge and height of each box in its lane; boxes of one bin get a common width.

    Changes start and end of `rows` in place.
    """
    count = len(rows["lane"])
    low, share = np.zeros(count), np.ones(count)
    short = np.flatnonzero(rows["bin"] >= 0)
    if not len(short):
        return low, share
    key = (rows["lane"][short] << 24) | rows["bin"][short]
    order = np.lexsort((rows["op"][short], key))
    short, key = short[order], key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    sizes = np.diff(np.r_[first, len(key)])
    start = np.repeat(np.minimum.reduceat(rows["start"][short], first), sizes)
    end = np.repeat(np.maximum.reduceat(rows["end"][short], first), sizes)
    time = rows["time"][short].astype(np.float64)
    whole = np.repeat(np.add.reduceat(time, first), sizes)
    rows["start"][short], rows["end"][short] = start, end
    share[short] = time / np.maximum(whole, 1)
    running = np.cumsum(share[short])
    before = np.repeat(running[first] - share[short][first], sizes)
    low[short] = running - share[short] - before
    return low, share


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """One row a lane."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False)
    lanes = data.meta["lanes"]
    unit, size = time_unit(data.meta["length_ps"])
    scale = 1e6 / size
    dense = len(data) > DENSE
    handles = []
    for key, ops in op_order(data.meta["ops"]):
        mine = np.isin(data["op"], ops)
        if not mine.any():
            continue
        bottom = data["lane"][mine] - 0.4 + 0.8 * data["share_from"][mine]
        left, right = data["start"][mine] * scale, data["end"][mine] * scale
        corners = boxes(left, right, bottom, bottom + 0.8 * data["share"][mine])
        style = look(key, theme)
        hatch = style.pop("hatch", "")
        wait = key.startswith("wait:")
        if not wait:
            style["edgecolor"] = style["facecolor"] if dense else theme.background
        # One path for all boxes of a kind: a hatch is then painted once, not box by box. Boxes
        # too narrow to show a hatch keep the ground colour of their reason alone.
        wide = right - left >= _HATCHED * data.meta["length_ps"] / size
        for some, pattern in ((wide, hatch), (~wide, "")) if hatch else ((slice(None), ""),):
            if len(corners[some]):
                ax.add_artist(  # not add_patch, which measures every corner
                    PathPatch(
                        Path.make_compound_path_from_polys(corners[some]),
                        linewidth=0.0 if dense else 0.15,
                        rasterized=dense,
                        zorder=1 if wait else 2,
                        hatch=pattern,
                        **style,
                    )
                )
        handles.append(patch(key, theme))
    ax.set_xlim(0, max(data.meta["length_ps"] / size, 1e-9))
    ax.set_ylim(len(lanes) - 0.45, -0.55)
    ax.set_yticks(range(len(lanes)), [lane.title for lane in lanes])
    ax.tick_params(axis="y", length=0, labelsize=6.5 if len(lanes) <= 16 else 5)
    ax.spines["left"].set_visible(False)
    labels(ax, f"time since the start of the range ({unit})")
    legend(figure, theme, handles)


CHARTS.add(
    "timeline",
    Chart(
        "timeline",
        "Timeline of lanes",
        "time",
        "lane",
        "What each lane does, and why it waits.",
        data,
        draw,
        default_range="step",
        layers=layer_data,
    ),
)
