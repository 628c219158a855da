"""Mixtures of experts on two memories: all are stored, those needed are read and computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.hardware.npu import gemm_ps, tile_cost
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.scenario.document import Document
from simcore.scenario.schema import FixedWorkload, NpuChip
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import HBM, LPDDR, vectors_of_an_expert
from tests.builders import SMALL_MODEL, hermes

ALL = ("h2m2", *SYSTEMS.get("h2m2").variants)
TEXT = """
system: {system}
model: {{preset: mixtral-8x7b, bytes_per_weight: 1, bytes_per_kv: 1}}
workload: {{kind: fixed, batch: {batch}, prompt_tokens: 64, output_tokens: 4}}
"""
MATRIX = 4096 * 14_336
"""Bytes of one of the three matrices of an expert, in whole bytes a weight."""


def mixtral(system: str = "h2m2", batch: int = 1) -> Run:
    return simulate(Document.from_text(TEXT.format(system=system, batch=batch)).resolve())


def small(system: str, **changes: int) -> Run:
    variant = SYSTEMS.get(system).variant
    return simulate(
        hermes(
            system=system,
            model=replace(SMALL_MODEL, **changes),
            policy=dict(variant.policy) if variant else {},
            workload=FixedWorkload(batch=3, prompt_tokens=16, output_tokens=6),
        )
    )


@pytest.mark.parametrize(
    ("batch", "experts", "vectors"), [(1, 2.0, 1), (4, 5.46875, 1), (32, 7.999196381, 8)]
)
def test_kernels_by_hand(batch: int, experts: float, vectors: int) -> None:
    """Up has two matrices, down one; 24 of 32 parts on the HBM side."""
    plan = mixtral(batch=batch).plan
    kernels = Kernels(plan)
    up, down = plan.kernels[3:]
    assert kernels.weight_bytes(up, 32, HBM) == 8 * 2 * MATRIX
    assert kernels.weight_bytes(down, 32, HBM) == 8 * MATRIX
    for kernel, matrices in ((up, 2), (down, 1)):
        for n, side, share in ((32, HBM, 1.0), (24, HBM, 0.75), (24, LPDDR, 0.25)):
            read = int(kernels.traffic(kernel, n, side, 0))
            assert read == pytest.approx(experts * matrices * MATRIX * share, abs=1)
            # Every sequence multiplies two experts.
            flops = int(kernels.flops(kernel, n, side, 0))
            assert flops == 2 * batch * 2 * round(matrices * MATRIX * share)
    assert vectors_of_an_expert(plan.model, batch) == vectors
    # Both experts' outputs of up are copied, of down their sum.
    assert kernels.exchange_bytes(up) == 2 * 14_336 * batch * 2
    assert kernels.exchange_bytes(down) == 4096 * batch
    assert kernels.weight_bytes(plan.kernels[0], 32, HBM) == 4096 * 48 * 128


def test_tiles_of_several_matrices() -> None:
    """1,024 x 1,024 are 64 tiles; of 5.5 matrices 352, on 4 cores 88 rounds of 137 ns."""
    chip = NpuChip(cores=4, clock_GHz=1.0, array_rows=128, array_columns=128)
    cost = tile_cost(chip, 9, "mm_overlap")
    assert cost.cycles == 137
    assert int(gemm_ps(chip, 1024, 1024, cost, 5.5)) == 88 * 137 * 1000
    assert int(gemm_ps(chip, 1024, 1024, cost)) == 16 * 137 * 1000


def test_memory_holds_every_expert() -> None:
    run = mixtral()
    kinds = run.plan.memory_kinds
    held = run.value("memory_bytes", len(run) - 1).sum(axis=0)
    layer = 8 * 3 * MATRIX
    projection = 4096 * 4096
    assert held[kinds.index("fc weights")] in (32 * layer, 32 * (layer + projection))
    read = run.column("lane_op_bytes")[-1][:, run.plan.op_index("read_weights")].sum()
    attention = 4096 * 48 * 128 + projection
    assert read == pytest.approx(32 * (2 * 3 * MATRIX + attention), abs=64)


@pytest.mark.parametrize("system", ALL)
def test_every_machine_runs_them_and_adds_up(system: str) -> None:
    mixture = small(system, ffn=160, experts=8, experts_per_token=2)
    for step in (0, len(mixture) - 1):
        spans = mixture.spans(step)
        total = np.zeros((len(mixture.lanes), len(mixture.ops)), np.int64)
        np.add.at(total, (spans.lane, spans.op), spans.duration_ps)
        assert np.array_equal(total, mixture.value("lane_op_ps", step))
        assert mixture.placement(step).category.size
    used = mixture.column("memory_bytes").sum(axis=2)
    assert (used <= [device.capacity_bytes for device in mixture.plan.memory]).all()
    # Three sequences compute a quarter of an MLP as wide as all experts together.
    dense = small(system, ffn=1280)
    for op in ("up", "down"):
        at = mixture.plan.op_index(op)
        flops = [int(run.column("lane_op_flops")[:, :, at].sum()) for run in (mixture, dense)]
        assert flops[0] * 4 == pytest.approx(flops[1], rel=0.01)


def test_explained() -> None:
    run = mixtral(batch=32)
    spans = run.spans(2)
    span = int(np.flatnonzero(spans.op == run.plan.op_index("up"))[0])
    terms = {term.symbol: term for term in run.explain(2, span).terms}
    assert terms["k, E"].value == "2 of 8"
    assert "8 vectors of an expert" in terms["cycles"].meaning
    span = int(np.flatnonzero(spans.op == run.plan.op_index("qkv"))[0])
    assert "k, E" not in {term.symbol for term in run.explain(2, span).terms}
