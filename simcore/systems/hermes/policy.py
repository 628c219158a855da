"""The knobs of Hermes: what the paper fixes, and the readings it leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_PAPER = "Hermes, arXiv 2502.16963"


@dataclass(frozen=True, slots=True, kw_only=True)
class HermesPolicy:
    """Placement, prediction and migration policies."""

    partition: str = knob(
        "greedy",
        choices=("greedy", "ilp", "random", "oracle"),
        help="Hottest neurons to the GPU offline; the same by the paper's integer program (seconds "
        "of solving, kept for the next time); neurons at random; or for every token anew the best "
        "share of just the neurons it needs, moved for nothing.",
        cls="derived",
        source=f"{_PAPER}, IV-B; the greedy solution is within 0.2 % of the integer program's",
    )
    predictor: str = knob(
        "both",
        choices=("both", "token", "layer"),
        help="Halves of the predictor in use: neuron state (token), correlated parents (layer).",
        cls="paper",
        source=f"{_PAPER}, IV-C1 and V-C",
    )
    state_up: int = knob(
        4,
        ge=1,
        le=15,
        step=1,
        help="State added when a neuron fires (s).",
        cls="paper",
        source=f"{_PAPER}, IV-C1",
    )
    parent_weight: int = knob(
        6,
        ge=0,
        le=30,
        step=1,
        help="Weight of one active parent (lambda).",
        cls="paper",
        source=f"{_PAPER}, IV-C1",
    )
    threshold: int = knob(
        15,
        ge=0,
        le=60,
        step=1,
        help="Prediction threshold (T).",
        cls="paper",
        source=f"{_PAPER}, IV-C1",
    )
    compare: str = knob(
        "gt",
        choices=("gt", "ge"),
        help="Whether the prediction sum must exceed the threshold or may equal it.",
        cls="paper",
        source=f"{_PAPER}, IV-C1 prints '>'; with it, state alone never predicts",
    )
    hot_threshold: int = knob(
        10,
        ge=0,
        le=14,
        step=1,
        help="A neuron is hot above this state (T_h).",
        cls="paper",
        source=f"{_PAPER}, IV-C2",
    )
    online_adjustment: bool = knob(
        True,
        help="Copy newly hot neurons to the GPU while it computes the projection.",
        cls="paper",
        source=f"{_PAPER}, IV-C2",
    )
    window_remap: bool = knob(
        True,
        help="Rebalance cold neurons between DIMMs after every window.",
        cls="paper",
        source=f"{_PAPER}, IV-D",
    )
    window_tokens: int = knob(
        5,
        unit="tokens",
        ge=1,
        le=7,
        step=1,
        help="Length of the remapping window.",
        cls="paper",
        source=f"{_PAPER}, IV-D",
    )
    remap_rule: str = knob(
        "corrected",
        choices=("corrected", "printed"),
        help="Algorithm 1 with its loop test as meant, or as printed (inverted).",
        cls="derived",
        source=f"{_PAPER}, Algorithm 1; the printed test never moves anything",
    )
    hot_load: str = knob(
        "kept",
        choices=("kept", "after"),
        help="Hot neurons stay on the GPU as prefill streams them past, or are loaded again after.",
        cls="calibrated",
        source="prompt share of 33 % at batch 1 (Hermes, Fig. 12); the text can be read either way",
    )
    gpu_hot_GB: float | None = knob(
        None,
        unit="GB",
        ge=0,
        le=10_000,
        step=0.5,
        optional=True,
        help="GPU memory for hot neurons; automatic: all that other weights and the reserve leave.",
        cls="derived",
        source="capacity minus projection weights, embeddings and reserve",
    )
