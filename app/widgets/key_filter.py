"""Looks at keys before they become commands, wherever the keyboard is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from shiboken6 import isValid

from app.commands.registry import CommandRegistry
from app.state.turns import Turns
from app.widgets.key_rules import leaves_command, leaves_undo, wants_key


class KeyFilter(QObject):
    """Leaves keys to the controls that need them, and undo to the document.

    Watched is the control with the keyboard, what holds it (a key that a control does not take goes
    on to its parents) and the window (keys go there when no control has the keyboard). A filter of
    the whole program would do the same, but every event of every widget would pass through it.
    """

    def __init__(self, window: QMainWindow, commands: CommandRegistry, turns: Turns) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._turns = turns
        self._watched: list[QWidget] = []
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)
            # From one window without a control for keys to another no control gets or loses them.
            application.focusWindowChanged.connect(self._follow)
        self._follow()

    def stop(self) -> None:
        """Watch nothing any more."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.disconnect(self._follow)
            application.focusWindowChanged.disconnect(self._follow)
        self._watch([])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Have commands up to date when a key comes, and decide who gets it."""
        # Asking an event for its type makes an enum member, which is slower than all the rest.
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return False
        self._turns.now(self._commands.refresh)
        if wants_key(watched, event):
            event.accept()
            return True
        if leaves_undo(watched, event) or leaves_command(event, self._commands):
            event.ignore()
            return True
        return False

    def _follow(self, *_: object) -> None:
        """Watch where the keyboard is now; what a signal says may be behind that."""
        chain: list[QWidget] = []
        at = QApplication.focusWidget() or QApplication.activeWindow()
        while at is not None:
            chain.append(at)
            at = at.parentWidget()
        if self._window not in chain:
            chain.append(self._window)
        self._watch(chain)

    def _watch(self, chain: list[QWidget]) -> None:
        for widget in self._watched:
            if isValid(widget) and widget not in chain:
                widget.removeEventFilter(self)
        self._watched = chain
        for widget in chain:
            widget.installEventFilter(self)  # last, so that it is asked before all others
