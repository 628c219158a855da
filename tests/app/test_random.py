"""Random commands, edits and mouse moves: nothing raises, the cursor stays inside."""

import random

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from tests.app.conftest import SMALL, wait_for_run
from tests.app.test_window import view, wheel

QUESTIONS = {"file.save", "file.quit", "chart.export", "help.palette", "help.keys", "help.about"}
"""Commands that wait for an answer though their title does not end with an ellipsis."""
ELSEWHERE = ("sweep.example_", "help.tour")
"""Beginnings of commands that open another scenario, which may run for minutes."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_use(window, qtbot, seed):
    draw = random.Random(seed)
    ids = [
        command.id
        for command in window.commands
        if command.id not in QUESTIONS
        and not command.title.endswith("…")
        and not command.id.startswith(ELSEWHERE)
    ]
    window.files.ask_about_edits = lambda: draw.choice([None, True, False])
    canvases = [view(window, id).canvas for id in ("timeline", "bandwidth", "placement", "load")]
    for _ in range(150):
        kind = draw.random()
        if kind < 0.7:
            window.commands.run(draw.choice(ids))
        elif kind < 0.85:
            canvas = draw.choice(canvases)
            at = QPoint(draw.randrange(canvas.width()), draw.randrange(canvas.height()))
            draw.choice(
                [
                    lambda c=canvas, p=at: wheel(c, p, draw.choice([-3, 3])),
                    lambda c=canvas, p=at: qtbot.mouseClick(c, Qt.MouseButton.LeftButton, pos=p),
                    lambda c=canvas, p=at: qtbot.mouseMove(c, p),
                ]
            )()
        elif kind < 0.95:
            path, values = draw.choice(
                [
                    ("hardware.ndp_dimms.count", [0, 1, 2, 8]),
                    ("workload.output_tokens", [1, 2, 30]),
                    ("hardware.pcie.bandwidth_GBps", [1.0, 64.0, -1.0]),
                    ("system", ["hermes", "hermes-random", "nothing"]),
                ]
            )
            window.state.session.set_value(path, draw.choice(values))
        else:
            qtbot.wait(60)
        qtbot.wait(1)
        runs, cursor = window.state.runs, window.state.cursor
        assert 0 <= cursor.step < runs.length
        assert 0 <= cursor.time_ps < max(1, runs.current.value("duration_ps", cursor.step))
    while window.commands.run("edit.undo"):
        pass
    assert window.state.session.document.text() == SMALL
    wait_for_run(qtbot, window)


def test_a_dropped_file_is_opened(window, qtbot, tmp_path):
    path = tmp_path / "dropped.yaml"
    path.write_text(SMALL.replace("small test machine", "dropped"), encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    wait_for_run(qtbot, window)
    assert "dropped" in window.windowTitle()
    assert window.state.session.path == path
