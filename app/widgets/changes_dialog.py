"""What differs from the file: values in a table, and the text beside it."""

from __future__ import annotations

import difflib
import html

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.state.app_state import AppState
from app.theme.manager import ThemeManager
from app.theme.tokens import Theme, blend
from app.viewmodels.history import changes
from app.widgets.transport import monospace_family
from simcore.errors import ScenarioErrors

_PATH = Qt.ItemDataRole.UserRole


class ChangesDialog(QDialog):
    """Stays open beside the window and follows every edit."""

    def __init__(self, state: AppState, themes: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Changes against the file")
        self._state = state
        self._themes = themes
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.table = QTreeWidget(self)
        self.table.setAccessibleName("Changed values")
        self.table.setHeaderLabels(["Field", "In the file", "Now"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            self.table.header().setSectionResizeMode(
                column, QHeaderView.ResizeMode.ResizeToContents
            )
        self.text = QTextBrowser(self)
        self.text.setAccessibleName("Changed lines")
        font = QFont(monospace_family())
        font.setPointSizeF(self.font().pointSizeF())
        self.text.setFont(font)
        self.text.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Values or lines")
        self.tabs.tabBar().setAccessibleName("Values or lines")
        self.tabs.addTab(self.table, "Values")
        self.tabs.addTab(self.text, "Lines")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.put_back = buttons.addButton("Put back", QDialogButtonBox.ButtonRole.ActionRole)
        self.put_back.setToolTip("Put the marked value back to what the file says; can be undone")
        self.copy_button = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setToolTip("Copy the changed lines as a unified diff")
        for button in buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        self.put_back.clicked.connect(self._put_back)
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.diff()))
        self.table.currentItemChanged.connect(lambda *_: self._show_button())
        layout = QVBoxLayout(self)
        layout.addWidget(self.note)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(buttons)
        self.resize(720, 460)
        state.session.document_changed.connect(self.refresh)
        state.session.file_changed.connect(self.refresh)
        themes.changed.connect(self.refresh)

    def diff(self) -> str:
        """The unified diff from the file to the document."""
        session = self._state.session
        saved, document = session.saved, session.document
        if saved is None or document is None:
            return ""
        name = session.path.name if session.path else "scenario"
        lines = difflib.unified_diff(
            saved.text().splitlines(),
            document.text().splitlines(),
            f"{name} (file)",
            f"{name} (now)",
            lineterm="",
        )
        return "\n".join(lines)

    def refresh(self) -> None:
        """Show what differs now."""
        if not self.isVisible():
            return
        session = self._state.session
        saved, document = session.saved, session.document
        self.table.clear()
        found = changes(saved, document) if saved is not None and document is not None else ()
        rows = []
        for item in found:
            row = QTreeWidgetItem(self.table, [item.path, item.in_file, item.now])
            row.setData(0, _PATH, item.path)
            for column, text in enumerate((item.path, item.in_file, item.now)):
                row.setToolTip(column, text)
            rows.append(row)
        if rows:
            self.table.setCurrentItem(rows[0])
        diff = self.diff()
        self.text.setHtml(_html(diff, self._themes.current))
        if not diff:
            text = "Nothing differs from the file."
            if session.missing:
                text = "Nothing differs from the file as it was read; it is no longer there."
        elif not found:
            text = "Only the text differs, or one of the two cannot be read: see Lines."
        else:
            text = f"{len(found)} value{'s differ' if len(found) != 1 else ' differs'}."
        self.note.setText(text)
        self._show_button()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()

    def _show_button(self) -> None:
        self.put_back.setEnabled(self.table.currentItem() is not None)
        self.copy_button.setEnabled(bool(self.diff()))

    def _put_back(self) -> None:
        row = self.table.currentItem()
        if row is None:
            return
        try:
            self._state.session.reset_value(str(row.data(0, _PATH)))
        except ScenarioErrors as errors:
            self._state.messages.show(str(errors))


def _html(diff: str, theme: Theme) -> str:
    grounds = {
        "+": blend(theme.field, theme.good, 0.22),
        "-": blend(theme.field, theme.error, 0.22),
    }
    parts = []
    for line in diff.splitlines()[2:]:
        colour = theme.text_dim if line.startswith("@@") else theme.text
        ground = grounds.get(line[:1], theme.field)
        parts.append(
            f"<div style='white-space:pre;background:{ground};color:{colour}'>"
            f"{html.escape(line) or ' '}</div>"
        )
    return "".join(parts) or f"<span style='color:{theme.text_dim}'>no changed lines</span>"
