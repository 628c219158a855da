"""Small helpers for widgets that paint themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyqtgraph.Qt import internals
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QWidget

from app.theme.tokens import COLOUR_KEYS, Theme, contrast, rgb


class NumpyImage:
    """A QImage that keeps the array it shows alive."""

    def __init__(self, pixels: NDArray[np.uint32], *, alpha: bool = False) -> None:
        self._pixels = np.ascontiguousarray(pixels, dtype=np.uint32)
        height, width = self._pixels.shape
        form = QImage.Format.Format_ARGB32_Premultiplied if alpha else QImage.Format.Format_RGB32
        self.image = QImage(self._pixels.data, width, height, 4 * width, form)


class Backdrop:
    """What of a widget stays while the cursor moves, kept as a picture of its whole area."""

    def __init__(self) -> None:
        self._key: object = None
        self._image = QImage()

    def draw(
        self, painter: QPainter, widget: QWidget, key: object, paint: Callable[[QPainter], None]
    ) -> None:
        """Draw it; `paint` paints it anew where size, scale or `key` are others than before."""
        ratio = widget.devicePixelRatioF()
        key = (widget.width(), widget.height(), ratio, key)
        if key != self._key:
            self._key = key
            self._image = QImage(widget.size() * ratio, QImage.Format.Format_RGB32)
            self._image.setDevicePixelRatio(ratio)
            inner = QPainter(self._image)
            inner.setFont(widget.font())
            paint(inner)
            inner.end()
        painter.drawImage(0, 0, self._image)


def line_area(x: float, height: int) -> QRect:
    """What an upright line of up to 2 px at a place touches."""
    return QRect(int(min(max(x, -9.0), 65535.0)) - 3, 0, 7, height)


class RectBatch:
    """Many rectangles drawn with one call."""

    def __init__(self) -> None:
        self._array: Any = internals.PrimitiveArray(QRectF, 4)

    def draw(
        self,
        painter: QPainter,
        left: NDArray[Any],
        top: NDArray[Any],
        width: NDArray[Any],
        height: NDArray[Any] | float,
    ) -> None:
        """Draw with the painter's pen and brush."""
        self._array.resize(len(left))
        if not len(left):
            return
        memory = self._array.ndarray()
        memory[:, 0] = left
        memory[:, 1] = top
        memory[:, 2] = width
        memory[:, 3] = height
        painter.drawRects(*self._array.drawargs())


def packed(colour: str) -> int:
    """``#rrggbb`` as 0xFFRRGGBB."""
    red, green, blue = rgb(colour)
    return 0xFF000000 | red << 16 | green << 8 | blue


def key_table(theme: Theme, ground: str) -> NDArray[np.uint32]:
    """Packed colours by colour key index; the rest of the 256 entries is the ground."""
    table = np.full(256, packed(ground), np.uint32)
    for index, key in enumerate(COLOUR_KEYS):
        table[index] = packed(theme.colour(key))
    return table


def key_components(theme: Theme) -> NDArray[np.float64]:
    """Red, green and blue (0..255) by colour key index."""
    return np.array([rgb(theme.colour(key)) for key in COLOUR_KEYS], dtype=np.float64)


def ink_on(colour: str) -> QColor:
    """Black or white, whichever reads better on a colour; the worst case has a contrast of 4.58."""
    return QColor(_ink_on(colour))


@lru_cache(maxsize=256)
def _ink_on(colour: str) -> str:
    black, white = "#000000", "#ffffff"
    return black if contrast(colour, black) > contrast(colour, white) else white


def small_font(font: QFont, delta: float = -1.0) -> QFont:
    """A copy of a font, `delta` points larger, with figures of equal width."""
    copy = QFont(font)
    copy.setPointSizeF(max(6.5, font.pointSizeF() + delta))
    copy.setFeature(QFont.Tag("tnum"), 1)
    return copy
