"""Who gets a key: the focused control or the command it is bound to."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QScrollBar,
    QTabBar,
)

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


def wants_key(control: QObject, event: QKeyEvent) -> bool:
    """Whether a control needs a key itself: Space presses buttons, arrows move in lists."""
    if event.modifiers() not in _PLAIN:
        return False
    if event.key() == Qt.Key.Key_Space:
        return isinstance(control, (QAbstractButton, QComboBox))
    lists = (QAbstractItemView, QTabBar, QScrollBar, QComboBox)
    return event.key() in _ARROWS and isinstance(control, lists)


def leaves_undo(control: QObject, event: QKeyEvent) -> bool:
    """Whether undo and redo are the document's although a number field has the focus."""
    box = control if isinstance(control, QAbstractSpinBox) else control.parent()
    keys = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
    return isinstance(box, QAbstractSpinBox) and any(event.matches(key) for key in keys)


def leaves_export(event: QKeyEvent) -> bool:
    """Whether a key is the export's, which text fields would take as "end of line"."""
    control = Qt.KeyboardModifier.ControlModifier
    return event.key() == Qt.Key.Key_E and event.modifiers() == control
