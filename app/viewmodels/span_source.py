"""Derived spans of the steps in sight, a few at a time so that no frame gets long."""

from __future__ import annotations

import time

from simcore.results.run import Run
from simcore.results.spans import Spans


class SpanSource:
    """Spans of the visible steps of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ready: dict[int, Spans] = {}

    def missing(self, steps: list[int]) -> list[int]:
        """Those of `steps` that `get` would have to derive, or to ask the run for."""
        return [step for step in steps if step not in self._ready]

    def derive(self, step: int) -> None:
        """Derive one step."""
        self._ready[step] = self._run.spans(step)

    def get(
        self, steps: list[int], budget_s: float, *, derive: bool = True
    ) -> tuple[dict[int, Spans], bool]:
        """Spans of `steps` as far as they could be derived in time, and whether that is all.

        At least one missing step is derived at every call. Without `derive`, what somebody else
        has derived is all there is to be had.
        """
        self._ready = {step: spans for step, spans in self._ready.items() if step in steps}
        if not derive:
            for step in steps:
                if step not in self._ready and self._run.has_spans(step):
                    self._ready[step] = self._run.spans(step)
            return self._ready, True
        begin = time.perf_counter()
        for step in steps:
            if step in self._ready:
                continue
            self._ready[step] = self._run.spans(step)
            if time.perf_counter() - begin > budget_s:
                break
        return self._ready, len(self._ready) == len(steps)
