"""A saved run comes back equal; a damaged file is a message."""

import contextlib
import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import DataFileError
from simcore.results.io import is_run_file, load_run, save_run
from simcore.results.summary import summarise
from simcore.results.variants import variant_scenario
from tests.fakes import fake_run, fake_scenario


@pytest.fixture(scope="module")
def run():
    return fake_run()


@pytest.fixture
def saved(run, tmp_path):
    path = tmp_path / "run.npz"
    save_run(run, path)
    return path


def _rewrite(path, change):
    """Apply `change` to a mapping of entry name to bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def _header(entries, **changes):
    entries["header.json"] = json.dumps({**json.loads(entries["header.json"]), **changes}).encode()


def test_comes_back_equal(run, saved):
    again = load_run(saved)
    assert again.scenario == run.scenario
    assert dict(again.scenario.provenance) == dict(run.scenario.provenance)
    assert again.column_names == run.column_names or set(again.column_names) == set(
        run.column_names
    )
    for name in run.column_names:
        assert np.array_equal(again.column(name), run.column(name))
        assert again.column(name).dtype == run.column(name).dtype
    for name, arrays in run.attachments.items():
        assert all(
            np.array_equal(a, b) for a, b in zip(arrays, again.attachments[name], strict=True)
        )
    one, other = summarise(run), summarise(again)
    for summary in (one, other):
        summary.pop("simulator")
    assert one == other
    assert np.array_equal(again.spans(3).end_ps, run.spans(3).end_ps)
    assert np.array_equal(again.placement(5).category, run.placement(5).category)
    assert again.status.finished


def test_equal_runs_give_equal_bytes(saved, tmp_path):
    other = tmp_path / "other.npz"
    save_run(fake_run(), other)
    assert other.read_bytes() == saved.read_bytes()


def test_numpy_can_read_it(run, saved):
    with np.load(saved, allow_pickle=False) as file:
        assert np.array_equal(file["column.duration_ps"], run.column("duration_ps"))


def test_is_told_from_a_scenario(saved, tmp_path):
    scenario = tmp_path / "s.yaml"
    scenario.write_text("version: 1\n")
    assert is_run_file(saved)
    assert not is_run_file(scenario)
    assert not is_run_file(tmp_path / "none")


def test_cut_short(saved):
    data = saved.read_bytes()
    for size in (0, 3, 100, len(data) // 2, len(data) - 10):
        saved.write_bytes(data[:size])
        with pytest.raises(DataFileError):
            load_run(saved)


def test_flipped_bytes_never_crash(saved):
    data = bytearray(saved.read_bytes())
    draw = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(data)
        for at in draw.integers(0, len(data), 4):
            damaged[at] ^= int(draw.integers(1, 256))
        saved.write_bytes(bytes(damaged))
        with contextlib.suppress(DataFileError):
            load_run(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"format_version": 99},
        {"steps": 5},
        {"steps": "x"},
        {"lanes": ["gpu"]},
        {"scenario": {}},
        {"scenario": None},
        {"scenario": {"version": 1, "system": "nowhere"}},
        {"provenance": {"a": ["nonsense", "b"]}},
        {"attachments": {"places": 99}},
    ],
)
def test_header_that_does_not_fit(saved, changes):
    _rewrite(saved, lambda entries: _header(entries, **changes))
    with pytest.raises(DataFileError, match=r"run\.npz"):
        load_run(saved)


def test_missing_column(saved):
    _rewrite(saved, lambda entries: entries.pop("column.lane_op_ps.npy"))
    with pytest.raises(DataFileError, match="lane_op_ps"):
        load_run(saved)


def test_pickled_objects_are_refused(saved):
    def change(entries):
        out = io.BytesIO()
        np.save(out, np.array([{"a": 1}] * 12, dtype=object), allow_pickle=True)
        entries["column.tokens.npy"] = out.getvalue()

    _rewrite(saved, change)
    with pytest.raises(DataFileError, match="type object"):
        load_run(saved)


def test_array_that_promises_more_than_there_is(saved):
    def change(entries):
        out = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            out, {"descr": "<i8", "fortran_order": False, "shape": (10**15,)}
        )
        entries["column.tokens.npy"] = out.getvalue()

    _rewrite(saved, change)
    with pytest.raises(DataFileError):
        load_run(saved)


def test_larger_than_allowed(saved):
    with pytest.raises(DataFileError, match="more than the"):
        load_run(saved, max_bytes=10_000)


def test_unwritable_folder(run, tmp_path):
    with pytest.raises(DataFileError, match="cannot write"):
        save_run(run, tmp_path / "none" / "run.npz")


def test_an_older_file_survives_a_failed_save(run, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    path.write_text("old")
    monkeypatch.setattr("simcore.results.io._npy", lambda array: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_run(run, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_variant_keeps_everything_but_what_makes_it(run):
    scenario = fake_scenario(6)
    moved = variant_scenario(scenario, "fake-slow")
    assert moved.system == "fake-slow"
    assert moved.policy.speed == 0.5
    assert moved.hardware == scenario.hardware
    assert moved.model == scenario.model
    assert moved.workload == scenario.workload
    assert moved.seed == scenario.seed
    assert moved.compare == ()


@pytest.mark.parametrize("speed", [1e-7, 0.1 + 0.2, 1 / 3, 99.99999999999999, 2.0])
def test_numbers_of_the_scenario_come_back_to_the_last_bit(tmp_path, speed):
    run = fake_run(2, speed=speed)
    save_run(run, tmp_path / "run.npz")
    assert load_run(tmp_path / "run.npz").scenario == run.scenario


@pytest.mark.parametrize("name", ["", "yes", "1e3", "null", "a: b # c", "\U0001f600 µ", "'\"\\"])
def test_names_of_the_scenario_come_back(tmp_path, name):
    fake_run(1)
    run = simulate(dataclasses.replace(fake_scenario(1), name=name))
    save_run(run, tmp_path / "run.npz")
    assert load_run(tmp_path / "run.npz").scenario.name == name
