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

from app.commands.registry import CommandRegistry

_EDITING = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Paste,
    QKeySequence.StandardKey.SelectAll,
    QKeySequence.StandardKey.MoveToNextWord,
    QKeySequence.StandardKey.MoveToPreviousWord,
    QKeySequence.StandardKey.SelectNextWord,
    QKeySequence.StandardKey.SelectPreviousWord,
    QKeySequence.StandardKey.DeleteStartOfWord,
    QKeySequence.StandardKey.DeleteEndOfWord,
    QKeySequence.StandardKey.MoveToStartOfDocument,
    QKeySequence.StandardKey.MoveToEndOfDocument,
    QKeySequence.StandardKey.SelectStartOfDocument,
    QKeySequence.StandardKey.SelectEndOfDocument,
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


def leaves_command(event: QKeyEvent, commands: CommandRegistry) -> bool:
    """Whether a key with Ctrl is a command's although a text field knows an editing use for it.

    Ctrl+E, say, would go to the end of the line. What everybody types in texts (undo, copy, words)
    stays the text's.
    """
    if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return False
    if any(event.matches(key) for key in _EDITING):
        return False
    keys = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
    return commands.by_key(keys) is not None
