"""Knobs of the offloading systems, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_HERMES = "Hermes, arXiv 2502.16963"
_FLEXGEN_TARGETS = "FlexGen on OPT-13B, -30B and -66B at batch 1 (Hermes, Fig. 9)"
_DEJAVU_TARGETS = "Deja Vu on OPT-13B, -30B and -66B at batch 1 (Hermes, Fig. 9)"
_HF_TARGETS = (
    "HF Accelerate on OPT-30B, OPT-66B, LLaMA2-13B at batch 1 and LLaMA2-70B at batch 1 to 16 "
    "(Hermes, Figs. 9 to 11); OPT-13B left out"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffloadPolicy:
    """What all offloading systems have: the copy path and the framework."""

    link_share: float = knob(
        0.5,
        gt=0,
        le=1,
        step=0.05,
        help="Share of hardware.pcie.bandwidth_GBps one direction has; 1 if that is one direction.",
        cls="derived",
        source=f"{_HERMES}, V-A prints 64 GB/s for PCIe 4.0 x16, both directions of 32 GB/s added",
    )
    staging_GBps: float = knob(
        12.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=1,
        help="Rate at which the host brings weights from its memory into the buffers copied from.",
        cls="calibrated",
        source=f"{_FLEXGEN_TARGETS}: all weights pass in each step at 11.8 to 12.1 GB/s",
    )
    dispatch_us: float = knob(
        60.0,
        unit="us",
        ge=0,
        le=100_000,
        step=5,
        help="Time the framework needs to issue one GPU kernel, on top of the launch.",
        cls="calibrated",
        source="communication share of 89 % of Deja Vu on OPT-13B (Hermes, Fig. 12)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexGenPolicy(OffloadPolicy):
    """Zig-zag offloading; the paper measures it on OPT only, other models run here too."""

    gpu_weights_percent: int = knob(
        0,
        unit="%",
        ge=0,
        le=100,
        step=5,
        help="Share of every layer kept on the GPU (FlexGen supports OPT; others are a guess).",
        cls="calibrated",
        source=f"{_FLEXGEN_TARGETS}: even OPT-13B takes the time of all its weights",
    )
    kv_gpu_percent: int | None = knob(
        None,
        unit="%",
        ge=0,
        le=100,
        step=5,
        optional=True,
        help="Share of the KV cache on the GPU; automatic: as much as fits.",
        cls="derived",
        source="capacity minus weights, buffers and reserve; the paper does not say",
    )
    gpu_batches: int = knob(
        1,
        ge=1,
        le=64,
        step=1,
        help="Parts of the batch computed in turn while a layer's weights are on the GPU.",
        cls="public",
        source="FlexGen, arXiv 2303.06865, zig-zag block schedule; one part fits these batches",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratePolicy(OffloadPolicy):
    """Automatic device map: whole layers on the GPU while they fit, the others in host memory."""

    staging_GBps: float = knob(
        7.4,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=0.5,
        help="Rate at which the driver brings pageable weights into its own pinned buffer.",
        cls="calibrated",
        source=_HF_TARGETS,
    )
    gpu_share: float = knob(
        0.9,
        gt=0,
        le=1,
        step=0.05,
        help="Share of free GPU memory the automatic device map fills.",
        cls="public",
        source="accelerate, 90 % on a single device (recalled, not re-read); with the reserve it "
        "gives the 80 % of OPT-13B and 15 % of OPT-66B that fit in Hermes, II",
    )
    gpu_weights_GB: float | None = knob(
        None,
        unit="GB",
        ge=0,
        le=10_000,
        step=0.5,
        optional=True,
        help="GPU memory for layers that stay; automatic: the device map's share.",
        cls="derived",
        source="gpu_share of free memory minus tables and one layer's room, less if the KV cache "
        "needs it",
    )
    hook_us: float = knob(
        200.0,
        unit="us",
        ge=0,
        le=1e6,
        step=50,
        help="Time of the hooks around one offloaded module: allocate, replace, release.",
        cls="calibrated",
        source="order of a few Python calls with an allocation; no published figure, and no target "
        "depends on it",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DejaVuPolicy(OffloadPolicy):
    """Contextual sparsity over offloaded weights; measured on OPT only, other models run here."""

    predictor_rank: int = knob(
        1000,
        ge=1,
        le=100_000,
        step=100,
        help="Hidden width of the two-layer predictor of every block (Deja Vu supports OPT).",
        cls="public",
        source="Deja Vu, arXiv 2310.17157, predictors of rank 1000 (recalled, not re-read)",
    )
    copy_call_us: float = knob(
        17.0,
        unit="us",
        ge=0,
        le=10_000,
        step=0.5,
        help="Time of one small copy beside its bytes; a neuron has one piece in each matrix.",
        cls="calibrated",
        source=_DEJAVU_TARGETS,
    )
    copies: str = knob(
        "cheapest",
        choices=("cheapest", "pieces"),
        help="Copy what is missing of a block piece by piece, or whole where that is faster.",
        cls="derived",
        source="whole blocks bound the loss at large batches, where nearly every neuron is active; "
        "without them Deja Vu would fall behind FlexGen, not lead it as in Hermes, V-B",
    )
    residency: str = knob(
        "layers",
        choices=("layers", "hottest"),
        help="What stays on the GPU: whole layers in order, or the hottest neurons.",
        cls="calibrated",
        source=f"{_DEJAVU_TARGETS}: with the hottest neurons resident OPT-13B would hardly copy",
    )
