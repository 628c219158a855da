"""What is still to be read in a small window, and beside another run."""

import numpy as np
import pytest

from app.widgets.rulers import _paint_step_names
from app.widgets.texts import Texts
from tests.app.conftest import wait_for_run


def test_a_run_kept_as_a_does_not_flatten_the_figures(window, qtbot):
    window.show_view("figures")
    canvas = window.docks["figures"].view.canvas
    width = canvas.plot_area().width()
    tokens = next(n for n in range(100, 200) if width % (n + 1) > n // 3)
    window.state.session.set_value("workload.output_tokens", tokens)  # a pixel has prefill and more
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: bool(canvas._rows))
    row = next(at for at, item in enumerate(canvas._rows) if item.id == "step_time")
    qtbot.waitUntil(lambda: len(canvas._scales) > row and canvas._scales[row] != (0.0, 1.0))
    canvas.invalidate()
    canvas.grab()
    alone = canvas._scales[row]
    assert window.commands.run("compare.freeze")
    window.state.session.set_value("seed", 2)
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: "step_time" in window.state.series.reference)
    canvas.invalidate()
    canvas.grab()
    assert canvas._other_columns() is not None
    run = window.state.runs.current
    prefill_ms = run.value("duration_ps", 0) / 1e9
    assert canvas._scales[row][1] < prefill_ms / 2  # scaled by the decode steps of both
    assert canvas._scales[row][1] == pytest.approx(alone[1], rel=0.5)


def test_five_lanes_of_bandwidth_fit_where_three_did(window, qtbot):
    window.resize(1280, 720)
    window.reset_layout()
    window.show_view("bandwidth")
    qtbot.wait(200)
    canvas = window.docks["bandwidth"].view.canvas
    assert canvas.lane_count() >= 5
    assert canvas.plot_area().height() / canvas.row_height() >= 4.5


def test_steps_are_numbered_at_every_width(window, qtbot):
    """Between those wide enough for a number and the narrowest there were none at all."""
    window.show_view("timeline")
    canvas = window.docks["timeline"].view.canvas
    run = window.state.runs.current
    written = []

    class Painter:
        def drawText(self, box, _, text):
            written.append((box.left(), text))

        def drawStaticText(self, place, text):
            written.append((place.x(), text.text()))

    edges = canvas.composition.edges
    texts = Texts(canvas.font())
    decode = float(edges[-1] - edges[1])
    for step_px in (1, 3, 7, 11, 15, 25, 60, 200):
        span = decode / (len(edges) - 2) * canvas.plot_area().width() / step_px
        window.state.window.set(float(edges[-1]) - span, float(edges[-1]))
        written.clear()
        _paint_step_names(Painter(), texts, canvas, canvas.axis(), edges, run)
        assert written, step_px
        assert np.all(np.diff([x for x, _ in written]) > 8)


def test_names_in_metrics_are_whole_and_values_too(window, qtbot):
    window.resize(1280, 800)
    window.reset_layout()
    window.show_view("metrics")
    qtbot.wait(200)
    view = window.docks["metrics"].view
    tree, metrics = view._tree, view._tree.fontMetrics()
    group = view._groups["run"]
    for at in range(group.childCount()):
        row = group.child(at)
        assert metrics.horizontalAdvance(row.text(0)) < tree.columnWidth(0)
        assert metrics.horizontalAdvance(row.text(1)) < tree.columnWidth(1)
    assert tree.columnWidth(0) + tree.columnWidth(1) <= tree.viewport().width()
