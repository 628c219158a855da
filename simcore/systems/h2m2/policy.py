"""Knobs of H2M2 and of the machines it is compared with: what its paper leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.hardware.npu import TILE_MODELS
from simcore.scenario.fields import knob

_PAPER = "H2M2, arXiv 2504.14893"

MACHINES = ("asymmetric", "lpddr_only", "hierarchical", "eight_hbm")
MAPPINGS = ("greedy", "exhaustive", "naive", "q_major", "f_major", "a_major", "flexgen")


@dataclass(frozen=True, slots=True, kw_only=True)
class H2M2Policy:
    """Machine, mapping, paging, and the readings of what the paper leaves open."""

    machine: str = knob(
        "asymmetric",
        choices=MACHINES,
        help="Both memories side by side, LPDDR alone, HBM as a cache of LPDDR, or 8 HBM devices.",
        cls="paper",
        source=f"{_PAPER}, systems compared",
    )
    mapping: str = knob(
        "greedy",
        choices=MAPPINGS,
        help="How heads are shared out: Algorithm 1, all combinations, whole sublayers, one "
        "sublayer first (Q, F, A), or FlexGen's fixed split by kind of data.",
        cls="paper",
        source=f"{_PAPER}, Algorithm 1 and systems compared",
    )
    paging: bool = knob(
        True,
        help="Whether memory is paged in hardware; without, translation and moves cost nothing.",
        cls="paper",
        source=f"{_PAPER}, memory abstraction",
    )
    gqa_traffic: str = knob(
        "per_q_head",
        choices=("per_q_head", "shared"),
        help="Whether grouped query heads read their keys and values each, or once together.",
        cls="calibrated",
        source="H2M2 on Llama2-70B, 2.94 times LPDDR-only: shared reads give less than half",
    )
    tile_model: str = knob(
        "min_mm_mv",
        choices=TILE_MODELS,
        help="How a GEMM at decode is run: faster of array and trees, array with or without "
        "overlap, or as fast as memory allows.",
        cls="calibrated",
        source="speedups of H2M2 on three models; every other reading misses at least one widely",
    )
    tree_drain: str = knob(
        "per_tile",
        choices=("per_tile", "per_kernel"),
        help="Whether the dot-product trees empty after each weight tile or once a kernel.",
        cls="calibrated",
        source="speedup of the oracle on GPT3-175B; mNPUsim's time of a GEMV, one tile a GEMV",
    )
    fc_includes_outproj: bool = knob(
        True,
        help="Whether the output projection of attention is mapped with the FFN, or with QKV.",
        cls="derived",
        source=f"{_PAPER}: fc is everything linear after attention",
    )
    xmajor: str = knob(
        "fill_first",
        choices=("fill_first", "balance_first"),
        help="What the first sublayer of Q-, F- and A-major gets: all it can, or its best share.",
        cls="derived",
        source=f"{_PAPER}: N^2 options, so one head count is fixed; the paper does not say which",
    )
    naive_compute: str = knob(
        "both",
        choices=("both", "one"),
        help="Who computes a sublayer that lies on one side: both chips, or the one there.",
        cls="calibrated",
        source="best whole-sublayer mapping of GPT3-175B, 1.27 times LPDDR-only; as with that, "
        "where both chips compute from one memory too",
    )
    flexgen_weight_share: float | None = knob(
        None,
        ge=0,
        le=1,
        step=0.05,
        optional=True,
        help="Share of the weights in HBM under FlexGen's split; automatic: as of the KV cache.",
        cls="derived",
        source="FlexGen's linear program with all bytes weighted alike",
    )
    flexgen_kv_share: float | None = knob(
        None,
        ge=0,
        le=1,
        step=0.05,
        optional=True,
        help="Share of the KV cache in HBM under FlexGen's split; automatic: what fits at the "
        "end, but no more than balances the bandwidths.",
        cls="derived",
        source="FlexGen's linear program with all bytes weighted alike",
    )
    flexgen_tokens: int | None = knob(
        None,
        unit="tokens",
        ge=1,
        le=10_000_000,
        optional=True,
        help="Longest sequence FlexGen's split must hold; automatic: the longest of the run, or "
        "the longest allowed where requests are replaced.",
        cls="derived",
        source="a static split must fit whenever it is used",
    )
    hier_policy: str = knob(
        "random",
        choices=("lru", "random", "pin_fraction"),
        help="What the HBM cache evicts: the least recent line, any line, or nothing of a fixed "
        "part.",
        cls="calibrated",
        source="speedup of Hierarchical on GPT3-175B, 1.07: LRU never hits, pinning hits too much",
    )
    solver_when: str = knob(
        "every_iteration",
        choices=("every_iteration", "on_change"),
        help="Whether heads are shared out anew after each iteration, or when they no longer fit.",
        cls="paper",
        source=f"{_PAPER}: at the end of each decode iteration (another passage: when needed)",
    )
    solver_us: float = knob(
        50.0,
        unit="us",
        ge=0,
        le=1e6,
        step=10,
        help="Time of the mapping solver on the host, under the last layer of the iteration.",
        cls="paper",
        source=f"{_PAPER}: 0.05 ms",
    )
    capacity_unit: str = knob(
        "GB",
        choices=("GB", "GiB"),
        help="Whether the capacities are 10^9 or 2^30 bytes.",
        cls="paper",
        source=f"{_PAPER}, Table 1 writes GB",
    )
    tlb_stall: str = knob(
        "overlapped",
        choices=("overlapped", "exposed"),
        help="Whether page walks take time of the memory alone, under computation, or hold up the "
        "whole kernel.",
        cls="derived",
        source=f"{_PAPER}, Table 2: double-buffered scratchpads fetch ahead of the computation",
    )
    activation_copy: str = knob(
        "overlapped",
        choices=("overlapped", "serial"),
        help="Whether outputs go to the other side as they are computed, or after the kernel.",
        cls="derived",
        source=f"{_PAPER}: activations are copied to both sides; the time is not stated",
    )
    launch_us: float = knob(
        1.0,
        unit="us",
        ge=0,
        le=10_000,
        step=0.5,
        help="Time of the dependency controller to pass a barrier and start the next kernel.",
        cls="calibrated",
        source="not stated; order of a hardware queue with a host-side event",
    )
    hbm8_compute: str = knob(
        "iso",
        choices=("iso", "per_device"),
        help="Compute of the 8-HBM machine: that of two chips in all, or a chip at every device.",
        cls="derived",
        source="the other comparisons are iso-compute",
    )
    hbm8_link_GBps: float = knob(
        300.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=25,
        help="Link of the 8-HBM machine to the next device of the ring, one direction.",
        cls="public",
        source="NVIDIA A100 datasheet: NVLink 600 GB/s in both directions; the paper profiled 8",
    )
    hbm8_hop_us: float = knob(
        5.0,
        unit="us",
        ge=0,
        le=10_000,
        step=1,
        help="Time of one step of the ring beside its bytes.",
        cls="calibrated",
        source="not stated; order of a small NCCL step on NVLink",
    )
