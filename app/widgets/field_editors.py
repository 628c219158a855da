"""Editors of single scenario values: each shows a value and says when the user changed it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QCompleter,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QWidget,
)

from simcore.scenario.fields import Knob

MANY = 20
"""With more choices than this a field is searched by typing."""
_WIDE = 1e15


class NumberBox(QDoubleSpinBox):
    """A spin box that takes any number, so that a wrong one can be marked instead of swallowed.

    It shows no more digits than the value has, and leaves the wheel alone until it has the focus.
    """

    def __init__(self, whole: bool, knob: Knob, parent: QWidget) -> None:
        super().__init__(parent)
        self._whole = whole
        self.setDecimals(0 if whole else 9)
        self.setMinimumWidth(50)
        self.setRange(-_WIDE, _WIDE)
        self.setKeyboardTracking(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setGroupSeparatorShown(False)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        if knob.unit:
            self.setSuffix(f" {'µs' if knob.unit == 'us' else knob.unit}")
        if knob.step:
            self.setSingleStep(knob.step)
        else:
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self._limits = (knob.ge if knob.ge is not None else knob.gt, knob.le)
        self._open = knob.gt is not None

    def textFromValue(self, value: float) -> str:
        return f"{value:.0f}" if self._whole else f"{value:.10g}"

    def stepBy(self, steps: int) -> None:
        """Arrows stay inside the allowed range; typing may leave it."""
        low, high = self._limits
        target = self.value() + steps * self.singleStep()
        if high is not None and self.value() <= high < target:
            self.setValue(high)
        elif (
            low is not None
            and self.value() >= low
            and (target < low or (self._open and target <= low))
        ):
            if not self._open:
                self.setValue(low)
        else:
            super().stepBy(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceBox(QComboBox):
    """A combo box that leaves the wheel alone until it has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FieldEditor(QWidget):
    """Base: `edited` carries the new value when the user changed it, never when `show` did."""

    edited = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def box(self) -> QWidget:
        """The widget that is marked when the value is wrong."""
        raise NotImplementedError

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """Everything the keyboard stops at, in order."""
        return (self.box,)

    def name(self, path: str) -> None:
        """Tell screen readers what the controls are for."""
        self.box.setAccessibleName(path)

    def put(self, value: Any) -> None:
        """Show a value."""
        raise NotImplementedError


class NumberEditor(FieldEditor):
    """A number; with `optional`, also "automatic"."""

    def __init__(self, whole: bool, knob: Knob, parent: QWidget) -> None:
        super().__init__(parent)
        self._whole = whole
        self._box = NumberBox(whole, knob, self)
        self._auto = QCheckBox("auto", self) if knob.optional else None
        if self._auto is not None:
            self._auto.setToolTip("Let the simulator choose")
            self._auto.toggled.connect(self._on_auto)
            self._layout.addWidget(self._auto)
        self._layout.addWidget(self._box, 1)
        self._box.valueChanged.connect(self._on_value)

    @property
    def box(self) -> QWidget:
        return self._box

    def put(self, value: Any) -> None:
        if self._auto is not None:
            self._auto.blockSignals(True)
            self._auto.setChecked(value is None)
            self._auto.blockSignals(False)
            self._box.setEnabled(value is not None)
        if value is None:
            return
        self._box.blockSignals(True)
        self._box.setValue(float(value))
        self._box.blockSignals(False)

    def _on_value(self, value: float) -> None:
        self.edited.emit(int(value) if self._whole else float(value))

    @property
    def controls(self) -> tuple[QWidget, ...]:
        return (self.box,) if self._auto is None else (self.box, self._auto)

    def name(self, path: str) -> None:
        super().name(path)
        if self._auto is not None:
            self._auto.setAccessibleName(f"{path}: automatic")

    def _on_auto(self, on: bool) -> None:
        self._box.setEnabled(not on)
        if on:
            self.edited.emit(None)
        else:
            self._on_value(self._box.value())


class ChoiceEditor(FieldEditor):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._box = ChoiceBox(self)
        self._box.addItems(list(choices))
        self._box.setMinimumContentsLength(8)
        self._box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._layout.addWidget(self._box, 1)
        self._box.activated.connect(lambda _: self.edited.emit(self._box.currentText()))

    @property
    def box(self) -> QWidget:
        return self._box

    def put(self, value: Any) -> None:
        text = "" if value is None else str(value)
        if self._box.findText(text) < 0:
            self._box.addItem(text)
        self._box.setCurrentText(text)


class SearchEditor(ChoiceEditor):
    """One of many words: typing finds all that contain the text; what is no choice is put back."""

    def __init__(self, choices: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(choices, parent)
        self._shown = ""
        self._box.setEditable(True)
        self._box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = QCompleter(list(choices), self._box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setMaxVisibleItems(14)
        self._box.setCompleter(completer)
        line = self._box.lineEdit()
        assert line is not None
        line.setPlaceholderText("search")
        line.editingFinished.connect(self._on_finished)
        self._box.activated.connect(lambda _: self._keep())

    def put(self, value: Any) -> None:
        super().put(value)
        self._keep()

    def _keep(self) -> None:
        self._shown = self._box.currentText()
        line = self._box.lineEdit()
        assert line is not None
        line.setCursorPosition(0)

    def _on_finished(self) -> None:
        """Enter and leaving the field: a choice is taken, anything else is put back."""
        text = self._box.currentText().strip()
        if text == self._shown:
            return
        words = [self._box.itemText(i) for i in range(self._box.count())]
        found = [w for w in words if text.casefold() == w.casefold()] or [
            w for w in words if text.casefold() in w.casefold()
        ]
        if text and len(found) == 1:
            self._box.setCurrentText(found[0])
            self._keep()
            self.edited.emit(found[0])
        else:
            self._box.setCurrentText(self._shown)


class SwitchEditor(FieldEditor):
    """Yes or no."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._box = QCheckBox(self)
        self._layout.addWidget(self._box)
        self._layout.addStretch(1)
        self._box.clicked.connect(lambda on: self.edited.emit(bool(on)))

    @property
    def box(self) -> QWidget:
        return self._box

    def put(self, value: Any) -> None:
        self._box.setChecked(bool(value))


class TextEditor(FieldEditor):
    """Free text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._box = QLineEdit(self)
        self._shown = ""
        self._layout.addWidget(self._box)
        self._box.editingFinished.connect(self._on_finished)

    @property
    def box(self) -> QWidget:
        return self._box

    def put(self, value: Any) -> None:
        self._shown = "" if value is None else str(value)
        if self._box.text() != self._shown:
            self._box.setText(self._shown)
            self._box.setCursorPosition(0)

    def _on_finished(self) -> None:
        if self._box.text() != self._shown:
            self._shown = self._box.text()
            self.edited.emit(self._shown)


def make_editor(knob: Knob, value: Any, type_: Any, parent: QWidget) -> FieldEditor:
    """The editor that suits a field."""
    name = type_ if isinstance(type_, str) else str(getattr(type_, "__name__", type_))
    if len(knob.choices) > MANY:
        return SearchEditor(knob.choices, parent)
    if knob.choices:
        return ChoiceEditor(knob.choices, parent)
    if isinstance(value, bool) or name.startswith("bool"):
        return SwitchEditor(parent)
    if isinstance(value, int) or name.startswith("int"):
        return NumberEditor(True, knob, parent)
    if isinstance(value, float) or "float" in name:
        return NumberEditor(False, knob, parent)
    return TextEditor(parent)
