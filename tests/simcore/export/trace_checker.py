"""Checks a Chrome trace by the rules that make it open in Perfetto without a loss."""

from __future__ import annotations

import bisect
import itertools
import json
import re
from collections import defaultdict
from decimal import Decimal

_STAMP = re.compile(r'"(?:ts|dur)":(-?[\d.eE+-]+)')
_EXACT = re.compile(r"\d+\.\d{3}")


def _refuse(text: str) -> None:
    raise AssertionError(f"{text} in a trace hangs the viewer")


def check(text: str) -> list[dict]:
    """The events of a valid trace; raises AssertionError otherwise."""
    trace = json.loads(text, parse_constant=_refuse, parse_float=Decimal)
    assert set(trace) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert trace["displayTimeUnit"] in ("ns", "ms")
    for stamp in _STAMP.findall(text):
        assert _EXACT.fullmatch(stamp), f"{stamp} has not exactly three decimals"
    events = trace["traceEvents"]
    slices = _slices(events)
    _metadata(events)
    _counters(events)
    _flows(events, slices)
    return events


def _slices(events: list[dict]) -> dict[tuple[int, int], list[dict]]:
    lanes = defaultdict(list)
    for event in events:
        assert event["ph"] in "XMCsfi"
        assert event["pid"] >= 1
        assert event["name"]
        if event["ph"] == "X":
            assert event["tid"] >= 1
            assert event["dur"] >= 0
            assert event["ts"] >= 0
            assert event["cat"]
            lanes[event["pid"], event["tid"]].append(event)
    for spans in lanes.values():
        spans.sort(key=lambda event: (event["ts"], event["dur"]))
        for before, after in itertools.pairwise(spans):
            assert before["ts"] + before["dur"] <= after["ts"], f"{before} overlaps {after}"
    return lanes


def _metadata(events: list[dict]) -> None:
    processes, threads = {}, {}
    for event in events:
        if event["ph"] == "M" and event["name"] == "process_name":
            assert event["pid"] not in processes
            processes[event["pid"]] = event["args"]["name"]
        if event["ph"] == "M" and event["name"] == "thread_name":
            assert event["tid"] not in threads, "a tid must be unique over the file"
            threads[event["tid"]] = (event["pid"], event["args"]["name"])
    for event in events:
        assert event["pid"] in processes
        if event["ph"] in "Xsf":
            assert threads[event["tid"]][0] == event["pid"]
    for names in (list(processes.values()), [name for _, name in threads.values()]):
        assert names == sorted(names), "names must sort like the lanes"
        assert len(set(names)) == len(names)


def _counters(events: list[dict]) -> None:
    last: dict[tuple, tuple[Decimal, float]] = {}
    for event in events:
        if event["ph"] != "C":
            continue
        for series, value in event["args"].items():
            assert not isinstance(value, (bool, str))
            assert value is not None
            key = (event["pid"], event["name"], series)
            assert key not in last or event["ts"] >= last[key][0]
            last[key] = (event["ts"], value)
    for key, (_, value) in last.items():
        assert value == 0, f"counter {key} is never closed"


def _flows(events: list[dict], lanes: dict[tuple[int, int], list[dict]]) -> None:
    open_flows: dict[int, dict] = {}
    seen: set[int] = set()
    begins = {lane: [span["ts"] for span in spans] for lane, spans in lanes.items()}
    for event in events:
        if event["ph"] not in "sf":
            continue
        # Spans do not overlap, so only the last one that has begun can hold it.
        lane = event["pid"], event["tid"]
        at = bisect.bisect_right(begins[lane], event["ts"]) - 1
        assert at >= 0, f"{event} is in no span"
        around = lanes[lane][at]
        assert event["ts"] < around["ts"] + around["dur"], f"{event} is in no span"
        assert around["cat"] != "wait"
        if event["ph"] == "s":
            assert event["id"] not in seen, "every arrow needs its own id"
            seen.add(event["id"])
            open_flows[event["id"]] = event
        else:
            assert event["bp"] == "e"
            start = open_flows.pop(event["id"])
            assert (start["name"], start["cat"]) == (event["name"], event["cat"])
            assert start["ts"] <= event["ts"]
    assert not open_flows
