"""Where neuron activity comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcore.scenario.fields import knob


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticalActivations:
    """`source: statistical`: neurons drawn from published statistics (see the generator's doc)."""

    source: str = "statistical"
    adjacent_correlation: float = knob(
        0.63,
        ge=0,
        le=0.999,
        step=0.01,
        help="Lag-1 correlation of one neuron's firing; sets the similarity of adjacent tokens.",
        cls="calibrated",
        source="over 90 % bit agreement of adjacent tokens (Hermes, III-B), on that target",
    )
    coupling: float = knob(
        0.9,
        ge=0,
        le=1,
        step=0.05,
        help="Share of neurons that fire together with their parents in the layer before.",
        cls="calibrated",
        source="predictor accuracy of 98 % (Hermes, IV-C1), on that target",
    )
    sequence_correlation: float = knob(
        0.0,
        ge=0,
        le=1,
        step=0.05,
        help="Share of neurons that fire together in all sequences of a batch.",
        cls="calibrated",
        source="no published figure; 0 takes the sequences of a batch as unrelated",
    )
    drift_per_token: float = knob(
        0.0065,
        ge=0,
        le=0.5,
        step=0.001,
        help="Share of neurons that trade places in the hotness order at each token.",
        cls="calibrated",
        source="with prompt_shift: 52 % of initially hot neurons vary in inference (Hermes, III-B)",
    )
    prompt_shift: float = knob(
        0.70,
        ge=0,
        le=1,
        step=0.01,
        help="Share of neurons whose hotness in a prompt differs from the offline profile; drawn "
        "for each sequence of a batch.",
        cls="calibrated",
        source="what a fixed partition loses (Hermes, III-B), LLaMA2-70B at batch 4 and "
        "Hermes-host over batches; far above the 10 % of PowerInfer, SOSP 2024, 3.1",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedActivations:
    """`source: recorded`: masks measured on a real model."""

    source: str = "recorded"
    file: str = knob(
        "relu_adamw_l1.npz",
        live=False,
        help="npz file of masks: a name in assets/activations or a path.",
    )
    sequence: int = knob(0, ge=0, le=1_000_000, step=1, help="First recorded sequence to replay.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveActivations:
    """`source: live`: a small language model writes, and its neurons fire, during the run."""

    source: str = "live"
    prompt: str = knob(
        "It was a bright morning, and the old captain walked down to the sea to",
        help="Text the model reads before it writes; any text, at most 1000 signs.",
    )
    temperature: float = knob(
        0.8,
        ge=0,
        le=5,
        step=0.1,
        help="How freely tokens are chosen; 0 always takes the likeliest (all sequences alike).",
        cls="user",
        source="as the generated sequences of assets/activations/relu_adamw_l1.npz",
    )
    text_file: str = knob(
        "",
        live=False,
        help="Text file (UTF-8) to read token by token instead of writing; empty: the model "
        "writes.",
    )
    scale_to: str = knob(
        "none",
        choices=("none", "model"),
        live=False,
        help="model: tile the small network's activity to the size and density of the scenario's "
        "model, a stand-in, not a measurement of it.",
    )


ACTIVATIONS: Mapping[str, type[Any]] = {
    "statistical": StatisticalActivations,
    "recorded": RecordedActivations,
    "live": LiveActivations,
}
"""`activations.source` to its dataclass."""
