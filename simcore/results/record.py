"""All columns of one step, as systems take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Record(Mapping[str, Any]):
    """Columns of a step by name.

    What was recorded is there; what follows from it is derived when it is asked for. Deriving all
    of it costs more than the spans of a step, which need one or two of them.
    """

    __slots__ = ("_derive", "_derived", "_values")

    def __init__(
        self,
        values: Mapping[str, Any],
        derived: tuple[str, ...],
        derive: Callable[[str], Any],
    ) -> None:
        """Make a record.

        Args:
            values: the recorded columns.
            derived: names of those that follow from them.
            derive: gives the value of such a name, equal at every call.
        """
        self._values, self._derived, self._derive = values, derived, derive

    def __getitem__(self, name: str) -> Any:
        if name in self._derived:
            return self._derive(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._derived or name in self._values

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield from self._derived

    def __len__(self) -> int:
        return len(self._values) + len(self._derived)
