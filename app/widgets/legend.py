"""A legend whose entries can be switched off."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from app.widgets.flow_layout import FlowLayout
from app.widgets.painting import small_font


def swatch(colour: str | Qt.GlobalColor, border: str, size: int = 11) -> QIcon:
    """A filled square with a border."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect(), QColor(border))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.fillRect(QRect(1, 1, size - 2, size - 2), QColor(colour))
    painter.end()
    return QIcon(pixmap)


class Legend(QWidget):
    """Rows of coloured entries; with `checkable`, each is a switch."""

    toggled = Signal(int, bool)

    def __init__(self, checkable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checkable = checkable
        self._buttons: list[QToolButton] = []
        self._entries: list[tuple[str, str, str]] = []
        self._border = ""
        self._flow = FlowLayout(self, margin=0, spacing=0)

    def set_entries(self, entries: list[tuple[str, str, str]], border: str) -> None:
        """Show entries of (title, colour, tip); switches that stay keep their state."""
        titles = [button.text() for button in self._buttons]
        if titles != [title for title, _, _ in entries]:
            self._rebuild(entries)
            self._entries = []
        before, self._entries = self._entries, entries
        same_border, self._border = border == self._border, border
        for index, entry in enumerate(entries):
            known = same_border and index < len(before)
            if known and before[index][:2] == entry[:2]:
                self._show_tip(index)  # an icon or a font, even the same one, lays out the window
            else:
                self._show_state(index)

    def hidden_entries(self) -> frozenset[int]:
        """Entries that are switched off."""
        return frozenset(
            i for i, b in enumerate(self._buttons) if self._checkable and not b.isChecked()
        )

    def _show_state(self, index: int) -> None:
        """An entry that is off has an empty swatch, a struck title and says so."""
        button, (_, colour, _) = self._buttons[index], self._entries[index]
        on = not self._checkable or button.isChecked()
        button.setIcon(swatch(colour if on else Qt.GlobalColor.transparent, self._border))
        font = button.font()
        font.setStrikeOut(not on)
        button.setFont(font)
        self._show_tip(index)

    def _show_tip(self, index: int) -> None:
        button, tip = self._buttons[index], self._entries[index][2]
        if self._checkable and not button.isChecked():
            tip = f"{tip}\nhidden; click to show"
        if button.toolTip() != tip:
            button.setToolTip(tip)

    def _on_toggled(self, index: int, on: bool) -> None:
        self._show_state(index)
        self.toggled.emit(index, on)

    def _rebuild(self, entries: list[tuple[str, str, str]]) -> None:
        off = {self._buttons[index].text() for index in self.hidden_entries()}
        for button in self._buttons[len(entries) :]:
            self._flow.removeWidget(button)
            button.hide()
            button.deleteLater()
        del self._buttons[len(entries) :]  # the others stay: to style a new one takes a millisecond
        while len(self._buttons) < len(entries):
            self._buttons.append(self._make(len(self._buttons)))
        for button, (title, _, _) in zip(self._buttons, entries, strict=True):
            button.setText(title)
            button.setAccessibleName(f"Show {title}" if self._checkable else title)
            button.blockSignals(True)
            button.setChecked(self._checkable and title not in off)
            button.blockSignals(False)

    def _make(self, index: int) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("flat", True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(10, 10))
        button.setFont(small_font(self.font(), -0.5))
        if self._checkable:
            button.setCheckable(True)
            button.toggled.connect(lambda on: self._on_toggled(index, on))
        else:
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._flow.addWidget(button)
        button.show()
        return button
