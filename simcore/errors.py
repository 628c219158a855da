"""Every error the simulator raises on purpose.

SimcoreError
├── UserError               the user can repair it: shown as a message, exit code 2
│   ├── ScenarioErrors      all problems of one scenario, each a Problem
│   ├── CapacityError       the configuration does not fit its memory
│   ├── DataFileError       a trace, mask, preset or run file cannot be used
│   ├── StorageError        the temporary file of a long run cannot grow or be read
│   └── UnknownNameError    no such system, preset, chart ...
├── Cancelled               the user stopped it: exit code 3
├── WorkerLostError         the process that worked for the window ended or cannot be started
└── InvariantError          a bug in the simulator: crash report, exit code 70
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class SimcoreError(Exception):
    """Root of the tree."""


class UserError(SimcoreError):
    """Something the user can repair; the message says how."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a scenario: where, what, what is allowed, what to do.

    Attributes:
        path: dotted path in the scenario, such as ``hardware.ndp_dimms.count``; empty for the file.
        message: what is wrong.
        allowed: the range or the choices, in words; empty if there are none.
        hint: what to do, such as ``did you mean 'ndp_dimms'?``; may be empty.
        line: 1-based line in the file; 0 when the value did not come from a file.
        column: 1-based column; 0 when unknown.
        value: the offending value as text; empty if there is none.
    """

    path: str
    message: str
    allowed: str = ""
    hint: str = ""
    line: int = 0
    column: int = 0
    value: str = ""

    def text(self, file: str = "") -> str:
        """One line for a terminal or a log."""
        where = f"{file}:{self.line}: " if file and self.line else f"{file}: " if file else ""
        at = f"{self.path}: " if self.path else ""
        got = f" (got {self.value})" if self.value else ""
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{at}{self.message}{got}{allowed}{hint}"


class ScenarioErrors(UserError):  # noqa: N818 - several at once
    """Every problem of a scenario at once."""

    def __init__(self, problems: Iterable[Problem], file: str = "") -> None:
        self.problems = tuple(problems)
        self.file = file
        super().__init__("\n".join(p.text(file) for p in self.problems))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return (type(self), (self.problems, self.file))


class CapacityError(UserError):
    """A configuration needs more memory than it has.

    Attributes:
        device: the device that overflows, by title.
        needed_bytes, available_bytes: both sides of the comparison.
    """

    def __init__(self, device: str, needed_bytes: int, available_bytes: int, remedy: str) -> None:
        self.device = device
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        self.remedy = remedy
        super().__init__(
            f"{device}: needs {needed_bytes / 1e9:.2f} GB but has {available_bytes / 1e9:.2f} GB; "
            f"{remedy}"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return (type(self), (self.device, self.needed_bytes, self.available_bytes, self.remedy))


class DataFileError(UserError):
    """A data file is missing, damaged or of another format."""


class StorageError(UserError):
    """The temporary file of a long run cannot grow or be read; the steps so far stay."""


class UnknownNameError(UserError):
    """A name is not in a registry."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(
            f"no {kind} named {name!r}; {did_you_mean(name, self.known)}known: "
            + ", ".join(self.known)
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return (type(self), (self.kind, self.name, self.known))


class Cancelled(SimcoreError):  # noqa: N818 - not an error of anybody's
    """The user cancelled a long operation."""


class WorkerLostError(SimcoreError):
    """A working process ended by itself, was ended by the system, or cannot be started."""


class InvariantError(SimcoreError):
    """The simulator contradicted itself."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"did you mean 'x'? "`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}? " if close else ""
