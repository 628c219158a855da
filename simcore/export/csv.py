"""CSV tables of a run: UTF-8, comma, one header line with the unit of each column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from simcore.export.ranges import step_range
from simcore.results.files import replacing
from simcore.results.run import KIND_PREFILL, Run
from simcore.units import PS_PER_MS, PS_PER_S, PS_PER_US

_CHUNK = 4096
_SPAN_COLUMNS = (
    "step",
    "span",
    "lane",
    "op",
    "category",
    "wait_reason",
    "layer",
    "start_us",
    "duration_us",
    "bytes",
    "flops",
    "waits_for_span",
)


@contextmanager
def csv_writer(path: str | Path) -> Iterator[Any]:
    """A `csv.writer` whose file appears when the block succeeds."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield csv.writer(file, lineterminator="\n")


def write_table(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write one table."""
    with csv_writer(path) as writer:
        writer.writerow(header)
        writer.writerows(rows)


def write_steps(
    run: Run, path: str | Path, start: int | None = None, stop: int | None = None
) -> None:
    """One row a step: length, tokens, busy time, waits and bytes of each lane, memory, series."""
    first, last = step_range(run, start, stop)
    series = dict(cast(Any, run.system).series(run.plan, run)) if len(run) else {}
    waits = {index: op.reason for index, op in enumerate(run.ops) if op.reason}
    work = [index for index in range(len(run.ops)) if index not in waits]
    header = ["step", "kind", "start_s", "duration_ms", "tokens", "context_tokens"]
    for lane in run.lanes:
        header += [f"{lane.id}.busy_ms"]
        header += [f"{lane.id}.wait.{reason.name.lower()}_ms" for reason in waits.values()]
        header += [f"{lane.id}.bytes"]
    header += [
        f"memory.{device.id}.{kind}_bytes"
        for device in run.plan.memory
        for kind in run.plan.memory_kinds
    ]
    header += [f"{name} ({unit})" if unit else name for name, (unit, _) in series.items()]

    with csv_writer(path) as writer:
        writer.writerow(header)
        for at in range(first, last, _CHUNK):
            to = min(last, at + _CHUNK)
            times = run.column("lane_op_ps", at, to) / PS_PER_MS
            moved = run.column("lane_op_bytes", at, to).sum(axis=2)
            columns: list[list[Any]] = [
                list(range(at, to)),
                _kinds(run.column("kind", at, to)),
                _decimals(run.column("start_ps", at, to) / PS_PER_S, 12),
                _decimals(run.column("duration_ps", at, to) / PS_PER_MS, 9),
                run.column("tokens", at, to).tolist(),
                run.column("context_tokens", at, to).tolist(),
            ]
            for index in range(len(run.lanes)):
                columns.append(_decimals(times[:, index, work].sum(axis=1), 9))
                columns += [_decimals(times[:, index, op], 9) for op in waits]
                columns.append(moved[:, index].tolist())
            memory = run.column("memory_bytes", at, to)
            columns += memory.reshape(len(memory), -1).T.tolist()
            columns += [np.asarray(values)[at:to].tolist() for _, values in series.values()]
            writer.writerows(zip(*columns, strict=True))


def write_spans(
    run: Run, path: str | Path, start: int | None = None, stop: int | None = None
) -> None:
    """One row a span, waits included."""
    first, last = step_range(run, start, stop)
    lanes = [lane.id for lane in run.lanes]
    ops = [op.id for op in run.ops]
    categories = [op.category for op in run.ops]
    reasons = [op.reason.value if op.reason else "" for op in run.ops]
    with csv_writer(path) as writer:
        writer.writerow(_SPAN_COLUMNS)
        for index in range(first, last):
            spans = run.spans(index)
            begin = _decimals((spans.start_ps + run.start_ps(index)) / PS_PER_US, 6)
            op_ids = spans.op.tolist()
            writer.writerows(
                zip(
                    [index] * len(spans),
                    range(len(spans)),
                    [lanes[lane] for lane in spans.lane.tolist()],
                    [ops[op] for op in op_ids],
                    [categories[op] for op in op_ids],
                    [reasons[op] for op in op_ids],
                    spans.layer.tolist(),
                    begin,
                    _decimals(spans.duration_ps / PS_PER_US, 6),
                    spans.amount_bytes.tolist(),
                    spans.flops.tolist(),
                    ["" if cause < 0 else cause for cause in spans.cause.tolist()],
                    strict=True,
                )
            )


def _kinds(kinds: Any) -> list[str]:
    return ["prefill" if kind == KIND_PREFILL else "decode" for kind in kinds.tolist()]


def _decimals(values: Any, digits: int) -> list[str]:
    """Fixed decimals without trailing zeros, so that no digit of a picosecond is lost."""
    return [f"{value:.{digits}f}".rstrip("0").rstrip(".") for value in np.asarray(values).tolist()]
