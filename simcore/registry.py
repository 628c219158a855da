"""Registries: one per kind of thing. Adding a thing is one file that registers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from simcore.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind, in order of registration."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register `item`; a second item of the same name is a bug."""
        if name in self._items:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._items[name] = item
        return item

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""
        return lambda item: self.add(name, item)

    def get(self, name: str) -> T:
        """The item of that name.

        Raises:
            UnknownNameError: with the closest known name.
        """
        try:
            return self._items[name]
        except KeyError:
            raise UnknownNameError(self.kind, name, self._items) from None

    def reset(self, items: Mapping[str, T]) -> None:
        """Have just these; how a package that fails half-way leaves nothing behind."""
        self._items = dict(items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> Iterator[tuple[str, T]]:
        """Pairs of name and item."""
        return iter(self._items.items())


# The scenario package must know the knobs of a system without importing it, so the registry of
# systems lives here, below both. Entries are `simcore.systems.base.System` objects.
SYSTEMS: Registry[Any] = Registry("system")
"""System and variant ids; filled when `simcore.systems` is imported."""
