"""Writing to the terminal: results to stdout, messages and progress to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from simcore.errors import DataFileError


def printable(text: str) -> str:
    """Text whose control characters cannot steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


class Console:
    """Where a command writes."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._err = err if err is not None else sys.stderr
        self._bar = False

    def out(self, text: str = "") -> None:
        """A line of the result."""
        self._out.write(printable(text) + "\n")

    def message(self, text: str) -> None:
        """A line beside the result."""
        self.end_progress()
        self._err.write(printable(text) + "\n")

    def error(self, text: str) -> None:
        """What went wrong."""
        self.message(f"dimmscope: {text}")

    def json(self, value: Any, target: str) -> None:
        """A value as JSON, to a file or (``-``) to stdout.

        Raises:
            DataFileError: if the file cannot be written.
        """
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        if target == "-":
            self._out.write(text)
            return
        from simcore.results.files import replacing

        if not Path(target).name:
            raise DataFileError(f"cannot write {target!r}: give a file name, or - for stdout")
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Aligned columns; numbers to the right."""
        for line in table_lines(header, rows):
            self.out(line)

    def progress(
        self, title: str, unit: str = "steps", *, left: bool = False
    ) -> Callable[[int, int], None] | None:
        """A progress bar to call with (done, total); None when stderr is not a terminal.

        With `left`, it says how long the rest will take at the rate so far.
        """
        if not self._err.isatty():
            return None
        begin = last = time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if done < total and now - last < 0.1:
                return
            last = now
            filled = 24 * done // max(1, total)
            rate = done / max(1e-9, now - begin)
            rest = f", {duration((total - done) / rate)} left" if left and done else ""
            self._bar = True
            self._err.write(
                f"\r\x1b[K{printable(title)[:36]} [{'#' * filled}{'.' * (24 - filled)}] "
                f"{done}/{total} {unit}, {rate:.{0 if rate >= 10 else 1}f}/s{rest}"
            )
            self._err.flush()
            if done >= total:
                self.end_progress()

        return show

    def end_progress(self) -> None:
        """Clear the progress bar, if one is shown."""
        if self._bar:
            self._bar = False
            self._err.write("\r\x1b[K")
            self._err.flush()

    def flush(self) -> None:
        """Push everything out; errors of the receiving side surface here."""
        self._out.flush()
        self._err.flush()


def table_lines(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A table as lines of text."""
    texts = [[printable(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    widths = [
        max(len(title), *(len(row[at]) for row in texts)) if texts else len(title)
        for at, title in enumerate(header)
    ]
    right = [
        bool(texts) and all(_numeric(row[at]) for row in texts) and any(row[at] for row in texts)
        for at in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(cells, widths, right, strict=True)
        ).rstrip()

    out = [line(header), line(["-" * width for width in widths])] if any(header) else []
    return [*out, *(line(row) for row in texts)]


def _numeric(text: str) -> bool:
    return not text or text == "-" or text.lstrip("+-").replace(".", "", 1)[:1].isdigit()


def duration(seconds: float) -> str:
    """A length of time as a clock shows it: ``0:07``, ``1:02:00``."""
    whole = round(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def amount(value: float, unit: str) -> str:
    """A number with the decimal prefix that suits it, such as ``1.2 GB``."""
    from simcore.units import rounded  # brings numpy, which a command may need later or never

    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{rounded(value / size, 4)} {prefix}{unit}"
    return f"{value:.4g} {unit}"
