"""Small scenarios for fast tests, built without files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simcore.registry import SYSTEMS
from simcore.scenario.schema import (
    ActivationStats,
    DimmLink,
    FixedWorkload,
    Gpu,
    Hardware,
    Host,
    Model,
    NdpDimms,
    Pcie,
    RecordedActivations,
    Scenario,
    StatisticalActivations,
)
from simcore.systems.hermes.dense import BasePolicy
from simcore.systems.hermes.policy import HermesPolicy

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


def hermes(
    *,
    system: str = "hermes",
    model: Model = SMALL_MODEL,
    gpu: Gpu | None = None,
    pcie: Pcie | None = None,
    dimms: NdpDimms | None = None,
    link: DimmLink | None = None,
    policy: dict[str, Any] | None = None,
    workload: FixedWorkload | None = None,
    activations: StatisticalActivations | RecordedActivations | None = None,
    seed: int = 1,
) -> Scenario:
    """A Hermes scenario.

    For small models launches and synchronisations cost nothing, or they would outweigh the work
    and the offline placement would rightly leave the GPU empty; a seventh of the neurons fits it.
    """
    small = model is not LLAMA2_70B
    policy_type = SYSTEMS.get(system).policy_type
    room = {HermesPolicy: "gpu_hot_GB", BasePolicy: "gpu_weights_GB"}[policy_type]
    knobs = {room: 0.001} if small else {}
    gpu, pcie = gpu or Gpu(), pcie or Pcie()
    if small:
        gpu, pcie = replace(gpu, kernel_launch_us=0.0), replace(pcie, sync_us=0.0)
    return Scenario(
        name="test",
        system=system,
        hardware=Hardware(
            gpu=gpu,
            pcie=pcie,
            ndp_dimms=dimms or NdpDimms(count=4),
            dimm_link=link or DimmLink(),
            host=Host(),
        ),
        model=model,
        workload=workload or FixedWorkload(prompt_tokens=16, output_tokens=12),
        activations=activations or StatisticalActivations(),
        policy=replace(policy_type(), **{**knobs, **(policy or {})}),
        seed=seed,
    )
