"""The glossary: a search line above the words and what they mean."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.theme.manager import ThemeManager
from app.viewmodels.glossary import glossary, matching


class GlossaryDialog(QDialog):
    """Not modal: it can stay open beside the window."""

    def __init__(self, themes: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Glossary")
        self._themes = themes
        self._entries = glossary()
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search words and explanations")
        self.search.setAccessibleName("Search the glossary")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._show)
        self.search.installEventFilter(self)
        self.count = QLabel(self)
        self.count.setProperty("dim", True)
        self.text = QTextBrowser(self)
        self.text.setAccessibleName("Words and what they mean")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.count)
        layout.addWidget(buttons)
        self.resize(560, 620)
        themes.changed.connect(self._show)
        self._show()

    def look_up(self, word: str = "") -> None:
        """Open with a word looked for."""
        self.search.setText(word)
        self.show()
        self.raise_()
        self.activateWindow()
        self.search.setFocus()
        self.search.selectAll()

    def _show(self) -> None:
        found = matching(self._entries, self.search.text())
        theme = self._themes.current
        parts = []
        for entry in found:
            group = html.escape(f"  {entry.group}") if entry.group else ""
            parts.append(
                f"<p style='margin:0 0 9px 0'><b style='color:{theme.accent}'>"
                f"{html.escape(entry.word)}</b>"
                f"<span style='color:{theme.text_dim}'>{group}</span><br>"
                f"{html.escape(entry.text)}</p>"
            )
        self.text.setHtml("".join(parts) or "<p>No such word.</p>")
        self.count.setText(f"{len(found)} of {len(self._entries)} words")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the search line scroll the words."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            bar = self.text.verticalScrollBar()
            moves = {
                Qt.Key.Key_Down: bar.singleStep(),
                Qt.Key.Key_Up: -bar.singleStep(),
                Qt.Key.Key_PageDown: bar.pageStep(),
                Qt.Key.Key_PageUp: -bar.pageStep(),
            }
            if event.key() in moves:
                bar.setValue(bar.value() + moves[Qt.Key(event.key())])
                return True
        return super().eventFilter(watched, event)
