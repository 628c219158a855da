"""A batch whose requests end at random and are replaced."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_H2M2 = "H2M2, arXiv 2504.14893"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnoverWorkload:
    """`kind: turnover`: sequences of different lengths that end at random and are replaced."""

    kind: str = "turnover"
    batch: int = knob(
        32,
        ge=1,
        le=1024,
        step=1,
        help="Sequences decoded together.",
        cls="paper",
        source=f"{_H2M2}, dynamic lengths: GPT3-175B with a batch of 32",
    )
    prompt_tokens: int = knob(
        256,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Shortest context a request starts with.",
        cls="paper",
        source=f"{_H2M2}, shortest sequences of GPT3-175B",
    )
    longest_prompt_tokens: int = knob(
        1792,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Longest context a request starts with; lengths between the two are equally likely.",
        cls="calibrated",
        source="distribution not stated; leaves room to grow to 2048 tokens in 256 steps",
    )
    output_tokens: int = knob(
        128,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Decode iterations simulated.",
        cls="paper",
        source=f"{_H2M2}, dynamic lengths: 128 iterations",
    )
    max_tokens: int = knob(
        2048,
        unit="tokens",
        ge=1,
        le=10_000_000,
        step=32,
        help="A request that reaches this length ends.",
        cls="paper",
        source=f"{_H2M2}, longest sequences of GPT3-175B",
    )
    end_probability: float = knob(
        0.01,
        ge=0,
        le=1,
        step=0.005,
        help="Chance of each request to end after an iteration.",
        cls="calibrated",
        source="rate of the random early termination not stated; a request lasts 100 iterations",
    )
