"""A dock with a compact title bar."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from app.state.messages import Severity
from app.widgets.key_sheet import keys_of_view
from app.widgets.restyle import set_flag
from app.widgets.view import View


class ViewDock(QDockWidget):
    """Holds one view; its object name is the view's id, so that layouts can be restored."""

    shown_or_hidden = Signal(bool)

    def __init__(self, view: View, parent: QWidget) -> None:
        super().__init__(view.title, parent)
        self.setObjectName(view.id)
        self.view = view
        bar = QWidget(self)
        bar.setObjectName("dockTitle")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        label = QLabel(view.title, bar)
        label.setToolTip(view.help)
        help_button = self._tool(bar, "?", f"What is this: {view.help}", f"About {view.title}")
        help_button.clicked.connect(self.explain)
        float_button = self._tool(bar, "▢", "Float or dock this view", f"Float {view.title}")
        float_button.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        close_button = self._tool(
            bar, "✕", "Hide this view; View menu shows it again", f"Hide {view.title}"
        )
        close_button.clicked.connect(self.put_away)
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(8, 3, 4, 3)
        layout.setSpacing(0)
        layout.addWidget(label, 1)
        layout.addWidget(help_button)
        layout.addWidget(float_button)
        layout.addWidget(close_button)
        self.setTitleBarWidget(bar)
        self.setWidget(view)
        self.visibilityChanged.connect(self._on_visibility_changed)

    def put_away(self) -> None:
        """Hide the view."""
        self.hide()
        self.shown_or_hidden.emit(False)

    def mark(self, on: bool) -> None:
        """Show whether the keyboard is in this view."""
        set_flag(self.titleBarWidget(), "focused", on)

    def explain(self) -> None:
        """Say what the view shows, and its mouse and keys."""
        view = self.view
        keys = keys_of_view(view.context.commands, view.id, view.title)
        text = f"{view.title}: {view.help}"
        view.state.messages.show(f"{text}\n{keys}" if keys else text, Severity.INFO)

    def bring_up(self) -> None:
        """Show the view in front of the others in its place."""
        if self.isHidden():
            self.show()
            self.shown_or_hidden.emit(True)
        self.raise_()

    def _tool(self, bar: QWidget, text: str, tip: str, name: str) -> QToolButton:
        button = QToolButton(bar)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _on_visibility_changed(self, visible: bool) -> None:
        if visible:
            self.view.state.turns.wake()
            self.view.on_raised()
