"""Ruler, step and layer marks, and the lane titles of the time canvases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.theme.tokens import Theme
from app.viewmodels.formatting import nice_step
from app.viewmodels.grains import marks_of
from app.viewmodels.hover import step_name
from app.viewmodels.time_axis import TimeMap, ticks, visible_steps
from app.widgets.lane_titles import note_px
from app.widgets.painting import small_font
from app.widgets.texts import Texts, texts_in
from app.widgets.time_canvas import TimeCanvas
from simcore.results.run import Run

_VCENTRE = Qt.AlignmentFlag.AlignVCenter


def paint_steps(
    painter: QPainter, area: QRect, axis: TimeMap, edges: NDArray[np.float64], theme: Theme
) -> None:
    """Lines between steps that are wide enough to tell apart; fainter where there are many."""
    steps = visible_steps(edges, axis.start_ps, axis.end_ps)
    if not len(steps):
        return
    width = axis.px(float(edges[steps.stop] - edges[steps.start])) / len(steps)
    if width < 10:
        return
    line = QColor(theme.text_dim)
    line.setAlphaF(min(1.0, 0.2 + width / 150))
    painter.setPen(QPen(line, 1))
    for step in range(steps.start, steps.stop + 1):
        x = round(axis.x(float(edges[step]))) + 0.5
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))


def _in_lines(texts: Texts, title: str, room: float, lines: int) -> str:
    """A title cut to fit, over two lines where one is too short and there is room for two."""
    if lines > 1 and texts.width(title) > room:
        words = title.split(" ")
        for count in range(len(words) - 1, 0, -1):
            head = " ".join(words[:count])
            if texts.width(head) <= room:
                rest = " ".join(words[count:])
                return f"{head}\n{texts.elided(rest, room)}"
    return texts.elided(title, room)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands to the left of a row.

    Attributes:
        title: name of the row.
        note: a short text beside or below it.
        colour: of the note.
        dim: the row is not one of the run on screen.
        brief: the note where it stands beside the title; empty if it is the same.
    """

    title: str
    note: str
    colour: str
    dim: bool = False
    brief: str = ""


def paint_gutter(painter: QPainter, canvas: TimeCanvas, rows: list[Heading], theme: Theme) -> None:
    """Title and note of every row; the note stands below the title where there is room."""
    area = QRectF(0, canvas.ruler, canvas.gutter, canvas.height() - canvas.ruler)
    painter.save()
    painter.setClipRect(area)
    painter.fillRect(area, QColor(theme.panel))
    pinned, style = canvas.pinned_rows(), _Style(canvas)
    for row in range(pinned, len(rows)):
        _paint_heading(painter, canvas, row, rows[row], theme, style)
    if pinned:
        height = pinned * canvas.row_height()
        painter.fillRect(QRectF(0, canvas.ruler, canvas.gutter, height), QColor(theme.panel))
        painter.fillRect(QRectF(0, canvas.ruler, 3, height), QColor(theme.accent))
    for row in range(min(pinned, len(rows))):
        _paint_heading(painter, canvas, row, rows[row], theme, style)
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.drawLine(QPointF(canvas.gutter - 0.5, 0), QPointF(canvas.gutter - 0.5, canvas.height()))
    painter.restore()


class _Style:
    """What all headings of one painting share."""

    def __init__(self, canvas: TimeCanvas) -> None:
        self.height = canvas.row_height()
        self.texts = texts_in(small_font(canvas.font(), -0.5))
        self.stacked = self.height >= 28 and canvas.ruler == 0
        small = texts_in(small_font(canvas.font(), -1.5))
        self.note_texts = small if self.stacked else self.texts
        self.lines = 2 if self.height >= 26 and not self.stacked else 1


def _paint_heading(
    painter: QPainter,
    canvas: TimeCanvas,
    row: int,
    heading: Heading,
    theme: Theme,
    style: _Style,
) -> None:
    gutter, height, top = canvas.gutter, style.height, canvas.row_top(row)
    if top > canvas.height() or top + height < canvas.ruler:
        return
    stacked = style.stacked
    note = heading.note if stacked else heading.brief or heading.note
    beside = note_px(style.texts, heading.brief)
    room = gutter - 16 if stacked else gutter - 16 - beside
    shown = _in_lines(style.texts, heading.title, room, style.lines)
    title_box = QRectF(8, top, room + 2, height)
    note_box = QRectF(gutter - 8 - beside, top, beside, height)
    if stacked:
        title_box = QRectF(8, top + height / 2 - 14, room, 14)
        note_box = QRectF(8, top + height / 2, room, 13)
    painter.setFont(style.texts.font)
    painter.setPen(QColor(theme.text_dim if heading.dim else theme.text))
    if "\n" in shown:
        painter.drawText(title_box, _VCENTRE, shown)
    else:
        style.texts.draw(painter, title_box, shown)
    if stacked:
        painter.setFont(style.note_texts.font)
    painter.setPen(QColor(heading.colour))
    style.note_texts.draw(painter, note_box, note, right=not stacked)


def paint_ruler(
    painter: QPainter,
    canvas: TimeCanvas,
    axis: TimeMap,
    edges: NDArray[np.float64],
    theme: Theme,
) -> None:
    """Time ticks, below them the steps; the third row is for layers."""
    run = canvas.state.runs.current
    assert run is not None
    height, row = canvas.ruler, canvas.ruler / 3
    painter.save()
    painter.fillRect(QRectF(0, 0, canvas.width(), height), QColor(theme.panel))
    font = small_font(canvas.font(), -1)
    texts = texts_in(font)
    painter.setFont(font)
    marks = ticks(axis)
    painter.setPen(QColor(theme.text_dim))
    corner = f"from {marks.origin}" if marks.origin else "time"
    for index, text in enumerate((corner, "step", "layer")):
        texts.draw(painter, QRectF(8, index * row, canvas.gutter - 16, row), text)
    texts.draw(painter, QRectF(8, 2 * row, canvas.gutter - 16, row), "busy", right=True)
    painter.setClipRect(QRectF(canvas.gutter, 0, canvas.width() - canvas.gutter, height))
    for time_ps, label in zip(marks.times, marks.labels):
        x = axis.x(float(time_ps))
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(round(x) + 0.5, 0), QPointF(round(x) + 0.5, row))
        painter.setPen(QColor(theme.text_dim))
        if x + 4 + texts.width(label) <= canvas.width():
            texts.draw(painter, QRectF(x + 4, 0, 160, row), label)
    painter.setPen(QColor(theme.text))
    _paint_step_names(painter, texts, canvas, axis, edges, run)
    painter.setClipping(False)
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.drawLine(QPointF(0, height - 0.5), QPointF(canvas.width(), height - 0.5))
    painter.restore()


def _paint_step_names(
    painter: QPainter,
    texts: Texts,
    canvas: TimeCanvas,
    axis: TimeMap,
    edges: NDArray[np.float64],
    run: Run,
) -> None:
    row = canvas.ruler / 3
    free = float(canvas.gutter)
    steps = visible_steps(edges, axis.start_ps, axis.end_ps)
    if not len(steps):
        return
    # Where numbers are wider than the steps only round ones are named, with what follows them as
    # their room; `free` keeps them apart where steps are shorter than elsewhere.
    whole = axis.px(float(edges[steps.stop] - edges[steps.start]))
    widest = texts.width(str(steps.stop)) + 12
    apart = widest * len(steps) / max(1.0, whole)
    every = int(nice_step(apart)) if apart > 1 else 1
    for step in range(-(-steps.start // every) * every, steps.stop, every):
        left = max(axis.x(float(edges[step])), float(canvas.gutter))
        right = axis.x(float(edges[min(step + every, steps.stop)]))
        text = step_name(run, step)
        width = texts.width(text)
        if axis.x(float(edges[step + 1])) - left < width + 10:
            text = str(step)
            width = texts.width(text)
        room = every > 1 or right - left >= width + 8 or step + every > steps.stop
        if room and free <= left + 3 <= canvas.width() - width:
            texts.draw(painter, QRectF(left + 4, row, width + 4, row), text)
            free = left + width + 10


def paint_layers(
    painter: QPainter,
    canvas: TimeCanvas,
    run: Run,
    step: int,
    place: tuple[float, TimeMap],
    theme: Theme,
) -> None:
    """Layer boundaries of an exactly drawn step, once layers are wide enough."""
    start, axis = place
    marks = marks_of(run, step)
    layers, starts = marks.layers, marks.layer_starts
    if len(starts) < 2 or axis.px(float(starts[-1] - starts[0])) / (len(starts) - 1) < 22:
        return
    row = canvas.ruler / 3
    painter.save()
    painter.setClipRect(QRectF(canvas.gutter, 0, canvas.width() - canvas.gutter, canvas.height()))
    font = small_font(canvas.font(), -1.5)
    texts = texts_in(font)
    painter.setFont(font)
    line = QColor(theme.text_dim)
    line.setAlphaF(0.55)
    for layer, begin in zip(layers, starts):
        x = round(axis.x(start + float(begin))) + 0.5
        if not canvas.gutter - 60 <= x <= canvas.width():
            continue
        painter.setPen(QPen(line, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, canvas.ruler), QPointF(x, canvas.height()))
        text = f"L{layer}"
        painter.setPen(QColor(theme.text_dim))
        width = texts.width(text)
        painter.fillRect(QRectF(x + 2, 2 * row + 1, width + 4, row - 3), QColor(theme.panel))
        texts.draw(painter, QRectF(x + 4, 2 * row, width + 2, row), text)
    painter.restore()
