"""Two placement maps and their difference, above each other."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.theme.tokens import place_colours, rgb
from app.viewmodels.differences import DiffMaps
from app.viewmodels.formatting import percent_text
from app.viewmodels.placement import MapPicture, columns_text
from app.widgets.empty import paint_empty
from app.widgets.painting import NumpyImage, small_font
from app.widgets.view import Context
from simcore.results.placement import NO_CELL

HEAD = 20.0
LEFT = 8.0
SWATCH = 9.0
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class DiffMapsCanvas(QWidget):
    """Map A, map B, share of items that are elsewhere; a tip says the places."""

    resized = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.maps: DiffMaps | None = None
        self.text = "no run is kept as A"
        self._images: list[NumpyImage | None] = [None, None, None]
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Placement of A, of B and their difference")
        self.setMinimumSize(QSize(200, 150))

    def show_maps(self, maps: DiffMaps) -> None:
        """Show maps."""
        self.maps, self.text = maps, ""
        pictures = (maps.a, maps.b)
        self._images = [NumpyImage(p.pixels) if p is not None else None for p in pictures]
        self._images.append(self._difference_image(maps))
        self.setAccessibleDescription(self._title(2))
        self.update()

    def show_text(self, text: str) -> None:
        """Show a text instead."""
        self.maps, self.text = None, text
        self.update()

    def places(self) -> list[QRectF]:
        """Where the three maps are drawn."""
        each = self.height() / 3
        return [
            QRectF(LEFT, each * i + HEAD, self.width() - 2 * LEFT, max(8.0, each - HEAD - 4))
            for i in range(3)
        ]

    def _difference_image(self, maps: DiffMaps) -> NumpyImage | None:
        if maps.elsewhere is None:
            return None
        theme = self._context.theme
        stops = np.array([rgb(c) for c in theme.heat], np.float64)
        gone = np.isnan(maps.elsewhere)
        level = np.clip(np.where(gone, 0.0, maps.elsewhere), 0, 1) ** 0.6 * (len(stops) - 1)
        parts = [np.interp(level, np.arange(len(stops)), stops[:, c]) for c in range(3)]
        red, green, blue = (np.round(p).astype(np.uint32) for p in parts)
        pixels = (0xFF000000 | (red << 16) | (green << 8) | blue).astype(np.uint32)
        ground = rgb(theme.panel)
        pixels[gone] = 0xFF000000 | ground[0] << 16 | ground[1] << 8 | ground[2]
        return NumpyImage(pixels)

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self._context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        if self.maps is None:
            paint_empty(painter, self, theme, self.text)
            painter.end()
            return
        font = small_font(self.font(), -0.5)
        metrics = QFontMetricsF(font)
        for index, place in enumerate(self.places()):
            painter.setFont(font)
            painter.fillRect(place, QColor(theme.canvas))
            image = self._images[index]
            if image is not None:
                painter.drawImage(place, image.image)
            head = QRectF(place.left(), place.top() - HEAD, place.width(), HEAD)
            painter.setPen(QColor(theme.text))
            title = self._title(index)
            painter.drawText(head, _MIDDLE, title)
            used = metrics.horizontalAdvance(title) + 16
            if index < 2:
                self._paint_places(painter, head.adjusted(used, 0, 0, 0), metrics, index)
            elif image is not None:
                self._paint_ramp(painter, head.adjusted(used, 0, 0, 0), metrics)
            if image is None:
                painter.setPen(QColor(theme.text_dim))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                text = self.maps.reason or "this run has no placement"
                painter.drawText(place, int(flags), text)
        painter.end()

    def _title(self, index: int) -> str:
        assert self.maps is not None
        if index == 2:
            share = "" if self.maps.elsewhere is None else percent_text(self.maps.share)
            return f"Difference: {share} elsewhere" if share else "Difference"
        step = self.maps.steps[index]
        return f"{'AB'[index]}, step {step:,}" if step >= 0 else f"{'AB'[index]}"

    def _picture(self, index: int) -> MapPicture | None:
        assert self.maps is not None
        return (self.maps.a, self.maps.b)[index]

    def _paint_places(
        self, painter: QPainter, room: QRectF, metrics: QFontMetricsF, index: int
    ) -> None:
        picture = self._picture(index)
        if picture is None:
            return
        theme = self._context.theme
        categories = picture.grid.categories
        x = room.left()
        for category, colour in zip(
            categories, place_colours(theme, tuple(c.id for c in categories)), strict=True
        ):
            width = metrics.horizontalAdvance(category.title)
            if x + SWATCH + width + 14 > room.right():
                break
            y = room.center().y() - SWATCH / 2
            painter.fillRect(QRectF(x, y, SWATCH, SWATCH), QColor(colour))
            painter.setPen(QColor(theme.text_dim))
            box = QRectF(x + SWATCH + 4, room.top(), width + 4, room.height())
            painter.drawText(box, _MIDDLE, category.title)
            x += SWATCH + width + 16

    def _paint_ramp(self, painter: QPainter, room: QRectF, metrics: QFontMetricsF) -> None:
        theme = self._context.theme
        painter.setPen(QColor(theme.text_dim))
        x = room.left()
        for text, ramp in (("same place", False), ("", True), ("all elsewhere", False)):
            if ramp:
                for part, colour in enumerate(theme.heat):
                    box = QRectF(x + 10 * part, room.center().y() - 5, 10, 9)
                    painter.fillRect(box, QColor(colour))
                x += 10 * len(theme.heat) + 5
                continue
            width = metrics.horizontalAdvance(text)
            painter.drawText(QRectF(x, room.top(), width + 4, room.height()), _MIDDLE, text)
            x += width + 6

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        text = self.tip(event.position())
        if text:
            place = event.globalPosition().toPoint() + QPoint(12, 8)
            QToolTip.showText(place, text, self)
        else:
            QToolTip.hideText()

    def tip(self, at: QPointF) -> str:
        """Places of A and B under a position."""
        maps = self.maps
        if maps is None:
            return ""
        for index, place in enumerate(self.places()):
            if not place.contains(at) or self._images[index] is None:
                continue
            lines: list[str] = []
            across, down = (at.x() - place.left()) / place.width(), at.y() - place.top()
            for which, picture in enumerate((maps.a, maps.b)):
                if picture is None:
                    continue
                grid = picture.grid
                row = min(int(down / place.height() * grid.rows), grid.rows - 1)
                cell = min(int(across * grid.category.shape[1]), grid.category.shape[1] - 1)
                if not lines:
                    first = cell * grid.items_per_cell
                    stop = min(first + grid.items_per_cell, grid.columns)
                    lines.append(f"{grid.row_title} {row} · {columns_text(grid, first, stop)}")
                code = int(grid.category[row, cell])
                title = "nothing" if code == NO_CELL else grid.categories[code].title
                most = "mostly " if grid.items_per_cell > 1 and code != NO_CELL else ""
                lines.append(f"{'AB'[which]}: {most}{title}")
                if which and maps.elsewhere is not None and not np.isnan(maps.elsewhere[row, cell]):
                    lines.append(f"elsewhere: {percent_text(float(maps.elsewhere[row, cell]))}")
            return "\n".join(lines)
        return ""
