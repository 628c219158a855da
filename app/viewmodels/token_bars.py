"""Steps of a run as bars of the token slider: as many as there are pixels, the longest of each."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run

_ROOM = 1.15
"""Height of the slider over that of the longest decode step."""
_LEAST = 0.04
"""Share of the height that any step has, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Where the bars are, in pixels from the left and up from the bottom."""

    left: NDArray[np.float64]
    height: NDArray[np.float64]
    prefill: NDArray[np.bool_]
    width: float


class TokenBars:
    """Keeps what was read of a run while it grows: each step is read once."""

    def __init__(self) -> None:
        self._run: weakref.ref[Run] | None = None
        self._forget()
        self._key: tuple[float, ...] = ()
        self._bars: Bars | None = None

    def of(self, run: Run, length: int, total: int, width: float, height: float) -> Bars:
        """Bars of the first steps.

        Args:
            run: the run.
            length: steps there are, at least one.
            total: steps there will be.
            width, height: pixels of the slider.
        """
        if self._run is None or self._run() is not run or length < len(self._duration):
            self._run = weakref.ref(run)
            self._forget()
        key = (length, total, width, height)
        if key != self._key or self._bars is None:
            self._read(run, length)
            self._key, self._bars = key, self._made(length, total, width, height)
        return self._bars

    def _forget(self) -> None:
        self._duration, self._prefill = np.zeros(0), np.zeros(0, bool)
        self._longest = self._longest_decode = 0.0
        self._key, self._bars = (), None

    def _read(self, run: Run, length: int) -> None:
        first = len(self._duration)
        if first == length:
            return
        duration = run.column("duration_ps", first, length).astype(np.float64)
        prefill = run.column("kind", first, length) == KIND_PREFILL
        self._longest = max(self._longest, float(duration.max()))
        decode = duration[~prefill].max(initial=0.0)
        self._longest_decode = max(self._longest_decode, float(decode))
        self._duration = np.concatenate([self._duration, duration])
        self._prefill = np.concatenate([self._prefill, prefill])

    def _made(self, length: int, total: int, width: float, height: float) -> Bars:
        duration, prefill = self._duration, self._prefill
        decodes = not prefill.all()
        top = self._longest_decode * _ROOM if decodes else self._longest
        columns = int(max(1, min(total, width)))
        if total > columns:
            cuts = np.unique(np.arange(columns) * total // columns)
            cuts = cuts[cuts < length]
            duration = np.maximum.reduceat(duration, cuts)
            prefill = np.maximum.reduceat(prefill, cuts)
            left = cuts / total * width
        else:
            left = np.arange(length) / total * width
        each = width / columns
        return Bars(
            left,
            np.clip(duration / top, _LEAST, 1.0) * (height - 1),
            prefill,
            each - (1.0 if each >= 4 else 0.0),
        )
