"""The history list, undo of everything, and what differs from the file."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.commands.bus import EditBus
from app.viewmodels.history import describe, words
from simcore.scenario.document import Document
from tests.app.conftest import wait_for_run


def rows(window):
    list_ = window.docks["history"].view.list
    return [list_.item(i).text()[2:] for i in range(list_.count())]


def test_every_step_in_words_and_a_click_goes_there(window, qtbot):
    window.show_view("history")
    view = window.docks["history"].view
    session = window.state.session
    assert rows(window) == ["Opened small.yaml"]
    session.set_value("hardware.ndp_dimms.count", 2)
    session.set_value("seed", 3)
    session.bus.do("edit YAML", Document.from_text("version: 1\n"))
    assert rows(window)[1:3] == ["ndp dimms · count: 4 → 2", "seed: 1 → 3"]
    assert "values)" in rows(window)[3]
    rect = view.list.visualItemRect(view.list.item(1))
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert session.document.get("hardware.ndp_dimms.count") == 2
    assert session.document.get("seed") == 1
    assert view.list.currentRow() == 1
    assert "2 taken back" in view.note.text()
    view.list.setFocus()
    qtbot.keyClick(view.list, Qt.Key.Key_Down)
    qtbot.keyClick(view.list, Qt.Key.Key_Return)
    assert session.document.get("seed") == 3
    session.bus.go(0)
    assert not session.dirty
    assert view.list.currentRow() == 0
    wait_for_run(qtbot, window)


def test_dragging_is_one_step(window, qtbot):
    window.show_view("history")
    row = window.docks["scenario"].view.form.rows["hardware.ndp_dimms.count"]
    for value in (5, 6, 7, 8):
        row.editor.box.setValue(value)
    assert rows(window) == ["Opened small.yaml", "ndp dimms · count: 4 → 8"]


def test_actions_and_edits_are_one_history(qapp):
    now = [0.0]
    bus = EditBus(clock=lambda: now[0])
    value = []
    bus.act("before a file", lambda: value.append("a"), value.clear)  # needs no document
    bus.reset(Document.from_text("seed: 1\n"))
    place = [0]

    def put(number):
        return lambda: place.__setitem__(0, number)

    bus.act("move marker", put(1), put(0), merge_key="marker")
    bus.act("move marker", put(2), put(1), merge_key="marker")
    bus.do("set seed", Document.from_text("seed: 2\n"))
    assert [edit.title for edit in bus.edits] == ["move marker", "set seed"]
    bus.go(0)
    assert (place[0], bus.document.get("seed")) == (0, 1)
    bus.go(99)
    assert (place[0], bus.document.get("seed")) == (2, 2)
    bus.undo()
    bus.undo()
    bus.undo()
    assert bus.position == 0
    for number in range(300):
        now[0] += 10
        bus.act(f"step {number}", put(number), put(number - 1))
    assert len(bus.edits) == 250
    for number in range(20):
        bus.act(f"run {number}", put(number), put(0), heavy=True)
    assert sum(edit.heavy for edit in bus.edits) == 8


def test_words_of_paths_and_edits():
    assert words("hardware.ndp_dimms.count") == "ndp dimms · count"
    before, after = Document.from_text("seed: 1\n"), Document.from_text("seed: [\n")
    bus = EditBus()
    bus.reset(before)
    bus.do("edit YAML", after)
    assert describe(bus.edits[0]) == ("Edit YAML", "Edit YAML")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_changes_against_the_file(window, qtbot, mode):
    window.set_theme(mode)
    session = window.state.session
    window.commands.run("edit.changes")
    dialog = window.changes
    assert dialog.isVisible()
    assert dialog.note.text() == "Nothing differs from the file."
    session.set_value("hardware.ndp_dimms.count", 2)
    session.set_value("seed", 3)
    found = [dialog.table.topLevelItem(i) for i in range(dialog.table.topLevelItemCount())]
    assert [[row.text(c) for c in range(3)] for row in found] == [
        ["hardware.ndp_dimms.count", "4", "2"],
        ["seed", "1", "3"],
    ]
    assert "+seed: 3" in dialog.diff()
    assert "seed: 3" in dialog.text.toPlainText()
    dialog.table.setCurrentItem(found[1])
    qtbot.mouseClick(dialog.put_back, Qt.MouseButton.LeftButton)
    assert session.document.get("seed") == 1
    assert dialog.table.topLevelItemCount() == 1
    assert not dialog.grab().isNull()
    window.commands.run("edit.reset")
    assert dialog.table.topLevelItemCount() == 0
    session.bus.do("edit YAML", Document.from_text("a: [\n"))
    assert "cannot be read" in dialog.note.text()
    dialog.close()


def titles(window):
    return [edit.title for edit in window.state.session.bus.edits]


def test_the_layout_is_part_of_the_history(window, qtbot):
    qtbot.wait(700)
    assert titles(window) == []
    window.show_view("log")  # another tab is no change
    window.resize(1300, 820)
    qtbot.wait(500)
    assert titles(window) == []
    dock = window.docks["load"]
    qtbot.mouseClick(
        next(b for b in dock.findChildren(QToolButton) if b.accessibleName() == "Hide Load"),
        Qt.MouseButton.LeftButton,
    )
    qtbot.waitUntil(lambda: titles(window) == ["hide Load"])
    assert dock.isHidden()
    window.commands.run("edit.undo")
    assert not dock.isHidden()
    window.commands.run("edit.redo")
    assert dock.isHidden()
    window.show_view("load")
    qtbot.waitUntil(lambda: titles(window) == ["hide Load", "show Load"])
    window.docks["timeline"].setFloating(True)
    qtbot.waitUntil(lambda: titles(window)[-1] == "float Timeline")
    window.commands.run("edit.undo")
    assert not window.docks["timeline"].isFloating()
    window.commands.run("view.layout_serving")
    qtbot.waitUntil(lambda: titles(window)[-1] == "layout: serving")
    qtbot.wait(500)
    assert len(titles(window)) == 3
    assert window.docks["compare"] in window.tabifiedDockWidgets(window.docks["figures"])
    window.commands.run("edit.undo")
    qtbot.wait(500)
    assert window.docks["compare"] not in window.tabifiedDockWidgets(window.docks["bandwidth"])
    assert len(titles(window)) == 3
    assert window.state.session.bus.position == 2
