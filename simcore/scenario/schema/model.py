"""Shape of a language model, and what is published about its activations."""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.scenario.fields import knob

_HERMES = "Hermes, arXiv 2502.16963"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationStats:
    """Published activation statistics of a model, used by the statistical source."""

    mlp_density: float = knob(
        0.10,
        gt=0,
        le=1,
        step=0.01,
        help="Share of MLP neurons active for one token.",
        cls="calibrated",
        source="no published figure for this model",
    )
    qkv_density: float = knob(
        0.26,
        gt=0,
        le=1,
        step=0.01,
        help="Share of QKV input channels active for one token.",
        cls="calibrated",
        source="Hermes at batch 1 on OPT-13B, OPT-66B, LLaMA2-13B and LLaMA2-70B, one value for "
        "all; inside the 10-30 % the paper quotes from prior work",
    )
    block_share_for_80pct: float = knob(
        0.35,
        gt=0.01,
        le=0.8,
        step=0.01,
        help="Share of one block's neurons that makes 80 % of its activations.",
        cls="calibrated",
        source="no published figure for this model",
    )
    model_share_for_80pct: float = knob(
        0.22,
        gt=0.01,
        le=0.8,
        step=0.01,
        help="The same over all layers together; below the block figure, layers differ in density.",
        cls="calibrated",
        source="no published figure for this model",
    )
    qkv_share_for_80pct: float = knob(
        0.75,
        gt=0.01,
        le=0.8,
        step=0.01,
        help="Share of the QKV inputs that makes 80 % of their activations; 0.8 means all alike.",
        cls="calibrated",
        source="tuned together with qkv_density, on the same speeds",
    )
    dead_share_max: float = knob(
        0.0,
        ge=0,
        le=0.95,
        step=0.05,
        help="Share of MLP neurons of the first layer that never fire; none from the middle on.",
        cls="calibrated",
        source="no published figure for this model",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Shape of a decoder-only transformer."""

    preset: str = ""
    title: str = "model"
    family: str = ""
    layers: int = knob(ge=1, le=1000, step=1, help="Transformer layers.")
    hidden: int = knob(ge=1, le=1_000_000, step=128, help="Width of the residual stream.")
    heads: int = knob(ge=1, le=10_000, step=1, help="Query heads.")
    kv_heads: int = knob(ge=1, le=10_000, step=1, help="Key/value heads.")
    head_dim: int = knob(ge=1, le=10_000, step=16, help="Width of one head.")
    ffn: int = knob(
        ge=1, le=10_000_000, step=128, help="Neurons of one MLP block, or of one expert."
    )
    ffn_matrices: int = knob(ge=2, le=3, step=1, help="Matrices of one MLP block (3 when gated).")
    experts: int = knob(
        1,
        ge=1,
        le=4096,
        step=1,
        help="Expert MLPs of a layer, each of the given width; 1 is a dense model.",
        cls="derived",
        source="one MLP that every token uses: a dense model",
    )
    experts_per_token: int = knob(
        1,
        ge=1,
        le=4096,
        step=1,
        help="Experts the router picks for each token; which ones is modelled as uniform and "
        "independent.",
        cls="derived",
        source="one MLP that every token uses: a dense model",
    )
    activation: str = knob(
        "relu",
        choices=("relu", "gelu", "silu", "drelu"),
        live=False,
        help="Activation function of the MLP.",
    )
    vocab: int = knob(ge=1, le=10_000_000, step=1000, help="Vocabulary size.")
    tied_embeddings: bool = knob(False, live=False, help="Whether input and output tables are one.")
    bytes_per_weight: int = knob(
        2,
        unit="B",
        ge=1,
        le=8,
        step=1,
        help="Bytes of one weight.",
        cls="paper",
        source=f"{_HERMES}: FP16 units",
    )
    bytes_per_kv: int = knob(
        2,
        unit="B",
        ge=1,
        le=8,
        step=1,
        help="Bytes of one KV element.",
        cls="paper",
        source=f"{_HERMES}: FP16 units",
    )
    stats: ActivationStats = field(default_factory=ActivationStats)
