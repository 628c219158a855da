"""Length histograms: the distribution of prompt and output lengths as published, bin by bin."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simcore.errors import DataFileError
from simcore.workload.files import data_file

Int = NDArray[np.int64]
Float = NDArray[np.float64]

_SYNONYMS = {"input_tokens": "prompt_tokens"}
_FIELDS = ("prompt_tokens", "output_tokens")
_COLUMNS = ("field", "bin_low", "bin_high", "probability")
_STEEPEST = 50.0
"""Tilt at which a bin is all at one end (e^-50 of the rest)."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Lengths in bins of whole numbers, each with a probability and a mean.

    Attributes:
        low: first length of each bin, (bins,).
        width: number of lengths in each, (bins,), at least 1.
        probability: (bins,), sums to 1.
        tilt: how fast probability grows from one length of a bin to the next, as the exponent:
            the distribution of largest entropy that has the bin's mean, (bins,). 0 is even.
    """

    low: Int
    width: Int
    probability: Float
    tilt: Float

    def draw(self, random: np.random.Generator, count: int) -> Int:
        """Lengths drawn from the histogram, (count,), at least 1."""
        cumulated = np.cumsum(self.probability)
        which = np.searchsorted(cumulated / cumulated[-1], random.random(count), side="right")
        return np.maximum(1, self.low[which] + self._inside(which, random.random(count)))

    def _inside(self, which: NDArray[np.intp], share: Float) -> Int:
        """The length within its bin that has a share of the bin's probability below it."""
        width, tilt = self.width[which], self.tilt[which]
        even = np.abs(tilt) * width < 1e-9
        steep = np.where(even, 1.0, tilt)
        # The larger of the two exponentials is factored out, so that none overflows.
        down = -np.abs(steep)
        from_top = np.log1p(share * np.expm1(down * width)) / down
        tilted = np.where(steep < 0, from_top, width - from_top)
        offset = np.floor(np.where(even, share * width, tilted))
        return np.clip(offset, 0, width - 1).astype(np.int64)

    @property
    def mean(self) -> float:
        """Mean length in tokens."""
        return float((self.probability * (self.low + mean_offset(self.width, self.tilt))).sum())


def mean_offset(width: Int, tilt: Float) -> Float:
    """Mean of 0 … width - 1 where probability grows by e^tilt from one to the next, (bins,)."""
    size = width.astype(np.float64)
    even = np.abs(tilt) * size < 1e-6
    steep = np.where(even, 1.0, tilt)
    down = -np.abs(steep)
    # Both terms of the truncated geometric distribution, for a falling one; a rising one mirrors.
    falling = np.exp(down) / -np.expm1(down) - size * np.exp(down * size) / -np.expm1(down * size)
    mean = np.where(steep < 0, falling, size - 1 - falling)
    return np.where(even, (size - 1) / 2 + tilt * (size * size - 1) / 12, mean)


def tilt_for(width: Int, offset: Float) -> Float:
    """The tilt that gives each bin its mean offset, (bins,); by bisection, as the mean rises."""
    low, high = np.full(len(width), -_STEEPEST), np.full(len(width), _STEEPEST)
    for _ in range(64):
        middle = (low + high) / 2
        rises = mean_offset(width, middle) < offset
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    tilt = (low + high) / 2
    return np.where((width == 1) | (np.abs(offset - (width - 1) / 2) < 1e-9), 0.0, tilt)


def read_histograms(name: str) -> tuple[Histogram, Histogram]:
    """Prompt and output lengths of a histogram file: a name in `assets/traces`, or a path.

    The file has a row a bin: `field` (`prompt_tokens` or `output_tokens`), `bin_low` and
    `bin_high` (the bin holds the lengths from the first to below the second), `probability` (or
    any count: a field's bins are scaled to one), and optionally `mean_in_bin`.

    Raises:
        DataFileError: if the file is missing, too large, or not such a table.
    """
    path, stamp = data_file(name, "workload.histogram")
    return _read(path, stamp)


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> tuple[Histogram, Histogram]:
    del stamp  # part of the cache key: an edited file is read again
    bins: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in _FIELDS}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            for name in _COLUMNS:
                if name not in (table.fieldnames or ()):
                    raise DataFileError(
                        f"{path}: no column {name}; a histogram has the columns "
                        f"{', '.join(_COLUMNS)} and, if known, mean_in_bin"
                    )
            models = set()
            for row in table:
                field = _SYNONYMS.get(row["field"], row["field"])
                if field not in bins:
                    continue
                models.add(row.get("model") or "")
                low, high = float(row["bin_low"]), float(row["bin_high"])
                mean = row.get("mean_in_bin")
                bins[field].append(
                    (
                        low,
                        high,
                        float(row["probability"]),
                        float(mean) if mean else (low + high - 1) / 2,
                    )
                )
    except (OSError, UnicodeError, csv.Error, ValueError, TypeError) as error:
        raise DataFileError(f"{path}: not a table of bins: {error}") from error
    if len(models) > 1:
        raise DataFileError(
            f"{path}: bins of {len(models)} models ({', '.join(sorted(models)[:5])}); keep the "
            "rows of one"
        )
    prompt, output = (_histogram(path, name, bins[name]) for name in _FIELDS)
    return prompt, output


def _histogram(
    path: Path, field: str, rows: Sequence[tuple[float, float, float, float]]
) -> Histogram:
    if not rows:
        raise DataFileError(f"{path}: no bin whose field is {field}")
    values = np.array(rows)
    low, high, probability, mean = values.T
    whole = (low == np.rint(low)) & (high == np.rint(high))
    checks = (
        (np.isfinite(values).all(axis=1), "not a finite number"),
        (whole & (low >= 0) & (high <= 1e8), "bounds must be whole numbers from 0 to 1e8"),
        (high > low, "bin_high must be above bin_low"),
        (probability >= 0, "probability must not be negative"),
        ((mean >= low) & (mean <= high - 1), "mean_in_bin must lie from bin_low to bin_high - 1"),
    )
    for fine, problem in checks:
        if not fine.all():
            number = int(np.argmin(fine))
            raise DataFileError(f"{path}: {field}, bin {number + 1}: {problem}")
    if probability.sum() <= 0:
        raise DataFileError(f"{path}: {field}: all probabilities are 0")
    width = (high - low).astype(np.int64)
    return Histogram(
        low.astype(np.int64),
        width,
        probability / probability.sum(),
        tilt_for(width, mean - low),
    )
