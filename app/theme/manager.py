"""Applies a theme to the application and tells views when it changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.theme.stylesheet import stylesheet
from app.theme.tokens import DARK, LIGHT, Theme

MODES = ("system", "light", "dark")
"""What the user may choose."""


class ThemeManager(QObject):
    """The theme in force.

    Attributes:
        current: tokens in force.
        mode: ``system``, ``light`` or ``dark``.
        scale_in_use: size of the interface this application was started with, in per cent.
    """

    changed = Signal()

    def __init__(self, mode: str = "system") -> None:
        super().__init__()
        self.mode = mode if mode in MODES else "system"
        self.current: Theme = self._resolve()
        self.scale_in_use = 100
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_scheme_changed)

    def set_mode(self, mode: str) -> None:
        """Switch to another mode at once."""
        self.mode = mode if mode in MODES else "system"
        self.apply()

    def apply(self) -> None:
        """Put palette and style sheet of the mode's theme into force."""
        self.current = self._resolve()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            sheet = stylesheet(self.current)
            if app.styleSheet() != sheet:  # setting it styles every widget there is anew
                app.setPalette(_palette(self.current))
                app.setStyleSheet(sheet)
        self.changed.emit()

    def _resolve(self) -> Theme:
        if self.mode == "system":
            scheme = QGuiApplication.styleHints().colorScheme()
            return DARK if scheme == Qt.ColorScheme.Dark else LIGHT
        return DARK if self.mode == "dark" else LIGHT

    def _on_scheme_changed(self, *_: object) -> None:
        if self.mode == "system":
            self.apply()


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.frame,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.field,
        QPalette.ColorRole.AlternateBase: theme.row_alt,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text_dim,
        QPalette.ColorRole.Button: theme.panel,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.accent_text,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.Light: theme.panel,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Dark: theme.border,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.WindowText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.text_dim))
    return palette
