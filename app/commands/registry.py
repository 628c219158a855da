"""Commands as data: menu entries, keys, tool buttons and the palette are views of one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace


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
        self._defaults: dict[str, tuple[str, ...]] = {}
        self._listeners: list[Callable[[], None]] = []

    def add(self, *commands: Command) -> None:
        """Register commands.

        Raises:
            ValueError: for a second command of the same id or the same key.
        """
        taken = {key.casefold(): c for c in self._commands.values() for key in c.keys}
        for command in commands:
            if command.id in self._commands:
                raise ValueError(f"command {command.id!r} is registered twice")
            for key in command.keys:
                other = taken.setdefault(key.casefold(), command)
                if other is not command:
                    raise ValueError(f"{key}: both {other.id} and {command.id}")
            self._commands[command.id] = command
            self._defaults[command.id] = command.keys

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

    # Keys the user chose.

    def default_keys(self, id: str) -> tuple[str, ...]:
        """The keys a command comes with."""
        return self._defaults[id]

    def set_keys(self, id: str, keys: tuple[str, ...]) -> None:
        """Give a command other keys.

        Raises:
            KeyError: if there is no such command.
            ValueError: if a key is another command's; nothing is changed then.
        """
        command = self._commands[id]
        for key in keys:
            other = self.by_key(key)
            if other is not None and other.id != id:
                raise ValueError(f"{key} is the key of {other.title!r}")
        self._commands[id] = replace(command, keys=tuple(dict.fromkeys(keys)))
        self.refresh()

    def changed_keys(self) -> dict[str, tuple[str, ...]]:
        """Keys that are not the ones commands come with."""
        return {c.id: c.keys for c in self if c.keys != self._defaults[c.id]}

    def take_keys(self, chosen: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Take over chosen keys of an earlier time; returns what could not be, and why.

        All are put in place together, so that two commands may have swapped their keys.
        """
        before, problems = dict(self._commands), []
        for id in chosen:
            if id in self._commands:
                self._commands[id] = replace(self._commands[id], keys=())
        for id, keys in chosen.items():
            if id not in self._commands:
                continue  # of a view or system that this version does not have
            try:
                self.set_keys(id, keys)
            except ValueError as error:
                problems.append(f"{self._commands[id].title}: {error}")
                left = tuple(k for k in before[id].keys if self.by_key(k) is None)
                self._commands[id] = replace(before[id], keys=left)
        self.refresh()
        return problems

    def reset_keys(self) -> None:
        """Give all commands the keys they come with."""
        for id, keys in self._defaults.items():
            self._commands[id] = replace(self._commands[id], keys=keys)
        self.refresh()

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
