"""Real tokens in tables, traces and on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simcore.cli import main
from simcore.data import scenario_file
from simcore.engine.simulator import simulate
from simcore.export.chrome_trace import write_trace
from simcore.export.run_tables import write_steps
from simcore.results.run import Run
from simcore.results.text import step_token, text_of, token_ids, visible
from simcore.scenario.document import Document


@pytest.fixture(scope="module")
def run() -> Run:
    document = Document.from_file(scenario_file("hermes-live"))
    document = document.with_value("workload.output_tokens", 10)
    return simulate(document.with_value("workload.batch", 2).resolve())


def test_steps_have_token_columns(run: Run, tmp_path: Path) -> None:
    write_steps(run, tmp_path / "steps.csv")
    with (tmp_path / "steps.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for sequence in (0, 1):
        ids = token_ids(run)[sequence]
        assert [int(row[f"sequence{sequence}.token_id"]) for row in rows] == ids
        assert rows[0][f"sequence{sequence}.token"] == ""
        assert rows[3][f"sequence{sequence}.token"] == visible(step_token(run, 3, sequence) or "")


def test_tokens_are_named_in_the_trace(run: Run, tmp_path: Path) -> None:
    write_trace(run, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    tokens = [event for event in events if event.get("cat") == "token"]
    assert "".join(t["args"].get("text", "") for t in tokens) == text_of(run)


def test_the_command_line_prints_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "hermes-live", "--no-compare", "--set", "workload.output_tokens=10"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "text, token by token:" in shown
    assert main([*arguments, "--json", "-"]) == 0
    text = json.loads(capsys.readouterr().out)["text"][0]
    assert " ".join(text.split()) in " ".join(shown.split())


@pytest.mark.parametrize(
    "edit", ["activations.prompt=", "activations.text_file=missing.txt", "model=opt-13b"]
)
def test_bad_input_is_a_user_error(edit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "hermes-live", "--no-compare", "--set", edit]) not in (0, 70)
    assert "activations." in capsys.readouterr().err
