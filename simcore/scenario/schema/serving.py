"""Requests that come, are decoded together and go: a serving workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcore.scenario.fields import knob

_L3 = "L3 (CHIME), arXiv 2504.17584 v2"


@dataclass(frozen=True, slots=True)
class LengthStatistics:
    """Mean and standard deviation of prompt and output lengths in tokens."""

    title: str
    prompt_mean: float
    prompt_std: float
    output_mean: float
    output_std: float


LENGTHS: Mapping[str, LengthStatistics] = {
    "openr1-math-220k": LengthStatistics("OpenR1-Math-220k", 96.0, 75.1, 12684.1, 8464.6),
    "dolphin-r1": LengthStatistics("Dolphin-r1", 201.9, 563.0, 3926.2, 4216.0),
    "openthoughts-114k-math": LengthStatistics(
        "OpenThoughts-114k-math", 89.4, 66.7, 6366.7, 4662.9
    ),
    "dolphin-short": LengthStatistics("Dolphin-short", 20.19, 56.3, 392.62, 421.6),
}
"""Published length statistics (paper: L3, Table III; Dolphin-short: Dolphin-r1 cut to a tenth)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingWorkload:
    """`kind: serving`: many requests: drawn from statistics or a histogram, or from a trace."""

    kind: str = "serving"
    source: str = knob(
        "lengths",
        choices=("lengths", "histogram", "trace"),
        help="Whether lengths are drawn from statistics, drawn from a histogram, or read from "
        "a trace file.",
    )
    requests: int = knob(
        128,
        ge=1,
        le=1_000_000,
        step=16,
        help="Number of requests, dealt over the replicas of the model.",
    )
    lengths: str = knob(
        "openr1-math-220k",
        choices=(*LENGTHS, "custom"),
        help="Published statistics to draw from; custom takes the four values below.",
        cls="paper",
        source=f"{_L3}, Table III",
    )
    distribution: str = knob(
        "gamma",
        choices=("gamma", "lognormal"),
        help="Shape of the length distribution with that mean and standard deviation.",
        cls="derived",
        source="the paper prints mean and standard deviation only; ratios of throughput differ "
        "by less than 3 % between the two shapes",
    )
    prompt_mean: float = knob(
        512.0, unit="tokens", gt=0, le=1e6, step=64, help="Mean prompt length (custom)."
    )
    prompt_std: float = knob(
        256.0, unit="tokens", ge=0, le=1e6, step=64, help="Its standard deviation (custom)."
    )
    output_mean: float = knob(
        512.0, unit="tokens", gt=0, le=1e6, step=64, help="Mean output length (custom)."
    )
    output_std: float = knob(
        256.0, unit="tokens", ge=0, le=1e6, step=64, help="Its standard deviation (custom)."
    )
    max_tokens: int = knob(
        32768,
        unit="tokens",
        ge=1,
        le=10_000_000,
        step=1024,
        help="Longest output; a longer one is cut.",
        cls="public",
        source="generation limit of DeepSeek-R1, which wrote the answers of these data sets",
    )
    histogram: str = knob(
        "servegen_deepseek_r1.csv",
        live=False,
        help="CSV file with a row a bin of lengths: a name in assets/traces or a path.",
    )
    trace: str = knob(
        "azure_llm_2023_conv.csv",
        live=False,
        help="CSV file of requests: a name in assets/traces or a path.",
    )
    first: int = knob(
        0, ge=0, le=10_000_000, step=100, help="First request of the trace to replay."
    )
    arrivals: str = knob(
        "offline",
        choices=("offline", "trace", "poisson"),
        help="All there at the start, at the times of the trace, or at random times.",
        cls="paper",
        source=f"{_L3}, VII-A: no arrivals, every request is there at the start",
    )
    rate_per_s: float = knob(
        1.0,
        unit="1/s",
        gt=0,
        le=1e6,
        step=0.5,
        help="Mean rate of random arrivals at the whole machine.",
    )
