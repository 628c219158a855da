"""Deja Vu over offloaded weights: only active neurons are brought and computed (Hermes, V-A).

An MLP predictor of every sparse block runs on the GPU; the host is told which predicted neurons
are missing there and copies them one piece at a time, a row of one matrix each, or streams all
that is missing of the block where that takes less time. The predictor is taken as right: it finds
the active neurons and no others. At batch > 1 the union is brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations import make_source, written
from simcore.activations.bitplanes import Plane
from simcore.activations.source import ActivationSource
from simcore.activations.space import NeuronSpace
from simcore.engine.phases import Work
from simcore.model import shapes
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_PREFILL, Run
from simcore.scenario.schema import Gpu, Model, Scenario
from simcore.systems.base import register_system
from simcore.systems.offload import neuron_map, steps, work
from simcore.systems.offload.machine import (
    MEMORY_KINDS,
    OPS,
    UP,
    Int,
    OffloadPlan,
    block_bytes,
    check_gpu,
    check_host,
    fill_in_order,
    free_bytes,
    kv_bytes,
    make_lanes,
    make_memory,
    parts_of,
)
from simcore.systems.offload.policy import DejaVuPolicy
from simcore.systems.offload.residency import count_blocks, resident_plane
from simcore.systems.offload.system import OffloadSystem
from simcore.systems.phased import Segments
from simcore.units import transfer_ps, us_to_ps

INDEX_BYTES = 4
"""One neuron number, int32 (derived)."""

_SPARSE = (0, 2)  # QKV and MLP among the blocks of a layer
_QKV_PIECES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DejaVuPlan(OffloadPlan):
    """A prepared run of Deja Vu.

    Attributes:
        space: the sparse neurons.
        note: what the activations are.
        kept: neurons whose weights stay on the GPU.
        away: bytes of each sparse block that are not there, (layers, sparse blocks).
    """

    space: NeuronSpace
    note: str
    kept: Plane
    away: Int


def predictor_bytes(model: Model, rank: int) -> int:
    """Weights of all predictors: hidden to rank and rank to neurons, for QKV and MLP."""
    outputs = model.hidden + model.ffn
    return model.layers * rank * (2 * model.hidden + outputs) * model.bytes_per_weight


def pieces(model: Model) -> tuple[int, int]:
    """Copies one neuron takes: a row in each of Q, K, V, or in each matrix of the MLP."""
    return _QKV_PIECES, model.ffn_matrices


def _rooms(scenario: Scenario, gpu: Gpu) -> tuple[int, int]:
    """GPU memory for projections and sparse weights, and the buffer of one layer.

    Raises:
        CapacityError: if not even the rest fits.
    """
    model, sizes = scenario.model, block_bytes(scenario.model)
    buffer = int(sizes[list(_SPARSE)].sum())
    fixed = (
        shapes.table_bytes(model)
        + predictor_bytes(model, scenario.policy.predictor_rank)
        + kv_bytes(scenario)
        + buffer
    )
    check_gpu(gpu, fixed, "tables, predictors, one layer of neurons and the KV cache")
    return free_bytes(gpu) - fixed, buffer


@register_system("dejavu")
class DejaVu(OffloadSystem):
    """Predicted neurons that are not on the GPU come over PCIe, piece by piece."""

    title = "Deja Vu"
    policy_type = DejaVuPolicy
    no_experts = (
        "it fetches single neurons that fire, and for the neurons of experts no statistics are "
        "published"
    )
    stochastic = True

    def prepare(self, scenario: Scenario, *, items: bool = True) -> DejaVuPlan:
        parts, model = parts_of(scenario), scenario.model
        sizes = block_bytes(model)
        room, buffer = _rooms(scenario, parts.gpu)
        dense = fill_in_order(model.layers, sizes[1:2], room)
        source = make_source(scenario)
        kept = resident_plane(source, scenario.policy.residency, room - int(dense.sum()))
        neurons = count_blocks(source.space, kept)
        unit = np.array([block.neuron_bytes for block in source.space.blocks], np.int64)
        resident = np.empty((model.layers, len(sizes)), np.int64)
        resident[:, _SPARSE] = neurons * unit
        resident[:, 1] = dense[:, 0]
        check_host(parts.host, shapes.weight_bytes(model))
        lanes = make_lanes(parts)
        return DejaVuPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(parts),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + scenario.workload.output_tokens,
            items=items,
            gpu=parts.gpu,
            pcie=parts.pcie,
            host=parts.host,
            model=model,
            resident=resident,
            tables_on_gpu=shapes.table_bytes(model),
            predictor_bytes=predictor_bytes(model, scenario.policy.predictor_rank),
            buffer_bytes=buffer,
            space=source.space,
            note=source.note,
            kept=kept,
            away=(sizes - resident)[:, _SPARSE],
            **steps.dejavu(lanes),
        )

    def start(self, plan: DejaVuPlan, run: Run) -> ActivationSource:
        return make_source(plan.scenario)

    def own_causes(self, plan: DejaVuPlan, state: ActivationSource, index: int) -> dict[str, Any]:
        shape = (plan.space.layers, len(plan.space.blocks))
        if not index:
            zero = np.zeros(shape, np.int32)
            record: dict[str, Any] = {"active": zero, "missing": zero, "macs": zero}
            active = np.zeros(plan.space.shape, np.uint64)
        else:
            sequences = state.draw()
            active = np.bitwise_or.reduce(sequences)
            own = sum(count_blocks(plan.space, sequence) for sequence in sequences)
            record = {
                "active": count_blocks(plan.space, active).astype(np.int32),
                "missing": count_blocks(plan.space, active & ~plan.kept).astype(np.int32),
                "macs": np.asarray(own).astype(np.int32),
            }
        record |= written(state)
        if plan.items:
            record["active_bits"] = active
        return record

    def segments(self, plan: DejaVuPlan, record: Mapping[str, Any]) -> Segments:
        if int(record["kind"]) == KIND_PREFILL:
            missing = plan.sizes.sum() - plan.resident.sum(axis=1)
            return work.streamed_prefill(plan, missing, np.append(missing[1:], 0))
        filled = plan.layer.blank(plan.model.layers)
        for index, name in enumerate(("qkv", "mlp")):
            _sparse(plan, filled, record, index, name)
        work.attention(plan, filled, int(record["context_tokens"]))
        away = plan.sizes[1] - plan.resident[:, 1]
        work.stream(plan, plan.layer, filled, "projection", away)
        work.dense_block(plan, filled, "projection")
        tail = plan.tail.blank(1)
        work.head(plan, tail)
        return [(plan.layer, filled, True), (plan.tail, tail, False)]

    def placement(
        self, plan: DejaVuPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return neuron_map.placement(plan, run, index, items_per_cell)

    def item(self, plan: DejaVuPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return neuron_map.item(plan, run, index, row, column)

    def summary(self, plan: DejaVuPlan, run: Run) -> Mapping[str, Any]:
        result = dict(super().summary(plan, run))
        result["activations"] = plan.note
        result["predictor_bytes"] = plan.predictor_bytes
        if len(run) > 1:
            active = _sum(run, "active")
            result["active_share"] = active / (plan.space.neurons * (len(run) - 1))
            result["missing_share_of_active"] = _sum(run, "missing") / max(1, active)
            decode = run.column("lane_op_bytes")[run.column("kind") != KIND_PREFILL]
            moved = decode[:, UP].sum(axis=0)
            whole = float(moved[plan.op_index("stream")])
            result["whole_blocks_share_of_bytes"] = whole / max(1, int(moved.sum()))
        return result

    def series(self, plan: DejaVuPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
        active = run.column("active").sum(axis=(1, 2), dtype=np.int64)
        missing = run.column("missing").sum(axis=(1, 2), dtype=np.int64)
        return {
            "active neurons": ("share", active / plan.space.neurons),
            "missing on the GPU": ("share", missing / np.maximum(1, active)),
        }


def _sum(run: Run, column: str) -> int:
    values: NDArray[np.int32] = run.column(column)
    return int(values.sum(dtype=np.int64))


def _sparse(
    plan: DejaVuPlan, filled: Work, record: Mapping[str, Any], index: int, name: str
) -> None:
    """One sparse block: predict, list, fetch, compute."""
    model, policy = plan.model, plan.scenario.policy
    block = plan.space.blocks[index]
    weights = policy.predictor_rank * (model.hidden + block.neurons)
    read, flops = weights * model.bytes_per_weight, 2 * plan.batch * weights
    time = work.kernels_ps(plan, work.KERNELS["predict"], read, flops)
    work.put(plan.layer, filled, f"{name}.predict", time, read, flops)
    missing: Int = record["missing"][:, index].astype(np.int64)
    listed = missing * INDEX_BYTES
    time = (work.sync_ps(plan) + transfer_ps(listed, plan.link_GBps)) * (missing > 0)
    work.put(plan.layer, filled, f"{name}.ask", time, listed)
    calls = missing * pieces(model)[index] * us_to_ps(policy.copy_call_us)
    moved = missing * block.neuron_bytes
    time = calls + transfer_ps(moved, plan.on_demand_GBps)
    whole = plan.away[:, index] * (missing > 0)
    whole *= (transfer_ps(whole, plan.on_demand_GBps) < time) & (policy.copies == "cheapest")
    singly = whole == 0
    work.put(plan.layer, filled, f"{name}.issue", time * singly, moved * singly)
    work.put(plan.layer, filled, f"{name}.fetch", time * singly, moved * singly)
    work.bring(plan, plan.layer, filled, name, whole)
    used = record["active"][:, index].astype(np.int64) * block.neuron_bytes
    flops = 2 * block.neuron_macs * record["macs"][:, index].astype(np.int64)
    count = work.KERNELS[name] + pieces(model)[index]  # and one to gather each matrix
    time = work.kernels_ps(plan, count, used, flops)
    work.put(plan.layer, filled, f"{name}.run", time, used, flops)
