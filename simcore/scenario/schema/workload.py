"""What is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcore.scenario.fields import knob
from simcore.scenario.schema.serving import ServingWorkload
from simcore.scenario.schema.turnover import TurnoverWorkload
from simcore.scenario.schema.uneven import UnevenWorkload

_HERMES = "Hermes, arXiv 2502.16963"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWorkload:
    """`kind: fixed`: a batch of equal sequences."""

    kind: str = "fixed"
    batch: int = knob(
        1,
        ge=1,
        le=1024,
        step=1,
        help="Sequences decoded together.",
        cls="paper",
        source=f"{_HERMES}, V-A: batch 1 to 16",
    )
    prompt_tokens: int = knob(
        128,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Length of each prompt.",
        cls="paper",
        source=f"{_HERMES}, V-A",
    )
    output_tokens: int = knob(
        128,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=32,
        help="Tokens generated for each sequence.",
        cls="paper",
        source=f"{_HERMES}, V-A",
    )


WORKLOADS: Mapping[str, type[Any]] = {
    "fixed": FixedWorkload,
    "turnover": TurnoverWorkload,
    "serving": ServingWorkload,
    "uneven": UnevenWorkload,
}
"""`workload.kind` to its dataclass."""
