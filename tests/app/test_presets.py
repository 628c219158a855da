"""Presets in the form: searched by typing, and those of the user's own."""

from PySide6.QtCore import Qt

from app.bootstrap import make_window
from app.settings.store import Settings, config_dir
from app.widgets.field_editors import SearchEditor
from tests.app.conftest import wait_for_run


def editor(window, path="hardware.gpu"):
    found = window.docks["scenario"].view.form.rows[path].editor
    assert isinstance(found, SearchEditor)
    return found


def typed(qtbot, window, text):
    line = editor(window).box.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, text)
    return line


def test_typing_finds_a_preset(window, qtbot):
    box = editor(window).box
    line = typed(qtbot, window, "3060")
    completer = box.completer()
    completer.setCompletionPrefix("3060")
    assert completer.completionCount() == 1
    qtbot.keyClick(line, Qt.Key.Key_Return)
    wait_for_run(qtbot, window)
    assert window.state.runs.current.scenario.hardware.gpu.preset == "rtx-3060-12gb"
    assert editor(window).box.currentText() == "rtx-3060-12gb"


def test_what_is_no_preset_is_put_back(window, qtbot):
    for text in ("rtx", "no such card", ""):
        line = typed(qtbot, window, text) if text else editor(window).box.lineEdit()
        if not text:
            line.clear()
        line.editingFinished.emit()
        assert editor(window).box.currentText() == "rtx-4090"
    assert not window.state.session.dirty


def test_own_presets_are_offered_and_bad_files_are_told(qtbot, settings, small_file):
    folder = config_dir() / "presets"
    folder.mkdir(parents=True)
    (folder / "gpus.yaml").write_text(
        "my-gpu:\n  values: {memory_GiB: 48, bandwidth_GBps: 1234, fp16_TFLOPS: 200}\nbroken: 3\n",
        encoding="utf-8",
    )
    window = make_window(Settings())
    window.files.may_discard = lambda: True
    qtbot.addWidget(window)
    window.show()
    assert "broken" in window.state.notices.get("presets").text
    assert window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    line = typed(qtbot, window, "my-gpu")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    wait_for_run(qtbot, window)
    assert window.state.runs.current.scenario.hardware.gpu.bandwidth_GBps == 1234
    window.close()
