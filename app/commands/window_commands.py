"""Commands about files, edits, views and help; the window carries them out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Protocol

from app.commands.registry import Command
from app.layout import LAYOUTS
from app.state.app_state import AppState
from app.theme.manager import MODES
from app.tours import TOURS
from app.viewmodels.placement import ColourBy
from app.workers.controller import RunController


class WindowActions(Protocol):
    """What the main window offers to commands."""

    def open_dialog(self) -> None: ...
    def save(self) -> bool: ...
    def save_as(self) -> bool: ...
    def reload(self) -> None: ...
    def keep_mine(self) -> None: ...
    def show_changes(self) -> None: ...
    def show_settings(self, page: str = "") -> None: ...
    def export_chart(self) -> None: ...
    def export(self, page: str) -> None: ...
    def close(self) -> bool: ...
    def open_path(self, path: Path) -> bool: ...
    def show_palette(self) -> None: ...
    def show_keys(self) -> None: ...
    def show_glossary(self) -> None: ...
    def start_tour(self, id: str) -> None: ...
    def show_about(self) -> None: ...
    def make_report(self) -> None: ...
    def show_welcome(self) -> None: ...
    def reset_layout(self) -> None: ...
    def set_layout_named(self, name: str) -> None: ...
    def set_theme(self, mode: str) -> None: ...
    def theme_mode(self) -> str: ...
    def show_view(self, id: str) -> None: ...
    def colour_map(self, by: ColourBy) -> None: ...
    def can_colour_map(self, by: ColourBy) -> bool: ...
    def go_view(self, direction: int) -> None: ...
    def float_view(self) -> None: ...
    def hide_view(self) -> None: ...
    def explain_view(self) -> None: ...


_EXPORTS = (
    ("table", "Export table…", "Table", ()),
    ("trace", "Export trace…", "Trace", ("Ctrl+Shift+E",)),
    ("report", "Export report…", "Report", ()),
    ("animation", "Export animation…", "Animation", ()),
    ("run", "Save run…", "Saved run", ()),
)
"""Id, title, page of the export dialog and keys of what can be written besides charts."""


def file_commands(state: AppState, window: WindowActions) -> tuple[Command, ...]:
    """Opening, saving, exporting."""
    session = state.session

    def has_document() -> bool:
        return session.document is not None

    def has_run() -> bool:
        return state.runs.length > 0

    menu = "File"
    return (
        Command("file.open", "Open…", window.open_dialog, ("Ctrl+O",), menu, section="open"),
        Command("file.save", "Save", window.save, ("Ctrl+S",), menu, has_document, section="save"),
        Command(
            "file.save_as",
            "Save as…",
            window.save_as,
            ("Ctrl+Shift+S",),
            menu,
            has_document,
            section="save",
        ),
        Command(
            "file.reload",
            "Reload from file",
            window.reload,
            ("Ctrl+R",),
            menu,
            lambda: session.path is not None,
            section="save",
        ),
        Command(
            "file.keep_mine",
            "Keep mine, though the file changed",
            window.keep_mine,
            menu=menu,
            enabled=lambda: state.watch.pending is not None,
            section="save",
        ),
        Command(
            "file.export_chart",
            "Export chart…",
            window.export_chart,
            ("Ctrl+E",),
            menu,
            has_run,
            section="export",
        ),
        *(
            Command(
                f"file.export_{id}",
                title,
                partial(window.export, page),
                keys,
                menu,
                has_run,
                section="export",
            )
            for id, title, page, keys in _EXPORTS
        ),
        Command("file.quit", "Quit", window.close, ("Ctrl+Q",), menu, section="quit"),
    )


def edit_commands(state: AppState, window: WindowActions) -> tuple[Command, ...]:
    """Undo, redo, reset."""
    session, menu = state.session, "Edit"
    bus = session.bus
    return (
        Command(
            "edit.undo",
            "Undo",
            bus.undo,
            ("Ctrl+Z",),
            menu,
            lambda: bool(bus.undo_title),
            label=lambda: f"Undo {bus.undo_title}".strip(),
        ),
        Command(
            "edit.redo",
            "Redo",
            bus.redo,
            ("Ctrl+Shift+Z", "Ctrl+Y"),
            menu,
            lambda: bool(bus.redo_title),
            label=lambda: f"Redo {bus.redo_title}".strip(),
        ),
        Command(
            "edit.reset",
            "Reset to file",
            session.reset_all,
            menu=menu,
            enabled=lambda: session.dirty,
            section="reset",
        ),
        Command(
            "edit.changes",
            "Changes against the file…",
            window.show_changes,
            ("Ctrl+D",),
            menu,
            lambda: session.document is not None,
            section="reset",
        ),
        Command(
            "edit.settings",
            "Settings…",
            window.show_settings,
            ("Ctrl+,",),
            menu,
            section="settings",
        ),
        Command(
            "edit.keys",
            "Edit keys…",
            lambda: window.show_settings("keys"),
            menu=menu,
            section="settings",
        ),
    )


def run_commands(state: AppState, controller: RunController) -> tuple[Command, ...]:
    """Simulating."""
    return (
        Command(
            "run.again",
            "Simulate again",
            controller.start,
            ("F5",),
            "Run",
            lambda: state.session.document is not None,
        ),
        Command(
            "run.cancel",
            "Stop the simulation",
            controller.cancel,
            ("Ctrl+.",),
            "Run",
            lambda: controller.busy,
        ),
        Command(
            "run.clear_message",
            "Dismiss the message",
            state.messages.clear_strip,
            ("Ctrl+Shift+M",),
            "Run",
            lambda: state.messages.strip is not None,
            section="messages",
        ),
    )


def view_commands(window: WindowActions, views: list[tuple[str, str]]) -> tuple[Command, ...]:
    """Showing views, the theme, the layout."""
    menu = "View"
    commands = [
        Command(
            f"view.{id}",
            f"Go to {title}",
            lambda id=id: window.show_view(id),  # type: ignore[misc]
            (f"Alt+{index}",) if index <= 9 else (),
            menu,
            section="views",
        )
        for index, (id, title) in enumerate(views, start=1)
    ]
    commands += [
        Command("view.next", "Next view", lambda: window.go_view(1), ("F6",), menu, section="go"),
        Command(
            "view.previous",
            "Previous view",
            lambda: window.go_view(-1),
            ("Shift+F6",),
            menu,
            section="go",
        ),
        Command("view.float", "Float or dock the view", window.float_view, menu=menu, section="go"),
        Command("view.hide", "Hide the view", window.hide_view, ("Ctrl+W",), menu, section="go"),
        Command("view.about", "What is this view?", window.explain_view, menu=menu, section="go"),
    ]
    commands += [
        Command(
            f"view.colour_{by.value}",
            f"Colour the map by {by.value}",
            lambda by=by: window.colour_map(by),  # type: ignore[misc]
            menu=menu,
            enabled=lambda by=by: window.can_colour_map(by),  # type: ignore[misc]
            section="colour",
        )
        for by in ColourBy
    ]
    commands += [
        Command(
            f"view.theme_{mode}",
            f"Theme: {mode}",
            lambda mode=mode: window.set_theme(mode),  # type: ignore[misc]
            menu=menu,
            checked=lambda mode=mode: window.theme_mode() == mode,  # type: ignore[misc]
            section="theme",
        )
        for mode in MODES
    ]
    commands += [
        Command(
            f"view.layout_{name}",
            f"Layout: {name}",
            lambda name=name: window.set_layout_named(name),  # type: ignore[misc]
            menu=menu,
            section="layout",
        )
        for name in LAYOUTS
    ]
    commands.append(
        Command(
            "view.reset_layout", "Reset layout", window.reset_layout, menu=menu, section="layout"
        )
    )
    return tuple(commands)


def help_commands(window: WindowActions) -> tuple[Command, ...]:
    """Palette, keys, about."""
    menu = "Help"
    return (
        Command(
            "help.palette",
            "Command palette…",
            window.show_palette,
            ("Ctrl+Shift+P", "F1"),
            menu,
        ),
        Command(
            "help.welcome", "Welcome and examples", window.show_welcome, ("Ctrl+Shift+W",), menu
        ),
        *(
            Command(
                f"help.tour_{id}", f"Tour: {tour.title}", partial(window.start_tour, id), (), menu
            )
            for id, tour in TOURS.items()
        ),
        Command("help.keys", "Keys and mouse", window.show_keys, ("?",), menu),
        Command("help.glossary", "Glossary…", window.show_glossary, ("Shift+F1",), menu),
        Command("help.report", "Make a report…", window.make_report, menu=menu, section="about"),
        Command("help.about", "About DIMMscope", window.show_about, menu=menu, section="about"),
    )
