"""What a working process is asked for, and how it says that it is done."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

Say = Callable[[Any], None]

_OWN_NAMES = "DIMMSCOPE_"


class Task(Protocol):
    """A piece of work; it is pickled, so it consists of plain data."""

    def work(self, say: Say) -> None:
        """Do it and report through `say`, which gives up with `Cancelled` once nobody wants it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of the asking process decides how names of files are understood.

    Attributes:
        folder: the working folder; empty if it is gone.
        variables: variables of the environment that are this program's.
    """

    folder: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process."""
        try:
            folder = str(Path.cwd())
        except OSError:
            folder = ""
        own = {name: value for name, value in os.environ.items() if name.startswith(_OWN_NAMES)}
        return cls(folder, own)

    def enter(self) -> None:
        """Make them those of this process."""
        for name in [name for name in os.environ if name.startswith(_OWN_NAMES)]:
            if name not in self.variables:
                del os.environ[name]
        os.environ.update(self.variables)
        if self.folder and Path(self.folder).is_dir():
            os.chdir(self.folder)


@dataclass(frozen=True, slots=True)
class Begin:
    """Do a task. Numbers rise.

    The task is pickled by itself, since what it consists of is imported by whoever unpickles it:
    the thread that reads messages must not import while the main thread does.
    """

    number: int
    pickled: bytes
    surroundings: Surroundings

    @classmethod
    def with_task(cls, number: int, task: Task) -> Begin:
        """Do this task in the surroundings of this process."""
        return cls(number, pickle.dumps(task, 5), Surroundings.here())

    def task(self) -> Task:
        """The task."""
        task: Task = pickle.loads(self.pickled)
        return task


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop the task of this number, and all before it."""

    number: int


class Outcome(Enum):
    """How a task ended."""

    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ended:
    """The last message of a task.

    Attributes:
        outcome: how it ended.
        error: what ended it, for FAILED.
        details: where it happened in the code, for an error that is a bug.
    """

    outcome: Outcome
    error: Exception | None = None
    details: str = ""
