"""The export dialog: what to write on the left, its fields in the middle, how it looks beside."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.export.pages import PAGES, ChartPage, Job, Page, Subject
from app.widgets.picture import Picture
from app.widgets.view import Context
from app.workers.loader import LatestLoader
from simcore.errors import SimcoreError

_DELAY_MS = 250


class ExportDialog(QDialog):
    """Chooses a file to write; `job` tells which when it is accepted."""

    copied = Signal()

    def __init__(self, subject: Subject, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.pages: dict[str, Page] = {}
        self.list = QListWidget(self)
        self.list.setAccessibleName("What to export")
        self.stack = QStackedWidget(self)
        for kind in PAGES:
            page = kind(subject, self)
            page.changed.connect(self._changed)
            self.pages[kind.title] = page
            self.list.addItem(kind.title)
            self.stack.addWidget(page)
        self.list.setFixedWidth(self.list.sizeHintForColumn(0) + 32)
        self.list.currentRowChanged.connect(self._turn)
        self.help = QLabel(self)
        self.help.setWordWrap(True)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setAccessibleName("What will be written")
        self.picture = Picture(context, self)
        self.picture.setAccessibleName("Preview")
        self.picture.setMinimumSize(QSize(420, 300))
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        self.save.setText("Save as…")
        self.copy = QPushButton("Copy picture", self)
        self.copy.setToolTip("Put the chart on the clipboard as it would be saved (PNG and SVG)")
        self.buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.copy.clicked.connect(self._copy)
        middle = QVBoxLayout()
        middle.addWidget(self.help)
        middle.addSpacing(6)
        middle.addWidget(self.stack)
        middle.addStretch(1)
        middle.addWidget(self.note)
        row = QHBoxLayout()
        row.addWidget(self.list)
        row.addLayout(middle, 2)
        row.addWidget(self.picture, 3)
        layout = QVBoxLayout(self)
        layout.addLayout(row, 1)
        layout.addWidget(self.buttons)
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(lambda error: self.picture.show_text(str(error)))
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self._request)
        self._number = 0
        self.finished.connect(lambda _: self._loader.shut_down())
        self.resize(QSize(980, 460))
        self.list.setCurrentRow(0)

    @property
    def page(self) -> Page:
        """The page that is shown."""
        page = self.stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def choose(self, title: str, chart: str = "") -> None:
        """Turn to a page, and to a chart on it."""
        self.list.setCurrentRow(list(self.pages).index(title))
        if chart and isinstance(self.page, ChartPage):
            self.page.choose(chart)

    def job(self) -> Job:
        """What is to be written."""
        return self.page.job()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._timer.start()

    def _turn(self, row: int) -> None:
        self.stack.setCurrentIndex(row)
        self.help.setText(self.page.help)
        self.copy.setVisible(isinstance(self.page, ChartPage))
        self.picture.setVisible(self.page.preview() is not None)
        self._changed()

    def _changed(self) -> None:
        try:
            self.note.setText(self.page.note())
            self.save.setEnabled(True)
        except SimcoreError as error:
            self.note.setText(str(error))
            self.save.setEnabled(False)
        self._timer.start()

    def _request(self) -> None:
        try:
            make = self.page.preview()
        except SimcoreError:
            return  # said in the note already
        if make is None:
            return
        size, ratio = self.picture.size(), self.picture.devicePixelRatioF()
        width, height = max(160, size.width() - 4), max(90, size.height() - 4)
        self._number += 1
        self._loader.request(self._number, _guarded(lambda: make(width, height, ratio)))

    def _on_loaded(self, number: object, result: bytes | str) -> None:
        if number != self._number:
            return
        if isinstance(result, str):
            self.picture.show_text(result)
            return
        image, ratio = QImage.fromData(result), self.picture.devicePixelRatioF()
        box = self.picture.size() * ratio
        if image.width() > box.width() or image.height() > box.height():
            image = image.scaled(
                box,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        image.setDevicePixelRatio(ratio)
        self.picture.show_image(image, f"Preview of {self.page.title.lower()}")

    def _copy(self) -> None:
        page = self.page
        assert isinstance(page, ChartPage)
        self.copy.setEnabled(False)
        png, svg = page.picture("png"), page.picture("svg")

        def both() -> tuple[bytes, bytes]:
            return png(), svg()

        loader = LatestLoader()
        loader.setParent(self)
        loader.loaded.connect(lambda _, result: self._on_copied(loader, result))
        loader.failed.connect(lambda error: self._on_copied(loader, str(error)))
        loader.request(0, _guarded(both))

    def _on_copied(self, loader: LatestLoader, result: tuple[bytes, bytes] | str) -> None:
        loader.shut_down()
        loader.deleteLater()
        self.copy.setEnabled(True)
        if isinstance(result, str):
            self.note.setText(result)
            return
        png, svg = result
        data = QMimeData()
        data.setImageData(QImage.fromData(png))
        data.setData("image/png", png)
        data.setData("image/svg+xml", svg)
        QGuiApplication.clipboard().setMimeData(data)
        self.note.setText("Copied as PNG and SVG.")
        self.copied.emit()


def _guarded(work: Callable[[], object]) -> Callable[[], object]:
    """Work whose errors of the user become texts; those of the program stay errors."""

    def run() -> object:
        try:
            return work()
        except SimcoreError as error:
            return str(error)

    return run
