"""A small system for tests of everything that only reads runs: five lanes, ten layers, quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simcore.registry import SYSTEMS
from simcore.results.explain import Explanation, Term
from simcore.results.placement import (
    FLAG_MISSED,
    FLAG_MOVING,
    ItemInfo,
    PlaceCategory,
    PlacementGrid,
    Section,
)
from simcore.results.run import KIND_DECODE, KIND_PREFILL, MemoryDevice, Plan, Run
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, Spans, WaitReason
from simcore.scenario.fields import knob
from simcore.scenario.schema import Gpu, Hardware, Model, NdpDimms, Pcie, Scenario
from simcore.systems.base import System, Variant

LAYERS = 10
ROW = 40
LANES = (
    Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, 936.0),
    Lane("pcie", "PCIe", "PCIe", LaneKind.LINK, 64.0),
    Lane("dimm0", "DIMM 0", "DIMM", LaneKind.COMPUTE, 102.4),
    Lane("dimm1", "DIMM 1", "DIMM", LaneKind.COMPUTE, 102.4),
    Lane("host", "Host CPU", "Host", LaneKind.HOST, 89.6),
)
OPS = (
    Op("predict", "predict", "predict"),
    Op("attention", "attention", "attention"),
    Op("mlp_hot", "hot neurons", "mlp"),
    Op("mlp_cold", "cold neurons", "mlp"),
    Op("send", "send activations", "transfer"),
    Op("merge", "merge", "merge"),
    *WAIT_OPS,
)
_OP = {op.id: index for index, op in enumerate(OPS)}
_WAIT = {op.reason: index for index, op in enumerate(OPS) if op.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePolicy:
    """Knobs of the fake."""

    speed: float = knob(1.0, gt=0, le=100, help="Divides every time.")
    skew: float = knob(0.3, ge=0, le=0.9, help="How unequal the DIMMs are loaded.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePlan(Plan):
    seed: int
    speed: float


class _Lanes:
    """Builds the spans of a step lane by lane; gaps become waits."""

    def __init__(self) -> None:
        self.rows: list[list[list[int]]] = [[] for _ in LANES]
        self.now = [0] * len(LANES)

    def wait(self, lane: int, until: int, reason: WaitReason, layer: int, cause: tuple[int, int]):
        if until > self.now[lane]:
            self.rows[lane].append(
                [_WAIT[reason], layer, self.now[lane], until, 0, 0, cause[0], cause[1]]
            )
            self.now[lane] = until

    def op(self, lane: int, name: str, layer: int, length: int, amount: int, flops: int):
        start = self.now[lane]
        self.rows[lane].append([_OP[name], layer, start, start + length, amount, flops, -1, -1])
        self.now[lane] = start + length
        return lane, len(self.rows[lane]) - 1

    def spans(self) -> Spans:
        end = max(self.now)
        for lane in range(len(LANES)):
            self.wait(lane, end, WaitReason.NO_WORK, -1, (-1, -1))
        first = np.cumsum([0] + [len(rows) for rows in self.rows])
        flat = np.array([row for rows in self.rows for row in rows], dtype=np.int64)
        cause = np.where(flat[:, 6] >= 0, first[flat[:, 6]] + flat[:, 7], -1)
        lane = np.repeat(np.arange(len(LANES)), [len(rows) for rows in self.rows])
        return Spans(
            lane=lane.astype(np.int16),
            op=flat[:, 0].astype(np.int16),
            layer=flat[:, 1].astype(np.int16),
            start_ps=flat[:, 2],
            end_ps=flat[:, 3],
            amount_bytes=flat[:, 4],
            flops=flat[:, 5],
            cause=cause.astype(np.int32),
        )


class FakeSystem(System):
    """GPU with two DIMMs; hot neurons on the GPU, cold ones split unequally."""

    title = "Fake"
    paper = "none"
    policy_type = FakePolicy
    components = ("gpu", "pcie", "ndp_dimms")
    presets: Mapping[str, str] = {}
    variants: Mapping[str, Variant] = {
        "fake-slow": Variant("Fake, slow", {"speed": 0.5}),
        "fake-even": Variant("Fake, even", {"skew": 0.0}),
    }

    def prepare(self, scenario: Scenario, *, items: bool = True) -> FakePlan:
        return FakePlan(
            scenario=scenario,
            lanes=LANES,
            ops=OPS,
            memory=(
                MemoryDevice("gpu", "GPU", 24 * 2**30),
                MemoryDevice("dimms", "DIMMs", 64 * 2**30),
            ),
            memory_kinds=("weights", "kv"),
            total_steps=1 + scenario.workload.output_tokens - 1,
            items=items,
            seed=scenario.seed,
            speed=scenario.policy.speed,
        )

    def start(self, plan: FakePlan, run: Run) -> Any:
        return np.random.default_rng(plan.seed), np.random.default_rng(plan.seed + 1)

    def advance(self, plan: FakePlan, state: Any, run: Run) -> Mapping[str, Any]:
        index = len(run)
        draw, draw_items = state
        scale = 40 if index == 0 else 1
        skew = plan.scenario.policy.skew
        share = 0.5 + skew / 2 * np.sin(index / 5 + np.arange(LAYERS))
        cold = draw.integers(2_000_000, 3_000_000, LAYERS) * scale
        record: dict[str, Any] = {
            "cold_bytes": np.stack([cold * share, cold * (1 - share)], axis=1).astype(np.int64),
            "hot_bytes": (draw.integers(3_000_000, 5_000_000, LAYERS) * scale).astype(np.int64),
            "context_tokens": np.int64(plan.scenario.workload.prompt_tokens + index),
            "kind": np.uint8(KIND_PREFILL if index == 0 else KIND_DECODE),
            "tokens": np.int64(plan.scenario.workload.batch),
            "places": np.int32(0),
        }
        if plan.items and index % 4 == 0:
            places = draw_items.integers(0, 3, (LAYERS, ROW)).astype(np.uint8)
            record["places"] = np.int32(run.attach("places", places))
        elif plan.items:
            record["places"] = np.int32(run.value("places", index - 1))
        spans = self.spans(plan, record)
        shape = (len(LANES), len(OPS))
        for column, values in (
            ("lane_op_ps", spans.duration_ps),
            ("lane_op_bytes", spans.amount_bytes),
            ("lane_op_flops", spans.flops),
        ):
            total = np.zeros(shape, np.int64)
            np.add.at(total, (spans.lane, spans.op), values)
            record[column] = total
        record["duration_ps"] = np.int64(spans.end_ps.max())
        kv = int(record["context_tokens"]) * 400_000
        record["memory_bytes"] = np.array([[12 * 10**9, 0], [40 * 10**9, kv]], np.int64)
        return record

    def spans(self, plan: FakePlan, record: Mapping[str, Any]) -> Spans:
        lanes = _Lanes()
        gpu, pcie, host = 0, 1, 4
        for layer in range(LAYERS):
            predicted = lanes.op(host, "predict", layer, 3_000_123, 50_000, 0)
            for dimm in (2, 3):
                lanes.wait(dimm, lanes.now[host], WaitReason.DEPENDENCY, layer, predicted)
                amount = int(record["context_tokens"]) * 1000
                lanes.op(dimm, "attention", layer, int(amount * 18 / plan.speed), amount, amount)
                amount = int(record["cold_bytes"][layer, dimm - 2])
                last = lanes.op(
                    dimm, "mlp_cold", layer, int(amount * 18 / plan.speed), amount, amount
                )
                if lanes.now[dimm] == max(lanes.now[2:4]):
                    slowest = last
            lanes.wait(gpu, lanes.now[host], WaitReason.DEPENDENCY, layer, predicted)
            amount = int(record["hot_bytes"][layer])
            lanes.op(gpu, "mlp_hot", layer, int(amount * 1.2 / plan.speed), amount, amount)
            barrier = max(lanes.now[2:4])
            for dimm in (2, 3):
                lanes.wait(dimm, barrier, WaitReason.IMBALANCE, layer, slowest)
            lanes.wait(pcie, barrier, WaitReason.NO_WORK, layer, (-1, -1))
            sent = lanes.op(pcie, "send", layer, 10_000_777, 500_000, 0)
            lanes.wait(gpu, lanes.now[pcie], WaitReason.SYNC, layer, sent)
            lanes.op(gpu, "merge", layer, 2_000_001, 100_000, 1000)
            for lane in (pcie, host):
                lanes.wait(lane, lanes.now[gpu], WaitReason.NO_WORK, layer, (-1, -1))
            for dimm in (2, 3):
                lanes.wait(dimm, lanes.now[gpu], WaitReason.SYNC, layer, sent)
        return lanes.spans()

    def placement(self, plan: FakePlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        places = run.attachments["places"][int(run.value("places", index))]
        category = places[:, ::items_per_cell].copy()
        category[0, -2:] = 255
        active = ((category.astype(int) * 83 + 40 * index) % 256).astype(np.uint8)
        flags = np.zeros_like(category)
        flags[1, 3] = FLAG_MISSED
        flags[2, 5] = FLAG_MOVING
        return PlacementGrid(
            "layer",
            "neuron",
            LAYERS,
            ROW,
            items_per_cell,
            (Section("qkv", "QKV", 0, 16), Section("mlp", "MLP", 16, ROW)),
            (
                PlaceCategory("gpu", "GPU"),
                PlaceCategory("dimm0", "DIMM 0"),
                PlaceCategory("dimm1", "DIMM 1"),
            ),
            category,
            active,
            flags,
        )

    def item(self, plan: Any, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return ItemInfo(f"layer {row} · neuron {column}", (("place", "GPU"),))

    def explain(self, plan: Any, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
        op = OPS[int(spans.op[span])]
        length = int(spans.duration_ps[span])
        return Explanation(
            f"{op.title} on {LANES[int(spans.lane[span])].title}, layer {int(spans.layer[span])}",
            "bytes / bandwidth",
            f"{length / 1e6:.3f} us",
            "memory bandwidth",
            (Term("bytes", f"{int(spans.amount_bytes[span])} B", "amount read"),),
        )

    def summary(self, plan: Any, run: Run) -> Mapping[str, Any]:
        return {"hot_share": 0.5, "imbalance": float("nan")}

    def series(self, plan: Any, run: Run) -> Mapping[str, tuple[str, Any]]:
        return {"cold": ("B", run.column("cold_bytes").sum(axis=(1, 2)))}


def register() -> None:
    """Put the fake and its variants into the registry, once."""
    if "fake" not in SYSTEMS:
        SYSTEMS.add("fake", FakeSystem("fake"))
        for name, variant in FakeSystem.variants.items():
            SYSTEMS.add(name, FakeSystem(name, variant))


def fake_scenario(tokens: int = 12, **policy: Any) -> Scenario:
    """A resolved scenario of the fake system."""
    from simcore.scenario.schema import FixedWorkload

    return Scenario(
        name="fake <machine> & co",
        system="fake",
        hardware=Hardware(gpu=Gpu(), pcie=Pcie(), ndp_dimms=NdpDimms(count=2)),
        model=Model(
            layers=LAYERS,
            hidden=64,
            heads=4,
            kv_heads=4,
            head_dim=16,
            ffn=64,
            ffn_matrices=2,
            vocab=100,
        ),
        workload=FixedWorkload(output_tokens=tokens),
        policy=FakePolicy(**policy),
        compare=("fake-slow",),
        seed=7,
    )


def fake_run(tokens: int = 12, **policy: Any) -> Run:
    """A finished run of the fake system."""
    from simcore.engine.simulator import simulate

    register()
    return simulate(fake_scenario(tokens, **policy))
