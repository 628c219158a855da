"""Texts that are painted again and again: laid out once, their widths asked for once."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QStaticText, QTransform

_MOST = 4096
"""Texts kept of one font; then all are forgotten."""


class Texts:
    """Texts in one font. Everything kept follows from font and text, so nothing gets stale."""

    def __init__(self, font: QFont) -> None:
        self.font = font
        self.metrics = QFontMetricsF(font)
        self.height = self.metrics.height()
        self._widths: dict[str, float] = {}
        self._elided: dict[tuple[str, int], str] = {}
        self._laid_out: dict[str, QStaticText] = {}

    def width(self, text: str) -> float:
        """How far a text reaches, in px."""
        found = self._widths.get(text)
        if found is None:
            _make_room(self._widths)
            found = self._widths[text] = self.metrics.horizontalAdvance(text)
        return found

    def elided(self, text: str, room: float) -> str:
        """The text, or as much of it as there is room for."""
        if self.width(text) <= room:
            return text
        key = (text, int(room))
        found = self._elided.get(key)
        if found is None:
            _make_room(self._elided)
            cut = self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, float(key[1]))
            found = self._elided[key] = cut
        return found

    def draw(self, painter: QPainter, box: QRectF, text: str, *, right: bool = False) -> None:
        """Draw a line of text into a box, in its middle by height; the painter has the font."""
        if right or box.height() < self.height or self.width(text) > box.width():
            # Qt knows best where a text ends, or where it has to be clipped.
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | side, text)
            return
        found = self._laid_out.get(text)
        if found is None:
            _make_room(self._laid_out)
            found = self._laid_out[text] = QStaticText(text)
            found.setTextFormat(Qt.TextFormat.PlainText)
            found.prepare(QTransform(), self.font)
        top = box.top() + (box.height() - self.height) / 2
        painter.drawStaticText(QPointF(box.left(), top), found)


def wrapped(text: str, metrics: QFontMetricsF, room: float, most: int) -> list[str]:
    """A title in at most `most` lines, each cut to the room there is.

    A single line is cut in the middle: what tells alike titles apart stands at their end.
    """
    if most == 1:
        return [metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)]
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if metrics.horizontalAdvance(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    last = " ".join(lines[most - 1 :])
    kept = lines[: most - 1] + ([last] if last else [])
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in kept]


_known: dict[str, Texts] = {}


def texts_in(font: QFont) -> Texts:
    """What is kept of a font."""
    key = font.key()
    found = _known.get(key)
    if found is None:
        if len(_known) >= 32:
            _known.clear()
        found = _known[key] = Texts(QFont(font))
    return found


def _make_room(
    kept: dict[str, float] | dict[tuple[str, int], str] | dict[str, QStaticText],
) -> None:
    if len(kept) >= _MOST:
        kept.clear()
