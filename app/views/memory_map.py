"""The memory map: what fills each memory in the current step, against its capacity."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QToolTip, QVBoxLayout, QWidget

from app.viewmodels.formatting import bytes_text, percent_text
from app.widgets.empty import paint_empty
from app.widgets.legend import Legend
from app.widgets.painting import small_font
from app.widgets.view import Context, View, register_view

ROW = 30


class MemoryCanvas(QWidget):
    """One bar per memory, stacked by kind."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.setMouseTracking(True)
        self.setAccessibleName("Memory bars")
        self.state.cursor.step_changed.connect(lambda _: self.update())
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.cleared.connect(lambda: self._on_replaced(None))

    def _on_replaced(self, _: object) -> None:
        run = self.state.runs.current
        count = len(run.plan.memory) if run else 0
        self.setMinimumHeight(count * ROW + 8)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, max(120, self.minimumHeight()))

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self.context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        run, step = self.state.runs.current, self.state.cursor.step
        if run is None or step >= self.state.runs.length:
            paint_empty(painter, self, theme)
            return
        used = run.value("memory_bytes", step)
        font = small_font(self.font(), -0.5)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        for row, device in enumerate(run.plan.memory):
            top = 4 + row * ROW
            total = float(used[row].sum())
            share = total / max(device.capacity_bytes, 1)
            line = QRectF(8, top, self.width() - 16, 14)
            amount = (
                f"{bytes_text(total)} of {bytes_text(device.capacity_bytes)} · "
                f"{percent_text(share)}"
            )
            painter.setPen(QColor(theme.error if share > 1 else theme.text_dim))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, amount)
            room = line.width() - metrics.horizontalAdvance(amount) - 10
            title = metrics.elidedText(device.title, Qt.TextElideMode.ElideRight, room)
            painter.setPen(QColor(theme.text))
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, title)
            box = QRectF(8, top + 16, self.width() - 16, 9)
            painter.fillRect(box, QColor(theme.canvas))
            x = box.left()
            for kind in range(len(run.plan.memory_kinds)):
                width = float(used[row, kind]) / max(device.capacity_bytes, 1) * box.width()
                colour = QColor(theme.table.memory(run.plan.memory_kinds[kind]))
                painter.fillRect(QRectF(x, box.top(), width, box.height()), colour)
                x += width
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.drawRect(box)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        run, step = self.state.runs.current, self.state.cursor.step
        row = int((event.position().y() - 4) // ROW)
        if run is None or not 0 <= row < len(run.plan.memory) or step >= self.state.runs.length:
            return
        used = run.value("memory_bytes", step)[row]
        lines = [run.plan.memory[row].title]
        for kind, name in enumerate(run.plan.memory_kinds):
            if used[kind]:
                lines.append(f"{name}: {bytes_text(float(used[kind]))}")
        place = event.globalPosition().toPoint() + QPoint(12, 8)
        QToolTip.showText(place, "\n".join(lines), self)


@register_view("memory", "Memory", "What fills each memory in this step, against its capacity.")
class MemoryView(View):
    """Bars and their legend."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = MemoryCanvas(context, self)
        self._legend = Legend(checkable=False, parent=self)
        area = QScrollArea(self)
        area.setAccessibleName("Memory, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self._legend)
        layout.addWidget(area, 1)
        self.state.runs.replaced.connect(lambda _: self._show_legend())
        self.state.runs.cleared.connect(lambda: self._legend.set_entries([], ""))

    def on_theme_changed(self) -> None:
        self._show_legend()
        self.canvas.update()

    def _show_legend(self) -> None:
        run = self.state.runs.current
        if run is not None:
            theme = self.context.theme
            kinds = enumerate(run.plan.memory_kinds)
            self._legend.set_entries(
                [(name.replace("_", " "), theme.table.memory(name), name) for i, name in kinds],
                theme.border,
            )
