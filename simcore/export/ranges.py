"""Ranges of steps as users write them: ``A:B``, open at either side."""

from __future__ import annotations

import re

from simcore.errors import UserError
from simcore.results.run import Run

_RANGE = re.compile(r"(\d{1,12})?:(\d{1,12})?")


def parse_range(text: str) -> tuple[int | None, int | None]:
    """``"10:20"`` as (10, 20); ``"7"`` as the one step (7, 8); either side of the colon may lack.

    Raises:
        UserError: if the text is no range.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text), int(text) + 1
    match = _RANGE.fullmatch(text)
    if not match:
        raise UserError(
            f"{text!r} is not a range of steps; write A:B (B is left out), such as 10:20, or A"
        )
    start, stop = (int(part) if part else None for part in match.groups())
    if start is not None and stop is not None and stop <= start:
        raise UserError(f"the range {text} is empty; the second number must be larger")
    return start, stop


def step_range(run: Run, start: int | None, stop: int | None) -> tuple[int, int]:
    """The steps start..stop as they exist in the run.

    Raises:
        UserError: if the range begins after the last step.
    """
    length = len(run)
    first = 0 if start is None else start
    last = length if stop is None else min(stop, length)
    if first and first >= length:
        raise UserError(f"step {first} does not exist; the run has steps 0 to {length - 1}")
    return first, max(first, last)
