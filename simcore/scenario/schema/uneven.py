"""A batch of requests with prompts of different lengths."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_CODE = "HybridServe's code offers random lengths beside equal ones; range not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnevenWorkload:
    """`kind: uneven`: requests with prompts of random length, all of which end together."""

    kind: str = "uneven"
    batch: int = knob(
        128,
        ge=1,
        le=1024,
        step=1,
        help="Requests decoded together.",
        cls="paper",
        source="HybridServe, arXiv 2501.01792: batch 128",
    )
    prompt_tokens: int = knob(
        128,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Shortest prompt.",
        cls="derived",
        source=_CODE,
    )
    longest_prompt_tokens: int = knob(
        1920,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Longest prompt; lengths between the two are equally likely.",
        cls="derived",
        source=f"{_CODE}; OPT has 2048 positions",
    )
    output_tokens: int = knob(
        128,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Tokens generated for each request.",
        cls="paper",
        source="HybridServe, arXiv 2501.01792: 128 output tokens",
    )
