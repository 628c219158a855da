"""Chrome Trace Event files for ui.perfetto.dev and chrome://tracing.

Written step by step as text, so the memory does not grow with the run. Each lane is one thread
with spans that never overlap; thread ids are unique over the file; times are whole nanoseconds
in microseconds with three decimals.
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from simcore.export.ranges import step_range
from simcore.results.files import replacing
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import LaneKind, Spans
from simcore.results.summary import version
from simcore.results.text import step_token, visible
from simcore.units import PS_PER_NS

EXACT_STEPS = 16
"""Up to this many steps a trace has rates span by span and arrows; above, mean rates a step."""

_TOKENS_PID = 1
_TOKENS_TID = 1
# A text put into a format takes half the time of a number with leading zeros.
_DECIMALS = np.array([f".{nanoseconds:03d}" for nanoseconds in range(1000)], object)
_WRITTEN_AT_ONCE = 1 << 18
_MOST_UNDER_WAY = 3


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """What goes into a trace.

    Attributes:
        start, stop: steps; None for the first and past the last.
        waits: write waits as spans of category ``wait``.
        counters: write the rate of each lane (GB/s) and the memory in use.
        flows: draw arrows between transfers and what waits for them.

    Arrows and rates span by span would make up most of a long trace, so they are written for
    `EXACT_STEPS` steps at most; a longer trace has each lane's mean rate of a step.
    """

    start: int | None = None
    stop: int | None = None
    waits: bool = True
    counters: bool = True
    flows: bool = True


def write_trace(run: Run, path: str | Path, options: TraceOptions | None = None) -> int:
    """Write a trace to a ``.json`` or ``.json.gz`` file; returns the number of events.

    Raises:
        DataFileError: if the file cannot be written.
    """
    with ExitStack() as stack:
        target = stack.enter_context(replacing(path))
        binary = stack.enter_context(target.open("wb"))
        if str(path).lower().endswith(".gz"):
            packed = gzip.GzipFile(filename="", fileobj=binary, mode="wb", compresslevel=4, mtime=0)
            stack.enter_context(packed)
            raw: Any = packed
        else:
            raw = binary
        return stream_trace(run, stack.enter_context(_Behind(raw)), options or TraceOptions())


class _Behind:
    """Text is encoded, packed and written in a thread, while the next is made."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._thread = ThreadPoolExecutor(1, "trace")
        self._under_way: deque[Future[None]] = deque()
        self._pieces: list[str] = []
        self._size = 0

    def __enter__(self) -> _Behind:
        return self

    def write(self, text: str) -> None:
        """Have it written, after what came before.

        Raises:
            OSError: if something before could not be written.
        """
        self._pieces.append(text)
        self._size += len(text)
        if self._size >= _WRITTEN_AT_ONCE:
            self._hand_over()

    def _hand_over(self) -> None:
        if len(self._under_way) == _MOST_UNDER_WAY:
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._write, self._pieces))
        self._pieces, self._size = [], 0

    def _write(self, pieces: list[str]) -> None:
        self._raw.write("".join(pieces).encode("utf-8"))

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._hand_over()
                for written in self._under_way:
                    written.result()
        finally:
            self._thread.shutdown(cancel_futures=True)


def stream_trace(run: Run, out: _Behind, options: TraceOptions) -> int:
    """Write the text of a trace; returns the number of events."""
    writer = _Writer(run, options)
    header = {
        "trace_type": "DIMMscope",
        "scenario": run.scenario.name,
        "system": run.scenario.system,
        "version": version(),
        "seed": run.scenario.seed,
    }
    out.write(f'{{"displayTimeUnit":"ns","otherData":{_json(header)},"traceEvents":[\n')
    begun = False
    for chunk in writer.chunks(header):
        if chunk:
            for text in chunk:  # those of many events are long: they are not joined
                out.write(",\n" if begun else "")
                out.write(text)
                begun = True
            writer.count += len(chunk)
    out.write("\n]}\n")
    return writer.count


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _us(time_ns: int) -> str:
    """Microseconds with exactly three decimals."""
    return f"{time_ns // 1000}.{time_ns % 1000:03d}"


class _Writer:
    """Turns the steps of a run into lists of events, as text."""

    def __init__(self, run: Run, options: TraceOptions) -> None:
        self.run = run
        self.options = options
        self.start, self.stop = step_range(run, options.start, options.stop)
        self.exact = self.stop - self.start <= EXACT_STEPS
        groups = list(dict.fromkeys(lane.group for lane in run.lanes))
        self.pid = [_TOKENS_PID + 1 + groups.index(lane.group) for lane in run.lanes]
        self.tid = [_TOKENS_TID + 1 + index for index in range(len(run.lanes))]
        width = max(2, len(str(len(run.lanes))))
        self.names = [f"{index + 1:0{width}d} {lane.title}" for index, lane in enumerate(run.lanes)]
        self.processes = {
            _TOKENS_PID: "00 Tokens",
            **{
                _TOKENS_PID + 1 + index: f"{index + 1:02d} {group}"
                for index, group in enumerate(groups)
            },
        }
        self.is_wait = np.array([op.is_wait for op in run.ops])
        self.is_link = np.array([lane.kind is LaneKind.LINK for lane in run.lanes])
        op_text = [
            f'"name":{_json(op.reason.value if op.reason else op.title)},'
            f'"cat":{_json("wait" if op.reason else op.category)}'
            for op in run.ops
        ]
        # By lane * ops + op: how an event begins, and how a wait names what it waits for.
        self.heads = np.array(
            [
                f'{{"ph":"X",{text},"pid":{pid},"tid":{tid},'
                for pid, tid in zip(self.pid, self.tid, strict=True)
                for text in op_text
            ],
            object,
        )
        self.causes = np.array(
            [_json(f"{op.title} on {lane.title}") for lane in run.lanes for op in run.ops], object
        )
        self.flow_id = 0
        self.count = 0

    def chunks(self, header: dict[str, Any]) -> Iterator[list[str]]:
        yield self._metadata()
        for index in range(self.start, self.stop):
            offset_ps = self.run.start_ps(index)
            spans = self.run.spans(index)
            begin = ((spans.start_ps + offset_ps) // PS_PER_NS).astype(np.int64)
            end = ((spans.end_ps + offset_ps) // PS_PER_NS).astype(np.int64)
            yield self._token(index, header if index == self.start else None)
            yield self._spans(index, spans, begin, end)
            if self.options.counters:
                yield self._rates(spans, begin, end) if self.exact else self._mean_rates(index)
                yield self._memory(index)
            if self.options.flows and self.exact:
                yield self._flows(spans, begin, end)
        if self.options.counters and self.stop > self.start:
            yield self._memory(None)
            if not self.exact:
                yield self._mean_rates(None)

    def _metadata(self) -> list[str]:
        out = []

        def meta(kind: str, pid: int, tid: int, args: dict[str, Any]) -> None:
            thread = f'"tid":{tid},' if tid else ""
            out.append(f'{{"ph":"M","name":"{kind}","pid":{pid},{thread}"args":{_json(args)}}}')

        for pid, name in self.processes.items():
            meta("process_name", pid, 0, {"name": name})
            meta("process_sort_index", pid, 0, {"sort_index": pid})
        threads = [(_TOKENS_PID, _TOKENS_TID, "00 Tokens"), *zip(self.pid, self.tid, self.names)]
        for pid, tid, name in threads:
            meta("thread_name", pid, tid, {"name": name})
            meta("thread_sort_index", pid, tid, {"sort_index": tid})
        return out

    def _token(self, index: int, header: dict[str, Any] | None) -> list[str]:
        run = self.run
        begin = run.start_ps(index) // PS_PER_NS
        end = (run.start_ps(index) + int(run.value("duration_ps", index))) // PS_PER_NS
        prefill = int(run.value("kind", index)) == KIND_PREFILL
        args: dict[str, Any] = {
            "step": index,
            "tokens": int(run.value("tokens", index)),
            "context_tokens": int(run.value("context_tokens", index)),
        }
        if header:
            args.update(header)
        name = "prefill" if prefill else f"{getattr(run.system, 'step_word', 'token')} {index}"
        text = step_token(run, index)
        if text is not None:
            name += f" {visible(text)}"
            args["text"] = text
        return [
            f'{{"ph":"X","name":{_json(name)},"cat":"token","pid":{_TOKENS_PID},"tid":{_TOKENS_TID},'
            f'"ts":{_us(begin)},"dur":{_us(end - begin)},"args":{_json(args)}}}'
        ]

    def _spans(self, index: int, spans: Spans, begin: Any, end: Any) -> list[str]:
        """Work and waits, sorted by what there is to say of them: one format makes them all.

        A million spans are usual, so Python must not touch each of them: numbers go from numpy
        through one string format a step and kind.
        """
        wait = self.is_wait[spans.op]
        length = end - begin
        head = self.heads[spans.lane * len(self.run.ops) + spans.op]
        when = (
            begin // 1000,
            _DECIMALS[begin % 1000],
            length // 1000,
            _DECIMALS[length % 1000],
        )
        layer, amount, flops = spans.layer, spans.amount_bytes, spans.flops
        step = f'"args":{{"step":{index}'
        tail = f'%s"ts":%d%s,"dur":%d%s,{step}'
        out: list[str] = []

        def add(chosen: Any, rest: str, *columns: Any) -> None:
            rows = np.flatnonzero(chosen)
            if len(rows):
                parts = (head, *when, *columns)
                values: list[Any] = [None] * (len(rows) * len(parts))
                for place, column in enumerate(parts):
                    values[place :: len(parts)] = column[rows].tolist()
                form = ",\n".join([tail + rest + "}}"] * len(rows))
                self.count += len(rows) - 1  # they are one text
                out.append(form % tuple(values))

        add(~wait & (flops > 0), ',"layer":%d,"bytes":%d,"flops":%d', layer, amount, flops)
        add(~wait & (flops <= 0), ',"layer":%d,"bytes":%d', layer, amount)
        if self.options.waits:
            # The viewer takes a wait of no nanosecond for a part of the span that follows.
            wait &= length > 0
            has_layer, has_cause = layer >= 0, spans.cause >= 0
            at = spans.cause.clip(0)
            cause = self.causes[spans.lane[at] * len(self.run.ops) + spans.op[at]]
            add(wait & has_layer & has_cause, ',"layer":%d,"waits_for":%s', layer, cause)
            add(wait & has_layer & ~has_cause, ',"layer":%d', layer)
            add(wait & ~has_layer & has_cause, ',"waits_for":%s', cause)
            add(wait & ~has_layer & ~has_cause, "")
        return out

    def _rates(self, spans: Spans, begin: Any, end: Any) -> list[str]:
        """Steps of each lane's rate: a value where a moving span starts, 0 where motion ends."""
        moving = np.flatnonzero((spans.amount_bytes > 0) & (end > begin))
        if not len(moving):
            return []
        lane = spans.lane[moving]
        start, stop = begin[moving], end[moving]
        rate = spans.amount_bytes[moving] * 1e3 / spans.duration_ps[moving]  # bytes/ns = GB/s
        goes_on = np.zeros(len(moving), bool)
        goes_on[:-1] = (lane[1:] == lane[:-1]) & (start[1:] == stop[:-1])
        text = [
            f'{{"ph":"C","name":{_json(lane.title + " rate")},"pid":{pid},"ts":'
            for lane, pid in zip(self.run.lanes, self.pid)
        ]
        out = []
        for which, at, until, value, on in zip(
            lane.tolist(), start.tolist(), stop.tolist(), rate.tolist(), goes_on.tolist()
        ):
            out.append(f'{text[which]}{_us(at)},"args":{{"GB/s":{value:.4f}}}}}')
            if not on:
                out.append(f'{text[which]}{_us(until)},"args":{{"GB/s":0}}}}')
        return out

    def _mean_rates(self, index: int | None) -> list[str]:
        """Each lane's mean rate over a step; zero at the end of the range for None."""
        run = self.run
        if index is None:
            begin = self._end_ps() // PS_PER_NS
            rates = [0.0] * len(run.lanes)
        else:
            begin = run.start_ps(index) // PS_PER_NS
            length_ps = max(1, int(run.value("duration_ps", index)))
            moved = run.value("lane_op_bytes", index).sum(axis=1)
            rates = (moved * (1e3 / length_ps)).tolist()
        return [
            f'{{"ph":"C","name":{_json(lane.title + " rate")},"pid":{pid},"ts":{_us(begin)},'
            f'"args":{{"GB/s":{rate:.4f}}}}}'
            for lane, pid, rate in zip(run.lanes, self.pid, rates, strict=True)
        ]

    def _end_ps(self) -> int:
        last = self.stop - 1
        return self.run.start_ps(last) + int(self.run.value("duration_ps", last))

    def _memory(self, index: int | None) -> list[str]:
        """Memory in use from the start of a step; zero at the end of the range for None."""
        run = self.run
        used = None if index is None else run.value("memory_bytes", index)
        begin = _us((self._end_ps() if index is None else run.start_ps(index)) // PS_PER_NS)
        out = []
        for row, device in enumerate(run.plan.memory):
            args = {
                f"{kind} (GB)": 0 if used is None else round(float(used[row][column]) / 1e9, 6)
                for column, kind in enumerate(run.plan.memory_kinds)
            }
            name = _json(f"{device.title} memory")
            out.append(
                f'{{"ph":"C","name":{name},"pid":{_TOKENS_PID},"ts":{begin},"args":{_json(args)}}}'
            )
        return out

    def _flows(self, spans: Spans, begin: Any, end: Any) -> list[str]:
        """Arrows from an op to the op that waited for it, where one of the two is a transfer.

        Both must last two nanoseconds, and none of no length may start where they do: the format
        cannot say for sure which of such spans is meant.
        """
        waits = np.flatnonzero(spans.cause >= 0)
        after = waits + 1
        inside = after < len(spans)
        waits, after = waits[inside], after[inside]
        cause = spans.cause[waits]
        empty = (end == begin) & ~self.is_wait[spans.op]
        place = begin * len(self.run.lanes) + spans.lane
        hidden = np.isin(place, place[empty])
        keep = (
            (spans.lane[after] == spans.lane[waits])
            & ~self.is_wait[spans.op[after]]
            & ~self.is_wait[spans.op[cause]]
            & (self.is_link[spans.lane[after]] | self.is_link[spans.lane[cause]])
            & (spans.lane[after] != spans.lane[cause])
            & ~hidden[after]
            & ~hidden[cause]
            & (end[after] > begin[after] + 1)
            & (end[cause] > begin[cause] + 1)
        )
        out = []
        for source, target in zip(cause[keep].tolist(), after[keep].tolist()):
            self.flow_id += 1
            # Both stamps lie strictly inside their spans, so that a neighbour that ends or starts
            # at the same instant, or is too short to last a nanosecond, cannot take the arrow.
            for phase, span in (('"s"', source), ('"f","bp":"e"', target)):
                lane = int(spans.lane[span])
                at = int(begin[span]) + 1
                out.append(
                    f'{{"ph":{phase},"name":"transfer","cat":"flow","id":{self.flow_id},'
                    f'"pid":{self.pid[lane]},"tid":{self.tid[lane]},"ts":{_us(at)}}}'
                )
        return out
