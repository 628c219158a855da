"""Makes a widget take over style rules that depend on its properties."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def restyle(widget: QWidget) -> None:
    """Evaluate the style sheet for the widget again."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_flag(widget: QWidget, name: str, on: bool) -> None:
    """Set a property that style rules look at."""
    if bool(widget.property(name)) != on:
        widget.setProperty(name, on)
        restyle(widget)
