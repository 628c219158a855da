"""Which published numbers were used to set constants: the one place that says so.

A number in `FITTED` is no evidence for the model, since a constant was chosen to meet it. Constants
of class ``calibrated`` that no number was used for are in `ASSUMED`, with what they rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FITTED_USE, CHECKED_USE = "fitted", "checked"


@dataclass(frozen=True, slots=True)
class Fit:
    """Targets and the constants they fixed.

    Attributes:
        targets: ids of the published numbers.
        constants: dotted names, as in a scenario.
        how: what was done, one sentence.
    """

    targets: tuple[str, ...]
    constants: tuple[str, ...]
    how: str


FITTED: tuple[Fit, ...] = (
    Fit(
        tuple(f"hermes.llama2-70b.b{batch}.hermes-base.tokps" for batch in (1, 2, 4, 8, 16)),
        (
            "hardware.ndp_dimms.internal_bandwidth",
            "hardware.ndp_dimms.read_efficiency",
            "hardware.ndp_dimms.gemv_utilisation",
            "hardware.ndp_dimms.overlap",
            "hardware.gpu.reserve_GB",
        ),
        "The time of a run is linear in the batch within 0.2 %: its constant part fixed the read "
        "rate of the DIMMs (with the reserve that sets how much lies on the GPU), its slope the "
        "multiply rate.",
    ),
    Fit(
        (
            "hermes.opt-13b.b1.hermes.tokps",
            "hermes.opt-66b.b1.hermes.tokps",
            "hermes.llama2-13b.b1.hermes.tokps",
            "hermes.llama2-70b.b1.hermes.tokps",
        ),
        (
            "hardware.gpu.kernel_launch_us",
            "hardware.pcie.sync_us",
            "model.stats.qkv_density",
            "model.stats.qkv_share_for_80pct",
        ),
        "One set for all models: the 13B models leave room for no more than this for launches and "
        "synchronisations, all four together set how many QKV inputs are active and how alike.",
    ),
    Fit(
        (
            *(f"hermes.opt-{size}b.b1.hermes-host.tokps" for size in (13, 30, 66)),
            "hermes.llama2-13b.b1.hermes-host.tokps",
            *(f"hermes.llama2-70b.b{batch}.hermes-host.tokps" for batch in (1, 2, 4, 8, 16)),
        ),
        ("hardware.host.gather_efficiency", "hardware.host.dispatch_us"),
        "The rate at which the CPU gathers scattered rows and the cost of starting a section: two "
        "constants for nine speeds, looked at together.",
    ),
    Fit(
        ("hermes.breakdown.b1.prompt.share", "hermes.breakdown.b1.token-generation.share"),
        ("hermes.policy.hot_load",),
        "Whether hot neurons stay as prefill streams them past; one share is what the other "
        "leaves.",
    ),
    Fit(
        tuple(f"hermes.opt-{size}b.b1.flexgen.tokps" for size in (13, 30, 66)),
        (
            "flexgen.policy.staging_GBps",
            "flexgen.policy.gpu_weights_percent",
            "dejavu.policy.staging_GBps",
            "hybridserve-flexgen.policy.staging_GBps",
        ),
        "All weights pass in each step at 11.8 to 12.1 GB/s, even those of OPT-13B.",
    ),
    Fit(
        tuple(f"hermes.opt-{size}b.b1.dejavu.tokps" for size in (13, 30, 66)),
        ("dejavu.policy.copy_call_us", "dejavu.policy.residency"),
        "The cost of one small copy, and that whole layers stay rather than the hottest neurons.",
    ),
    Fit(
        ("hermes.breakdown.dejavu.communication.share",),
        ("dejavu.policy.dispatch_us", "flexgen.policy.dispatch_us", "hf.policy.dispatch_us"),
        "What is not communication is mostly the framework issuing kernels.",
    ),
    Fit(
        (
            "hermes.opt-30b.b1.hf.tokps",
            "hermes.opt-66b.b1.hf.tokps",
            "hermes.llama2-13b.b1.hf.tokps",
            *(f"hermes.llama2-70b.b{batch}.hf.tokps" for batch in (1, 2, 4, 8, 16)),
        ),
        ("hf.policy.staging_GBps",),
        "The rate of pageable copies; OPT-13B was left out.",
    ),
    Fit(
        ("hermes.llama2-70b.b1.trt.tokps", "hermes.llama2-70b.b1.hermes-vs-trt.ratio"),
        ("tensorrt-llm.policy.hop_us",),
        "Time of a ring step, standing for all the machine loses on the way; the speed is derived "
        "from the ratio, so both are the same number.",
    ),
    Fit(
        ("hermes.predictor.accuracy",),
        ("activations.coupling",),
        "The share of neurons that fire with their parents decides how well parents predict.",
    ),
    Fit(
        ("hermes.trace.similarity.adjacent",),
        ("activations.adjacent_correlation",),
        "The lag-1 correlation of a neuron decides the bit agreement of adjacent tokens.",
    ),
    Fit(
        (
            "hermes.motivation.hot-drift.share",
            "hermes.motivation.fixed-vs-oracle.slowdown",
            "hermes.llama2-70b.b4.hermes.tokps",
        ),
        ("activations.prompt_shift", "activations.drift_per_token"),
        "How far a prompt's hot neurons are from the profile's decides what a fixed partition "
        "loses and how fast the union of a batch grows (Hermes-host over batches was looked at "
        "too); the drift then follows from the share of hot neurons that vary.",
    ),
    Fit(
        ("hermes.dimmlink.vs-host.speedup",),
        ("reproduce.host_path_GBps",),
        "The path through the host is the DIMM-link's 25 GB/s divided by this figure; only the "
        "two migration shares use it.",
    ),
    Fit(
        tuple(
            f"h2m2.{cell}.h2m2.speedup"
            for cell in ("gpt3-175b.b32", "chinchilla-70b.b64", "llama2-70b.b128")
        ),
        ("h2m2.policy.tile_model", "h2m2.policy.gqa_traffic"),
        "How GEMMs run and how often shared keys and values are read: the readings, the same for "
        "all three models, that come near all three speedups.",
    ),
    Fit(
        ("h2m2.gpt3-175b.b32.oracle.speedup", "h2m2.gpt3-175b.b32.head-aware-best.speedup"),
        ("h2m2.policy.tree_drain",),
        "Whether the dot-product trees empty after each tile; the other models use the array.",
    ),
    Fit(
        ("h2m2.gpt3-175b.b32.hierarchical.speedup",),
        ("h2m2.policy.hier_policy",),
        "What HBM evicts when it is a cache: one of three policies.",
    ),
    Fit(
        ("h2m2.gpt3-175b.b32.naive-best.speedup",),
        ("h2m2.policy.naive_compute",),
        "Whether both chips compute a sublayer that lies on one side: one of two readings.",
    ),
    Fit(
        ("h2m2.gpt3-175b.b32.h2m2.energy",),
        ("preset h2m2-lpddr5x.energy_pJ_per_bit",),
        "Energy of an access to LPDDR over one to HBM.",
    ),
    Fit(
        ("hybridserve.overall.hybrid-vs-act.speedup",),
        (
            "hybridserve.policy.gemm_share",
            "hybridserve-flexgen.policy.gemm_share",
            "deepspeed-inference.policy.gemm_share",
            "vllm-swap.policy.gemm_share",
        ),
        "Regenerating everything is bound by matrix products: their rate decides how far a cache "
        "of activations alone falls behind.",
    ),
    Fit(
        ("l3.v2.attn.mha.n8192.relayout.latency", "l3.v2.attn.mha.n8192.pipeline.latency"),
        ("hardware.dimm_pim.efficiency",),
        "Serial over pipelined attention is 1 + 0.5 times the efficiency, 1.40 as drawn.",
    ),
    Fit(
        ("l3.v2.attn.mha.n512.relayout.latency", "l3.v2.attn.gqa.n8192.relayout.latency"),
        ("hardware.dimm_pim.relayout_ns", "hardware.dimm_pim.relayout_vector_ns"),
        "What the CPU adds to base, with three vectors a head and with ten; the other lengths "
        "follow.",
    ),
    Fit(
        ("l3.v2.gpt-175b.pcie.p4x192-d64x8k.serial.overhead",),
        ("preset l3-pcie4.bandwidth_GBps",),
        "With the efficiency of 0.80 it takes 256 GB/s for eight GPUs; the other points follow.",
    ),
    Fit(
        (
            "l3.v2.gpt-175b.openr1.hbm-pim.energy-attention",
            "l3.v2.gpt-175b.openr1.chime.energy-attention",
            "l3.v2.gpt-175b.openr1.gpu-only.energy-fc",
            "l3.v2.gpt-175b.openr1.chime.energy-fc",
            "l3.v2.gpt-175b.openr1.gpu-only.energy-background",
            "l3.v2.gpt-175b.openr1.chime.energy-background",
        ),
        (
            "l3.energy.hbm_pim",
            "l3.energy.dimm_pim",
            "l3.energy.mac",
            "l3.energy.hbm_background",
            "l3.energy.dimm_background",
        ),
        "The bars as drawn against public 3.97 pJ/bit of HBM: five figures for six bars.",
    ),
)
"""In the order of the systems."""

ASSUMED: Mapping[str, str] = {
    "hardware.dimm_link.latency_us": "order of a serial hop with controller",
    "hardware.host.cache_GBps": "order of a desktop last-level cache",
    "model.stats.mlp_density": "default for models without a published figure",
    "model.stats.block_share_for_80pct": "default for models without a published figure",
    "model.stats.model_share_for_80pct": "default for models without a published figure",
    "model.stats.dead_share_max": "default for models without a published figure",
    "activations.sequence_correlation": "no published figure; sequences are taken as unrelated",
    "hf.policy.hook_us": "order of a few Python calls with an allocation",
    "hardware.hbm.efficiency": "long sequential reads are taken to reach the peak",
    "hardware.lpddr.efficiency": "long sequential reads are taken to reach the peak",
    "hardware.hbm_npu.vector_lanes": "as wide as the systolic array",
    "hardware.lpddr_npu.vector_lanes": "as wide as the systolic array",
    "hardware.chip_link.latency_us": "part of the barrier after a kernel",
    "hardware.chip_link.energy_pJ_per_bit": "the paper's energy study counts memory accesses only",
    "h2m2.policy.launch_us": "order of a hardware queue with an event",
    "h2m2.policy.hbm8_hop_us": "order of a small collective's step on NVLink",
}
"""Calibrated constants tuned on no target, and what they rest on."""

_BY_ID = {target: fit for fit in FITTED for target in fit.targets}


def use_of(id: str) -> str:
    """``fitted`` if a target was used to set a constant, else ``checked``."""
    return FITTED_USE if id in _BY_ID else CHECKED_USE


def fitted_constants() -> dict[str, Fit]:
    """Dotted name of each fitted constant to what fixed it."""
    return {constant: fit for fit in FITTED for constant in fit.constants}
