"""The command line: everything the application shows, without a display and without Qt.

`main` runs one command and returns its exit code. A command is one file in `simcore.cli.commands`.
"""

from __future__ import annotations

from simcore.cli.entry import COMMAND_NAMES, main, process

__all__ = ["COMMAND_NAMES", "main", "process"]
