"""The open file changes under the window: strip, reload, edits made again, deletion."""

import os

import pytest
from PySide6.QtCore import Qt

from tests.app.conftest import SMALL, wait_for_run


def notice(window):
    return window.state.notices.get("file")


def wait_for_notice(window, qtbot, text):
    qtbot.waitUntil(lambda: notice(window) is not None and text in notice(window).text)
    assert window.questions.isVisible()
    return window.questions.rows[0]


def click(qtbot, row, title):
    button = next(button for button in row.buttons if button.text() == title)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def write_in_place(path, text):
    path.write_text(text, encoding="utf-8")


def write_by_rename(path, text):
    other = path.with_suffix(".swp")
    other.write_text(text, encoding="utf-8")
    os.replace(other, path)


def write_in_pieces(path, text):
    with path.open("w", encoding="utf-8") as file:
        for line in text.splitlines(keepends=True):
            file.write(line)
            file.flush()


@pytest.mark.parametrize("write", [write_in_place, write_by_rename, write_in_pieces])
def test_a_change_on_disk_is_offered_and_reload_keeps_the_place(window, qtbot, small_file, write):
    state = window.state
    state.cursor.seek(5, 100)
    state.window.show_step(4)
    window.commands.run("timeline.next")
    chosen, visible = state.selection.span, (state.window.start_ps, state.window.end_ps)
    place = (state.cursor.step, state.cursor.time_ps)
    assert chosen is not None
    for output_tokens in (14, 15):  # twice: a file that was replaced is still watched
        write(small_file, SMALL.replace("output_tokens: 12", f"output_tokens: {output_tokens}"))
        row = wait_for_notice(window, qtbot, "small.yaml changed on disk.")
        assert state.session.document.get("workload.output_tokens") != output_tokens
        click(qtbot, row, "Reload")
        assert notice(window) is None
        wait_for_run(qtbot, window)
        assert len(state.runs.current) == output_tokens + 1
        assert not window.isWindowModified()
        assert (state.cursor.step, state.cursor.time_ps) == place
        assert state.selection.span == chosen
        assert (state.window.start_ps, state.window.end_ps) == pytest.approx(visible, rel=1e-6)
    window.commands.run("edit.undo")
    assert state.session.document.get("workload.output_tokens") == 14
    assert window.isWindowModified()


def test_touching_or_changing_back_is_no_change(window, qtbot, small_file):
    os.utime(small_file, (1, 1))
    write_by_rename(small_file, SMALL)
    qtbot.wait(400)
    assert notice(window) is None
    small_file.write_text(SMALL + "# more\n", encoding="utf-8")
    wait_for_notice(window, qtbot, "changed on disk")
    small_file.write_text(SMALL, encoding="utf-8")
    qtbot.waitUntil(lambda: notice(window) is None)
    assert not window.questions.isVisible()


def test_edits_are_made_again_on_the_new_file(window, qtbot, small_file):
    session = window.state.session
    session.set_value("hardware.ndp_dimms.count", 2)
    session.set_value("policy.window_tokens", 7)
    wait_for_run(qtbot, window)
    new = SMALL.replace("output_tokens: 12", "output_tokens: 9").replace("# the card", "# new")
    small_file.write_text(new, encoding="utf-8")
    row = wait_for_notice(window, qtbot, "you have unsaved edits")
    click(qtbot, row, "Reload, keep my edits")
    wait_for_run(qtbot, window)
    document = session.document
    assert document.get("workload.output_tokens") == 9
    assert document.get("hardware.ndp_dimms.count") == 2
    assert document.get("policy.window_tokens") == 7
    assert "# new" in document.text()
    assert session.dirty
    window.commands.run("edit.undo")
    assert document.get("workload.output_tokens") == 9
    assert session.document.get("workload.output_tokens") == 12
    assert session.document.get("hardware.ndp_dimms.count") == 2


def test_edits_of_fields_that_are_gone_are_named(window, qtbot, small_file):
    session = window.state.session
    session.set_value("workload.prompt_tokens", 32)
    session.set_value("seed", 4)
    small_file.write_text(SMALL.replace("prompt_tokens: 16, ", ""), encoding="utf-8")
    row = wait_for_notice(window, qtbot, "unsaved edits")
    click(qtbot, row, "Reload, keep my edits")
    assert session.document.get("seed") == 4
    assert session.document.get("workload.prompt_tokens") is None
    assert "workload.prompt_tokens" in window.state.messages.strip.text


def test_edits_are_dropped_and_undo_brings_them_back(window, qtbot, small_file):
    session = window.state.session
    session.set_value("seed", 4)
    small_file.write_text(SMALL.replace("seed: 1", "seed: 2"), encoding="utf-8")
    row = wait_for_notice(window, qtbot, "unsaved edits")
    click(qtbot, row, "Reload, drop my edits")
    assert session.document.get("seed") == 2
    assert not session.dirty
    window.commands.run("edit.undo")
    assert session.document.get("seed") == 4


def test_keep_mine_leaves_everything_and_saving_overwrites(window, qtbot, small_file):
    small_file.write_text(SMALL.replace("seed: 1", "seed: 2"), encoding="utf-8")
    wait_for_notice(window, qtbot, "changed on disk")
    assert window.commands.run("file.keep_mine")
    assert notice(window) is None
    assert window.state.session.document.get("seed") == 1
    assert window.isWindowModified()
    window.files.may_overwrite = lambda: pytest.fail("asked although the user kept his")
    assert window.files.save()
    assert small_file.read_text(encoding="utf-8") == SMALL


def test_saving_over_a_change_asks_first(window, qtbot, small_file):
    new = SMALL.replace("seed: 1", "seed: 2")
    window.state.session.set_value("seed", 9)
    small_file.write_text(new, encoding="utf-8")
    window.files.may_overwrite = lambda: False
    assert not window.files.save()
    assert small_file.read_text(encoding="utf-8") == new
    window.files.may_overwrite = lambda: True
    assert window.files.save()
    assert "seed: 9" in small_file.read_text(encoding="utf-8")
    assert notice(window) is None


def test_a_deleted_file_is_said_and_saved_again(window, qtbot, small_file):
    run = window.state.runs.current
    small_file.unlink()
    row = wait_for_notice(window, qtbot, "deleted or moved")
    assert window.isWindowModified()
    assert window.state.runs.current is run
    click(qtbot, row, "Save")
    assert small_file.read_text(encoding="utf-8") == SMALL
    assert not window.isWindowModified()
    small_file.unlink()
    wait_for_notice(window, qtbot, "deleted or moved")
    small_file.write_text(SMALL, encoding="utf-8")
    qtbot.waitUntil(lambda: notice(window) is None)
    assert not window.isWindowModified()


def test_a_file_that_turns_unreadable_is_a_message(window, qtbot, small_file):
    small_file.write_bytes(b"\xff\xfe\x00")
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    assert "not UTF-8" in window.state.messages.strip.text
    assert window.state.session.document.text() == SMALL


def test_reload_by_key_asks_about_edits(window, qtbot, small_file):
    session = window.state.session
    session.set_value("seed", 4)
    window.files.ask_about_edits = lambda: None
    window.commands.run("file.reload")
    assert session.document.get("seed") == 4
    window.files.ask_about_edits = lambda: False
    window.commands.run("file.reload")
    assert session.document.get("seed") == 1
    window.commands.run("edit.undo")
    assert session.document.get("seed") == 4


def test_an_edit_while_the_question_waits_changes_the_answers(window, qtbot, small_file):
    small_file.write_text(SMALL.replace("seed: 1", "seed: 2"), encoding="utf-8")
    row = wait_for_notice(window, qtbot, "changed on disk.")
    assert [button.text() for button in row.buttons] == ["Reload", "Keep mine"]
    window.state.session.set_value("hardware.ndp_dimms.count", 2)
    row = wait_for_notice(window, qtbot, "unsaved edits")
    click(qtbot, row, "Reload, keep my edits")
    document = window.state.session.document
    assert (document.get("seed"), document.get("hardware.ndp_dimms.count")) == (2, 2)


def test_another_program_writes_just_what_is_here(window, qtbot, small_file):
    session = window.state.session
    session.set_value("seed", 2)
    small_file.write_text(session.document.text(), encoding="utf-8")
    qtbot.waitUntil(lambda: not session.dirty)
    assert notice(window) is None
