"""The scenario as YAML text, with the lines that are wrong marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from app.theme.tokens import Theme
from app.widgets.transport import monospace_family
from simcore.errors import Problem

_KEY = re.compile(r"^(\s*-?\s*)([A-Za-z_][\w-]*)(?=\s*:)")
_COMMENT = re.compile(r"(^|\s)#.*$")


class _Highlighter(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self.key, self.comment = QTextCharFormat(), QTextCharFormat()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.key.setForeground(QColor(theme.accent))
        self.comment.setForeground(QColor(theme.text_dim))
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        found = _KEY.match(text)
        if found:
            self.setFormat(found.start(2), found.end(2) - found.start(2), self.key)
        comment = _COMMENT.search(text)
        if comment:
            self.setFormat(comment.start(), len(text) - comment.start(), self.comment)


class YamlEditor(QWidget):
    """Text, and below it what is wrong."""

    edited = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QPlainTextEdit(self)
        self.text.setAccessibleName("Scenario as YAML")
        self.text.setTabChangesFocus(True)  # YAML knows no tabs, and the keyboard must get out
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        font = QFont(monospace_family())
        font.setPointSizeF(max(7.5, self.font().pointSizeF() - 0.5))
        self.text.setFont(font)
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))
        self._theme = theme
        self._highlighter = _Highlighter(self.text.document(), theme)
        self.errors = QLabel(self)
        self.errors.setProperty("problem", True)
        self.errors.setWordWrap(True)
        self.errors.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.errors)
        self._own = False
        self.text.textChanged.connect(self._on_changed)

    def set_theme(self, theme: Theme) -> None:
        """Take over colours."""
        self._theme = theme
        self._highlighter.set_theme(theme)

    def put(self, text: str) -> None:
        """Show a text; the cursor stays where it is as far as possible."""
        if text == self.text.toPlainText():
            return
        position = self.text.textCursor().position()
        scroll = self.text.verticalScrollBar().value()
        self._own = True
        self.text.setPlainText(text)
        self._own = False
        cursor = self.text.textCursor()
        cursor.setPosition(min(position, len(text)))
        self.text.setTextCursor(cursor)
        self.text.verticalScrollBar().setValue(scroll)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark lines and list what is wrong."""
        marks = []
        for problem in problems:
            block = self.text.document().findBlockByNumber(problem.line - 1)
            if problem.line and block.isValid():
                mark = QTextEdit.ExtraSelection()
                ground = QColor(self._theme.error)
                ground.setAlphaF(0.25)
                mark.format.setBackground(ground)
                mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
                mark.cursor = QTextCursor(block)
                marks.append(mark)
        self.text.setExtraSelections(marks)
        lines = [
            (f"line {problem.line}: " if problem.line else "") + problem.text()
            for problem in problems
        ]
        self.errors.setText("\n".join(lines[:4]))
        self.errors.setVisible(bool(lines))

    def _on_changed(self) -> None:
        if not self._own:
            self.edited.emit(self.text.toPlainText())
