"""What a command of the command line is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from simcore.cli.console import Console


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    CANCELLED = 3
    BUG = 70


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: as typed.
        help: one sentence.
        configure: adds the arguments to the command's parser.
        execute: does it; heavy imports belong in here, so that the others start fast.
        epilog: examples for the command's help; may be empty.
    """

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace, Console], int]
    epilog: str = ""
