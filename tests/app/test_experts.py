"""A mixture of experts, chosen, explained and refused in the real window."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser

from app.state.selection import SpanRef
from tests.app.conftest import wait_for_run
from tests.app.test_presets import editor

SCENARIO = """\
version: 1
system: gpu-only
hardware: {gpu: {preset: a100-sxm-80gb, count: 2}}
model: opt-13b
workload: {kind: fixed, batch: 4, prompt_tokens: 20, output_tokens: 5}
"""


@pytest.fixture
def window(empty_window, tmp_path, qtbot):
    path = tmp_path / "dense.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    return empty_window


def choose(window, qtbot, path, text):
    line = editor(window, path).box.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_chosen_by_typing_and_explained(window, qtbot):
    choose(window, qtbot, "model", "mixtral-8x7b")
    wait_for_run(qtbot, window)
    run = window.state.runs.current
    assert (run.scenario.model.experts, run.scenario.model.experts_per_token) == (8, 2)
    rows = window.docks["scenario"].view.form.rows
    assert rows["model.experts"].editor.box.value() == 8
    step = len(run) - 1
    spans = run.spans(step)
    span = int(np.flatnonzero(spans.op == run.plan.op_index("mlp"))[0])
    window.state.cursor.seek(step)
    window.state.selection.select_span(SpanRef(step, span, int(spans.lane[span])))
    window.show_view("explain")
    shown = window.docks["explain"].view.findChild(QTextBrowser)
    qtbot.waitUntil(lambda: "2 of 8" in shown.toPlainText())
    assert "derived" in shown.toPlainText()


def test_refused_at_the_model_and_undone(window, qtbot):
    choose(window, qtbot, "model", "mixtral-8x7b")
    wait_for_run(qtbot, window)
    window.state.session.set_value("system", "hermes")
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    row = window.docks["scenario"].view.form.rows["model"]
    assert "does not run mixtures of experts" in row.problem.text()
    assert "gpu-only" in row.problem.text()
    assert window.state.runs.current.scenario.system == "gpu-only"  # the last good run stays
    window.commands.run("edit.undo")
    wait_for_run(qtbot, window)
    assert not window.state.session.problems


def test_not_offered_where_it_does_not_run(window, qtbot):
    window.state.session.set_value("system", "hermes")
    window.state.session.set_value("model", "opt-13b")
    wait_for_run(qtbot, window)
    rows = window.docks["scenario"].view.form.rows
    assert "model.experts" not in rows
    before = editor(window, "model").box.currentText()
    line = editor(window, "model").box.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "mixtral-8x7b")
    line.editingFinished.emit()
    assert editor(window, "model").box.currentText() == before
