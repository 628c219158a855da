"""Registries: one per kind of thing. Adding a thing is one file that registers itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
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

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> Iterator[tuple[str, T]]:
        """Pairs of name and item."""
        return iter(self._items.items())


class LazyRegistry(Registry[T]):
    """A registry that knows names whose modules are imported when their items are asked for.

    Names announced come in the order in which they are announced, whatever is loaded first.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._homes: dict[str, str] = {}
        self._more: Callable[[], object] | None = None

    def announce(self, module: str, *names: str) -> None:
        """Importing the module is going to register items of its own of these names."""
        for name in names:
            super().add(name, None)  # type: ignore[arg-type]
            self._homes[name] = module

    def announce_more(self, load: Callable[[], object]) -> None:
        """Call this before saying that a name is unknown or which names there are.

        It is called every time, and has to know whether it did its work.
        """
        self._more = load

    def add(self, name: str, item: T) -> T:
        """Register `item`; a name that is announced is the announced module's."""
        if self._items.get(name, item) is None and type(item).__module__ == self._homes[name]:
            self._items[name] = item
            return item
        return super().add(name, item)

    def get(self, name: str) -> T:
        """The item of that name; its module is imported.

        Raises:
            UnknownNameError: with the closest known name.
        """
        if name not in self:
            return super().get(name)
        item = self._items[name]
        if item is None:
            importlib.import_module(self._homes[name])
            item = self._items[name]
            assert item is not None, f"{self._homes[name]} registers no {self.kind} {name!r}"
        return item

    def forget(self, names: Iterable[str]) -> None:
        """Have items no more; how a package that fails half-way leaves nothing behind."""
        for name in names:
            del self._items[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._items:
            self._load_more()
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        self._load_more()
        return iter(tuple(self._items))

    def __len__(self) -> int:
        self._load_more()
        return len(self._items)

    def items(self) -> Iterator[tuple[str, T]]:
        """Pairs of name and item; all modules are imported."""
        return iter([(name, self.get(name)) for name in self])

    def _load_more(self) -> None:
        if self._more is not None:
            self._more()


# The scenario package must know the knobs of a system without importing it, so the registry of
# systems lives here, below both. Entries are `simcore.systems.base.System` objects.
SYSTEMS: LazyRegistry[Any] = LazyRegistry("system")
"""System and variant ids; `simcore.systems` announces them."""
