"""The glossary."""

from PySide6.QtCore import Qt

from app.viewmodels.glossary import glossary, matching


def test_words_are_sorted_explained_and_unlike():
    entries = glossary()
    words = [entry.word.casefold() for entry in entries]
    assert words == sorted(words)
    assert len(set(words)) == len(words) > 60
    assert all(len(entry.text) > 10 for entry in entries)
    assert any(entry.group for entry in entries)  # figures of systems are in it


def test_named_words_come_first():
    found = matching(glossary(), "kv cache")
    assert found[0].word == "KV cache"
    assert len(found) > 1
    assert not matching(glossary(), "no such word anywhere")


def test_the_dialog_searches(window, qtbot):
    window.context.commands.run("help.glossary")
    dialog = window.glossary
    assert dialog.isVisible()
    assert dialog.search.hasFocus() or not dialog.isActiveWindow()
    qtbot.keyClicks(dialog.search, "prefill")
    assert "prompt at once" in dialog.text.toPlainText()
    assert dialog.count.text().startswith(f"{len(matching(glossary(), 'prefill'))} of ")
    dialog.search.clear()
    bar = dialog.text.verticalScrollBar()
    qtbot.keyClick(dialog.search, Qt.Key.Key_PageDown)
    assert bar.value() > 0
    dialog.search.setText("zzzz")
    assert "No such word" in dialog.text.toPlainText()
    dialog.close()


def test_the_help_of_a_view_has_its_mouse_and_keys(window):
    window.docks["placement"].explain()
    text = window.state.messages.strip.text
    assert text.startswith(f"Placement: {window.docks['placement'].view.help}")
    assert "Alt+wheel: zoom the rows" in text
    window.docks["timeline"].explain()
    text = window.state.messages.strip.text
    assert "F: fit the selection or the step" in text
    assert "Help > Keys and mouse  (?)" in text
    assert window.strip.label.height() < 80  # it does not push the views out of the window


def test_a_long_message_does_not_make_the_window_grow(window, qtbot):
    window.resize(1280, 800)
    qtbot.wait(50)
    window.state.messages.show("many words of a long message " * 20)
    assert window.height() == 800
    qtbot.wait(100)
    assert window.height() == 800
    assert window.strip.label.height() >= window.strip.label.heightForWidth(
        window.strip.label.width()
    )
