"""Paints the machine of a run: devices as boxes, links as lines as wide as their traffic."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.state.turns import Work
from app.theme.tokens import Theme, blend
from app.viewmodels.formatting import bytes_text, percent_text
from app.viewmodels.hover import step_name
from app.viewmodels.machine import (
    Box,
    Drawing,
    Wire,
    device_text,
    draw,
    link_text,
    machine_of,
    rate_of,
)
from app.widgets.painting import small_font
from app.widgets.view import Context, seen
from simcore.hardware.devices import Device, DeviceKind, Link, Machine
from simcore.hardware.traffic import StepTraffic, step_traffic

HEAD = 20.0
FOOT = 16.0
WIDEST = 9.0
LEAST = 150
RANK = 3
_KEYS = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
)


def heat_colour(theme: Theme, share: float) -> str:
    """Colour of a link: quiet, then the accent, then towards the warning of a full link."""
    if share <= 0:
        return blend(theme.border, theme.text_dim, 0.25)
    if share < 0.5:
        return blend(blend(theme.border, theme.accent, 0.45), theme.accent, share / 0.5)
    return blend(theme.accent, theme.categories["migration"], min(1.0, (share - 0.5) / 0.4))


def line_width(share: float) -> float:
    """Width of a link in pixels: 1 when idle, `WIDEST` when full."""
    return 1.0 if share <= 0 else 1.6 + (WIDEST - 1.6) * min(1.0, share)


def _pen(colour: str, width: float) -> QPen:
    """A pen whose lines end where they say."""
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


class _Fonts:
    """Fonts of one painting with their metrics; making them is half the work of painting."""

    def __init__(self, font: QFont) -> None:
        self.title, self.plain = small_font(font, -0.3), small_font(font, -1)
        self.label = small_font(font, -1)
        self.title.setBold(True)
        self.label.setBold(True)
        self.title_metrics = QFontMetricsF(self.title)
        self.plain_metrics = QFontMetricsF(self.plain)
        self.label_metrics = QFontMetricsF(self.label)


class MachineCanvas(QWidget):
    """Boxes and lines; a click or Enter selects, the arrows up and down walk through all."""

    chosen = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self._machine: Machine | None = None
        self._drawing: Drawing | None = None
        self._traffic: StepTraffic | None = None
        self._hover = ""
        self._focused = ""
        self._fonts: _Fonts | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Machine")
        self.setMinimumSize(QSize(300, LEAST))
        self._later = QTimer(self, singleShot=True, interval=40)
        self._later.timeout.connect(lambda: self._soon(self._refresh))
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.cleared.connect(lambda: self._on_replaced(None))
        self.state.runs.grew.connect(self._on_grew)
        self.state.cursor.step_changed.connect(lambda _: self._soon(self._refresh))
        self.state.selection.device_changed.connect(lambda _: self.update())
        if self.state.runs.current is not None:
            self._on_replaced(None)

    # What is shown.

    @property
    def machine(self) -> Machine | None:
        """The machine of the run on screen."""
        self._catch_up()
        return self._machine

    @property
    def drawing(self) -> Drawing | None:
        """Where its devices and links are."""
        self._catch_up()
        return self._drawing

    @property
    def traffic(self) -> StepTraffic | None:
        """What the step at the cursor moves over them."""
        self._catch_up()
        return self._traffic

    def _soon(self, work: Work) -> None:
        """Take something in when it is this view's turn, if it can be seen."""
        self.state.turns.ask(work, RANK, lambda: seen(self))

    def _catch_up(self) -> None:
        self.state.turns.now(self._take)
        self.state.turns.now(self._refresh)

    def _on_replaced(self, _: object) -> None:
        if self.state.runs.current is None:
            self._take()
        else:
            self._soon(self._take)

    def _take(self) -> None:
        """Take over another run."""
        self.state.turns.drop(self._take)
        run = self.state.runs.current
        self._machine = machine_of(run) if run is not None else None
        if self._focused and self._title(self._focused) == "":
            self._focused = ""
        self._place()
        self._refresh()

    def _on_grew(self, _: int) -> None:
        if self._traffic is None:
            self._later.start()

    def _place(self) -> None:
        if self._machine is None:
            return
        room = max(60.0, self.height() - HEAD - FOOT)
        self._drawing = draw(self._machine, self.width(), room)
        least = max(LEAST, int(draw(self._machine, self.width(), 0.0).height + HEAD + FOOT))
        if least != self.minimumHeight():
            self.setMinimumHeight(least)

    def _refresh(self) -> None:
        run, step = self.state.runs.current, self.state.cursor.step
        self.state.turns.drop(self._refresh)
        self._traffic = None
        if run is not None and self._machine is not None and step < self.state.runs.length:
            self._traffic = step_traffic(run, self._machine, step)
        self.update()

    def resizeEvent(self, _: object) -> None:
        self._place()

    def sizeHint(self) -> QSize:
        return QSize(760, 300)

    @property
    def ids(self) -> list[str]:
        """Devices, then links, in the order the arrows walk."""
        if self.machine is None:
            return []
        return [d.id for d in self.machine.devices] + [one.id for one in self.machine.links]

    def _title(self, id: str) -> str:
        if self.machine is None:
            return ""
        found = self.machine.device(id) or self.machine.link(id)
        return found.title if found else ""

    def text_of(self, id: str) -> str:
        """What is known about a device or link in the step, as in its tip."""
        run = self.state.runs.current
        if run is None or self.machine is None or self.traffic is None:
            return ""
        device, link = self.machine.device(id), self.machine.link(id)
        if device is not None:
            return device_text(device, self.traffic.devices[id])
        return link_text(run, link, self.traffic.links[id]) if link is not None else ""

    # Input.

    def _at(self, position: QPointF) -> str:
        if self.drawing is None or self.machine is None:
            return ""
        return self.drawing.at(position.x(), position.y() - HEAD, self.machine)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position())
        if found != self._hover:
            self._hover = found
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.ArrowCursor
            )
            self.update()
        place = event.globalPosition().toPoint() + QPoint(14, 10)
        if found:
            QToolTip.showText(place, self.text_of(found), self)
        else:
            QToolTip.hideText()

    def leaveEvent(self, _: QEvent) -> None:
        self._hover = ""
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position())
        if found and event.button() == Qt.MouseButton.LeftButton:
            self._focus_on(found)
            self.chosen.emit(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ids, key = self.ids, event.key()
        if not ids or key not in _KEYS:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if key == Qt.Key.Key_Down else -1
            at = ids.index(self._focused) + step if self._focused in ids else min(0, step)
            self._focus_on(ids[at % len(ids)])
        elif self._focused:
            self.chosen.emit(self._focused)

    def _focus_on(self, id: str) -> None:
        self._focused = id
        self.setAccessibleDescription(self.text_of(id) if id else "")
        self.update()

    @property
    def focused(self) -> str:
        """Id of the device or link the keyboard is at."""
        return self._focused

    # Painting.

    @property
    def fonts(self) -> _Fonts:
        """Fonts in use, made once for a font of the widget."""
        if self._fonts is None:
            self._fonts = _Fonts(self.font())
        return self._fonts

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fonts = None
        super().changeEvent(event)

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self.context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        made, drawing, traffic = self.machine, self.drawing, self.traffic
        run = self.state.runs.current
        if made is None or drawing is None or traffic is None or run is None:
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no run yet")
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter, made, traffic)
        painter.save()
        painter.translate(0, HEAD)
        for device in made.devices:
            if device.id in drawing.boxes and not device.inside:
                self._paint_box(painter, drawing.boxes[device.id], device, traffic)
        for device in made.devices:
            if device.id in drawing.boxes and device.inside:
                self._paint_box(painter, drawing.boxes[device.id], device, traffic)
        for link in made.links:
            if link.id in drawing.wires:
                self._paint_wire(painter, drawing.wires[link.id], link, traffic)
        self._paint_labels(painter, made, traffic)
        painter.restore()
        self._paint_foot(painter)
        painter.end()

    def _paint_head(self, painter: QPainter, made: Machine, traffic: StepTraffic) -> None:
        run, theme = self.state.runs.current, self.context.theme
        assert run is not None
        font = small_font(self.font(), -0.5)
        painter.setFont(font)
        line = QRectF(10, 2, self.width() - 20, HEAD - 2)
        painter.setPen(QColor(theme.text_dim))
        where = f"{step_name(run, self.state.cursor.step)}, mean over the step"
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, where)
        link = made.link(traffic.hottest)
        text = "no traffic in this step"
        if link is not None:
            share = percent_text(traffic.links[link.id].share)
            text = f"▲ hottest link: {link.title}, {share} of its bandwidth"
            painter.setPen(QColor(theme.text))
        room = line.width() - QFontMetricsF(font).horizontalAdvance(where) - 16
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_foot(self, painter: QPainter) -> None:
        """What width and colour mean."""
        theme = self.context.theme
        font = small_font(self.font(), -1)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        y = self.height() - FOOT / 2
        x = 10.0
        text = "share of a link's bandwidth"
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1), text)
        x += metrics.horizontalAdvance(text) + 12
        for share, name in ((0.0, "idle"), (0.1, "10 %"), (0.5, "50 %"), (1.0, "100 %")):
            painter.setPen(_pen(heat_colour(theme, share), line_width(share)))
            painter.drawLine(QPointF(x, y), QPointF(x + 22, y))
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(QPointF(x + 27, y + metrics.ascent() / 2 - 1), name)
            x += 27 + metrics.horizontalAdvance(name) + 12

    def _paint_box(self, painter: QPainter, box: Box, device: Device, traffic: StepTraffic) -> None:
        theme, state = self.context.theme, traffic.devices[device.id]
        rect = QRectF(box.x, box.y, box.width, box.height)
        ground = {
            DeviceKind.GPU: blend(theme.panel, theme.gpu_place, 0.13),
            DeviceKind.CHIP: blend(theme.panel, theme.gpu_place, 0.13),
            DeviceKind.NEAR: blend(theme.panel, theme.good, 0.13),
            DeviceKind.MEMORY: blend(theme.panel, theme.accent, 0.09),
        }.get(device.kind, theme.panel)
        path = QPainterPath()
        path.addRoundedRect(rect, 5, 5)
        painter.fillPath(path, QColor(ground))
        painter.setPen(self._outline(device.id))
        painter.drawPath(path)
        inside = traffic.links.get(f"{device.id}_bus")
        if inside is not None and device.kind is DeviceKind.NEAR:
            # Its way to its own memory, drawn as a stripe: as tall as its share of the bandwidth.
            tall = (rect.height() - 4) * min(1.0, inside.share)
            stripe = QRectF(rect.left() + 1, rect.bottom() - 2 - tall, 3.5, tall)
            painter.fillRect(stripe, QColor(heat_colour(theme, inside.share)))
        self._paint_box_text(painter, rect, device, traffic)
        bar = QRectF(rect.left() + 8, rect.bottom() - 9, rect.width() - 16, 5)
        holds_others = self.machine is not None and any(
            d.inside == device.id for d in self.machine.devices
        )
        if holds_others:
            bar = QRectF(rect.left() + 8, rect.top() + 22, rect.width() - 16, 5)
        if state.capacity_bytes and bar.width() > 10:
            share = min(1.0, state.used_bytes / state.capacity_bytes)
            painter.fillRect(bar, QColor(theme.canvas))
            full = QRectF(bar.left(), bar.top(), bar.width() * share, bar.height())
            painter.fillRect(
                full,
                QColor(theme.error if state.used_bytes > state.capacity_bytes else theme.accent),
            )
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.drawRect(bar)

    def _outline(self, id: str) -> QPen:
        theme = self.context.theme
        if id == self.state.selection.device:
            return QPen(QColor(theme.selection), 2)
        if id == self._focused and self.hasFocus():
            return QPen(QColor(theme.accent), 2, Qt.PenStyle.DashLine)
        if id == self._hover:
            return QPen(QColor(theme.accent), 1.5)
        return QPen(QColor(blend(theme.border, theme.text_dim, 0.35)), 1)

    def _paint_box_text(
        self, painter: QPainter, rect: QRectF, device: Device, traffic: StepTraffic
    ) -> None:
        """Title; then as many lines as there is room for."""
        theme, state = self.context.theme, traffic.devices[device.id]
        assert self.machine is not None
        holds = any(d.inside == device.id for d in self.machine.devices)
        fonts = self.fonts
        bold, plain = fonts.title, fonts.plain
        bold_metrics, metrics = fonts.title_metrics, fonts.plain_metrics
        inner = rect.adjusted(7, 2, -6, -10 if state.capacity_bytes and not holds else -2)
        lines: list[str] = []
        if device.lanes:
            lines.append(f"busy {percent_text(state.busy)}")
        if state.capacity_bytes:
            used, size = bytes_text(state.used_bytes, 3), bytes_text(state.capacity_bytes, 3)
            whole = f"{used} of {size}"
            fits = metrics.horizontalAdvance(whole) <= inner.width()
            lines += [whole] if fits else [used, f"of {size}"]
        if device.parts and device.parts != device.title:
            lines.append(device.parts)
        room = inner.width() - bold_metrics.horizontalAdvance(device.title) - 8
        beside = ""
        if lines and metrics.horizontalAdvance(lines[0]) <= room:
            beside = lines.pop(0)
        elif lines and device.lanes and metrics.horizontalAdvance(lines[0][5:]) <= room:
            beside = lines.pop(0)[5:]  # the share alone
        height = bold_metrics.height()
        if inner.height() < 2 * height:
            inner.setTop(rect.top() + max(1.0, (rect.height() - 8 - height) / 2))
        top = QRectF(inner.left(), inner.top(), inner.width(), height)
        flat = Qt.AlignmentFlag.AlignVCenter
        right = Qt.TextElideMode.ElideRight
        painter.setFont(bold)
        painter.setPen(QColor(theme.text))
        title = bold_metrics.elidedText(device.title, right, inner.width())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | flat, title)
        painter.setFont(plain)
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | flat, beside)
        y = top.bottom()
        for text in [] if holds else lines:
            if y + metrics.height() > inner.bottom() + 2:
                break
            line = QRectF(inner.left(), y, inner.width(), metrics.height())
            shown = metrics.elidedText(text, right, inner.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | flat, shown)
            y += metrics.height()

    def _paint_wire(self, painter: QPainter, wire: Wire, link: Link, traffic: StepTraffic) -> None:
        theme, flow = self.context.theme, traffic.links[link.id]
        marked = link.id in (self.state.selection.device, self._hover) or (
            link.id == self._focused and self.hasFocus()
        )
        halo = link.id == traffic.hottest
        if marked or halo:
            strong = theme.selection if marked else theme.categories["migration"]
            colour = blend(theme.canvas, strong, 0.45 if marked else 0.30)
            pen = QPen(QColor(colour), line_width(flow.share) + (7 if halo else 5))
            self._paint_lines(painter, wire, pen)
        two = len(link.lanes) == 2 and not link.shared and len(wire.lines) == 1
        if two and not wire.upright:
            # One line a direction, each as wide as what it carries.
            for side, rate in ((-1, flow.lanes[0]), (1, flow.lanes[1])):
                share = rate / link.peak_GBps
                colour = heat_colour(theme, share)
                pen = _pen(colour, line_width(share))
                painter.save()
                painter.translate(0, side * (WIDEST / 2 + 1.5))
                self._paint_lines(painter, wire, pen)
                painter.restore()
            return
        pen = QPen(QColor(heat_colour(theme, flow.share)), line_width(flow.share))
        self._paint_lines(painter, wire, pen)

    def _paint_lines(self, painter: QPainter, wire: Wire, pen: QPen) -> None:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        for line in wire.lines:
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in line]))

    def _paint_labels(self, painter: QPainter, made: Machine, traffic: StepTraffic) -> None:
        """Names of links, the hottest first: later ones are shortened or moved to stay clear."""
        wired = [link for link in made.links if self.drawing and link.id in self.drawing.wires]
        taken: list[QRectF] = []
        for link in sorted(wired, key=lambda link: link.id != traffic.hottest):
            assert self.drawing is not None
            self._paint_label(painter, self.drawing.wires[link.id], link, traffic, taken)

    def _paint_label(
        self,
        painter: QPainter,
        wire: Wire,
        link: Link,
        traffic: StepTraffic,
        taken: list[QRectF],
    ) -> None:
        theme, flow = self.context.theme, traffic.links[link.id]
        fonts = self.fonts
        bold_metrics, metrics = fonts.label_metrics, fonts.plain_metrics
        title = ("▲ " if link.id == traffic.hottest else "") + link.title
        room = max(64.0, wire.room + 8)
        share = percent_text(flow.share)
        rate = rate_of(link, flow)
        if metrics.horizontalAdvance(rate) > room:
            rate = share
        short = (f"{title}  {share}", "")
        ways = [(short, 0.0)] if wire.upright else [((title, rate), -1.0), ((title, rate), 1.0)]
        if not wire.upright:
            ways += [(short, -1.0), (short, 1.0)]

        def place(way: tuple[tuple[str, str], float]) -> QRectF:
            (first, second), side = way
            first = bold_metrics.elidedText(first, Qt.TextElideMode.ElideRight, room)
            wide = max(bold_metrics.horizontalAdvance(first), metrics.horizontalAdvance(second))
            height = bold_metrics.height() + (metrics.height() if second else 0)
            x, y = wire.label
            x = min(max(x, wide / 2 + 6), self.width() - wide / 2 - 6)
            top = {-1.0: y - height - WIDEST - 4, 0.0: y - height / 2, 1.0: y + WIDEST + 3}[side]
            return QRectF(x - wide / 2 - 3, top, wide + 6, height)

        def clear(rect: QRectF) -> bool:
            return rect.top() >= -4 and not any(rect.intersects(other) for other in taken)

        way = next((way for way in ways if clear(place(way))), ways[0])
        rect = place(way)
        taken.append(rect)
        first, second = way[0]
        first = bold_metrics.elidedText(first, Qt.TextElideMode.ElideRight, room)
        ground = QColor(theme.canvas)
        ground.setAlpha(225)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(rect, 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(fonts.label)
        painter.setPen(QColor(theme.text))
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.drawText(rect, centre, first)
        painter.setFont(fonts.plain)
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(rect.adjusted(0, bold_metrics.height(), 0, 0), centre, second)
