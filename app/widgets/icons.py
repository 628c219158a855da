"""Icons of the transport bar, drawn so that they follow the theme."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPixmap, QPolygonF

_SIZE = 32


def transport_icon(name: str, colour: str, dim: str) -> QIcon:
    """The icon of a command of the transport bar."""
    pixmap = QPixmap(_SIZE, _SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    forward = name.endswith("forward") or name == "end"
    if not forward and name not in ("play", "pause", "cancel"):
        painter.translate(_SIZE, 0)
        painter.scale(-1, 1)
    _DRAW.get(name.replace("_forward", "").replace("_back", ""), _play)(painter)
    painter.end()
    return QIcon(pixmap)


def _triangle(painter: QPainter, left: float, width: float, height: float = 20) -> None:
    middle = _SIZE / 2
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(left, middle - height / 2),
                QPointF(left + width, middle),
                QPointF(left, middle + height / 2),
            ]
        )
    )


def _bar(painter: QPainter, left: float, width: float = 4, height: float = 20) -> None:
    painter.drawRect(QRectF(left, _SIZE / 2 - height / 2, width, height))


def _play(painter: QPainter) -> None:
    _triangle(painter, 9, 17, 22)


def _pause(painter: QPainter) -> None:
    _bar(painter, 8, 6, 22)
    _bar(painter, 18, 6, 22)


def _op(painter: QPainter) -> None:
    _triangle(painter, 12, 12, 16)


def _layer(painter: QPainter) -> None:
    _triangle(painter, 7, 10, 16)
    _triangle(painter, 17, 10, 16)


def _token(painter: QPainter) -> None:
    _triangle(painter, 5, 15)
    _bar(painter, 22)


def _end(painter: QPainter) -> None:
    _triangle(painter, 3, 10, 16)
    _triangle(painter, 13, 10, 16)
    _bar(painter, 25, 4, 18)


def _cancel(painter: QPainter) -> None:
    path = QPainterPath()
    path.addRect(QRectF(8, 8, 16, 16))
    painter.drawPath(path)


_DRAW = {
    "play": _play,
    "pause": _pause,
    "op": _op,
    "layer": _layer,
    "token": _token,
    "home": _end,
    "end": _end,
    "cancel": _cancel,
}
