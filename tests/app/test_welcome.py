"""The welcome page: every shipped scenario, one sentence each, recent files, by key."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from app import main as entry
from app.theme.tokens import THEMES
from app.viewmodels.gallery import PICTURE_PX, examples, first_sentence
from app.widgets.welcome import WelcomePage
from simcore.data import list_scenarios
from tests.app.conftest import wait_for_run


@pytest.fixture
def page(empty_window):
    empty_window.commands.run("help.welcome")
    assert isinstance(empty_window.welcome, WelcomePage)
    return empty_window.welcome


def test_every_shipped_scenario_has_a_card_and_a_sentence(page):
    assert sorted(card.example.path for card in page.cards) == list(list_scenarios())
    for card in page.cards:
        assert card.example.name in card.accessibleName()
        assert card.accessibleDescription() == card.example.sentence
        assert card.example.sentence.endswith(".")
        assert card.example.sentence in card.example.about


@pytest.mark.parametrize("example", examples(), ids=lambda e: e.path.stem)
def test_every_shipped_scenario_has_pictures(qapp, example):
    """After adding a scenario: python tools/gallery.py NAME."""
    for theme in THEMES.values():
        picture = QPixmap(str(example.picture(theme)))
        assert (picture.width(), picture.height()) == (2 * PICTURE_PX[0], 2 * PICTURE_PX[1])


def test_first_sentences():
    assert first_sentence("Qwen2.5 is served, see arXiv 2504.17584. Then more.") == (
        "Qwen2.5 is served, see arXiv 2504.17584."
    )
    assert first_sentence("no full stop") == "no full stop"
    assert first_sentence("") == ""


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_a_card_opens_its_scenario_by_key(empty_window, page, qtbot, key):
    card = next(c for c in page.cards if c.example.path.stem == "hermes-recorded")
    card.setFocus()
    qtbot.keyClick(card, key)
    assert not page.isVisible()
    assert empty_window.state.session.path == card.example.path
    wait_for_run(qtbot, empty_window)


def test_recent_files(empty_window, page, qtbot, small_file):
    assert page.recent.item(0).text() == "no files yet"
    empty_window.files.open_path(small_file)
    empty_window.commands.run("help.welcome")
    assert page.recent.item(0).text() == small_file.name
    page.recent.itemActivated.emit(page.recent.item(0))
    assert not page.isVisible()
    assert empty_window.state.session.path == small_file.resolve()


def test_escape_closes_and_the_choice_is_remembered(empty_window, page, qtbot, settings):
    assert settings.welcome
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert not page.isVisible()
    page.at_start.setChecked(False)
    assert not settings.welcome


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_drawn_in_both_themes(empty_window, page, mode):
    empty_window.set_theme(mode)
    assert not page.grab().isNull()


@pytest.mark.parametrize(("arguments", "welcome"), [([], True), (["hermes-recorded"], False)])
def test_it_comes_up_at_a_start_without_a_file(monkeypatch, arguments, welcome):
    asked = []
    monkeypatch.setattr("app.bootstrap.run", lambda path, **options: asked.append(options) or 0)
    assert entry.main(arguments) == 0
    assert asked == [{"welcome": welcome, "safe": False}]


def test_the_machine_to_begin_with_comes_first(page):
    assert page.cards[0].example.path.stem == "hermes-llama2-70b"
    assert page.cards[0].hasFocus()
    assert page.cards[0].example.path.name == entry.DEFAULT_SCENARIO


def test_what_nobody_asked_for_is_no_recent_file(empty_window, small_file, monkeypatch):
    assert empty_window.files.open_path(small_file, remember=False)
    assert empty_window.settings.recent == []
    assert empty_window.files.open_path(small_file)
    assert empty_window.settings.recent == [str(small_file)]
