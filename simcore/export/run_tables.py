"""Tables of a run: its steps and its spans, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from simcore.export.ranges import step_range
from simcore.export.tables import Field, Kind, Piece, write_table
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.text import TOKEN_COLUMN, has_text, token_ids, token_texts
from simcore.units import PS_PER_MS, PS_PER_S, PS_PER_US

_CHUNK = 4096


def _integer(name: str) -> Field:
    return Field(name, Kind.INTEGER)


def _number(name: str, decimals: int = 0) -> Field:
    return Field(name, Kind.NUMBER, decimals)


def _text(name: str) -> Field:
    return Field(name, Kind.TEXT)


_SPAN_FIELDS = (
    _integer("step"),
    _integer("span"),
    _text("lane"),
    _text("op"),
    _text("category"),
    _text("wait_reason"),
    _integer("layer"),
    _number("start_us", 6),
    _number("duration_us", 6),
    _integer("bytes"),
    _integer("flops"),
    _integer("waits_for_span"),
)


def write_steps(
    run: Run, path: str | Path, start: int | None = None, stop: int | None = None
) -> None:
    """One row a step: length, tokens, busy time, waits and bytes of each lane, memory, series.

    Raises:
        UserError: if the range does not exist or the file is neither ``.csv`` nor ``.parquet``.
    """
    first, last = step_range(run, start, stop)
    series = dict(cast(Any, run.system).series(run.plan, run)) if len(run) else {}
    waits = {index: op.reason for index, op in enumerate(run.ops) if op.reason}
    work = [index for index in range(len(run.ops)) if index not in waits]
    fields = [
        _integer("step"),
        _text("kind"),
        _number("start_s", 12),
        _number("duration_ms", 9),
        _integer("tokens"),
        _integer("context_tokens"),
    ]
    for lane in run.lanes:
        fields.append(_number(f"{lane.id}.busy_ms", 9))
        fields += [_number(f"{lane.id}.wait.{why.name.lower()}_ms", 9) for why in waits.values()]
        fields.append(_integer(f"{lane.id}.bytes"))
    fields += [
        _integer(f"memory.{device.id}.{kind}_bytes")
        for device in run.plan.memory
        for kind in run.plan.memory_kinds
    ]
    fields += [
        Field(f"{name} ({unit})" if unit else name, _kind_of(values))
        for name, (unit, values) in series.items()
    ]
    sequences = len(run.value(TOKEN_COLUMN, first)) if has_text(run) and last > first else 0
    for k in range(sequences):
        fields += [_integer(f"sequence{k}.token_id"), _text(f"sequence{k}.token")]

    def pieces() -> Iterator[Piece]:
        for at in range(first, last, _CHUNK):
            to = min(last, at + _CHUNK)
            times = run.column("lane_op_ps", at, to) / PS_PER_MS
            moved = run.column("lane_op_bytes", at, to).sum(axis=2)
            columns: list[Any] = [
                np.arange(at, to),
                _kinds(run.column("kind", at, to)),
                run.column("start_ps", at, to) / PS_PER_S,
                run.column("duration_ps", at, to) / PS_PER_MS,
                run.column("tokens", at, to),
                run.column("context_tokens", at, to),
            ]
            for index in range(len(run.lanes)):
                columns.append(times[:, index, work].sum(axis=1))
                columns += [times[:, index, op] for op in waits]
                columns.append(moved[:, index])
            memory = run.column("memory_bytes", at, to)
            columns += list(memory.reshape(len(memory), -1).T)
            columns += [np.asarray(values)[at:to] for _, values in series.values()]
            for ids in token_ids(run, at, to) if sequences else ():
                columns += [np.array(ids), np.array(token_texts(ids), object)]
            yield columns

    write_table(path, fields, pieces())


def write_spans(
    run: Run, path: str | Path, start: int | None = None, stop: int | None = None
) -> None:
    """One row a span, waits included.

    Raises:
        UserError: if the range does not exist or the file is neither ``.csv`` nor ``.parquet``.
    """
    first, last = step_range(run, start, stop)
    lanes = np.array([lane.id for lane in run.lanes], object)
    ops = np.array([op.id for op in run.ops], object)
    categories = np.array([op.category for op in run.ops], object)
    reasons = np.array([op.reason.value if op.reason else "" for op in run.ops], object)

    def pieces() -> Iterator[Piece]:
        for index in range(first, last):
            spans = run.spans(index)
            causes = [None if cause < 0 else cause for cause in spans.cause.tolist()]
            yield [
                np.full(len(spans), index),
                np.arange(len(spans)),
                lanes[spans.lane],
                ops[spans.op],
                categories[spans.op],
                reasons[spans.op],
                spans.layer,
                (spans.start_ps + run.start_ps(index)) / PS_PER_US,
                spans.duration_ps / PS_PER_US,
                spans.amount_bytes,
                spans.flops,
                causes,
            ]

    write_table(path, _SPAN_FIELDS, pieces())


def _kinds(kinds: Any) -> list[str]:
    return ["prefill" if kind == KIND_PREFILL else "decode" for kind in kinds.tolist()]


def _kind_of(values: Any) -> Kind:
    return Kind.INTEGER if np.asarray(values).dtype.kind in "bui" else Kind.NUMBER
