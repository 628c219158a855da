"""Small scenarios for fast tests, built without files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simcore.registry import SYSTEMS
from simcore.scenario.schema import (
    ActivationStats,
    ChipLink,
    DimmLink,
    DimmPim,
    FixedWorkload,
    Gpu,
    Hardware,
    HbmPim,
    Host,
    Mmu,
    Model,
    NdpDimms,
    NpuChip,
    Nvlink,
    Pcie,
    RecordedActivations,
    Scenario,
    SideMemory,
    StatisticalActivations,
    TurnoverWorkload,
)
from simcore.systems.h2m2.policy import H2M2Policy
from simcore.systems.hermes.dense import BasePolicy
from simcore.systems.hermes.policy import HermesPolicy
from simcore.systems.hybridserve.policy import (
    HybridServePolicy,
    SwapPolicy,
    ZeroPolicy,
    ZigZagPolicy,
)
from simcore.systems.l3.policy import CpuPolicy, HbmPimPolicy, L3Policy, ServingPolicy
from simcore.systems.offload.policy import AcceleratePolicy, DejaVuPolicy, FlexGenPolicy
from simcore.systems.tensor_parallel.policy import TensorParallelPolicy

SMALL_MODEL = Model(
    title="small",
    layers=6,
    hidden=256,
    heads=8,
    kv_heads=4,
    head_dim=32,
    ffn=640,
    ffn_matrices=3,
    vocab=1000,
    stats=ActivationStats(
        mlp_density=0.18,
        qkv_density=0.25,
        block_share_for_80pct=0.43,
        model_share_for_80pct=0.35,
    ),
)

LLAMA2_70B = Model(
    title="LLaMA2-70B",
    layers=80,
    hidden=8192,
    heads=64,
    kv_heads=8,
    head_dim=128,
    ffn=28672,
    ffn_matrices=3,
    vocab=32000,
    stats=ActivationStats(
        mlp_density=0.18,
        qkv_density=0.2,
        block_share_for_80pct=0.43,
        model_share_for_80pct=0.26,
    ),
)

TINY_MODEL = Model(
    title="tiny",
    layers=6,
    hidden=192,
    heads=3,
    kv_heads=3,
    head_dim=64,
    ffn=768,
    ffn_matrices=2,
    vocab=1024,
)


_SERVING = (ServingPolicy, L3Policy, HbmPimPolicy, CpuPolicy)

_FOUR: dict[str, Any] = {"count": 4}
_SERVED: dict[str, Any] = {
    "norm_us": 0.0,
    "processors": 2,
    "gemm_tile": 8,
    "tensor_parallel": 4,
}

# What a small model needs for its policy to have something to decide, by type of policy.
_SMALL_KNOBS: dict[type, dict[str, Any]] = {
    HermesPolicy: {"gpu_hot_GB": 0.001},
    BasePolicy: {"gpu_weights_GB": 0.001},
    FlexGenPolicy: {"dispatch_us": 0.0},
    AcceleratePolicy: {"dispatch_us": 0.0, "gpu_weights_GB": 0.004},
    DejaVuPolicy: {"dispatch_us": 0.0, "predictor_rank": 16},
    TensorParallelPolicy: {"hop_us": 1.0},
    H2M2Policy: {"launch_us": 0.0, "solver_us": 0.1, "hbm8_hop_us": 0.1},
    HybridServePolicy: {"block_tokens": 4, "prefill_tokens": 16},
    ZigZagPolicy: {},
    ZeroPolicy: {},
    SwapPolicy: {"block_tokens": 4, "prefill_tokens": 32},
    **{
        kind: {"norm_us": 0.0, "processors": 2, "gemm_tile": 8, "tensor_parallel": 4}
        for kind in _SERVING
    },
}
_SMALL_GPU: dict[type, dict[str, Any]] = {
    DejaVuPolicy: {"memory_GiB": 0.008, "reserve_GB": 0.0},
    TensorParallelPolicy: {"count": 3},
    **dict.fromkeys(_SERVING, _FOUR),
    # Buffers, the output table and a little: no room for all that is cached.
    HybridServePolicy: {"memory_GiB": 0.00315, "reserve_GB": 0.0},
    ZigZagPolicy: {"memory_GiB": 0.0019, "reserve_GB": 0.0},
    ZeroPolicy: {"memory_GiB": 0.0034, "reserve_GB": 0.0},
    SwapPolicy: {"memory_GiB": 0.0021, "reserve_GB": 0.0},
}


def board(small: bool = True) -> dict[str, Any]:
    """The components of H2M2; HBM holds a third of the small model, in pages of 4 KiB."""
    return {
        "hbm": SideMemory(title="HBM", capacity_GB=0.003 if small else 96.0),
        "hbm_npu": NpuChip(),
        "lpddr": SideMemory(
            title="LPDDR",
            capacity_GB=0.02 if small else 512.0,
            bandwidth_GBps=544.0,
            latency_ns=45.0,
        ),
        "lpddr_npu": NpuChip(),
        "chip_link": ChipLink(),
        "mmu": Mmu(page_KiB=4, tlb_entries=64) if small else Mmu(),
    }


def hermes(
    *,
    system: str = "hermes",
    model: Model = SMALL_MODEL,
    gpu: Gpu | None = None,
    pcie: Pcie | None = None,
    dimms: NdpDimms | None = None,
    link: DimmLink | None = None,
    policy: dict[str, Any] | None = None,
    workload: FixedWorkload | TurnoverWorkload | None = None,
    activations: StatisticalActivations | RecordedActivations | None = None,
    seed: int = 1,
) -> Scenario:
    """A scenario of Hermes or of a system it is compared with.

    For small models launches and synchronisations cost nothing, or they would outweigh the work
    and the offline placement would rightly leave the GPU empty; a seventh of the neurons fits it.
    """
    small = model is not LLAMA2_70B
    policy_type = SYSTEMS.get(system).policy_type
    knobs = _SMALL_KNOBS.get(policy_type, {}) if small else {}
    gpu, pcie = gpu or Gpu(), pcie or Pcie()
    if small:
        gpu = replace(gpu, kernel_launch_us=0.0, **_SMALL_GPU.get(policy_type, {}))
        pcie = replace(pcie, sync_us=0.0)
    return Scenario(
        name="test",
        system=system,
        hardware=Hardware(
            gpu=gpu,
            pcie=pcie,
            ndp_dimms=dimms or NdpDimms(count=4),
            dimm_link=link or DimmLink(),
            host=Host(),
            **(board(small) if policy_type is H2M2Policy else {}),
            nvlink=Nvlink(hop_us=0.0),
            dimm_pim=DimmPim(channels=4, capacity_GiB=1.0),
            hbm_pim=HbmPim(kernel_us=0.0, extra_stacks=4, extra_stack_GiB=1.0),
        ),
        model=model,
        workload=workload or FixedWorkload(prompt_tokens=16, output_tokens=12),
        activations=activations or StatisticalActivations(),
        policy=replace(policy_type(), **{**knobs, **(policy or {})}),
        seed=seed,
    )
