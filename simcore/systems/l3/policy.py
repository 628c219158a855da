"""Knobs of the serving systems."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import knob

_L3 = "L3 (CHIME), arXiv 2504.17584 v2"
_ATTACC = "AttAcc simulator (MIT)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPolicy:
    """What all serving systems share: batching, admission, and what GPU kernels reach."""

    scheduling: str = knob(
        "fill_first",
        choices=("aligned", "fill_first"),
        help="Batch as long as GPU and attention side take equally long, or fill the memory.",
        cls="paper",
        source=f"{_L3}, VI-B and Fig. 15",
    )
    sub_batches: int = knob(
        2,
        ge=1,
        le=2,
        step=1,
        help="Halves of the batch that take turns on GPU and attention side.",
        cls="paper",
        source=f"{_L3}, IV and VII-A",
    )
    decodes_per_prefill: int = knob(
        0,
        ge=0,
        le=1024,
        step=1,
        help="Decodes added to a batch at a time (N); 0 for 1 with MHA and 16 with GQA.",
        cls="paper",
        source=f"{_L3}, VI-C",
    )
    realign_steps: int = knob(
        64,
        ge=1,
        le=100_000,
        step=16,
        help="Steps after which the aligned batch is composed anew, contexts having grown.",
        cls="derived",
        source="contexts of thousands of tokens grow by about a hundredth in as many steps",
    )
    admit_below: float = knob(
        0.9,
        ge=0.0,
        le=1.0,
        step=0.05,
        help="Aligned batch: new requests enter memory while bins are filled to less than this.",
        cls="derived",
        source="not stated; leaves a tenth to contexts that grow until the next alignment",
    )
    admit_stock: float = knob(
        2.0,
        ge=0.0,
        le=100.0,
        step=0.5,
        help="Aligned batch: no new requests while those in memory could fill the bins so often.",
        cls="derived",
        source="not stated; a second filling is at hand when the first one ends",
    )
    admission: str = knob(
        "paged",
        choices=("paged", "reserve"),
        help="Admit while the present contexts fit, or only what fits at its full length.",
        cls="derived",
        source=f"not stated; average batches of {_L3}, Fig. 12 are those of paged memory",
    )
    preemption: str = knob(
        "swap",
        choices=("swap", "recompute"),
        help="When memory is full: move the youngest request's KV out, or drop and recompute it.",
        cls="derived",
        source="not stated; recomputing tens of thousands of tokens would cost more than serving",
    )
    prefill_chunk_tokens: int = knob(
        2048,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=256,
        help="Most prompt tokens a sub-batch computes in one step; longer prompts are chunked.",
        cls="public",
        source="Sarathi-Serve, OSDI 2024: chunks of 512 to 2048 tokens",
    )
    least_chunk_tokens: int = knob(
        64,
        unit="tokens",
        ge=1,
        le=1_000_000,
        step=16,
        help="Prompt tokens computed in a step even where nothing hides them.",
        cls="derived",
        source="not stated; the tile of rows of a GEMM, below which a chunk costs the same",
    )
    capacity_fraction: float = knob(
        1.0,
        gt=0,
        le=16,
        step=0.1,
        help="Share of the KV memory that may be used (capacity sweeps; above 1 adds memory).",
        cls="paper",
        source=f"{_L3}, Figs. 12 and 15",
    )
    tensor_parallel: int = knob(
        0,
        ge=0,
        le=64,
        step=1,
        help="GPUs that share a model; 0 for the fewest (a power of two) that leave room for KV.",
        cls="paper",
        source=f"{_L3}, Table II: 2, 4 and 8",
    )
    free_share: float = knob(
        0.2,
        ge=0,
        le=0.9,
        step=0.05,
        help="Share of GPU memory that automatic tensor parallelism leaves free of weights.",
        cls="derived",
        source=f"a value that gives the three degrees of {_L3}, Table II",
    )
    memory_efficiency: float = knob(
        0.85,
        gt=0,
        le=1,
        step=0.05,
        help="Share of the GPU memory's peak that kernels reach.",
        cls="public",
        source=f"{_ATTACC}: cap of the memory utilisation",
    )
    compute_efficiency: float = knob(
        0.80,
        gt=0,
        le=1,
        step=0.05,
        help="Share of the GPU's FP16 peak that kernels reach.",
        cls="public",
        source=f"{_ATTACC}: cap of the compute utilisation",
    )
    processors: int = knob(
        108,
        ge=0,
        le=1024,
        step=4,
        help="Multiprocessors that thread blocks are dealt over in waves; 0 leaves this out.",
        cls="public",
        source=f"{_ATTACC}; NVIDIA A100 datasheet",
    )
    gemv_tile: int = knob(
        8,
        ge=1,
        le=1024,
        step=8,
        help="Output columns of a thread block when a single row is multiplied.",
        cls="derived",
        source=f"{_ATTACC}: its times of QKV, projection and MLP of GPT-175B at batch 1",
    )
    gemm_tile: int = knob(
        64,
        ge=1,
        le=1024,
        step=8,
        help="Output columns of a thread block when several rows are multiplied.",
        cls="derived",
        source=f"{_ATTACC}: its times of QKV, projection and MLP of GPT-175B at batch 32",
    )
    norm_us: float = knob(
        22.1,
        unit="us",
        ge=0,
        le=10_000,
        step=1,
        help="Normalisations, activation and residuals of one layer for one row.",
        cls="derived",
        source=f"{_ATTACC}: 2.126 ms in 96 layers of GPT-175B at batch 1",
    )
    norm_passes: float = knob(
        13.0,
        ge=0,
        le=1000,
        step=1,
        help="Passes over each further row in them.",
        cls="derived",
        source=f"{_ATTACC}: 2.467 ms in 96 layers of GPT-175B at batch 32",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class L3Policy(ServingPolicy):
    """L3: how DIMMs compute and how the batch is composed."""

    scheduling: str = knob(
        "aligned",
        choices=("aligned", "fill_first"),
        help="Batch as long as GPU and attention side take equally long, or fill the memory.",
        cls="paper",
        source=f"{_L3}, VI-B and Fig. 15",
    )
    units: str = knob(
        "bank",
        choices=("bank", "rank"),
        help="Where attention is computed: in every bank, or once in each rank (R-PIM).",
        cls="paper",
        source=f"{_L3}, V and VII-A",
    )
    pipelined: bool = knob(
        True,
        help="Hide the transfers between banks and rank unit behind reading.",
        cls="paper",
        source=f"{_L3}, V-A",
    )
    relayout: bool = knob(
        True,
        help="Change the layout of keys and values in the rank units; otherwise the CPU does.",
        cls="paper",
        source=f"{_L3}, V-B",
    )
    overlap: bool = knob(
        True,
        help="Let the other ranksets compute while one is on the bus.",
        cls="paper",
        source=f"{_L3}, VI-A",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HbmPimPolicy(ServingPolicy):
    """Attention in HBM stacks."""

    modules: str = knob(
        "gpu",
        choices=("gpu", "extra"),
        help="Whose stacks compute: those of the GPUs, or separate ones that hold only KV.",
        cls="paper",
        source=f"{_L3}, VII-A: HBM-PIM and HBM-PIM-EXT",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuPolicy(ServingPolicy):
    """Attention on the host CPU."""

    host_efficiency: float = knob(
        0.85,
        gt=0,
        le=1,
        step=0.05,
        help="Share of the host memory's peak that attention on the CPU reaches.",
        cls="derived",
        source=f"{_L3}, VII-A: maximal utilisation; as on the GPU",
    )
