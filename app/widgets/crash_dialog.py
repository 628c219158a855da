"""Tells that the program is at fault, in plain words, with a report to hand on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)


class CrashDialog(QDialog):
    """Says what happened and where the report is; the traceback is in the report alone.

    Attributes:
        report: text of the report.
        path: its file, None if none could be written.
    """

    def __init__(self, what: str, report: str, path: Path | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong" if what else "Report")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.report, self.path = report, path
        icon = QLabel(self)
        kind = (
            QStyle.StandardPixmap.SP_MessageBoxWarning
            if what
            else QStyle.StandardPixmap.SP_MessageBoxInformation
        )
        icon.setPixmap(self.style().standardIcon(kind).pixmap(32, 32))
        said = (
            f"<p><b>DIMMscope made a mistake: {_plain(what)}.</b></p>"
            "<p>The window goes on, and unsaved edits are kept. If it behaves oddly, save and "
            "start it again; <code>dimmscope --safe</code> starts without settings and session."
            "</p>"
            if what
            else "<p><b>A report about this window.</b></p>"
        )
        where = (
            f"<p>The report has versions, the scenario and the log:<br>{_plain(str(path))}</p>"
            if path is not None
            else "<p>The report could not be written to a file; it can be copied.</p>"
        )
        self.label = QLabel(
            said + where + "<p>Look at it before you hand it on: it has your scenario in it.</p>",
            self,
        )
        self.label.setWordWrap(True)
        self.label.setMinimumWidth(440)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.label.setAccessibleName("What happened")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.copy_button = buttons.addButton("Copy report", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setToolTip("Put the whole report on the clipboard")
        self.open_button = buttons.addButton("Open folder", QDialogButtonBox.ButtonRole.ActionRole)
        self.open_button.setToolTip("Show the folder of the report")
        self.open_button.setEnabled(path is not None)
        for button in buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.report))
        self.open_button.clicked.connect(self._open_folder)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(icon)
        layout.addWidget(self.label)
        layout.addWidget(buttons)

    def _open_folder(self) -> None:
        if self.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.path.parent)))


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
