"""The welcome page: shipped scenarios with a picture each, and the files opened last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.settings.store import Settings
from app.theme.manager import ThemeManager
from app.theme.tokens import blend
from app.tours import TOURS
from app.viewmodels.gallery import PICTURE_PX, Example, examples
from app.widgets.painting import small_font
from simcore.registry import SYSTEMS

COLUMNS = 3
PAD = 8
CARD = QSize(PICTURE_PX[0] + 2 * PAD, PICTURE_PX[1] + 104)
_WRAP = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


class ExampleCard(QPushButton):
    """Picture, name and one sentence; a click or Enter opens the scenario."""

    def __init__(self, example: Example, themes: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self.example = example
        self._themes = themes
        self._picture = QPixmap()
        self.setFixedSize(CARD)
        self.setAutoDefault(False)
        self.setAccessibleName(f"Open {example.name}")
        self.setAccessibleDescription(example.sentence)
        self.setToolTip(f"<p>{example.about}</p><p>{example.path.name}</p>")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        themes.changed.connect(self._load)
        self._load()

    def _load(self) -> None:
        path = self.example.picture(self._themes.current)
        self._picture = QPixmap(str(path)) if path is not None else QPixmap()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self._themes.current
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing
        )
        active = self.hasFocus() or self.underMouse()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        ground = blend(theme.panel, theme.accent, 0.10) if active else theme.canvas
        painter.setBrush(QColor(ground))
        painter.setPen(QPen(QColor(theme.accent if active else theme.border), 1))
        painter.drawRoundedRect(box, 5, 5)
        place = QRectF(PAD, PAD, *PICTURE_PX)
        if self._picture.isNull():
            painter.fillRect(place, QColor(theme.window))
        else:
            painter.drawPixmap(place, self._picture, QRectF(self._picture.rect()))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        name_font = small_font(self.font(), 0)
        name_font.setBold(True)
        metrics = QFontMetricsF(name_font)
        line = QRectF(PAD, place.bottom() + 6, place.width(), metrics.height())
        painter.setFont(name_font)
        painter.setPen(QColor(theme.text))
        name = metrics.elidedText(self.example.name, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, name)
        font = small_font(self.font(), -0.5)
        painter.setFont(font)
        painter.setPen(QColor(theme.text_dim))
        room = QRectF(PAD, line.bottom() + 3, line.width(), self.height() - line.bottom() - 9)
        painter.drawText(room, int(_WRAP), _fitting(self.example.sentence, font, room))
        painter.end()


def _fitting(text: str, font: object, room: QRectF) -> str:
    """A text shortened at a word until it fits a box."""
    metrics = QFontMetricsF(font)  # type: ignore[call-overload]
    words = text.split()
    for count in range(len(words), 0, -1):
        shown = " ".join(words[:count]) + ("" if count == len(words) else " …")
        if metrics.boundingRect(room, int(_WRAP), shown).height() <= room.height():
            return shown
    return ""


class WelcomePage(QDialog):
    """Not modal: the window behind it works on."""

    chosen = Signal(object)
    tour_chosen = Signal(str)

    def __init__(
        self,
        settings: Settings,
        themes: ThemeManager,
        open_file: Callable[[], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setWindowTitle("Welcome to DIMMscope")
        self._settings = settings
        self.cards: list[ExampleCard] = []
        title = QLabel("DIMMscope", self)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() + 6)
        font.setBold(True)
        title.setFont(font)
        line = QLabel(
            "See where every weight, KV block and microsecond goes when a large language model "
            "runs on a GPU with near-data memory. Choose an example, or open a scenario of yours.",
            self,
        )
        line.setWordWrap(True)
        line.setProperty("dim", True)
        gallery = QScrollArea(self)
        gallery.setAccessibleName("Examples, scrolled")
        gallery.setWidgetResizable(True)
        gallery.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        gallery.setWidget(self._gallery(themes))
        gallery.setMinimumWidth(COLUMNS * (CARD.width() + 10) + 24)
        self.recent = QListWidget(self)
        self.recent.setAccessibleName("Recent files")
        self.recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.recent.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.recent.itemActivated.connect(self._on_recent)
        self.recent.itemClicked.connect(self._on_recent)
        heading = QLabel("Recent files", self)
        bold = heading.font()
        bold.setBold(True)
        heading.setFont(bold)
        browse = QPushButton("Open file…", self)
        browse.setAutoDefault(False)
        browse.clicked.connect(self.hide)
        browse.clicked.connect(open_file)
        self.at_start = QCheckBox("Show this page at start", self)
        self.at_start.setChecked(settings.welcome)
        self.at_start.toggled.connect(self._on_at_start)
        close = QPushButton("Close", self)
        close.setAutoDefault(False)
        close.clicked.connect(self.hide)
        side = QVBoxLayout()
        side.addWidget(heading)
        side.addWidget(self.recent, 1)
        side.addWidget(browse)
        middle = QHBoxLayout()
        middle.addWidget(gallery, 1)
        middle.addLayout(side)
        self.recent.setFixedWidth(190)
        foot = QHBoxLayout()
        foot.addWidget(self.at_start)
        foot.addStretch(1)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(title)
        layout.addWidget(line)
        layout.addLayout(self._tours())
        layout.addLayout(middle, 1)
        layout.addLayout(foot)
        self.resize(COLUMNS * (CARD.width() + 10) + 260, 690)

    def _tours(self) -> QHBoxLayout:
        """A button for each guided tour."""
        row = QHBoxLayout()
        row.addWidget(QLabel("New here? Take a guided tour:", self))
        for id, tour in TOURS.items():
            button = QPushButton(tour.title, self)
            button.setAutoDefault(False)
            button.setToolTip(f"Opens {tour.scenario} and walks through the window")
            button.clicked.connect(lambda _=False, i=id: self._start(i))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _start(self, id: str) -> None:
        self.hide()
        self.tour_chosen.emit(id)

    def _gallery(self, themes: ThemeManager) -> QWidget:
        """Cards in the order of the systems, each system with a heading."""
        page = QWidget(self)
        grid = QGridLayout(page)
        grid.setContentsMargins(4, 4, 4, 4)
        grid.setSpacing(8)
        row = 0
        families: dict[str, list[Example]] = {}
        for example in examples():
            families.setdefault(_family(example), []).append(example)
        for family, found in families.items():
            heading = QLabel(family, page)
            font = heading.font()
            font.setBold(True)
            heading.setFont(font)
            grid.addWidget(heading, row, 0, 1, COLUMNS)
            for number, example in enumerate(found):
                card = ExampleCard(example, themes, page)
                card.clicked.connect(lambda _=False, e=example: self._choose(e.path))
                grid.addWidget(card, row + 1 + number // COLUMNS, number % COLUMNS)
                self.cards.append(card)
            row += 2 + (len(found) - 1) // COLUMNS
        grid.setRowStretch(row, 1)
        grid.setColumnStretch(COLUMNS, 1)
        return page

    def refresh(self) -> None:
        """Read the list of recent files again."""
        self.recent.clear()
        for name in self._settings.recent:
            item = QListWidgetItem(Path(name).name)
            item.setToolTip(name)
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.recent.addItem(item)
        if not self.recent.count():
            item = QListWidgetItem("no files yet")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.recent.addItem(item)

    def _choose(self, path: Path) -> None:
        self.hide()
        self.chosen.emit(path)

    def _on_recent(self, item: QListWidgetItem) -> None:
        name = item.data(Qt.ItemDataRole.UserRole)
        if name:
            self._choose(Path(name))

    def _on_at_start(self, on: bool) -> None:
        self._settings.welcome = on


def _family(example: Example) -> str:
    """Title and paper of the system of an example."""
    if example.system not in SYSTEMS:
        return example.system
    system = SYSTEMS.get(example.system)
    paper = getattr(system, "paper", "")
    return f"{system.title} · {paper}" if paper else str(system.title)
