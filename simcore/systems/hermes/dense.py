"""Hermes-base: the same machine without activation sparsity (Hermes, V-A).

An FC layer runs on the GPU if its weights are there, else on the DIMMs, its rows spread evenly;
attention always runs on the DIMMs. The GPU is filled with whole FC layers from layer 0 up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template, Work
from simcore.errors import CapacityError
from simcore.hardware import gpu as gpu_model
from simcore.model import shapes
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid, Section
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.scenario.fields import knob
from simcore.scenario.schema import Model, Scenario
from simcore.systems.base import register_system
from simcore.systems.hermes.explain import explain
from simcore.systems.hermes.machine import (
    COMPONENTS,
    OPS,
    PAPER,
    PRESETS,
    MachinePlan,
    check_units,
    kv_items,
    make_lanes,
    make_memory,
    make_places,
    parts_of,
)
from simcore.systems.hermes.shared_work import attention, output, prefill, put, tail
from simcore.systems.hermes.steps import Phases, common_templates
from simcore.systems.phased import PhasedSystem, Segments
from simcore.units import transfer_ps, us_to_ps

MEMORY_KINDS = ("FC layers", "tables", "reserve", "weights", "kv")
BLOCKS = ("qkv", "projection", "mlp")
_TITLES = ("QKV", "projection", "MLP")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePolicy:
    """The one choice Hermes-base has."""

    gpu_weights_GB: float | None = knob(
        None,
        unit="GB",
        ge=0,
        le=10_000,
        step=0.5,
        optional=True,
        help="GPU memory for FC layers; automatic: all that tables and the reserve leave.",
        cls="derived",
        source="capacity minus tables and reserve; the paper does not say how the GPU is filled",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePlan(MachinePlan):
    """A prepared run of Hermes-base.

    Attributes:
        sizes: bytes of the FC layers of one transformer layer, (blocks,).
        widths: outputs of each, (blocks,).
        inputs: inputs of each, (blocks,).
        on_gpu: whether each FC layer lies on the GPU, (layers, blocks).
    """

    sizes: NDArray[np.int64]
    widths: NDArray[np.int64]
    inputs: NDArray[np.int64]
    on_gpu: NDArray[np.bool_]


def fill_gpu(layers: int, sizes: NDArray[np.int64], room_bytes: int) -> NDArray[np.bool_]:
    """Whole FC layers in order of computation, as many as fit; (layers, blocks)."""
    order = np.cumsum(np.tile(sizes, layers))
    return (order <= room_bytes).reshape(layers, len(sizes))


def fc_shapes(model: Model) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Bytes, outputs and inputs of QKV, projection and MLP."""
    sizes = (
        model.hidden * shapes.attention_neuron_bytes(model),
        shapes.projection_bytes(model),
        model.ffn * shapes.mlp_neuron_bytes(model),
    )
    widths = (shapes.qkv_width(model), model.hidden, model.hidden)
    inputs = (model.hidden, shapes.attention_width(model), model.hidden)
    return np.array(sizes), np.array(widths), np.array(inputs)


@register_system("hermes-base")
class HermesBase(PhasedSystem):
    """The NDP-DIMM machine computing dense layers."""

    title = "Hermes-base"
    paper = PAPER
    policy_type = BasePolicy
    no_experts = "it deals the columns of one dense MLP to GPU and DIMMs"
    components = COMPONENTS
    presets = PRESETS
    stochastic = False

    def prepare(self, scenario: Scenario, *, items: bool = True) -> BasePlan:
        parts, model = parts_of(scenario), scenario.model
        workload = scenario.workload
        context = workload.prompt_tokens + workload.output_tokens
        check_units(parts.units, model, workload.batch, context)
        capacity = gpu_model.memory_bytes(parts.gpu)
        fixed = shapes.table_bytes(model) + int(parts.gpu.reserve_GB * 1e9)
        room = capacity - fixed
        if scenario.policy.gpu_weights_GB is not None:
            room = min(room, int(scenario.policy.gpu_weights_GB * 1e9))
        if room < 0:
            raise CapacityError(
                parts.gpu.title,
                fixed,
                capacity,
                "tables and reserve must fit the GPU: raise hardware.gpu.memory_GiB or lower "
                "hardware.gpu.reserve_GB",
            )
        sizes, widths, inputs = fc_shapes(model)
        lanes = make_lanes(parts)
        build = Phases(lanes, parts.units.count)
        layer = build.template(
            build.either("qkv", "qkv_hot", "qkv_cold"),
            build.attention(),
            build.either("projection", "projection", "projection"),
            build.either("mlp", "mlp_hot", "mlp_cold"),
            build.output(),
        )
        return BasePlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(parts),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + workload.output_tokens,
            items=items,
            gpu=parts.gpu,
            pcie=parts.pcie,
            units=parts.units,
            link=parts.link,
            host=parts.host,
            model=model,
            kv_items=kv_items(workload.batch * model.kv_heads, parts.units.count),
            layer=layer,
            sizes=sizes,
            widths=widths,
            inputs=inputs,
            on_gpu=fill_gpu(model.layers, sizes, room),
            **common_templates(build),
        )

    def start(self, plan: BasePlan, run: Run) -> None:
        """Nothing changes from token to token but the context."""

    def causes(self, plan: BasePlan, state: None, run: Run, index: int) -> dict[str, Any]:
        workload = plan.scenario.workload
        context = workload.prompt_tokens + index
        return {
            "kind": np.int8(KIND_DECODE if index else KIND_PREFILL),
            "tokens": np.int32(workload.batch if index else 0),
            "context_tokens": np.int32(context),
            "memory_bytes": _memory(plan, context),
        }

    def segments(self, plan: BasePlan, record: Mapping[str, Any]) -> Segments:
        return _segments(plan, record)

    def placement(self, plan: BasePlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        columns, sections = _columns(plan)
        category = np.empty((plan.model.layers, columns), np.uint8)
        for block, section in enumerate(sections):
            width = section.stop - section.start
            home = 1 + np.arange(width) * plan.units.count // width
            category[:, section.start : section.stop] = np.where(
                plan.on_gpu[:, block, None], 0, home[None, :]
            )
        wide = max(1, items_per_cell)
        cells = category[:, wide // 2 :: wide] if wide < columns else category[:, :1]
        count = -(-columns // wide)
        if cells.shape[1] < count:
            cells = np.concatenate([cells, category[:, -1:]], axis=1)
        return PlacementGrid(
            row_title="layer",
            column_title="output",
            rows=plan.model.layers,
            columns=columns,
            items_per_cell=wide,
            sections=sections,
            categories=make_places(plan.units),
            category=np.ascontiguousarray(cells),
            active=np.full(cells.shape, 255, np.uint8),
            flags=np.zeros(cells.shape, np.uint8),
        )

    def item(self, plan: BasePlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        _, sections = _columns(plan)
        for block, section in enumerate(sections):
            if section.start <= column < section.stop and 0 <= row < plan.model.layers:
                where = (
                    "GPU" if plan.on_gpu[row, block] else f"spread over {plan.units.count} DIMMs"
                )
                facts = (("place", where), ("weights", f"{int(plan.sizes[block]):,} B"))
                return ItemInfo(f"layer {row} · {section.title}", facts)
        return ItemInfo("outside the map", ())

    def explain(
        self, plan: BasePlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        return explain(plan, record, spans, span)

    def summary(self, plan: BasePlan, run: Run) -> Mapping[str, Any]:
        resident = int((plan.on_gpu * plan.sizes).sum())
        total = plan.model.layers * int(plan.sizes.sum())
        return {
            "gpu_weight_bytes": resident,
            "gpu_weight_share": resident / total,
            "dimm_compute_share": 1.0 - resident / total,
        }


def _columns(plan: BasePlan) -> tuple[int, tuple[Section, ...]]:
    """Columns of the map: the outputs of each FC layer."""
    sections, at = [], 0
    widths = (int(plan.widths[0]), int(plan.widths[1]), plan.model.ffn)
    for name, title, width in zip(BLOCKS, _TITLES, widths, strict=True):
        sections.append(Section(name, title, at, at + width))
        at += width
    return at, tuple(sections)


def _segments(plan: BasePlan, record: Mapping[str, Any]) -> list[tuple[Template, Work, bool]]:
    if int(record["kind"]) == KIND_PREFILL:
        return prefill(plan, 0)  # the resident layers stay as they are streamed past
    work = plan.layer.blank(plan.model.layers)
    for block, name in enumerate(BLOCKS):
        _fc(plan, work, block, name)
    attention(plan, work, int(record["context_tokens"]))
    output(plan, work)
    return [(plan.layer, work, True), (plan.tail, tail(plan), False)]


def _fc(plan: BasePlan, work: Work, block: int, name: str) -> None:
    """One FC layer of every transformer layer, on either side."""
    here = plan.on_gpu[:, block].astype(np.int64)
    away = 1 - here
    size, batch, width = int(plan.sizes[block]), plan.batch, plan.model.bytes_per_kv
    macs = batch * (size // plan.model.bytes_per_weight)
    sync = us_to_ps(plan.pcie.sync_us)
    for group, values in (("up", plan.inputs), ("down", plan.widths)):
        moved = batch * int(values[block]) * width
        time = sync + transfer_ps(moved, plan.pcie.bandwidth_GBps)
        put(plan, work, f"{name}.{group}", (time * here)[:, None], (moved * here)[:, None])
    kernel = gpu_model.kernel_ps(plan.gpu, size, 2 * macs)
    columns = (kernel * here, size * here, 2 * macs * here)
    put(plan, work, f"{name}.hot", *(values[:, None] for values in columns))
    share, part = -(-size // plan.units.count), -(-macs // plan.units.count)
    time = plan.units.gemv_ps(share, part)
    columns = (time * away, share * away, 2 * part * away)
    put(plan, work, f"{name}.cold", *(values[:, None] for values in columns))


def _memory(plan: BasePlan, context: int) -> NDArray[np.int64]:
    """Bytes in use by device and kind."""
    model = plan.model
    used = np.zeros((len(plan.memory), len(MEMORY_KINDS)), np.int64)
    used[0, 0] = int((plan.on_gpu * plan.sizes).sum())
    used[0, 1] = shapes.table_bytes(model)
    used[0, 2] = int(plan.gpu.reserve_GB * 1e9)
    used[1:, 3] = shapes.weight_bytes(model) // plan.units.count
    kv = model.layers * context * 2 * model.head_dim * model.bytes_per_kv
    used[1:, 4] = plan.kv_items * kv
    return used
