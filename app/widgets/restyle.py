"""Makes a widget take over style rules that depend on its properties."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QWidget

from app.theme.tokens import DARK, LIGHT, blend


def restyle(widget: QWidget) -> None:
    """Evaluate the style sheet for the widget again."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_style(widget: QWidget, rules: str) -> None:
    """Give a widget style rules of its own, unless it has these: Qt would evaluate them again."""
    if widget.styleSheet() != rules:
        widget.setStyleSheet(rules)


def set_flag(widget: QWidget, name: str, on: bool) -> None:
    """Set a property that style rules look at."""
    if bool(widget.property(name)) != on:
        widget.setProperty(name, on)
        restyle(widget)


def set_invalid(widget: QWidget, on: bool) -> None:
    """Mark a control as wrong, or clear the mark.

    Spin boxes and combo boxes are tinted by their palette, since a style sheet would take their
    arrows away.
    """
    set_flag(widget, "invalid", on)
    palette = QPalette()
    if on:
        theme = DARK if palette.color(QPalette.ColorRole.Base).lightness() < 128 else LIGHT
        tint = QColor(blend(theme.field, theme.error, 0.28))
        for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Button):
            palette.setColor(role, tint)
    widget.setPalette(palette)
