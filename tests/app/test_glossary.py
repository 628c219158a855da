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
