"""Questions above the views, one a row, with a button for each answer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.state.notices import Notice, Notices


class NoticeRow(QWidget):
    """One question; buttons are reached by Tab."""

    def __init__(self, notice: Notice, notices: Notices, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("severity", notice.severity.value)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(notice.text)
        self.notice = notice
        label = QLabel(notice.text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 8, 4)
        row.addWidget(label, 1)
        self.buttons: list[QPushButton] = []
        for index, choice in enumerate(notice.choices):
            button = QPushButton(choice.title, self)
            button.setToolTip(choice.tip)
            button.setAccessibleName(f"{choice.title}: {notice.text}")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, i=index: notices.answer(notice.id, i))
            row.addWidget(button)
            self.buttons.append(button)


class NoticeBar(QWidget):
    """All questions that wait; the window hides the bar while there are none."""

    def __init__(self, notices: Notices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Questions")
        self._notices = notices
        self.rows: list[NoticeRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        notices.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        waiting = self._notices.waiting
        if [row.notice for row in self.rows] == list(waiting):
            return
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [NoticeRow(notice, self._notices, self) for notice in waiting]
        for row in self.rows:
            self._column.addWidget(row)
            row.show()
