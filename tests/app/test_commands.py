"""The registry of commands: keys, menus, palette and sheet are views of one list."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from app.commands.registry import Command, CommandRegistry
from app.widgets.actions import MENU_ORDER
from app.widgets.key_sheet import key_rows
from app.widgets.palette import CommandPalette, score
from tests.app.conftest import SMALL


def test_no_two_commands_share_a_key(empty_window):
    keys = Counter(
        QKeySequence(key).toString() for command in empty_window.commands for key in command.keys
    )
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys


def test_registry_refuses_a_second_command_of_the_same_key():
    commands = CommandRegistry()
    commands.add(Command("a", "A", lambda: None, ("Ctrl+K",)))
    with pytest.raises(ValueError, match="both a and b"):
        commands.add(Command("b", "B", lambda: None, ("ctrl+k",)))
    with pytest.raises(ValueError, match="registered twice"):
        commands.add(Command("a", "A", lambda: None))


def test_every_command_is_in_a_menu_and_in_the_palette(empty_window):
    assert all(command.menu in ("", *MENU_ORDER) for command in empty_window.commands)
    palette = CommandPalette(empty_window.commands, empty_window)
    assert palette.list.count() == len(list(empty_window.commands))


def test_the_palette_says_when_nothing_matches(empty_window, qtbot):
    palette = CommandPalette(empty_window.commands, empty_window)
    qtbot.keyClicks(palette.line, "xqzj")
    assert "No command" in palette.list.item(0).text()
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.chosen == ""


def test_palette_finds_and_runs(window, qtbot):
    palette = CommandPalette(window.commands, window)
    palette.line.setText("forward token")
    assert "Forward one token" in palette.list.item(0).text()
    palette.line.returnPressed.emit()
    assert palette.chosen == "playback.token_forward"
    assert window.commands.run(palette.chosen)
    assert window.state.cursor.step == 1


def test_palette_opens_examples_and_recent_files(window, qtbot, tmp_path):
    own = tmp_path / "mine of my own.yaml"
    own.write_text(SMALL, encoding="utf-8")
    window.settings.add_recent(own)
    files = window.files.openable()
    assert len({file.path for file in files}) == len(files)
    palette = CommandPalette(window.commands, window, files)
    assert palette.list.count() == len(list(window.commands))  # files only for what is typed
    for text in ("op", "open", "pl"):  # what has it at its start, or anywhere, before files
        palette.line.setText(text)
        first = [palette.list.item(at).text() for at in range(3)]
        assert not any(one.startswith("Open example") for one in first), first
    palette.line.setText("l3-mooncake")
    assert "(l3-mooncake)" in palette.list.item(0).text()
    palette.line.setText("of my own")
    assert palette.list.item(0).text() == f"Open recent: {own}"
    palette.line.returnPressed.emit()
    assert (palette.chosen, palette.file) == ("", own)


def test_the_palette_opens_what_was_chosen(window, qtbot, monkeypatch):
    def choose(palette):
        palette.line.setText("h2m2-gpt3-175b")
        assert palette.list.count()
        palette.line.returnPressed.emit()
        chosen.append(palette.file)
        return True

    chosen = []
    monkeypatch.setattr(CommandPalette, "exec", choose)
    window.commands.run("help.palette")
    qtbot.waitUntil(lambda: window.state.session.path == chosen[0])


@pytest.mark.parametrize(
    ("query", "title", "found"),
    [
        ("zoom", "Zoom in", True),
        ("in zoom", "Zoom in", True),
        ("zmi", "Zoom in", True),
        ("xyz", "Zoom in", False),
        ("", "Zoom in", True),
    ],
)
def test_palette_score(query, title, found):
    assert bool(score(query, title)) is found


def test_key_sheet_lists_every_key(empty_window):
    listed = " ".join(keys for _, keys, _ in key_rows(empty_window.commands))
    for command in empty_window.commands:
        assert all(key in listed for key in command.keys)


def test_disabled_commands_do_nothing(empty_window):
    assert not empty_window.commands.run("playback.play")
    assert not empty_window.state.playback.playing
