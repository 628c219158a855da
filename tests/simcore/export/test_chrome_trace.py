"""Traces follow every rule of the format and lose no time."""

import dataclasses
import gzip
import json
import threading
from collections import defaultdict
from decimal import Decimal

import pytest

from simcore.cli.loading import load_scenario
from simcore.engine.simulator import simulate
from simcore.errors import DataFileError, UserError
from simcore.export import chrome_trace
from simcore.export.chrome_trace import EXACT_STEPS, TraceOptions, write_trace
from simcore.scenario.schema import FixedWorkload
from tests.builders import hermes
from tests.fakes import fake_run, fake_scenario
from tests.simcore.export.trace_checker import check


@pytest.fixture(scope="module")
def run():
    return fake_run()


@pytest.fixture
def events(run, tmp_path):
    path = tmp_path / "trace.json"
    count = write_trace(run, path)
    found = check(path.read_text(encoding="utf-8"))
    assert len(found) == count
    return found


def test_lanes_have_names_and_tokens_come_first(events):
    names = [e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"]
    assert names[:3] == ["00 Tokens", "01 GPU", "02 PCIe"]


def test_tokens_are_a_ruler_and_the_first_tells_the_scenario(run, events):
    tokens = [e for e in events if e.get("cat") == "token"]
    assert len(tokens) == len(run)
    assert tokens[0]["name"] == "prefill"
    assert tokens[0]["args"]["scenario"] == run.scenario.name
    assert tokens[0]["args"]["seed"] == run.scenario.seed
    assert tokens[3]["name"] == "token 3"


def test_no_time_of_a_lane_is_lost(run, events):
    total = defaultdict(Decimal)
    for event in events:
        if event["ph"] == "X":
            total[event["tid"]] += event["dur"]
    assert len(total) == len(run.lanes) + 1
    assert set(total.values()) == {Decimal(run.end_ps // 1000) / 1000}


def test_waits_say_what_they_wait_for(events):
    waits = [e for e in events if e.get("cat") == "wait" and e["name"] == "sync"]
    assert {e["args"]["waits_for"] for e in waits} == {"send activations on PCIe"}


def test_arrows_go_from_transfers_to_what_needs_them(events):
    arrows = [e for e in events if e["ph"] == "s"]
    assert arrows
    assert {e["tid"] for e in arrows} == {3}


def test_rates_do_not_exceed_what_moved(run, events):
    rates = [e["args"]["GB/s"] for e in events if e["ph"] == "C" and e["name"] == "PCIe rate"]
    assert max(rates) == pytest.approx(Decimal("49.996"), rel=Decimal("1e-3"))


def test_long_traces_have_mean_rates_and_no_arrows(tmp_path):
    path = tmp_path / "long.json"
    write_trace(fake_run(EXACT_STEPS + 4), path)
    events = check(path.read_text(encoding="utf-8"))
    assert not [e for e in events if e["ph"] in "sf"]
    assert len([e for e in events if e["name"] == "PCIe rate"]) == EXACT_STEPS + 5


def test_range_and_parts_can_be_chosen(run, tmp_path):
    path = tmp_path / "part.json"
    options = TraceOptions(3, 5, waits=False, counters=False, flows=False)
    write_trace(run, path, options)
    events = check(path.read_text(encoding="utf-8"))
    assert {e["args"]["step"] for e in events if e["ph"] == "X"} == {3, 4}
    assert {e["ph"] for e in events} == {"X", "M"}
    assert "wait" not in {e.get("cat") for e in events}


def test_packed_file_is_the_same_trace_and_deterministic(run, tmp_path):
    plain, packed, again = (tmp_path / n for n in ("a.json", "b.json.gz", "c.json.gz"))
    for path in (plain, packed, again):
        write_trace(run, path)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes() == again.read_bytes()


def test_names_are_raw_utf8_and_quoted(tmp_path):
    scenario = dataclasses.replace(fake_scenario(2), name='µ "quoted" \\ \n end')
    path = tmp_path / "names.json"
    write_trace(simulate(scenario), path)
    text = path.read_text(encoding="utf-8")
    assert "µ" in text
    assert json.loads(text)["otherData"]["scenario"] == scenario.name
    check(text)


def test_range_past_the_end(run, tmp_path):
    with pytest.raises(UserError, match="steps 0 to 11"):
        write_trace(run, tmp_path / "a.json", TraceOptions(50))
    assert not list(tmp_path.iterdir())


def test_unwritable(run, tmp_path):
    with pytest.raises(DataFileError, match="cannot write"):
        write_trace(run, tmp_path / "none" / "a.json")


def plain_spans(run, index):
    """Events of a step's spans, written one after the other in the plainest way."""
    spans, offset, out = run.spans(index), run.start_ps(index), []
    for at in range(len(spans)):
        lane, op = int(spans.lane[at]), run.ops[int(spans.op[at])]
        begin = (int(spans.start_ps[at]) + offset) // 1000
        length = (int(spans.end_ps[at]) + offset) // 1000 - begin
        args = {"step": index}
        layer, cause = int(spans.layer[at]), int(spans.cause[at])
        if op.reason:
            if not length:
                continue
            if layer >= 0:
                args["layer"] = layer
            if cause >= 0:
                what = run.ops[int(spans.op[cause])].title
                args["waits_for"] = f"{what} on {run.lanes[int(spans.lane[cause])].title}"
        else:
            args |= {"layer": layer, "bytes": int(spans.amount_bytes[at])}
            if spans.flops[at]:
                args["flops"] = int(spans.flops[at])
        name, category = (op.reason.value, "wait") if op.reason else (op.title, op.category)
        out.append((name, category, lane, begin, length, args))
    return out


@pytest.mark.parametrize("scenario", ["fake", "hermes", "turnover"])
def test_the_fast_writer_says_what_a_plain_one_would(tmp_path, scenario):
    if scenario == "fake":
        run = fake_run()
    elif scenario == "hermes":
        run = simulate(hermes(workload=FixedWorkload(prompt_tokens=16, output_tokens=3)))
    else:
        run = simulate(load_scenario("h2m2-turnover", ["workload.output_tokens=4"], 4))
    path = tmp_path / "a.json"
    write_trace(run, path)
    found = [
        (
            event["name"],
            event["cat"],
            event["tid"] - 2,
            int(event["ts"] * 1000),
            int(event["dur"] * 1000),
            {key: int(v) if key != "waits_for" else v for key, v in event["args"].items()},
        )
        for event in check(path.read_text(encoding="utf-8"))
        if event["ph"] == "X" and event["cat"] != "token"
    ]
    wanted = [event for index in range(len(run)) for event in plain_spans(run, index)]
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


def test_what_cannot_be_written_is_told_and_no_thread_stays(run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(chrome_trace._Behind, "_write", full)
    before = threading.active_count()
    with pytest.raises(DataFileError, match="No space left"):
        write_trace(run, tmp_path / "t.json")
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []
