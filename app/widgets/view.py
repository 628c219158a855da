"""What a view is: a widget in a dock, registered by id, fed by the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.commands.registry import CommandRegistry
from app.settings.store import Settings
from app.state.app_state import AppState
from app.theme.manager import ThemeManager
from app.theme.tokens import Theme
from simcore.registry import Registry


@dataclass(frozen=True)
class Context:
    """What every view gets."""

    state: AppState
    themes: ThemeManager
    commands: CommandRegistry
    settings: Settings

    @property
    def theme(self) -> Theme:
        """The tokens in force."""
        return self.themes.current


def seen(widget: QWidget) -> bool:
    """Whether any of a widget can be seen; behind another tab it is moved away, not hidden.

    Its visible region would not do: that of a view is empty where a child covers all of it.
    """
    if not widget.isVisible():
        return False
    inside, around, place = widget, widget.parentWidget(), widget.rect()
    while around is not None and not inside.isWindow() and not place.isEmpty():
        place.translate(inside.pos())
        place &= around.rect()
        inside, around = around, around.parentWidget()
    return not place.isEmpty()


class View(QWidget):
    """Base of all views.

    Attributes:
        id: stable id, also the dock's object name.
        title: as shown.
        help: one sentence on what the view shows.
    """

    id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    help: ClassVar[str] = ""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.setObjectName(f"{self.id}View")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.title)
        self.setAccessibleDescription(self.help)
        context.themes.changed.connect(self.on_theme_changed)

    def on_theme_changed(self) -> None:
        """Take over new colours; views that paint override it."""
        self.update()

    @property
    def on_screen(self) -> bool:
        """Whether any of it can be seen."""
        return seen(self)

    def on_raised(self) -> None:
        """Catch up with what was missed behind another tab; called when the view comes up."""

    def reveal(self, what: str) -> None:
        """Scroll to one of its things, if it has things to scroll to."""

    def shut_down(self) -> None:
        """Stop background work; called before the window closes."""


VIEWS: Registry[type[View]] = Registry("view")
"""View ids to classes; filled when `app.views` is imported."""


def register_view(id: str, title: str, help: str) -> Callable[[type[View]], type[View]]:
    """Class decorator: register a view."""

    def decorate(cls: type[View]) -> type[View]:
        cls.id, cls.title, cls.help = id, title, help
        return VIEWS.add(id, cls)

    return decorate
