"""The sheet of keys and mouse gestures, made from the command registry."""

from __future__ import annotations

import html

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from app.commands.registry import CommandRegistry
from app.theme.tokens import Theme
from app.widgets.actions import MENU_ORDER

_MOUSE = (
    ("Timeline", "wheel", "zoom at the pointer"),
    ("Timeline", "Shift+wheel", "pan"),
    ("Timeline", "drag", "pan"),
    ("Timeline", "click", "select a span and move the cursor"),
    ("Timeline", "drag in the ruler", "move the cursor"),
    ("Timeline", "double click", "fit the step"),
    ("Timeline", "hover, click", "arrows show what a span needed and what needed it"),
    ("Timeline", "Ctrl+click", "set a marker (Alt: without snapping to edges)"),
    ("Timeline", "Shift+drag", "measure a range: both markers"),
    ("Timeline", "drag a marker", "move it; Esc puts it back"),
    ("Search", "Enter, Shift+Enter", "next and previous place; Esc closes"),
    ("Lane titles", "right click", "hide, pin, fold, move"),
    ("Lane titles", "drag", "move a lane; drag the border for the width"),
    ("Overview", "drag", "pan; drag the edges to zoom; click to go"),
    ("Placement", "wheel", "zoom across"),
    ("Placement", "Ctrl+wheel", "zoom both ways"),
    ("Placement", "Alt+wheel", "zoom the rows"),
    ("Placement", "double click", "show all"),
    ("Placement, by key", "Up  Down  Alt+Left  Alt+Right", "mark an item and tell about it"),
    ("Placement, by key", "+  -", "zoom around the marked item"),
)

_FEW = 5


def key_rows(commands: CommandRegistry) -> list[tuple[str, str, str]]:
    """(menu, keys, title) of every command that has a key."""
    return [
        (name, "  ".join(command.keys), command.title)
        for name in MENU_ORDER
        for command in commands
        if command.menu == name and command.keys
    ]


def keys_of_view(commands: CommandRegistry, id: str, title: str) -> str:
    """The first of a view's mouse gestures and keys in a line; empty if it has none."""
    mouse = [f"{keys}: {does}" for group, keys, does in _MOUSE if group.split(",")[0] == title]
    own = [
        f"{command.keys[0]}: {command.title[:1].lower()}{command.title[1:]}"
        for command in commands
        if command.keys and (command.menu == title or command.id == f"view.show_{id}")
    ]
    shown = [*mouse[:_FEW], *own[:_FEW]]
    if len(shown) < len(mouse) + len(own):
        shown.append(commands.tip("help.keys", "all of them under Help > Keys and mouse"))
    return " · ".join(shown)


class KeySheet(QDialog):
    """All keys and gestures on one page."""

    def __init__(self, commands: CommandRegistry, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        text = QTextBrowser(self)
        text.setAccessibleName("Keys and mouse")
        text.setHtml(_html(key_rows(commands), theme))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)
        self.resize(560, 640)


def _html(rows: list[tuple[str, str, str]], theme: Theme) -> str:
    parts = ["<table cellpadding='3' cellspacing='0' width='100%'>"]
    last = ""
    for group, keys, title in [
        *rows,
        *((f"Mouse: {a}" if "key" not in a else a, b, c) for a, b, c in _MOUSE),
    ]:
        if group != last:
            parts.append(
                f"<tr><td colspan='2' style='color:{theme.accent};font-weight:600'>"
                f"{html.escape(group)}</td></tr>"
            )
            last = group
        parts.append(
            f"<tr><td width='34%'>{html.escape(keys)}</td><td>{html.escape(title)}</td></tr>"
        )
    parts.append("</table>")
    return "".join(parts)
