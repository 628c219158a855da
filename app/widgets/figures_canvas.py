"""Paints figures over the steps: small plots above each other with one axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.state.time_window import step_position, time_of
from app.viewmodels.alignment import Align
from app.viewmodels.formatting import nice_step, significant
from app.viewmodels.hover import step_name
from app.viewmodels.series import Columns, Series, columns_at, envelope, places_of, scale_of
from app.viewmodels.time_axis import TimeMap, ticks
from app.widgets.empty import paint_empty
from app.widgets.painting import RectBatch, small_font
from app.widgets.texts import wrapped
from app.widgets.time_canvas import Pieces, TimeCanvas
from app.widgets.view import Context
from simcore.results.run import KIND_PREFILL

Floats = NDArray[np.float64]
RULER = 18
PAD = 5.0
_VCENTRE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight


class FiguresCanvas(TimeCanvas):
    """One row a figure. The range is the timeline's; the axis counts steps or time.

    Attributes:
        shown: ids of the figures, top to bottom.
        by_step: whether every step is as wide as any other.
    """

    shown_changed = Signal()
    ruler = RULER
    row_min = 52.0
    row_max = 150.0
    growth_delay_ms = 40
    rank = 2
    follows_cursor = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self.shown: tuple[str, ...] = ()
        self.by_step = True
        self._rows: list[Series] = []
        self._scales: list[tuple[float, float]] = []
        self._prefill = np.zeros(0, np.bool_)
        self._batch = RectBatch()
        super().__init__(context, parent)
        self.setAccessibleName("Figures over the steps")
        self.state.series.changed.connect(self._on_series_changed)
        self.state.comparison.changed.connect(self.invalidate)

    def set_shown(self, ids: tuple[str, ...]) -> None:
        """Choose the figures."""
        self.shown = ids
        self._on_series_changed()

    def set_by_step(self, on: bool) -> None:
        """Choose the axis."""
        self.by_step = on
        self.invalidate()

    def lane_count(self) -> int:
        return len(self._rows)

    def run_cleared(self) -> None:
        self._rows = []

    def _on_series_changed(self) -> None:
        known = {item.id: item for item in self.state.series.series}
        self._rows = [known[id] for id in self.shown if id in known]
        run = self.state.runs.current
        if run is not None:
            kind = run.column("kind", 0, self.state.series.length)
            self._prefill = np.asarray(kind == KIND_PREFILL)
        room = int(self.row_height() * self.lane_count()) - self.plot_area().height()
        self.scroll_range_changed.emit(max(room, 0), max(1, self.plot_area().height()))
        self.scroll_to(self.scroll_px)
        self.invalidate()

    # The axis in steps.

    def _step_axis(self) -> TimeMap:
        """Pixels of steps and shares of steps."""
        run, area, window = self.state.runs.current, self.plot_area(), self.state.window
        if run is None or not self.state.runs.length:
            return TimeMap(0.0, 1.0, float(area.left()), float(area.width()))
        first, last = (step_position(run, at) for at in (window.start_ps, window.end_ps))
        return TimeMap(first, max(last, first + 1e-6), float(area.left()), float(area.width()))

    def time_at(self, x: float) -> float:
        run = self.state.runs.current
        if not self.by_step or run is None:
            return super().time_at(x)
        return time_of(run, self._step_axis().time(x))

    def x_of(self, time_ps: float) -> float:
        run = self.state.runs.current
        if not self.by_step or run is None:
            return super().x_of(time_ps)
        return self._step_axis().x(step_position(run, time_ps))

    def zoom_at(self, factor: float, x: float) -> None:
        run = self.state.runs.current
        if not self.by_step or run is None:
            super().zoom_at(factor, x)
            return
        axis = self._step_axis()
        at = axis.time(x)
        first = at + (axis.start_ps - at) * factor
        self.state.window.set(
            time_of(run, first), time_of(run, first + (axis.end_ps - axis.start_ps) * factor)
        )

    def pan_px(self, pixels: float) -> None:
        run = self.state.runs.current
        if not self.by_step or run is None:
            super().pan_px(pixels)
            return
        axis = self._step_axis()
        length = float(self.state.runs.length)
        delta = pixels * (axis.end_ps - axis.start_ps) / axis.width
        delta = min(max(delta, min(0.0, -axis.start_ps)), max(0.0, length - axis.end_ps))
        first, last = axis.start_ps + delta, axis.end_ps + delta
        self.state.window.set(time_of(run, first), time_of(run, last))

    # Painting.

    def paint_layer(self, painter: QPainter, area: QRect) -> Pieces:
        yield  # then all at once, since its axis moves while a run grows
        theme = self.context.theme
        if self.composition is None or not self._rows:
            model = self.state.series
            text = "no figure is chosen" if model.series else (model.error or "computing…")
            paint_empty(painter, self, theme, text)
            return True
        columns = self.columns()
        other = self._other_columns()
        scaling = columns.without(self._prefill)
        self._scales = []
        self._paint_grid(painter, area)
        for row, item in enumerate(self._rows):
            if not self._visible(row, area):
                self._scales.append((0.0, 1.0))
                continue
            low, high = envelope(item.values, columns)
            beside = self.state.series.reference.get(item.id) if other is not None else None
            use = scaling.first >= 0
            known = (low[use], high[use])
            begun = (scaling.first != columns.first)[use]
            if begun.any():
                rest = Columns(scaling.first[use][begun], scaling.last[use][begun])
                known[0][begun], known[1][begun] = envelope(item.values, rest)
            compared = None
            if beside is not None and other is not None:
                compared = envelope(beside.values, other)
                scaled = envelope(beside.values, other.without(self._other_prefill()))
                known = np.append(known[0], scaled[0]), np.append(known[1], scaled[1])
            self._scales.append(scale_of(*known))
            self._paint_row(painter, area, row, (low, high), compared)
        self._paint_gutter(painter)
        self._paint_ruler(painter, area)
        return True

    def columns(self) -> Columns:
        """The steps behind each pixel column."""
        assert self.composition is not None
        return columns_at(self._places(), self.composition.steps)

    def _places(self) -> Floats:
        """Steps and shares at the edges of the pixel columns."""
        assert self.composition is not None
        width = self.plot_area().width()
        if self.by_step:
            axis = self._step_axis()
            return np.linspace(axis.start_ps, axis.end_ps, width + 1)
        window = self.state.window
        times = np.linspace(window.start_ps, window.end_ps, width + 1)
        return places_of(times, self.composition.edges)

    def _other_columns(self) -> Columns | None:
        """The same of run A, as it is aligned."""
        reference = self.state.comparison.reference()
        if reference is None or self.composition is None:
            return None
        steps = reference.composition.steps
        if self.state.comparison.align is Align.TOKEN:
            return columns_at(self._places() + reference.offset, steps)
        places = self._places()
        edges = self.composition.edges
        times = np.interp(places, np.arange(len(edges), dtype=np.float64), edges)
        outside = (places < 0) | (places > len(edges) - 1)
        found = places_of(times, reference.composition.edges)
        found[outside] = -1.0
        return columns_at(found, steps)

    def _other_prefill(self) -> NDArray[np.bool_]:
        """Which steps of run A are prefill; its boundary is not that of the run on screen."""
        reference = self.state.comparison.reference()
        assert reference is not None
        kind = reference.run.column("kind", 0, reference.composition.steps)
        return np.asarray(kind == KIND_PREFILL)

    def _visible(self, row: int, area: QRect) -> bool:
        top = self.row_top(row)
        return top < area.bottom() and top + self.row_height() > area.top()

    def _y(self, row: int, values: Floats) -> Floats:
        low, high = self._scales[row]
        height = self.row_height() - 2 * PAD
        return self.row_top(row) + PAD + (high - np.clip(values, low, high)) / (high - low) * height

    def _paint_grid(self, painter: QPainter, area: QRect) -> None:
        theme = self.context.theme
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QPen(QColor(theme.grid), 1))
        for x, _ in self._ticks():
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))
        painter.restore()

    def _paint_row(
        self,
        painter: QPainter,
        area: QRect,
        row: int,
        own: tuple[Floats, Floats],
        other: tuple[Floats, Floats] | None,
    ) -> None:
        theme, top = self.context.theme, self.row_top(row)
        painter.save()
        painter.setClipRect(area)
        bottom = round(top + self.row_height()) - 0.5
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(area.left(), bottom), QPointF(area.right() + 1, bottom))
        if other is not None:
            self._paint_curve(painter, area, row, other, theme.text_dim, 1.0)
        self._paint_curve(painter, area, row, own, theme.accent, 1.6)
        self._paint_cut(painter, area, row, own)
        font = small_font(self.font(), -1.5)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        low, high = self._scales[row]
        height = self.row_height()
        places = [top + 1, top + height - metrics.height() - 2]
        if places[1] - places[0] < metrics.height():
            places = places[:1]  # no room for both
        for text, y in zip(scale_labels(low, high), places, strict=False):
            box = QRectF(area.left() + 3, y, metrics.horizontalAdvance(text) + 4, metrics.height())
            ground = QColor(theme.canvas)
            ground.setAlphaF(0.75)
            painter.fillRect(box, ground)
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(box.adjusted(2, 0, 2, 0), _VCENTRE, text)
        painter.restore()

    def _paint_curve(
        self,
        painter: QPainter,
        area: QRect,
        row: int,
        values: tuple[Floats, Floats],
        colour: str,
        least: float,
    ) -> None:
        low, high = values
        use = np.isfinite(low) & np.isfinite(high)
        if not use.any():
            return
        top, bottom = self._y(row, high[use]), self._y(row, low[use])
        height = np.maximum(bottom - top, 0.0) + least
        left = area.left() + np.flatnonzero(use).astype(np.float64)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        self._batch.draw(painter, left, top - least / 2, np.ones(len(left)), height)

    def _paint_cut(
        self, painter: QPainter, area: QRect, row: int, own: tuple[Floats, Floats]
    ) -> None:
        """An arrow and the value where a prefill is off the scale."""
        low, high = self._scales[row]
        theme, top, height = self.context.theme, self.row_top(row), self.row_height()
        font = small_font(self.font(), -1.5)
        painter.setFont(font)
        for values, beyond, arrow, y in (
            (own[1], own[1] > high, "▲", top + 1),
            (own[0], own[0] < low, "▼", top + height - 14),
        ):
            at = np.flatnonzero(beyond)
            if not len(at):
                continue
            extreme = float(np.max(values[at]) if arrow == "▲" else np.min(values[at]))
            text = f"{arrow} {significant(extreme, 4)} in the prefill"
            width = QFontMetricsF(font).horizontalAdvance(text) + 6
            left = min(area.left() + float(at[-1]) + 4, area.right() - width)
            left = max(left, area.left() + 48.0)
            ground = QColor(theme.canvas)
            ground.setAlphaF(0.75)
            painter.fillRect(QRectF(left, y, width, 12), ground)
            painter.setPen(QColor(theme.warning))
            painter.drawText(QRectF(left, y, width, 12), _VCENTRE, text)

    def _paint_gutter(self, painter: QPainter) -> None:
        theme = self.context.theme
        area = QRectF(0, self.ruler, self.gutter, self.height() - self.ruler)
        painter.save()
        painter.setClipRect(area)
        painter.fillRect(area, QColor(theme.panel))
        font = small_font(self.font(), -0.5)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        for row, item in enumerate(self._rows):
            top, height = self.row_top(row), self.row_height()
            painter.setPen(QColor(theme.text))
            lines = wrapped(item.title, metrics, self.gutter - 14, 1 if height < 62 else 2)
            for number, line in enumerate(lines):
                painter.drawText(
                    QRectF(8, top + 4 + 14 * number, self.gutter - 12, 14), _VCENTRE, line
                )
            painter.setPen(QPen(QColor(theme.border), 1))
            y = round(top + height) - 0.5
            painter.drawLine(QPointF(0, y), QPointF(self.gutter, y))
        painter.drawLine(QPointF(self.gutter - 0.5, 0), QPointF(self.gutter - 0.5, self.height()))
        painter.restore()

    def _ticks(self) -> list[tuple[float, str]]:
        """Pixels and labels of the axis."""
        if not self.by_step:
            marks = ticks(self.axis())
            return [
                (round(self.axis().x(float(at))) + 0.5, label)
                for at, label in zip(marks.times, marks.labels)
            ]
        axis = self._step_axis()
        span = axis.end_ps - axis.start_ps
        step = max(1.0, nice_step(span * 80 / axis.width))
        first = np.ceil(max(axis.start_ps, 0.0) / step) * step
        stop = min(axis.end_ps, float(self.state.runs.length))
        return [(round(axis.x(at)) + 0.5, f"{int(at):,}") for at in np.arange(first, stop, step)]

    def _paint_ruler(self, painter: QPainter, area: QRect) -> None:
        theme = self.context.theme
        painter.save()
        painter.fillRect(QRectF(0, 0, self.width(), self.ruler), QColor(theme.panel))
        painter.setFont(small_font(self.font(), -1))
        painter.setPen(QColor(theme.text_dim))
        name = "step" if self.by_step else "time"
        painter.drawText(QRectF(8, 0, self.gutter - 16, self.ruler), _VCENTRE, name)
        painter.drawText(
            QRectF(8, 0, self.gutter - 16, self.ruler), _VCENTRE | _RIGHT, "at the cursor"
        )
        painter.setClipRect(QRectF(area.left(), 0, area.width(), self.ruler))
        for x, label in self._ticks():
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.ruler))
            painter.setPen(QColor(theme.text_dim))
            if x + 4 + painter.fontMetrics().horizontalAdvance(label) <= area.right():
                painter.drawText(QRectF(x + 4, 0, 140, self.ruler), _VCENTRE, label)
        painter.setClipping(False)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(0, self.ruler - 0.5), QPointF(self.width(), self.ruler - 0.5))
        painter.restore()

    def paint_overlay(self, painter: QPainter, area: QRect) -> None:
        """Values at the cursor, below the titles."""
        theme = self.context.theme
        painter.save()
        painter.setClipRect(QRectF(0, self.ruler, self.gutter, area.height()))
        for row, item in enumerate(self._rows):
            bottom = self.row_top(row) + self.row_height() - 6
            painter.setFont(small_font(self.font(), -1))
            painter.setPen(QColor(theme.text_dim))
            unit = item.unit or "count"
            painter.drawText(QRectF(8, bottom - 15, 60, 15), _VCENTRE, unit)
            painter.setFont(small_font(self.font(), 0))
            painter.setPen(QColor(theme.text))
            text = self.value_text(item, self.state.cursor.step)
            painter.drawText(QRectF(50, bottom - 15, self.gutter - 58, 15), _VCENTRE | _RIGHT, text)
        painter.restore()

    def value_text(self, item: Series, step: int) -> str:
        """Value of a figure at a step, without its unit."""
        if not 0 <= step < len(item.values) or not np.isfinite(item.values[step]):
            return "–"
        value = float(item.values[step])
        return f"{int(value):,}" if value.is_integer() else significant(value, 4)

    # Mouse.

    def clicked(self, position: QPointF) -> None:
        if position.x() >= self.plot_area().left():
            self.state.cursor.seek_time(self.time_at(position.x()))

    def hover_text(self, position: QPointF) -> str:
        run, row = self.state.runs.current, self.row_at(position.y())
        if run is None or not 0 <= row < len(self._rows) or self.composition is None:
            return ""
        item = self._rows[row]
        unit = f" {item.unit}" if item.unit else ""
        column = int(position.x()) - self.plot_area().left()
        if column < 0:
            seen = item.values[np.isfinite(item.values)]
            if not len(seen):
                return item.title
            return (
                f"{item.title}\nleast {significant(float(seen.min()))}{unit}, mean "
                f"{significant(float(seen.mean()))}{unit}, most {significant(float(seen.max()))}"
                f"{unit}"
            )
        columns = self.columns()
        if column >= len(columns) or columns.first[column] < 0:
            return ""
        first, last = int(columns.first[column]), int(columns.last[column])
        if last - first <= 1:
            step = min(run.step_at(int(self.time_at(position.x()))), len(item.values) - 1)
            return f"{item.title} — {step_name(run, step)}\n{self.value_text(item, step)}{unit}"
        values = item.values[first : last + 1]
        return (
            f"{item.title} — steps {first:,} to {last:,}\n"
            f"{significant(float(np.nanmin(values)))} to {significant(float(np.nanmax(values)))}"
            f"{unit}"
        )


def scale_labels(low: float, high: float) -> tuple[str, str]:
    """Upper and lower end of a scale, with as many digits as it takes to tell them apart."""
    for digits in range(3, 10):
        texts = [significant(value, digits) if value else "0" for value in (high, low)]
        if texts[0] != texts[1]:
            break
    return texts[0], texts[1]
