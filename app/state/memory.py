"""What a session remembers: named parts that models, views and the window register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Save = Callable[[], Any]
"""What a part wants to have kept, as plain data (mappings, lists, text, numbers); None: nothing."""
Restore = Callable[[Any], None]
"""Takes what `Save` gave, or None where a session has nothing for the part.

It may raise ValueError, TypeError, LookupError or AttributeError for data it cannot use.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is remembered.

    Attributes:
        name: stable key in the session file.
        save, restore: see `Save` and `Restore`.
        with_run: whether it is restored when the first run is on screen, not when the file opens.
    """

    name: str
    save: Save
    restore: Restore
    with_run: bool = False


class Memory:
    """The registry of parts; everything in it goes into the session of a scenario."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def add(self, name: str, save: Save, restore: Restore, *, with_run: bool = False) -> None:
        """Register a part.

        Raises:
            ValueError: if there is a part of that name.
        """
        if name in self._parts:
            raise ValueError(f"two parts of a session are called {name!r}")
        self._parts[name] = Part(name, save, restore, with_run)

    def collect(self) -> dict[str, Any]:
        """What all parts want to have kept."""
        values = {name: part.save() for name, part in self._parts.items()}
        return {name: value for name, value in values.items() if value is not None}

    def restore(self, values: Mapping[str, Any], *, with_run: bool) -> list[str]:
        """Give the parts of one moment what is theirs; returns the names of those that failed."""
        failed = []
        for part in self._parts.values():
            if part.with_run is not with_run:
                continue
            try:
                part.restore(values.get(part.name))
            except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
                failed.append(part.name)
        return failed

    def names(self, *, with_run: bool) -> frozenset[str]:
        """Parts that are restored at one of the two moments."""
        return frozenset(p.name for p in self._parts.values() if p.with_run is with_run)
