"""Commands as data: menu entries, keys, tool buttons and the palette are views of one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do.

    Attributes:
        id: stable id, ``playback.play``.
        title: as shown, imperative.
        run: does it.
        keys: key sequences, the first is shown in menus.
        menu: title of the menu; empty for none (the palette has it all the same).
        enabled: whether it can be done now.
        checked: for switches, whether it is on; None for others.
        label: a title that depends on the state, or None.
        section: entries of a menu with the same section stand together.
    """

    id: str
    title: str
    run: Callable[[], object]
    keys: tuple[str, ...] = ()
    menu: str = ""
    enabled: Callable[[], bool] | None = None
    checked: Callable[[], bool] | None = None
    label: Callable[[], str] | None = None
    section: str = ""

    def shown_title(self) -> str:
        """The title as of now."""
        return self.label() if self.label else self.title

    def is_enabled(self) -> bool:
        """Whether it can be done now."""
        return self.enabled is None or self.enabled()


class CommandRegistry:
    """All commands in order of registration."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._listeners: list[Callable[[], None]] = []

    def add(self, *commands: Command) -> None:
        """Register commands.

        Raises:
            ValueError: for a second command of the same id or the same key.
        """
        for command in commands:
            if command.id in self._commands:
                raise ValueError(f"command {command.id!r} is registered twice")
            for key in command.keys:
                other = self.by_key(key)
                if other is not None:
                    raise ValueError(f"{key}: both {other.id} and {command.id}")
            self._commands[command.id] = command

    def get(self, id: str) -> Command:
        """A command by id."""
        return self._commands[id]

    def by_key(self, key: str) -> Command | None:
        """The command of a key sequence, if any."""
        wanted = key.casefold()
        for command in self._commands.values():
            if any(k.casefold() == wanted for k in command.keys):
                return command
        return None

    def tip(self, id: str, text: str = "") -> str:
        """A tip for a button of a command: its title, or `text`, with its key."""
        command = self._commands[id]
        keys = f"  ({command.keys[0]})" if command.keys else ""
        return f"{text or command.title}{keys}"

    def run(self, id: str) -> bool:
        """Do it if it can be done now; returns whether it could."""
        command = self._commands[id]
        if not command.is_enabled():
            return False
        command.run()
        self.refresh()
        return True

    def on_refresh(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever enabled, checked or labels may have changed."""
        self._listeners.append(listener)

    def refresh(self) -> None:
        """Tell listeners that states may have changed."""
        for listener in self._listeners:
            listener()

    def __iter__(self) -> Iterator[Command]:
        return iter(tuple(self._commands.values()))

    def __contains__(self, id: object) -> bool:
        return id in self._commands
