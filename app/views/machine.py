"""The machine view: the run's hardware as boxes and links, with the traffic of the step."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.widgets.machine_canvas import MachineCanvas
from app.widgets.view import Context, View, register_view


@register_view(
    "machine",
    "Machine",
    "Devices and links of the run: traffic of the step as width and colour, memory as bars. "
    "Click a device, or walk with ↑ ↓ and press Enter, to inspect it.",
)
class MachineView(View):
    """The canvas, scrolled where the machine is taller than the dock."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = MachineCanvas(context, self)
        self.canvas.chosen.connect(self._on_chosen)
        area = QScrollArea(self)
        area.setAccessibleName("Machine, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def on_theme_changed(self) -> None:
        self.canvas.update()

    def _on_chosen(self, id: str) -> None:
        self.state.selection.select_device(id)
        if "view.inspector" in self.context.commands:
            self.context.commands.run("view.inspector")
