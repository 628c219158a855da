"""The search field above the timeline: text or regular expression, count, next and previous."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from app.widgets.elided import ElidedLabel
from app.widgets.restyle import set_style
from app.widgets.view import Context

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SearchField(QLineEdit):
    """A field whose Enter, Shift+Enter and Esc mean next, previous and close."""

    moved = Signal(int)
    left = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the command it else is."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER:
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.moved.emit(-1 if back else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class SearchBar(QWidget):
    """Hidden until it is asked for."""

    closed = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.model = context.state.search
        self.setAccessibleName("Search")
        self.field = SearchField(self)
        self.field.setPlaceholderText("operation, lane, layer 12, request 7, layer 3 neuron 400")
        self.field.setAccessibleName("Search for")
        self.field.setClearButtonEnabled(True)
        self.field.setMinimumWidth(150)
        self.regex = self._switch(".*", "Regular expression")
        self.lanes = self._switch("Lanes", "Show only lanes whose names match")
        self.status = ElidedLabel(self)
        self.status.setAccessibleName("What was found")
        self.back = self._button("‹", "Previous (Shift+Enter, Shift+F3)")
        self.on = self._button("›", "Next (Enter, F3)")
        self.shut = self._button("×", "Close the search (Esc)")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 3, 4, 1)
        layout.setSpacing(4)
        layout.addWidget(self.field, 2)
        for button in (self.regex, self.lanes, self.back, self.on):
            layout.addWidget(button)
        layout.addWidget(self.status, 3)
        layout.addWidget(self.shut)
        self.field.textChanged.connect(lambda _: self._look())
        self.regex.toggled.connect(lambda _: self._look())
        self.lanes.toggled.connect(self.model.set_filter)
        self.field.moved.connect(self.go)
        self.field.left.connect(self.close_search)
        self.back.clicked.connect(lambda: self.go(-1))
        self.on.clicked.connect(lambda: self.go(1))
        self.shut.clicked.connect(self.close_search)
        self.model.changed.connect(self._refresh)
        context.themes.changed.connect(self._refresh)
        self.hide()
        self._refresh()

    def open(self) -> None:
        """Show the field and put the cursor into it."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def go(self, direction: int) -> None:
        """Go to the next or previous place."""
        self.model.go(direction)

    def close_search(self) -> None:
        """Hide the field and forget what was looked for."""
        self.field.clear()
        self.lanes.setChecked(False)
        self.model.close()
        self.hide()
        self.closed.emit()

    def _look(self) -> None:
        self.model.set(self.field.text(), self.regex.isChecked())

    def _refresh(self) -> None:
        model = self.model
        self.status.setText(model.status())
        theme = self.context.theme
        bad = bool(model.error) or isinstance(model.item, str)
        nothing = model.query is not None and model.status() == "nothing found"
        border = f"QLineEdit {{ border: 1px solid {theme.error}; }}" if bad else ""
        set_style(self.field, border)
        colour = theme.error if bad or nothing else theme.text_dim
        set_style(self.status, f"color: {colour};")
        self.back.setEnabled(model.query is not None)
        self.on.setEnabled(model.query is not None)
        if self.lanes.isChecked() != model.filter_lanes:
            self.lanes.setChecked(model.filter_lanes)

    def _switch(self, text: str, tip: str) -> QToolButton:
        button = self._button(text, tip)
        button.setCheckable(True)
        return button

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button
