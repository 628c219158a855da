"""The real window on a small scenario."""

import os
import signal
import sys
import time

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTabBar,
)

from app.bootstrap import make_window
from app.layout import LAYOUTS
from app.settings.store import Settings
from app.state.messages import Severity
from app.viewmodels.placement import ColourBy
from app.widgets.actions import COMMAND
from app.widgets.view import VIEWS
from tests.app.conftest import wait_for_run


def view(window, id):
    return window.docks[id].view


def settle(qtbot, window):
    """Let the background drawing of the map arrive."""
    qtbot.waitUntil(lambda: view(window, "placement")._picture is not None)
    qtbot.wait(120)


def wheel(widget, position, notches, modifiers=Qt.KeyboardModifier.NoModifier):
    event = QWheelEvent(
        QPointF(position),
        QPointF(widget.mapToGlobal(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_opens_paused_with_every_view(window, qtbot):
    assert set(window.docks) == set(VIEWS)
    assert not window.state.playback.playing
    assert window.state.cursor.step == 0
    assert len(window.state.runs.current) == 13
    assert "small test machine" in window.windowTitle()
    assert view(window, "metrics").text("run", "Steps") == "13 of 13"


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1600, 1000), (1280, 800)])
def test_every_view_draws_without_a_warning(window, qtbot, mode, size):
    window.resize(*size)
    window.set_theme(mode)
    window.state.cursor.seek(3)
    for id in window.docks:
        window.show_view(id)
        settle(qtbot, window)
        assert not window.grab().isNull()
    window.state.window.show_step(3)
    for by in ColourBy:
        view(window, "placement").set_colour_by(by)
        settle(qtbot, window)
        assert not window.grab().isNull()


def test_keys_step_and_play(window, qtbot):
    canvas = view(window, "timeline").canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert window.state.cursor.step == 1
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert window.state.cursor.time_ps > 0
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert window.state.cursor.time_ps == 0
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    assert window.state.cursor.step == 12
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert window.state.playback.playing
    qtbot.waitUntil(lambda: window.state.cursor.step >= 1)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert not window.state.playback.playing


def test_wheel_zooms_at_the_pointer_and_drag_pans(window, qtbot):
    canvas = view(window, "timeline").canvas
    at = QPoint(canvas.plot_area().left() + 200, canvas.plot_area().top() + 20)
    before = canvas.axis().time(at.x())
    wheel(canvas, at, 3)
    assert canvas.axis().time(at.x()) == pytest.approx(before, rel=1e-6)
    start = window.state.window.start_ps
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(canvas, at - QPoint(30, 0))
    qtbot.mouseMove(canvas, at - QPoint(60, 0))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at - QPoint(60, 0))
    assert window.state.window.start_ps != start
    assert view(window, "bandwidth").canvas.axis().start_ps == window.state.window.start_ps


def test_click_selects_a_span_and_explains_it(window, qtbot):
    window.show_view("explain")
    window.state.window.show_step(2)
    canvas = view(window, "timeline").canvas
    qtbot.waitUntil(lambda: 2 in canvas.shown)
    at = QPoint(canvas.plot_area().center().x(), int(canvas.row_top(0) + 4))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    chosen = window.state.selection.span
    assert chosen is not None
    assert chosen.step == 2
    explanation = view(window, "explain").explanation
    assert explanation == window.state.runs.current.explain(2, chosen.span)
    view(window, "explain").copy()
    assert QApplication.clipboard().text() == explanation.text()
    assert canvas.hover_text(QPointF(at))
    window.commands.run("timeline.next")
    assert window.state.selection.span != chosen
    window.commands.run("timeline.deselect")
    assert window.state.selection.span is None


def test_editing_the_number_of_dimms_while_playing(window, qtbot):
    window.state.cursor.seek(8)
    window.state.playback.play()
    old = window.state.runs.current
    view(window, "scenario").form.edited.emit("hardware.ndp_dimms.count", 2)
    assert window.state.runs.stale
    assert window.state.runs.current is old
    wait_for_run(qtbot, window)
    run = window.state.runs.current
    assert run is not old
    assert sum(lane.group == "DIMM" for lane in run.lanes) == 2
    assert 8 <= window.state.cursor.step < len(run)
    window.commands.run("edit.undo")
    wait_for_run(qtbot, window)
    assert sum(lane.group == "DIMM" for lane in window.state.runs.current.lanes) == 4


def test_invalid_value_marks_the_field_and_keeps_the_run(window, qtbot):
    old = window.state.runs.current
    form = view(window, "scenario").form
    row = form.rows["hardware.ndp_dimms.count"]
    row.editor.box.setValue(99)
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    assert row.editor.box.property("invalid")
    assert "64" in row.problem.text()
    assert window.state.runs.current is old
    assert window.strip.isVisible()
    window.commands.run("edit.undo")
    wait_for_run(qtbot, window)
    assert not row.editor.box.property("invalid")
    assert not window.strip.isVisible()


def test_capacity_error_is_a_message_and_keeps_the_run(window, qtbot):
    old = window.state.runs.current
    window.state.session.set_value("hardware.gpu.memory_GiB", 0.0001)
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    assert window.state.messages.strip.severity is Severity.ERROR
    assert window.state.runs.current is old


def test_capacity_error_marks_the_field_it_names(window, qtbot):
    window.state.session.set_value("model.layers", 1000)
    window.state.session.set_value("model.ffn", 1_000_000)
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    form = view(window, "scenario").form
    named = [problem.path for problem in window.state.session.problems]
    assert any(
        form.rows[path].editor.box.property("invalid") for path in named if path in form.rows
    )


def test_undo_in_a_number_field_is_the_documents(window, qtbot):
    row = view(window, "scenario").form.rows["hardware.ndp_dimms.count"]
    row.editor.box.setFocus()
    row.editor.box.setValue(3)
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 3
    qtbot.keyClick(row.editor.box, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 4


def test_filter_shows_matching_fields_only(window, qtbot):
    window.show_view("scenario")
    form = view(window, "scenario").form
    form._filter.setText("ndp count")
    shown = [path for path, row in form.rows.items() if row.editor.isVisible()]
    assert shown == ["hardware.ndp_dimms.count"]


def test_figures_equal_those_of_the_command_line(window, qtbot):
    from simcore.results.summary import summarise

    figures = summarise(window.state.runs.current)
    metrics = view(window, "metrics")
    assert float(metrics.text("run", "Tokens/s").replace(",", "")) == pytest.approx(
        figures["tokens_per_s"], rel=1e-3
    )
    assert float(metrics.text("run", "Tokens/s decode").replace(",", "")) == pytest.approx(
        figures["decode_tokens_per_s"], rel=1e-3
    )


@pytest.mark.parametrize("suffix", [".svg", ".csv"])
def test_chart_is_written_in_the_background(window, qtbot, tmp_path, suffix):
    from simcore.export.chart_file import export_chart
    from simcore.export.charts import CHARTS

    run, path = window.state.runs.current, tmp_path / f"chart{suffix}"
    window.exports.write(path, lambda: export_chart(run, next(iter(CHARTS)), path))
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    assert window.state.messages.strip.severity is Severity.INFO
    assert path.stat().st_size > 0
    missing = tmp_path / "no" / "folder.csv"
    window.exports.write(missing, lambda: export_chart(run, next(iter(CHARTS)), missing))
    qtbot.waitUntil(lambda: window.state.messages.strip.severity is Severity.ERROR)


def test_form_edit_changes_the_text_and_back(window, qtbot):
    editor = view(window, "scenario")
    row = editor.form.rows["hardware.ndp_dimms.count"]
    row.editor.box.setValue(3)
    assert "count: 3" in editor.yaml.text.toPlainText()
    assert "# the card" in editor.yaml.text.toPlainText()
    wait_for_run(qtbot, window)
    assert row.label.property("changed")
    row.reset.click()
    wait_for_run(qtbot, window)
    assert not window.state.session.dirty
    assert row.editor.box.value() == 4


def test_yaml_edit_applies_and_errors_name_the_line(window, qtbot):
    editor = view(window, "scenario")
    text = editor.yaml.text
    text.setPlainText(text.toPlainText().replace("count: 4", "count: 2"))
    qtbot.waitUntil(lambda: window.state.session.document.get("hardware.ndp_dimms.count") == 2)
    wait_for_run(qtbot, window)
    assert editor.form.rows["hardware.ndp_dimms.count"].editor.box.value() == 2
    run = window.state.runs.current
    text.setPlainText(text.toPlainText().replace("version: 1", "version: 1\nbogus: 3"))
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    assert "line 3" in editor.yaml.errors.text()
    assert window.state.runs.current is run


def test_preset_is_a_choice_and_keeps_what_stands_beside_it(window, qtbot):
    form = view(window, "scenario").form
    choices = form.rows["hardware.gpu"].field.knob.choices
    other = next(c for c in choices if c != "rtx-4090")
    form.rows["hardware.gpu"].editor.edited.emit(other)
    form.rows["hardware.ndp_dimms"].editor.edited.emit("hermes-ddr4-3200")
    document = window.state.session.document
    assert document.get("hardware.gpu") == other
    assert document.get("hardware.ndp_dimms.count") == 4


def test_save_keeps_comments_and_clears_the_mark(window, qtbot, small_file):
    window.state.session.set_value("seed", 5)
    assert window.isWindowModified()
    assert window.files.save()
    assert not window.isWindowModified()
    saved = small_file.read_text(encoding="utf-8")
    assert "# the card" in saved
    assert "seed: 5" in saved


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.yaml", None),
        ("binary.yaml", b"\xff\xfe\x00"),
        ("list.yaml", b"- 1\n- 2\n"),
        ("broken.yaml", b"a: [1\n"),
        ("empty.yaml", b""),
    ],
)
def test_bad_files_are_messages_not_exceptions(window, qtbot, tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    old = window.state.runs.current
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    opened = window.state.session.path == path  # else the file before is still the open one
    assert window.state.runs.current is (None if opened else old)


def test_cancel_keeps_the_steps_there_are(window, qtbot):
    window.state.session.set_value("workload.output_tokens", 4000)
    qtbot.waitUntil(lambda: len(window.state.runs.current) > 20)
    window.commands.run("run.cancel")
    qtbot.waitUntil(lambda: not window.controller.busy)
    qtbot.wait(150)
    run = window.state.runs.current
    assert 20 < len(run) < 4000
    window.state.cursor.end()
    assert window.state.cursor.step == window.state.runs.length - 1


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped there")
def test_a_run_that_takes_long_to_begin_can_be_stopped(window, qtbot):
    """A frozen process stands for a preparation of seconds."""
    buttons = window.findChildren(QAbstractButton)
    button = next(button for button in buttons if button.property(COMMAND) == "run.cancel")
    assert not button.isVisible()
    window.state.session.set_value("workload.output_tokens", 4000)
    qtbot.waitUntil(lambda: window.controller.job.assignment._worker is not None)
    qtbot.waitUntil(lambda: len(window.state.runs.current) > 20)
    pid = window.controller.job.assignment._worker.pid
    os.kill(pid, signal.SIGSTOP)
    window.state.session.set_value("seed", 7)
    try:
        qtbot.waitUntil(lambda: window.state.runs.preparing)
        assert button.isVisible()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert window.controller.job.assignment.given_up
    finally:
        os.kill(pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: not window.controller.busy)
    qtbot.waitUntil(lambda: not button.isVisible())
    assert not window.state.runs.preparing


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped there")
def test_a_frozen_simulation_does_not_keep_the_window_open(window, qtbot):
    window.state.session.set_value("workload.output_tokens", 4000)
    qtbot.waitUntil(lambda: len(window.state.runs.current) > 20)
    os.kill(window.controller.job.assignment._worker.pid, signal.SIGSTOP)
    begin = time.monotonic()
    window.close()
    assert not window.isVisible()
    assert time.monotonic() - begin < 2


def test_layout_and_recent_files_are_remembered(window, qtbot, small_file, settings):
    window.docks["log"].hide()
    window.close()
    again = make_window(Settings())
    qtbot.addWidget(again)
    again.show()
    assert again.docks["log"].isHidden()
    assert str(small_file.resolve()) in again.settings.recent
    again.reset_layout()
    assert not again.docks["log"].isHidden()
    again.close()


def test_damaged_layout_gives_the_default(qtbot, settings):
    settings.save_layout(b"nonsense", b"nonsense")
    window = make_window(Settings())
    qtbot.addWidget(window)
    window.show()
    assert all(not dock.isHidden() for dock in window.docks.values())
    window.close()


def test_controls_have_accessible_names(window):
    holders = (QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)
    for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit):
        for widget in window.findChildren(kind):
            inner = isinstance(widget.parent(), holders)
            named = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            internal = widget.objectName().startswith("qt_") or inner
            assert internal or named, widget


def test_space_on_a_button_presses_it_and_does_not_play(window, qtbot):
    button = window.transport._buttons["playback.token_forward"]
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert not window.state.playback.playing
    assert window.state.cursor.step == 1


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_layouts_have_every_view_once_and_leave_no_tab_bar(window, qtbot, name):
    size = window.size()
    window.commands.run(f"view.layout_{name}")
    qtbot.wait(50)
    assert window.size() == size
    stacks = [stack for column in LAYOUTS[name] for stack in column.stacks]
    placed = [id for stack in stacks for id in stack]
    assert sorted(placed) == sorted(window.docks)
    for stack in stacks:
        assert view(window, stack[0]).on_screen
        beside = {dock.objectName() for dock in window.tabifiedDockWidgets(window.docks[stack[0]])}
        assert beside == set(stack[1:])
    bars = [bar for bar in window.findChildren(QTabBar) if bar.parent() is window and bar.count()]
    assert len(bars) == sum(len(stack) > 1 for stack in stacks)
    window.commands.run("view.reset_layout")
    qtbot.wait(50)
    assert view(window, "placement").on_screen


def test_the_map_says_what_pale_means(window, qtbot):
    settle(qtbot, window)
    placement = view(window, "placement")
    assert "pale = silent" in placement._shades.text()
    placement.set_colour_by(ColourBy.MOVES)
    qtbot.waitUntil(lambda: "stays" in placement._shades.text())


def test_a_resize_while_a_new_run_is_handed_round(window, qtbot):
    """Views take a new run one after the other; the load canvas may be resized before its turn."""
    canvas = view(window, "load").canvas
    before = canvas._composition
    shorter = window.state.runs.current  # kept alive, as by a comparison
    window.state.session.set_value("workload.output_tokens", 30)
    wait_for_run(qtbot, window)
    assert len(shorter) < window.state.runs.length
    canvas._composition = before
    canvas.resizeEvent(None)
    canvas._on_replaced(None)
    assert canvas.load is not None


def test_the_legend_of_the_map_covers_none_of_it_beside_an_error_strip(window, qtbot):
    window.resize(1280, 800)
    window.set_layout_named("overview")
    window.show_view("placement")
    window.state.messages.show("something is wrong", Severity.ERROR)
    placement = view(window, "placement")
    entries = [(f"a place with a long name {k}", "#123456", "") for k in range(9)]
    placement._legend.set_entries(entries, "#000000")
    placement._keep_room()
    qtbot.waitUntil(lambda: placement._legend.height() >= 2 * 15)

    def apart():
        return placement._legend.geometry().top() >= placement.canvas.geometry().bottom()

    qtbot.waitUntil(apart)
