"""Commands of the search."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState

_MENU = "Timeline"


def search_commands(state: AppState, show: Callable[[], object]) -> tuple[Command, ...]:
    """Opening the field, next and previous place."""
    search = state.search

    def open_field() -> None:
        show()
        search.opened.emit()

    def looking() -> bool:
        return search.query is not None and state.runs.length > 0

    return (
        Command("search.open", "Search…", open_field, ("/", "Ctrl+F"), _MENU, section="search"),
        Command(
            "search.next",
            "Next place found",
            lambda: search.go(1),
            ("F3",),
            _MENU,
            looking,
            section="search",
        ),
        Command(
            "search.previous",
            "Previous place found",
            lambda: search.go(-1),
            ("Shift+F3",),
            _MENU,
            looking,
            section="search",
        ),
    )
