"""A thousand spoilt inputs of a fixed seed, and every fault such input has found so far."""

import itertools
import json
import os
import zipfile

import numpy as np
import pytest

import simcore.systems  # noqa: F401
from simcore.activations.recorded import load_recording
from simcore.cli.loading import find_scenario, load_scenario
from simcore.data import asset
from simcore.engine.simulator import Simulator, simulate
from simcore.errors import DataFileError, ScenarioErrors, UserError
from simcore.hardware.dram.reference import reference_rows
from simcore.placement import program
from simcore.results.io import load_run, save_run
from simcore.results.run import MOST_PS, Run
from simcore.scenario.document import Document
from simcore.sweep.evaluate import Outcome
from simcore.sweep.files import load_spec
from simcore.sweep.store import Store
from simcore.workload.requests import read_trace
from tests.fakes import fake_run
from tests.fuzz import targets, worker
from tests.fuzz.__main__ import run
from tests.fuzz.targets import archives


def test_a_thousand_cases():
    found = run(seed=1, first=0, cases=1000)
    assert found.cases == 1000
    assert not found.problems, json.dumps(found.problems[:3], indent=1)
    assert {name for name, _ in found.outcomes} == set(targets.TARGETS)
    for kind in ("read", "refused"):  # a reader that takes everything, or nothing, tests little
        assert sum(n for (_, what), n in found.outcomes.items() if what == kind) > 200


def test_the_watch_sees_what_a_case_must_not_do(tmp_path, monkeypatch):
    def evil(folder):
        (tmp_path / "pwned").write_text("x")

    def left(folder):
        (folder / "half").write_text("x")

    def wrong(folder):
        raise KeyError("x")

    def starts(folder):
        os.system("true")

    def greedy(folder):
        return len(bytearray(600 << 20))

    def quiet(folder):
        raise UserError("")

    def make(draw, folder):
        (folder / "x").write_text("x")

    watch = worker.Watch()
    monkeypatch.setattr(worker.signal, "setitimer", lambda *_: None)
    expected = {
        evil: "open", left: "left ['half']", wrong: "KeyError", starts: "os.system",
        greedy: "MB", quiet: "without a message",
    }  # fmt: skip
    for read, words in expected.items():
        one = worker.case(1, 1, {"x": targets.Target(make, read)}, watch)
        assert words in one["problem"], read
    fine = worker.case(1, 1, {"x": targets.Target(make, lambda folder: None)}, watch)
    assert fine["problem"] == ""
    assert fine["outcome"] == "read"


def test_a_worker_that_dies_is_a_finding_and_the_rest_goes_on(monkeypatch):
    found = run(seed=1, first=0, cases=2, only="no such input")
    assert found.cases == len(found.problems) == 2
    assert all("process ended" in one["problem"] for one in found.problems)


# What was found. Each of these gave a traceback, a wrong number or ran away.


def test_numbers_too_large_to_count_are_a_message():
    document = Document.from_text(targets.SMALL).with_value("hardware.pcie.bandwidth_GBps", 1e-9)
    for system in ("flexgen", "hf"):
        scenario = document.with_value("system", system)
        scenario = scenario.with_value("hardware.gpu.fp16_TFLOPS", 1e-300).resolve()
        with pytest.raises(UserError, match="too large to be counted"):
            simulate(scenario, items=False)


def test_a_run_ends_before_its_clock_wraps_around():
    run = fake_run()
    columns = {name: run.column(name, 0, 2).copy() for name in run.column_names}
    columns.pop("start_ps")
    columns["duration_ps"][:] = MOST_PS // 2 - 1000
    long = Run(run.plan, run.system)
    long.extend(columns)
    assert long.end_ps < 2**63
    with pytest.raises(OverflowError):
        long.extend(columns)
    with pytest.raises(OverflowError):
        long.append({name: values[0] for name, values in columns.items()})
    columns["duration_ps"][:] = -1
    with pytest.raises(OverflowError):
        Run(run.plan, run.system).extend(columns)


@pytest.mark.parametrize("row", ["inf,5,5", "1e19,5,5", "-1e7,5,5"])
def test_arrivals_too_far_apart(tmp_path, row):
    path = tmp_path / "t.csv"
    path.write_text(f"arrival_s,prompt_tokens,output_tokens\n0,4,4\n{row}\n1e6,1,1\n")
    with pytest.raises(DataFileError, match="s apart"):
        read_trace(str(path))


@pytest.mark.parametrize("value", ["&x [*x]", "&x {a: *x}", "[" * 25 + "]" * 25])
def test_values_that_contain_themselves(value):
    with pytest.raises(UserError, match="nested too deeply"):
        load_scenario("hermes-llama2-70b", [f"hardware.gpu={value}"], None)


def test_values_that_unfold_without_end():
    letters = "abcdefghijklmno"
    lists = [f"&{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(letters)]
    with pytest.raises(ScenarioErrors, match="too many values"):
        load_scenario("hermes-llama2-70b", [f"hardware.gpu=[&a [x], {', '.join(lists)}]"], None)


def test_names_longer_than_a_file_can_have(tmp_path):
    name = "a" * 300
    with pytest.raises(UserError, match="not a name of a file"):
        find_scenario(name)
    path = tmp_path / "sweep.yaml"
    path.write_text(f"scenario: {name}\nvary: {{seed: [1, 2]}}\n")
    with pytest.raises(ScenarioErrors, match="no scenario named"):
        load_spec(path)
    with pytest.raises(DataFileError):
        read_trace(name)


def _masks(path, **changes):
    arrays = {
        "shape": np.array([2, 8, 2, 16]),
        "masks": np.zeros((2, 8, 2, 2), np.uint8),
        "profile_counts": np.ones((2, 16)),
        "profile_tokens": np.array(8),
    }
    np.savez_compressed(path, **{**arrays, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": np.array(5)},
        {"shape": np.array([2.5, 8, 2, 16])},
        {"profile_tokens": np.array([1, 2])},
        {"masks": np.zeros((2, 8, 2, 2), np.uint16)},
        {"profile_counts": np.full((2, 16), np.nan)},
        {"profile_counts": np.array([object()])},
    ],
)
def test_odd_masks(tmp_path, changes):
    path = tmp_path / "m.npz"
    _masks(path, **changes)
    with pytest.raises(DataFileError, match="mask file"):
        load_recording(path)


def test_masks_in_columns_first_order_are_read(tmp_path):
    masks = np.random.default_rng(1).integers(0, 256, (2, 8, 2, 2), np.uint8)
    _masks(tmp_path / "m.npz", masks=np.asfortranarray(masks))
    assert np.array_equal(load_recording(tmp_path / "m.npz").masks, masks)


@pytest.mark.parametrize("name", ["masks", "profile_counts"])
def test_an_array_that_promises_much_takes_no_memory(tmp_path, name):
    path = tmp_path / "m.npz"
    _masks(path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    data = entries[f"{name}.npy"]
    entries[f"{name}.npy"] = data.replace(b"'shape': (2", b"'shape': (2000000000, 2000000000")
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    with pytest.raises(DataFileError):
        load_recording(path)


def test_archives_that_unpack_to_far_more_than_they_are(tmp_path):
    path = tmp_path / "run.npz"
    save_run(simulate(Document.from_text(targets.SMALL).resolve()), path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("column.bomb.npy", "w") as file,
    ):
        for _ in range(300):
            file.write(bytes(1 << 20))
    with pytest.raises(DataFileError, match="unpacks to"):
        load_run(path)


@pytest.mark.parametrize("change", ["gone", "type", "shape"])
def test_a_column_only_this_system_has(tmp_path, change):
    path = tmp_path / "run.npz"
    save_run(simulate(Document.from_text(targets.SMALL).resolve()), path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    name = "column.active_bits.npy"
    good = np.load(path, allow_pickle=False)[name.removesuffix(".npy")]
    if change == "gone":
        del entries[name]
    else:
        entries[name] = archives._npy(
            good.astype(np.float64) if change == "type" else good.reshape(len(good), -1)
        )
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    with pytest.raises(DataFileError, match="not a saved run, or damaged"):
        load_run(path)


@pytest.mark.parametrize("figures", ["{", "null", "[1]", '{"tokens_per_s": "x"}', "[" * 5000, None])
def test_a_damaged_result_counts_as_none_and_is_replaced(tmp_path, figures):
    path = tmp_path / "s.sqlite"
    good = Outcome({"tokens_per_s": 2.0}, None, "", 0.1)
    with Store(path) as store:
        store.put({"a": good, "b": good})
        store._db.execute(
            "UPDATE OR REPLACE points SET figures = ? WHERE key = 'a'", (figures or b"",)
        )
        assert store.get(["a", "b"]) == {"b": good}
        store.put({"a": good})
        assert store.get(["a", "b"]) == {"a": good, "b": good}


def test_a_damaged_failure_counts_as_none(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        store.put({"a": Outcome({"tokens_per_s": 2.0}, None, "", 0.1)})
        store._db.execute("UPDATE points SET failure = 'x'")
        assert store.get(["a"]) == {}


def test_a_damaged_solution_is_solved_again(tmp_path, monkeypatch):
    from simcore.activations.space import neuron_space

    monkeypatch.setenv("DIMMSCOPE_CACHE", str(tmp_path))
    space = neuron_space(Document.from_text(targets.SMALL).resolve().model)
    counts = np.zeros((len(space.blocks), space.layers), np.int64)
    path = tmp_path / "partition-k.npz"
    np.savez(path, counts=counts, figures=np.array([1.0, 2.0, np.nan, 4.0]))
    assert program._load("k", space) is None
    np.savez(path, counts=counts, figures=np.array([1.0, 2.0, 3.0, 4.0]))
    assert program._load("k", space) is not None


def test_a_short_row_of_the_dram_table(tmp_path, monkeypatch):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "assets/dram").mkdir(parents=True)
    lines = asset("dram/reference.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "assets/presets").symlink_to(asset("presets"))
    (tmp_path / "assets/dram/reference.csv").write_text(f"{lines[0]}\n{lines[1][:40]}\n")
    monkeypatch.setenv("DIMMSCOPE_DATA", str(tmp_path))
    with pytest.raises(DataFileError, match="damaged"):
        reference_rows()


def test_a_small_run_is_as_before(tmp_path):
    """The guards change no number."""
    simulator = Simulator(Document.from_text(targets.SMALL).resolve())
    while simulator.advance(2):
        pass
    path = tmp_path / "run.npz"
    save_run(simulator.run, path)
    again = load_run(path)
    assert np.array_equal(again.column("start_ps"), simulator.run.column("start_ps"))


def test_a_run_without_items_is_read(tmp_path):
    run = simulate(Document.from_text(targets.SMALL).resolve(), items=False)
    save_run(run, tmp_path / "run.npz")
    assert len(load_run(tmp_path / "run.npz")) == len(run)


def test_dimms_too_small_for_a_byte():
    scenario = Document.from_text(targets.SMALL).with_value(
        "hardware.ndp_dimms.capacity_GiB", 1e-12
    )
    with pytest.raises(UserError, match=r"raise hardware\.ndp_dimms\.capacity_GiB"):
        simulate(scenario.resolve())
