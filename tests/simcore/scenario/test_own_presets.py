"""Presets of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.cli import main
from simcore.data import scenario_file
from simcore.engine.simulator import simulate
from simcore.errors import ScenarioErrors
from simcore.results.io import load_run, save_run
from simcore.scenario.document import Document
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import own_problems, presets

GOOD = """\
my-gpu:
  title: A card of my own
  values: {memory_GiB: 48, bandwidth_GBps: 1234, fp16_TFLOPS: 200, price_USD: 1}
cited:
  title: With a source
  values: {memory_GiB: 16, bandwidth_GBps: 500, fp16_TFLOPS: 100, price_USD: 1}
  class: public
  source: a data sheet of the vendor
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DIMMSCOPE_CONFIG", str(tmp_path))
    (tmp_path / "presets").mkdir()
    return tmp_path / "presets"


def write(folder: Path, text: str | bytes, name: str = "gpus.yaml") -> None:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)


def test_own_presets_stand_behind_the_shipped(folder: Path) -> None:
    shipped = list(presets("gpu"))
    write(folder, GOOD)
    assert list(presets("gpu")) == [*shipped, "my-gpu", "cited"]
    own = presets("gpu")["my-gpu"]
    assert own.values["bandwidth_GBps"] == 1234
    assert {p.source_class for p in own.provenance.values()} == {SourceClass.USER}
    assert str(folder) in next(iter(own.provenance.values())).source
    cited = presets("gpu")["cited"]
    assert {p.source_class for p in cited.provenance.values()} == {SourceClass.PUBLIC}
    assert not own_problems()


def test_a_changed_file_is_read_again(folder: Path) -> None:
    write(folder, GOOD)
    assert "my-gpu" in presets("gpu")
    write(folder, GOOD.replace("my-gpu", "another"))
    assert "another" in presets("gpu")


@pytest.mark.parametrize(
    "bad",
    [
        "a: [1, 2",
        b"\xff\xfe\x00",
        "x:\n  values: {bandwidth_GBps: much}\n",
        "x: 3\n",
        "- a list\n",
        "x:\n",
        "x:\n  values: {memory_GiB: 4, nonsense: 1}\n",
    ],
)
def test_a_bad_file_is_reported_and_never_fatal(folder: Path, bad: str | bytes) -> None:
    before = dict(presets("gpu"))
    write(folder, bad)
    assert dict(presets("gpu")) == before
    assert any("gpus.yaml" in problem for problem in own_problems())
    assert Document.from_file(scenario_file("hermes-llama2-70b")).resolve()


def test_a_bad_entry_leaves_the_good_ones(folder: Path) -> None:
    write(folder, GOOD + "broken:\n  values: {memory_GiB: -4}\n")
    assert "my-gpu" in presets("gpu")
    assert "broken" not in presets("gpu")
    assert any("broken" in problem for problem in own_problems())


def test_a_shipped_name_stays_what_it_was(folder: Path) -> None:
    before = presets("gpu")["rtx-4090"]
    write(folder, GOOD.replace("my-gpu", "rtx-4090"))
    assert presets("gpu")["rtx-4090"] == before
    assert any("rtx-4090" in p and "choose another" in p for p in own_problems())


def test_files_of_no_kind_are_named(folder: Path) -> None:
    write(folder, GOOD, "my cards.yaml")
    assert any("my cards.yaml" in p and "gpus" in p for p in own_problems())


def test_the_command_line_lists_and_warns(folder: Path, capsys) -> None:
    write(folder, GOOD + "broken: 1\n")
    assert main(["list", "hardware"]) == 0
    out, err = capsys.readouterr()
    assert "my-gpu" in out
    assert "broken" in err


def test_a_scenario_uses_one_and_a_saved_run_needs_it_not(folder: Path, tmp_path: Path) -> None:
    write(folder, GOOD)
    document = Document.from_file(scenario_file("hermes-live"))
    document = document.with_value("hardware.gpu", "my-gpu")
    run = simulate(document.with_value("workload.output_tokens", 3).resolve())
    save_run(run, tmp_path / "run.npz")
    write(folder, "")
    again = load_run(tmp_path / "run.npz")
    assert again.scenario.hardware.gpu.bandwidth_GBps == 1234
    assert again.end_ps == run.end_ps
    with pytest.raises(ScenarioErrors, match="no such preset"):
        document.resolve()


def test_an_unknown_preset_says_what_is_wrong_with_the_own_file(folder: Path) -> None:
    write(folder, "my-gpu: 1\n")
    document = Document.from_file(scenario_file("hermes-live"))
    with pytest.raises(ScenarioErrors, match=r"gpus\.yaml"):
        document.with_value("hardware.gpu", "my-gpu").resolve()
