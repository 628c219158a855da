"""Bars of relative changes, strongest first: what shrinks to the left, what grows to the right."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.viewmodels.formatting import significant
from app.widgets.painting import small_font
from app.widgets.view import Context
from simcore.sweep.sensitivity import Effect

ROW = 20.0
LEAST = 5e-5
"""Effects below this get no bar of their own."""
_VALUE_PX = 58.0


class EffectBars(QWidget):
    """One row a parameter; a tip has its values."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.rows: tuple[Effect, ...] = ()
        self.by_rate = False
        self.dim = False
        self.setMouseTracking(True)
        self.setAccessibleName("Sensitivity, strongest first")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(200)

    def show_effects(self, effects: tuple[Effect, ...], by_rate: bool, dim: bool) -> None:
        """Take over what to draw.

        Args:
            by_rate: show the change of tokens/s instead of that of the step time.
            dim: what is shown is out of date.
        """
        self.by_rate, self.dim = by_rate, dim
        seen = [item for item in effects if not item.reason and abs(item.step_time) >= LEAST]
        if by_rate:
            seen.sort(key=lambda item: -abs(np.nan_to_num(item.tokens_per_s)))
        self.rows = tuple(seen)
        self.setFixedHeight(int(ROW * max(1, len(self.rows))) + 4)
        lines = [f"{row.parameter.title} {self.text(row)}" for row in self.rows]
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(260, int(ROW * max(1, len(self.rows))) + 4)

    def value(self, effect: Effect) -> float:
        """The relative change that is drawn."""
        return effect.tokens_per_s if self.by_rate else effect.step_time

    def text(self, effect: Effect) -> str:
        """The relative change with its sign."""
        value = self.value(effect)
        return "–" if math.isnan(value) else f"{100 * value:+.2f} %".replace("-", "−")

    def tip(self, effect: Effect) -> str:
        """All about one row."""
        parameter = effect.parameter
        unit = f" {parameter.unit.replace('us', 'µs')}" if parameter.unit else ""
        lines = [
            f"{parameter.title} ({parameter.path})",
            f"{significant(parameter.value, 5)} to {significant(effect.value, 5)}{unit}: "
            f"step time {100 * effect.measured:+.2f} % as simulated",
        ]
        if abs(effect.factor - 1.1) > 1e-3:
            lines.append(f"per +10 %: {100 * effect.step_time:+.2f} %, by a power law")
        if not math.isnan(effect.tokens_per_s):
            lines.append(f"tokens/s {100 * effect.tokens_per_s:+.2f} %")
        return "\n".join(lines)

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self._context.theme
        painter = QPainter(self)
        painter.setFont(small_font(self.font(), -0.5))
        metrics = QFontMetricsF(painter.font())
        if self.dim:
            painter.setOpacity(0.55)
        names = [row.parameter.title for row in self.rows]
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
        label = min(widest + 10, self.width() * 0.56)
        room = max(20.0, self.width() - label - _VALUE_PX)
        values = [self.value(row) for row in self.rows]
        known = [value for value in values if not math.isnan(value)]
        low, high = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
        scale = room / max(high - low, 1e-9)
        zero = label - low * scale
        centre = Qt.AlignmentFlag.AlignVCenter
        for index, (row, value) in enumerate(zip(self.rows, values, strict=True)):
            top = 2 + index * ROW
            painter.setPen(QColor(theme.text))
            name = metrics.elidedText(names[index], Qt.TextElideMode.ElideMiddle, label - 8)
            painter.drawText(QRectF(2, top, label - 6, ROW), centre, name)
            box = QRectF(self.width() - _VALUE_PX, top, _VALUE_PX - 4, ROW)
            painter.drawText(box, centre | Qt.AlignmentFlag.AlignRight, self.text(row))
            if math.isnan(value):
                continue
            good = value > 0 if self.by_rate else value < 0
            left, right = sorted((zero, zero + value * scale))
            colour = QColor(theme.good if good else theme.warning)
            painter.fillRect(QRectF(left, top + 4, max(right - left, 1.0), ROW - 8), colour)
        painter.setPen(QPen(QColor(theme.text_dim), 1))
        painter.drawLine(QPointF(zero, 0), QPointF(zero, self.height()))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = int((event.position().y() - 2) // ROW)
        if 0 <= index < len(self.rows):
            place = event.globalPosition().toPoint()
            QToolTip.showText(place, self.tip(self.rows[index]), self)
        else:
            QToolTip.hideText()
