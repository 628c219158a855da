"""The settings dialog, edited keys, broken settings, the safe start and the report of a fault."""

import os
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QLabel

from app import bootstrap
from app import main as entry
from app.bootstrap import make_window, use_scale
from app.commands.registry import Command, CommandRegistry
from app.settings.store import Settings
from app.widgets.crash_dialog import CrashDialog
from app.widgets.key_sheet import key_rows
from app.widgets.palette import CommandPalette

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def dialog(empty_window):
    empty_window.commands.run("edit.settings")
    yield empty_window.settings_dialog
    empty_window.settings_dialog.close()


@pytest.fixture
def keys(dialog, empty_window):
    empty_window.commands.run("edit.keys")
    assert dialog.tabs.currentWidget() is dialog.keys
    return dialog.keys


def give(qtbot, keys, id, key, modifiers=Qt.KeyboardModifier.NoModifier):
    keys.mark(id)
    keys.edit.setFocus()
    qtbot.keyClick(keys.edit, key, modifiers)
    qtbot.mouseClick(keys.set_button, Qt.MouseButton.LeftButton)


# Keys.


def test_an_edited_key_works_and_is_shown_everywhere(empty_window, keys, qtbot):
    window = empty_window
    give(qtbot, keys, "playback.play", Qt.Key.Key_G, CTRL)
    assert window.commands.get("playback.play").keys == ("Ctrl+G",)
    action = window.table.actions["playback.play"]
    assert action.shortcuts() == [QKeySequence("Ctrl+G")]
    assert ("Playback", "Ctrl+G", "Play or pause") in key_rows(window.commands)
    palette = CommandPalette(window.commands, window)
    palette.line.setText("play or pause")
    assert "Ctrl+G" in palette.list.item(0).text()
    assert window.transport._buttons["playback.play"].toolTip() == "Play or pause  (Ctrl+G)"
    window.close()
    again = make_window(Settings())
    qtbot.addWidget(again)
    again.show()
    assert again.commands.get("playback.play").keys == ("Ctrl+G",)
    assert again.transport._buttons["playback.play"].toolTip() == "Play or pause  (Ctrl+G)"
    again.close()


def test_the_new_key_runs_the_command_and_the_old_one_does_not(window, qtbot):
    window.commands.set_keys("playback.token_forward", ("Ctrl+G",))
    canvas = window.docks["timeline"].view.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right, CTRL)
    assert window.state.cursor.step == 0
    qtbot.keyClick(canvas, Qt.Key.Key_G, CTRL)
    assert window.state.cursor.step == 1
    line = window.docks["scenario"].view.form._filter  # a text field leaves it to the command
    window.show_view("scenario")
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_G, CTRL)
    assert window.state.cursor.step == 2


def test_a_key_of_another_command_is_refused(empty_window, keys, qtbot):
    give(qtbot, keys, "playback.play", Qt.Key.Key_O, CTRL)
    assert not keys.set_button.isEnabled()
    assert "Open…" in keys.note.text()
    assert empty_window.commands.get("playback.play").keys == ("Space",)
    assert empty_window.commands.get("file.open").keys == ("Ctrl+O",)
    qtbot.keyClick(keys.edit, Qt.Key.Key_Tab)
    assert keys.typed() == "Ctrl+O"  # Tab leaves the field
    give(qtbot, keys, "playback.play", Qt.Key.Key_Return)
    assert "cannot be" in keys.note.text()


def test_adding_clearing_and_resetting(empty_window, keys, qtbot):
    commands = empty_window.commands
    keys.mark("playback.play")
    qtbot.keyClick(keys.edit, Qt.Key.Key_G, CTRL)
    qtbot.mouseClick(keys.add_button, Qt.MouseButton.LeftButton)
    assert commands.get("playback.play").keys == ("Space", "Ctrl+G")
    keys.mark("file.open")
    qtbot.mouseClick(keys.clear_button, Qt.MouseButton.LeftButton)
    assert commands.get("file.open").keys == ()
    give(qtbot, keys, "file.save", Qt.Key.Key_O, CTRL)
    assert commands.get("file.save").keys == ("Ctrl+O",)
    keys.mark("file.open")
    qtbot.mouseClick(keys.reset_button, Qt.MouseButton.LeftButton)
    assert "Save" in keys.note.text()  # its own key is in use now
    assert commands.get("file.open").keys == ()
    assert Settings().keys == commands.changed_keys()
    qtbot.mouseClick(keys.reset_all_button, Qt.MouseButton.LeftButton)
    assert commands.changed_keys() == {}
    assert Settings().keys == {}


def test_every_command_is_listed_and_found_by_key(empty_window, keys):
    assert keys.table.topLevelItemCount() == len(list(empty_window.commands))
    keys.filter.setText("ctrl+o")
    assert [keys.table.topLevelItem(i).text(1) for i in range(keys.table.topLevelItemCount())] == [
        "Ctrl+O"
    ]


def test_stored_keys_that_cannot_be_taken_over():
    commands = CommandRegistry()
    for id, key in (("a", "A"), ("b", "B"), ("c", "C")):
        commands.add(Command(id, id.upper(), lambda: None, (key,)))
    assert commands.take_keys({"a": ("B",), "b": ("A",), "gone": ("X",)}) == []
    assert (commands.get("a").keys, commands.get("b").keys) == (("B",), ("A",))
    (problem,) = commands.take_keys({"a": ("C",)})
    assert "key of 'C'" in problem
    assert commands.get("c").keys == ("C",)


# Looks and files.


def test_theme_and_size(empty_window, dialog, qtbot, monkeypatch):
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    dialog.theme.activated.emit(dialog.theme.currentIndex())
    assert empty_window.themes.current.dark
    assert Settings().theme == "dark"
    dialog.scale.setCurrentIndex(dialog.scale.findData(150))
    dialog.scale.activated.emit(dialog.scale.currentIndex())
    assert "150 % takes effect at the next start; 100 % is in use" in dialog.restart.text()
    monkeypatch.setenv("QT_SCALE_FACTOR", "1")  # so that it is put back afterwards
    monkeypatch.delenv("QT_SCALE_FACTOR")
    assert use_scale(Settings()) == 150
    assert os.environ["QT_SCALE_FACTOR"] == "1.5"
    monkeypatch.setenv("QT_SCALE_FACTOR", "2")
    assert use_scale(Settings()) == 200


@pytest.mark.parametrize("scale", [80, 200])
def test_the_size_is_that_of_the_next_start(settings, small_file, scale):
    settings.scale = scale
    settings.sync()
    code = (
        "import sys; from pathlib import Path; from app import bootstrap\n"
        "from PySide6.QtCore import QTimer\n"
        "make = bootstrap.make_window\n"
        "def made(settings):\n"
        "    window = make(settings)\n"
        "    QTimer.singleShot(200, lambda: (print(window.devicePixelRatioF()), window.close()))\n"
        "    return window\n"
        "bootstrap.make_window = made\n"
        "sys.exit(bootstrap.run(None))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == scale / 100


@pytest.mark.parametrize("name", ["session", "autosave", "watch", "welcome"])
def test_switches(empty_window, dialog, qtbot, name):
    box = getattr(dialog, name)
    assert box.isChecked()
    assert box.toolTip()
    box.setFocus()
    dialog.tabs.setCurrentIndex(1)
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert getattr(Settings(), name) is False
    if name == "watch":
        assert not empty_window.state.watch.on
    dialog.ask_reset = lambda: True
    qtbot.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert getattr(Settings(), name) is True
    assert box.isChecked()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01\x02", "not a text file"),
        (b"[General]\ntheme=dark\n\xff\xfe\n", "UTF-8"),
        (b"[General]\ntheme=dark\nhalf a li", "damaged in line 3"),
        (b"[General]\ntheme=purple\nscale=9000\nkeys=[1\n", "theme = purple"),
    ],
)
def test_broken_settings_are_defaults_and_kept_aside(settings, tmp_path, qtbot, content, said):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "dimmscope.ini").write_bytes(content)
    broken = Settings(folder)
    assert (broken.theme, broken.scale, broken.keys) == ("system", 100, {})
    assert said in "\n".join(broken.problems)
    assert (folder / "dimmscope.ini.bak").read_bytes() == content
    window = make_window(broken)
    qtbot.addWidget(window)
    window.show()
    assert said in window.questions.rows[0].notice.text
    window.close()
    assert Settings(folder).problems == []


def test_good_settings_have_no_problems(window):
    window.settings.keys = {"file.open": ("Ctrl+G",)}
    window.settings.theme = "dark"
    window.close()
    again = Settings()
    assert again.problems == []
    assert again.layout() is not None
    assert (again.theme, again.keys) == ("dark", {"file.open": ("Ctrl+G",)})


# Safe start and reports.


def test_a_safe_start_takes_nothing_over_and_leaves_nothing(window, qtbot, small_file, settings):
    window.set_theme("dark")
    window.state.cursor.seek(5)
    window.docks["log"].hide()
    window.close()
    kept = {path: path.read_bytes() for path in small_file.parent.rglob("*") if path.is_file()}
    safe = make_window(Settings(safe=True))
    qtbot.addWidget(safe)
    safe.show()
    safe.files.open_path(small_file)
    qtbot.waitUntil(lambda: safe.state.runs.length > 0)
    assert "safe start" in safe.windowTitle()
    assert safe.state.cursor.step == 0
    assert not safe.docks["log"].isHidden()
    assert safe.settings.theme == "system"
    safe.state.cursor.seek(7)
    safe.set_theme("light")
    safe.close()
    assert {p: p.read_bytes() for p in small_file.parent.rglob("*") if p.is_file()} == kept


@pytest.mark.parametrize("arguments", [["--safe", "FILE"], ["FILE", "--safe"], ["--safe"]])
def test_the_safe_option(monkeypatch, small_file, arguments):
    asked = []
    monkeypatch.setattr("app.bootstrap.run", lambda path, **o: asked.append((path, o)) or 0)
    assert entry.main([str(small_file) if a == "FILE" else a for a in arguments]) == 0
    (path, options) = asked[0]
    assert options == {"welcome": False, "safe": True}
    assert path == (small_file if "FILE" in arguments else entry._default_scenario())


def test_a_window_that_cannot_be_made_is_a_report(monkeypatch, capsys, small_file, settings):
    def fail(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr("app.bootstrap.run", fail)
    assert entry.main([str(small_file)]) == 70
    said = capsys.readouterr().err
    assert "no luck" in said
    assert "--safe" in said
    assert "Traceback" not in said
    (report,) = (small_file.parent / "state").glob("crash-*.txt")
    assert "Traceback" in report.read_text(encoding="utf-8")


def test_a_fault_is_a_dialog_with_a_report(window, qtbot, monkeypatch, small_file, capsys):
    window.state.session.set_value("seed", 77)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    bootstrap._catch_bugs(window)
    for number in range(3):  # one dialog, however often it happens
        try:
            raise RuntimeError(f"broken {number} <b>")
        except RuntimeError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    (dialog,) = window.findChildren(CrashDialog)
    shown = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "RuntimeError: broken 0 &lt;b&gt;" in shown
    assert "Traceback" not in shown
    assert str(dialog.path) in shown
    report = dialog.path.read_text(encoding="utf-8")
    for part in ("Traceback", "RuntimeError: broken 0", "seed: 77", "PySide6", "== log =="):
        assert part in report
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().splitlines()[2:] == report.splitlines()[2:]
    assert "seed: 77" in (window.autosave.folder / "scenario.yaml").read_text(encoding="utf-8")
    dialog.close()
    assert window.crash is None
    capsys.readouterr()


def test_a_report_on_demand(window, qtbot):
    window.commands.run("help.report")
    assert window.crash.path.name.startswith("report-")
    assert "Traceback" not in window.crash.report
    assert "small test machine" in window.crash.report
    window.crash.close()
