"""A disk that is full in the middle of a run, or where it is written, loses no step there is."""

import errno
import json
import os

import pytest

from simcore.cli.command import Exit
from simcore.results import files, store
from simcore.results import run as run_module
from simcore.results.io import load_run


@pytest.fixture
def full_after(monkeypatch, tmp_path):
    """Records go to a file in small blocks, which cannot grow beyond some bytes."""
    monkeypatch.setattr(run_module, "_BLOCK_BYTES", 4096)
    monkeypatch.setattr(store, "default_budget", lambda memory: 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    real = os.pwrite

    def limit(most):
        def write(handle, data, offset):
            if offset + len(data) > most:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(handle, data, offset)

        monkeypatch.setattr(os, "pwrite", write)

    return limit


def test_a_full_disk_leaves_the_figures_of_the_steps_there_are(dimmscope, scenario, full_after):
    whole = json.loads(dimmscope("run", scenario, "--tokens", 400, "--json", "-")[1])
    full_after(100_000)
    code, out, err = dimmscope("run", scenario, "--tokens", 400)
    assert code == Exit.BAD_INPUT
    for said in ("no room for more steps", "temporary file in ", "No space left", "set TMPDIR"):
        assert said in err
    assert "not compared with fake-slow: the run is partial" in err
    assert "PARTIAL: the first " in out
    assert "tokens/s" in out
    code, out, _ = dimmscope("run", scenario, "--tokens", 400, "--json", "-")
    assert code == Exit.BAD_INPUT
    part = json.loads(out)
    assert 1 < part["steps"] < whole["steps"]
    assert part["simulator"]["finished"] is False
    assert part["compare"] == {}
    full_after(10**9)
    shorter = ("run", scenario, "--tokens", part["steps"], "--no-compare", "--json", "-")
    same = json.loads(dimmscope(*shorter)[1])
    assert same["simulator"]["finished"] is True
    for name in ("steps", "tokens", "duration_s", "tokens_per_s", "step_ms"):
        assert part[name] == same[name]


def test_the_steps_there_are_can_be_saved(dimmscope, scenario, full_after, tmp_path):
    full_after(100_000)
    saved = tmp_path / "part.npz"
    code, _, err = dimmscope("run", scenario, "--tokens", 400, "--export", saved)
    assert code == Exit.BAD_INPUT
    assert "wrote" in err
    run = load_run(saved)
    assert 1 < len(run) < 401
    assert not run.status.finished
    code, out, err = dimmscope("run", saved, "--no-compare")
    assert (code, err) == (Exit.DONE, "")
    assert f"PARTIAL: the first {len(run)} steps of a run that is not finished" in out


def test_a_single_step_is_shown_as_well(dimmscope, scenario, full_after, monkeypatch):
    """There is a prefill and no decode step to speak of."""
    full_after(0)
    monkeypatch.setattr(run_module, "_BLOCK_BYTES", 1)  # a block holds a step at least
    code, out, err = dimmscope("run", scenario)
    assert code == Exit.BAD_INPUT
    assert "PARTIAL: the first step of a run that is not finished" in out
    assert "no room for more steps" in err


def test_other_commands_do_not_take_a_part_for_the_whole(dimmscope, scenario, full_after, tmp_path):
    full_after(100_000)
    target = tmp_path / "trace.json"
    code, _, err = dimmscope("trace", scenario, "--tokens", 400, "--out", target)
    assert code == Exit.BAD_INPUT
    assert "no room for more steps" in err
    assert not target.exists()


def test_a_file_that_cannot_be_written_loses_neither_figures_nor_other_files(
    dimmscope, scenario, monkeypatch, tmp_path
):
    real = files.tempfile.mkstemp

    def full(*arguments, prefix, **more):
        if "bad" in prefix:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, prefix=prefix, **more)

    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    arguments = ("run", scenario, "--export", bad, good, "--json", tmp_path / "bad.json")
    monkeypatch.setattr("simcore.results.files.check_target", lambda *_: None)  # it was free then
    monkeypatch.setattr(files.tempfile, "mkstemp", full)
    code, out, err = dimmscope(*arguments)
    assert code == Exit.BAD_INPUT
    assert f"cannot write {bad}: No space left" in err
    assert f"cannot write {tmp_path / 'bad.json'}: No space left" in err
    assert good.exists()
    assert not bad.exists()
    assert "tokens/s" in out
    assert "PARTIAL" not in out
