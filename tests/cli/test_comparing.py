"""Compared systems are simulated in another process, and nobody can tell from what is printed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from simcore.cli import comparing
from simcore.cli.comparing import WORTH_MS, Beside, expected_ms
from simcore.engine.simulator import simulate
from simcore.remote.compare import Comparison
from simcore.remote.parent import Worker
from simcore.results.totals import tokens_per_s, totals
from simcore.results.variants import variant_scenario
from simcore.scenario.document import Document, open_document
from simcore.units import PS_PER_S

ROOT = Path(__file__).parents[2]
SMALL = """\
version: 1
name: compares
system: hermes
hardware: {gpu: rtx-4090, ndp_dimms: {preset: hermes-ddr4-3200, count: 2}}
model: opt-13b
workload: {kind: fixed, batch: 2, prompt_tokens: 16, output_tokens: 8}
activations: {source: statistical}
compare: [hermes-base, l3, hermes-host, hermes-random]
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return str(path)


@pytest.fixture
def started(monkeypatch):
    """Two cores, and a second process however little there is to do; the processes started."""
    monkeypatch.setattr(comparing, "WORTH_MS", 0.0)
    monkeypatch.setattr(comparing, "cores", lambda: 2)
    workers = []

    class Counted(Worker):
        def __init__(self, **options):
            super().__init__(**options)
            workers.append(self)

    monkeypatch.setattr("simcore.remote.parent.Worker", Counted)
    return workers


def alone(dimmscope, monkeypatch, *arguments):
    """What is printed with one core."""
    with monkeypatch.context() as one:
        one.setattr(comparing, "cores", lambda: 1)
        return _plain(dimmscope(*arguments))


def _plain(result):
    code, out, err = result
    if code:
        return code, out, err
    figures = json.loads(out)
    del figures["simulator"]  # how long it took
    return code, figures, err


def test_the_worker_finds_the_same_speeds():
    scenario = Document.from_text(SMALL).resolve()
    found = {}
    worker = Worker(beside=True)
    try:
        comparison = Comparison(worker, scenario)
        deadline = time.monotonic() + 120
        while len(found) < 4 and time.monotonic() < deadline:
            for name in scenario.compare:
                rate = comparison.rate(name)
                if rate is not None or comparison._rates.get(name, 0) is None:
                    found[name] = rate
            time.sleep(0.01)
    finally:
        worker.kill()
        comparison.join()
        worker.close()
    assert set(found) == set(scenario.compare)
    assert found["l3"] is None  # it does not fit: for the caller to say
    for name in ("hermes-base", "hermes-host", "hermes-random"):
        run = simulate(variant_scenario(scenario, name), items=False)
        assert found[name] == tokens_per_s(run)
        sums = totals(run)
        assert found[name] == sums.tokens * PS_PER_S / sums.duration_ps


def test_what_is_printed_is_the_same(dimmscope, monkeypatch, small, started):
    arguments = ("run", small, "--json", "-")
    expected = alone(dimmscope, monkeypatch, *arguments)
    assert not started
    code, figures, err = _plain(dimmscope(*arguments))
    assert len(started) == 1
    assert not started[0].usable
    assert (code, figures, err) == expected
    assert code == 0
    assert figures["compare"]["l3"]["tokens_per_s"] is None
    assert "l3: " in err
    assert figures["compare"]["hermes-host"]["tokens_per_s"] > 0


def test_it_waits_for_what_the_worker_has_begun(dimmscope, monkeypatch, small, started):
    """All the work is the worker's if it has it done before the run itself."""
    expected = alone(dimmscope, monkeypatch, "run", small, "--json", "-")
    here = []
    real = comparing.simulate_scenario

    def counted(scenario, console, *, title):
        here.append(title)
        return real(scenario, console, title=title)

    class Late(Comparison):
        def rate(self, name, progress=None):
            if name == "hermes-base":
                deadline = time.monotonic() + 120
                while "hermes-base" not in self._rates and time.monotonic() < deadline:
                    super().rate("hermes-random")
                    time.sleep(0.01)
            return super().rate(name, progress)

    monkeypatch.setattr(comparing, "simulate_scenario", counted)
    monkeypatch.setattr("simcore.remote.compare.Comparison", Late)
    assert _plain(dimmscope("run", small, "--json", "-")) == expected
    assert here == ["l3"]  # to say why it cannot be simulated


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_a_worker_that_is_lost_is_not_missed(dimmscope, monkeypatch, small, started, when):
    expected = alone(dimmscope, monkeypatch, "run", small, "--json", "-")
    real = Beside.begin

    def begin(self, scenario):
        if when == "before":
            self._worker.kill()
            self._worker._process.wait()
        real(self, scenario)
        if when == "after":
            self._worker.kill()

    monkeypatch.setattr(Beside, "begin", begin)
    if when == "never":
        monkeypatch.setattr(sys, "executable", "")
    assert _plain(dimmscope("run", small, "--json", "-")) == expected
    assert len(started) == (when != "never")


def test_a_system_that_only_this_process_knows(dimmscope, monkeypatch, scenario, started):
    """As in a notebook; the worker knows nothing of it."""
    expected = alone(dimmscope, monkeypatch, "run", scenario, "--json", "-")
    assert _plain(dimmscope("run", scenario, "--json", "-")) == expected
    assert expected[1]["compare"]["fake-slow"]["tokens_per_s"] > 0
    assert len(started) == 1


def test_a_report_compares_in_the_same_way(dimmscope, monkeypatch, small, started, tmp_path):
    one, two = tmp_path / "one.md", tmp_path / "two.md"
    with monkeypatch.context() as single:
        single.setattr(comparing, "cores", lambda: 1)
        dimmscope("report", small, "--out", one)
    dimmscope("report", small, "--out", two)
    assert len(started) == 1
    assert two.read_text().replace("two-", "one-") == one.read_text()


def test_nothing_is_started_where_it_would_not_pay(dimmscope, monkeypatch, small):
    monkeypatch.setattr(comparing, "cores", lambda: 2)
    monkeypatch.setattr("simcore.remote.compare.Comparison", None)  # nobody makes one
    assert dimmscope("run", small, "--json", "-")[0] == 0

    def expected(name, **values):
        document = open_document(name)
        for path, value in values.items():
            document = document.with_value(path.replace("__", "."), value)
        return expected_ms(document.resolve())

    assert expected("hermes-llama2-70b") > WORTH_MS
    assert expected("hermes-llama2-70b", workload__output_tokens=8) < WORTH_MS
    assert expected("hermes-llama2-70b", compare=[]) == 0
    assert expected("h2m2-gpt3-175b") < WORTH_MS
    assert expected("hybridserve-opt-13b") < WORTH_MS
    assert expected("l3-gpt-175b") > WORTH_MS


def test_looking_ahead_reads_no_pipe(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here: reading one ahead is NOT checked")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    looked = threading.Thread(target=comparing._looks_long, args=(str(pipe),), daemon=True)
    looked.start()
    looked.join(20)
    assert not looked.is_alive()
    assert not comparing._looks_long("-")
    assert not comparing._looks_long("no such file")
    assert comparing._looks_long("hermes-llama2-70b")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the children of a process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ending_the_command_ends_its_worker(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _ON_TWO_CORES, "run", "hermes-llama2-70b", "--tokens", "9000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while not (children := listed.read_text().split()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(children) == 1
    time.sleep(0.5)  # where it is by then does not matter
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 3, err
        assert err == "dimmscope: cancelled\n"
    while Path(f"/proc/{children[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{children[0]}").exists()


_ON_TWO_CORES = """\
import sys
from simcore.cli import comparing, process
comparing.cores = lambda: 2
sys.exit(process(sys.argv[1:]))
"""
