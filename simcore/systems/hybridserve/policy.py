"""Knobs of HybridServe and of what it is compared with, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_PAPER = "HybridServe, arXiv 2501.01792"
_ACT_TARGET = "HybridServe over its ACT-only cache, 1.35"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPolicy:
    """What all systems that bring weights or caches from host memory have."""

    gemm_share: float = knob(
        0.425,
        gt=0,
        le=1,
        step=0.01,
        help="Share of the GPU's FP16 peak that matrix products reach.",
        cls="calibrated",
        source=f"{_ACT_TARGET}: 140 TFLOPS of an RTX 4090, 85 % of its rate with FP32 accumulation",
    )
    gpu_weights_percent: int | None = knob(
        None,
        unit="%",
        ge=0,
        le=100,
        step=5,
        optional=True,
        help="Share of every layer kept on the GPU; automatic: the whole model if it fits, or none "
        "(FlexGen and vLLM search it).",
        cls="derived",
        source=f"{_PAPER}: weights are loaded layer by layer; OPT-6.7B fits the GPU",
    )
    host_cache_GB: float | None = knob(
        None,
        unit="GB",
        ge=0,
        le=1e6,
        step=32,
        optional=True,
        help="Host memory for caches; automatic: all but weights and reserve.",
        cls="derived",
        source=f"{_PAPER} names a budget; the authors' code takes it as an option (128 GB)",
    )
    host_reserve_GB: float = knob(
        32.0,
        unit="GB",
        ge=0,
        le=1e5,
        step=8,
        help="Host memory kept for the operating system and staging.",
        cls="derived",
        source="a few per cent of the machine's memory; not stated",
    )
    prefill_tokens: int = knob(
        8192,
        unit="tokens",
        ge=1,
        le=10_000_000,
        step=1024,
        help="Prompt tokens computed together in a layer, at least one prompt.",
        cls="derived",
        source="MLP activations of that many tokens take half a gigabyte on OPT-66B",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridServePolicy(StreamPolicy):
    """HybridServe: what is cached of a token, and how many requests are computed together."""

    cache: str = knob(
        "hybrid",
        choices=("hybrid", "act", "kv", "recompute"),
        help="Blocks of KV and of activations, one kind only, or KV and tokens to compute again.",
        cls="paper",
        source=f"{_PAPER}: hybrid cache, activation cache; token recomputation as the alternative",
    )
    act_share: float | None = knob(
        None,
        ge=0,
        le=1,
        step=0.05,
        optional=True,
        help="Share of blocks that hold activations (or are computed again); automatic: searched.",
        cls="paper",
        source=f"{_PAPER}: the system finds the best ratio",
    )
    mini_batches: int | None = knob(
        None,
        ge=1,
        le=1024,
        step=1,
        optional=True,
        help="Parts of the batch that share a layer's weights in turn; automatic: searched.",
        cls="derived",
        source=f"{_PAPER} forms mini-batches; how many is not stated",
    )
    gpu_cache_GB: float | None = knob(
        None,
        unit="GB",
        ge=0,
        le=10_000,
        step=1,
        optional=True,
        help="Most GPU memory for cached blocks; automatic: all that is left.",
        cls="derived",
        source=f"{_PAPER}: blocks on the GPU are mainly activations; how many is not stated",
    )
    packing: str = knob(
        "balanced",
        choices=("balanced", "arrival"),
        help="Requests into mini-batches: balanced in regeneration and transfer, or as they came.",
        cls="paper",
        source=f"{_PAPER}: bin packing that minimises the imbalance; the rule itself is not stated",
    )
    block_tokens: int = knob(
        16,
        unit="tokens",
        ge=1,
        le=4096,
        step=16,
        help="Tokens of one block.",
        cls="public",
        source="vLLM's default, which HybridServe extends",
    )
    act_point: str = knob(
        "post_ln",
        choices=("post_ln", "pre_ln"),
        help="Activations kept after the layer normalisation, or before it and normalised again.",
        cls="derived",
        source=f"{_PAPER}: [K V] = A x [W_K W_V] holds for what is after the normalisation",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ZigZagPolicy(StreamPolicy):
    """FlexGen's block schedule, with what its implementation costs."""

    gpu_batches: int | None = knob(
        None,
        ge=1,
        le=1024,
        step=1,
        optional=True,
        help="Parts of the batch computed in turn while a layer's weights are there; searched.",
        cls="public",
        source="FlexGen, arXiv 2303.06865: block schedule, policy search",
    )
    kv_gpu_percent: int | None = knob(
        None,
        unit="%",
        ge=0,
        le=100,
        step=5,
        optional=True,
        help="Share of the KV cache on the GPU; automatic: what fits beside the weights.",
        cls="public",
        source="FlexGen, arXiv 2303.06865: policy search",
    )
    staging_GBps: float = knob(
        12.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=1,
        help="Rate at which the host copies the KV cache to and from pinned buffers.",
        cls="calibrated",
        source="FlexGen on OPT-13B, -30B and -66B at batch 1 (Hermes, Fig. 9), another machine; no "
        "number of HybridServe was used",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroPolicy(StreamPolicy):
    """DeepSpeed-Inference with weights in host memory."""

    group: int | None = knob(
        None,
        ge=1,
        le=1024,
        step=1,
        optional=True,
        help="Requests served together; automatic: as many as keep their KV cache on the GPU.",
        cls="public",
        source="ZeRO-Inference keeps the KV cache on the GPU, which limits the batch (recalled)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapPolicy(StreamPolicy):
    """vLLM with weights and preempted requests in host memory."""

    prefill_tokens: int = knob(
        2048,
        unit="tokens",
        ge=1,
        le=10_000_000,
        step=1024,
        help="Prompt tokens of one prefill iteration, at least one prompt.",
        cls="public",
        source="vLLM's default for models of 2048 positions (recalled, not re-read)",
    )
    block_tokens: int = knob(
        16,
        unit="tokens",
        ge=1,
        le=4096,
        step=16,
        help="Tokens of one block.",
        cls="public",
        source="vLLM's default",
    )
    watermark: float = knob(
        0.01,
        ge=0,
        le=0.9,
        step=0.01,
        help="Share of GPU blocks kept free when a request is admitted.",
        cls="public",
        source="vLLM's default (recalled, not re-read)",
    )
