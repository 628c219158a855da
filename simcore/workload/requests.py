"""The requests of a run: drawn from statistics or a histogram, read from a trace, or all alike."""

from __future__ import annotations

import csv
from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simcore.errors import DataFileError
from simcore.scenario.schema import FixedWorkload, Scenario, ServingWorkload
from simcore.scenario.schema.serving import LENGTHS, LengthStatistics
from simcore.units import PS_PER_S
from simcore.workload.files import data_file
from simcore.workload.histogram import read_histograms

Int = NDArray[np.int64]

MAX_REQUESTS = 1_000_000
"""Most requests of a trace."""
_LONGEST_S = 8e6  # what picoseconds can count, with room for the last request
_PROMPT, _OUTPUT, _ARRIVAL = "prompt_tokens", "output_tokens", "arrival_s"


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests in order of arrival.

    Attributes:
        arrival_ps: when each comes, (n,).
        prompt, output: tokens, (n,), at least 1.
    """

    arrival_ps: Int
    prompt: Int
    output: Int

    def __len__(self) -> int:
        return len(self.prompt)

    def of_replica(self, replicas: int) -> Requests:
        """The requests of the first of several replicas they are dealt over in turn."""
        count = len(self) // replicas * replicas
        return Requests(
            self.arrival_ps[:count:replicas],
            self.prompt[:count:replicas],
            self.output[:count:replicas],
        )

    def steady_context(self) -> float:
        """Mean context of a running request: the mean over all tokens decoded."""
        output = self.output.astype(np.float64)
        return float((output * (self.prompt + output / 2)).sum() / output.sum())


def make_requests(scenario: Scenario) -> Requests:
    """The requests of a scenario; the same scenario and seed give the same ones.

    Raises:
        DataFileError: if a trace or a histogram cannot be used.
    """
    workload = scenario.workload
    if isinstance(workload, FixedWorkload):
        count = workload.batch
        return Requests(
            np.zeros(count, np.int64),
            np.full(count, workload.prompt_tokens, np.int64),
            np.full(count, workload.output_tokens, np.int64),
        )
    lengths, times = (
        np.random.default_rng(child) for child in np.random.SeedSequence(scenario.seed).spawn(2)
    )
    if workload.source == "trace":
        arrival, prompt, output = read_trace(workload.trace)
        window = slice(workload.first, workload.first + workload.requests)
        arrival, prompt, output = arrival[window], prompt[window], output[window]
        if not len(prompt):
            raise DataFileError(
                f"{workload.trace}: no request from number {workload.first} on; lower "
                "workload.first"
            )
    elif workload.source == "histogram":
        prompts, outputs = read_histograms(workload.histogram)
        # Published as tables of their own, so they are drawn independently of each other.
        prompt = prompts.draw(lengths, workload.requests)
        output = outputs.draw(lengths, workload.requests)
        arrival = np.full(workload.requests, np.nan)
    else:
        statistics = statistics_of(workload)
        count = workload.requests
        prompt = draw(
            lengths, count, statistics.prompt_mean, statistics.prompt_std, workload.distribution
        )
        output = draw(
            lengths, count, statistics.output_mean, statistics.output_std, workload.distribution
        )
        arrival = np.full(count, np.nan)
    output = np.clip(output, 1, workload.max_tokens)
    return Requests(_arrivals(workload, arrival, times), np.maximum(1, prompt), output)


def statistics_of(workload: ServingWorkload) -> LengthStatistics:
    """The statistics the lengths are drawn from."""
    if workload.lengths != "custom":
        return LENGTHS[workload.lengths]
    return LengthStatistics(
        "custom",
        workload.prompt_mean,
        workload.prompt_std,
        workload.output_mean,
        workload.output_std,
    )


def draw(
    random: np.random.Generator, count: int, mean: float, std: float, distribution: str
) -> Int:
    """Whole numbers above zero with a mean and a standard deviation, (count,)."""
    if std <= 0:
        return np.full(count, max(1, round(mean)), np.int64)
    ratio = (std / mean) ** 2
    if distribution == "gamma":
        values = random.gamma(1 / ratio, mean * ratio, count)
    else:
        sigma = np.log1p(ratio)
        values = random.lognormal(np.log(mean) - sigma / 2, np.sqrt(sigma), count)
    return np.maximum(1, np.rint(values)).astype(np.int64)


def _arrivals(
    workload: ServingWorkload, given_s: NDArray[np.float64], random: np.random.Generator
) -> Int:
    count = len(given_s)
    if workload.arrivals == "offline":
        return np.zeros(count, np.int64)
    if workload.arrivals == "poisson":
        gaps = random.exponential(1 / workload.rate_per_s, count)
        return np.rint((np.cumsum(gaps) - gaps[0]) * PS_PER_S).astype(np.int64)
    if np.isnan(given_s).any():
        raise DataFileError(
            "workload.arrivals: trace needs requests with arrival times; use "
            "workload.source: trace with a file that has arrival_s, or another kind of arrivals"
        )
    return np.rint((given_s - given_s[0]) * PS_PER_S).astype(np.int64)


def read_trace(name: str) -> tuple[NDArray[np.float64], Int, Int]:
    """Arrival times (NaN where there are none), prompt and output lengths of a trace.

    Raises:
        DataFileError: if the file is missing, too large, or not such a table.
    """
    path, stamp = data_file(name, "workload.trace")
    return _read(path, stamp)


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> tuple[NDArray[np.float64], Int, Int]:
    del stamp  # part of the cache key: an edited file is read again
    rows = array("d")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            for name in (_PROMPT, _OUTPUT):
                if name not in (table.fieldnames or ()):
                    raise DataFileError(f"{path}: no column {name}")
            for row in table:
                rows.append(float(row.get(_ARRIVAL) or "nan"))
                rows.append(float(row[_PROMPT]))
                rows.append(float(row[_OUTPUT]))
                if len(rows) > 3 * MAX_REQUESTS:
                    raise DataFileError(
                        f"{path}: more than {MAX_REQUESTS:,} requests; keep the part you need"
                    )
    except (OSError, UnicodeError, csv.Error, ValueError, TypeError) as error:
        raise DataFileError(f"{path}: not a table of requests: {error}") from error
    if not rows:
        raise DataFileError(f"{path}: no request in it")
    values = np.array(rows).reshape(-1, 3)
    if not (np.isfinite(values[:, 1:]).all() and (values[:, 1:] >= 0).all()):
        raise DataFileError(f"{path}: lengths must be numbers from 0 on")
    times = values[~np.isnan(values[:, 0]), 0]
    if len(times) and not times.max() - times.min() <= _LONGEST_S:
        raise DataFileError(f"{path}: {_ARRIVAL} must be numbers at most {_LONGEST_S:,.0f} s apart")
    values[:, 1:] = np.minimum(values[:, 1:], 1e8)
    if not np.isnan(values[:, 0]).any():
        values = values[np.argsort(values[:, 0], kind="stable")]
    lengths = np.maximum(1, values[:, 1:]).astype(np.int64)
    return values[:, 0], lengths[:, 0], lengths[:, 1]
