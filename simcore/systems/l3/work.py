"""From causes to the time and amount of every operation, for any number of steps at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Group, Phase, Template, Work
from simcore.hardware import gpu_kernels
from simcore.model import shapes
from simcore.results.spans import Lane, WaitReason
from simcore.systems.l3.causes import Causes
from simcore.systems.l3.machine import OP, OPS, ServingPlan, Side, kv_bytes
from simcore.units import transfer_ps

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FcTimes:
    """GPU times of a sub-batch that depend on its rows alone, in ps."""

    norm: int
    qkv: int
    projection: int
    mlp: int
    all_reduce: int
    lm_head: int


def fc_times(plan: ServingPlan, rows: int) -> FcTimes:
    """One layer of `rows` rows on the GPUs of a replica."""
    if rows <= 0:
        return FcTimes(0, 0, 0, 0, 0, 0)
    model, gpu, caps, policy, share = plan.model, plan.gpu, plan.caps, plan.policy, plan.gpus
    size, wide = model.bytes_per_weight, shapes.attention_width(model)

    def fc(inputs: float, outputs: float) -> int:
        return gpu_kernels.fc_ps(gpu, caps, rows, inputs, outputs, size)

    # Every GPU has its part of every expert, as of a dense MLP. Rows are dealt over the experts.
    experts = float(shapes.distinct_experts(model, rows))
    each = rows * model.experts_per_token / experts

    def mlp(inputs: float, outputs: float) -> int:
        return gpu_kernels.fc_ps(gpu, caps, each, inputs, outputs, size, experts)

    hidden, neurons = model.hidden, -(-model.ffn // share)
    router = fc(hidden, model.experts) if model.experts > 1 else 0
    return FcTimes(
        norm=gpu_kernels.row_passes_ps(gpu, caps, rows, hidden, policy.norm_passes, policy.norm_us),
        qkv=fc(hidden, -(-shapes.qkv_width(model) // share)),
        projection=fc(-(-wide // share), hidden),
        mlp=router + (model.ffn_matrices - 1) * mlp(hidden, neurons) + mlp(neurons, hidden),
        all_reduce=gpu_kernels.all_reduce_ps(
            rows * hidden * model.bytes_per_kv,
            share,
            plan.nvlink.hop_us,
            plan.nvlink.bandwidth_GBps,
        ),
        lm_head=fc(hidden, -(-model.vocab // share)),
    )


@dataclass(frozen=True, slots=True)
class Times:
    """Times of n steps in ps; axes: step, sub-batch (and lane where there is one).

    Attributes:
        fc: GPU times by name of `FcTimes`, (n, 2) each.
        attention: decode attention on the GPU, (n, 2).
        prefill: prefill attention, (n, 2).
        side: decode attention by lane of the attention side, in layer 0, (n, 2, lanes).
        inputs, outputs: on the links, (n, 2).
        receive, send: what they take from each lane of the side, (n, 2).
        swap_out, swap_in, idle: once a step, (n,).
    """

    fc: dict[str, Int]
    attention: Int
    prefill: Int
    side: Int
    inputs: Int
    outputs: Int
    receive: Int
    send: Int
    swap_out: Int
    swap_in: Int
    idle: Int


def side_ps(side: Side, loads: Int, counts: Int) -> Int:
    """Decode attention on the attention side: the slowest rank of every lane.

    Args:
        side: the attention side.
        loads, counts: (n, 2, classes).

    Returns:
        (n, 2, lanes) ps.
    """
    shape = (*loads.shape[:2], side.lanes, side.offsets)
    tokens = loads.reshape(shape) @ side.slots
    time = tokens * side.token_ps
    if side.request_ps:
        time = time + (counts.reshape(shape) @ side.slots) * side.request_ps
    whole = np.ceil(time.max(axis=-1)).astype(np.int64)
    if side.fixed_ps:
        whole += np.where(whole > 0, round(side.fixed_ps), 0)
    return whole


def make_times(plan: ServingPlan, causes: Causes) -> Times:
    """Times of every operation."""
    model, side = plan.model, plan.side
    rows, chunk = causes.half("rows"), causes.half("chunk")
    together = rows + chunk
    unique, where = np.unique(together, return_inverse=True)
    table = [fc_times(plan, int(count)) for count in unique]
    fc = {
        name: np.array([getattr(entry, name) for entry in table], np.int64)[where].reshape(
            together.shape
        )
        for name in FcTimes.__dataclass_fields__
    }
    pairs = causes.half("pairs")
    flops = 2.0 * pairs * shapes.attention_width(model) / plan.gpus
    prefill = np.ceil(flops / (plan.gpu.fp16_TFLOPS * plan.caps.compute)).astype(np.int64)
    loads, counts = causes.loads(), causes.counts()
    if side.lanes:
        attention = np.zeros_like(rows)
        on_side = side_ps(side, loads, counts)
    else:
        heads = -(-model.kv_heads // plan.gpus)
        attention = gpu_kernels.decode_attention_ps(
            plan.gpu,
            plan.caps,
            rows,
            loads.sum(axis=2),
            causes.half("longest"),
            heads,
            2 * model.head_dim * model.bytes_per_kv,
        )
        on_side = np.zeros((len(causes), 2, 0), np.int64)
    zero = np.zeros_like(rows)
    inputs = outputs = zero
    if side.link_GBps:
        inputs = transfer_ps(input_bytes(plan, rows, chunk), side.link_GBps)
        outputs = transfer_ps(output_bytes(plan, rows), side.link_GBps)
    token = kv_bytes(model)
    return Times(
        fc=fc,
        attention=attention,
        prefill=prefill,
        side=on_side,
        inputs=inputs,
        outputs=outputs,
        receive=np.ceil(inputs * side.share).astype(np.int64),
        send=np.ceil(outputs * side.share).astype(np.int64),
        swap_out=transfer_ps(causes.get("swap_out") * token, plan.pcie_GBps),
        swap_in=transfer_ps(causes.get("swap_in") * token, plan.pcie_GBps),
        idle=causes.get("idle_ps"),
    )


def input_bytes(plan: ServingPlan, rows: Int, chunk: Int) -> Int:
    """Q, K and V of decodes and K and V of prompt chunks, of one layer."""
    model = plan.model
    decode = shapes.qkv_width(model) * model.bytes_per_kv
    return rows * decode + chunk * shapes.kv_token_bytes(model)


def output_bytes(plan: ServingPlan, rows: Int) -> Int:
    """Attention results of decodes, of one layer."""
    return rows * (shapes.attention_width(plan.model) * plan.model.bytes_per_kv)


def durations_ps(plan: ServingPlan, times: Times) -> Int:
    """Length of every step, (n,): the same as laying all its operations out."""
    fc = times.fc
    before = fc["norm"] + fc["qkv"] + times.attention
    after = fc["projection"] + fc["mlp"] + 2 * fc["all_reduce"]
    gpu = before + times.prefill + after
    if times.side.shape[2]:
        reach = times.side.max(axis=2) + times.receive + times.send
        reach = np.maximum(reach, np.maximum(times.inputs, times.outputs))
    else:
        reach = np.zeros_like(gpu)
    if plan.halves == 2:
        layer = np.maximum(gpu, reach[:, ::-1]).sum(axis=1)
    else:
        layer = (before + np.maximum(times.prefill, reach) + after)[:, 0]
    edge = times.idle + np.maximum(times.swap_out, times.swap_in) + fc["lm_head"].sum(axis=1)
    total: Int = plan.model.layers * layer + edge
    return total


def make_templates(lanes: tuple[Lane, ...], side: Side, halves: int) -> tuple[Template, Template]:
    """Phases of a layer, and of the end of a step."""
    at = {lane.id: index for index, lane in enumerate(lanes)}
    gpu = (at["gpu"],)
    link = (at["nvlink"],) if "nvlink" in at else gpu
    into, out = ((at[own] if own in at else at[f"pcie_{own}"],) for own in ("in", "out"))
    first = len(lanes) - 2 - ("queue" in at) - side.lanes - (2 if "in" in at else 0)
    units = tuple(range(first, first + side.lanes))
    dependent = {lane: WaitReason.DEPENDENCY for lane in (*link, *into, *out) if lane not in gpu}
    dependent |= dict.fromkeys(units, WaitReason.DEPENDENCY)

    def compute(
        half: int, attend: bool, between: tuple[str, ...] = ()
    ) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
        """The GPU's chain; `between` must have ended before the projection."""
        x = f".{half}"
        return (
            Group(f"norm{x}", OP["norm"], gpu),
            Group(f"qkv{x}", OP["qkv"], gpu),
            *((Group(f"attention{x}", OP["attention"], gpu),) if attend else ()),
        ), (
            Group(f"prefill{x}", OP["prefill"], gpu),
            Group(f"projection{x}", OP["projection"], gpu, between),
            Group(f"reduce1{x}", OP["all_reduce"], link, (f"projection{x}",)),
            Group(f"mlp{x}", OP["mlp"], gpu, (f"reduce1{x}",)),
            Group(f"reduce2{x}", OP["all_reduce"], link, (f"mlp{x}",)),
        )

    def attend(half: int, after: tuple[str, ...] = ()) -> tuple[Group, ...]:
        if not units:
            return ()
        x = f".{half}"
        if not side.link_GBps:
            return (Group(f"side{x}", OP["attention"], units, after),)
        return (
            Group(f"inputs{x}", OP["inputs"], into, after),
            Group(f"outputs{x}", OP["outputs"], out, after),
            Group(f"receive{x}", OP["receive"], units, after),
            Group(f"side{x}", OP["attention"], units),
            Group(f"send{x}", OP["send"], units),
        )

    phases: list[Phase] = []
    if halves == 2:
        for half in (0, 1):
            head, tail = compute(half, False)
            phases.append(Phase(f"half{half}", (*head, *tail, *attend(1 - half)), dependent))
    else:
        between: tuple[str, ...] = ()
        if units:
            between = ("send.0", "inputs.0", "outputs.0") if side.link_GBps else ("side.0",)
        head, tail = compute(0, not units, between)
        phases.append(Phase("whole", (*head, *attend(0, ("qkv.0",)), *tail), dependent))
    # KV leaves the memory it is in: the host's DIMMs towards the GPUs, or the other way round.
    leave, back = (at["pcie_in"],), (at["pcie_out"],)
    if side.kind in ("dimm", "cpu"):
        leave, back = back, leave
    full = dict.fromkeys(range(len(lanes)), WaitReason.MEMORY_FULL)
    edge = [
        Phase(
            "swap",
            (
                Group("swap_out", OP["swap_out"], leave),
                Group("swap_in", OP["swap_in"], back),
            ),
            full,
        ),
        Phase("head", (Group("lm_head", OP["lm_head"], gpu),), dependent),
    ]
    if "queue" in at:
        edge.insert(0, Phase("idle", (Group("idle", OP["idle"], (at["queue"],)),)))
    return Template(phases, lanes, OPS), Template(edge, lanes, OPS)


Put = Callable[[str, Int | int, Int | int, Int | int], None]


def columns_of_layers(plan: ServingPlan) -> Int:
    """Column of layer 0 whose work each column has in layers 0, 1 and so on, (lanes, columns).

    Lane j of the attention side has in layer l what lane (j - l) mod lanes has in layer 0: the KV
    of a request is interleaved over ranksets by layer. It repeats after as many layers as the side
    has lanes.
    """
    lanes = max(1, plan.side.lanes)
    columns = np.tile(np.arange(plan.layer.columns), (lanes, 1))
    if plan.side.lanes:
        turned = (np.arange(lanes) - np.arange(lanes)[:, None]) % lanes
        for half in range(plan.halves):
            where = plan.layer.slice(f"side.{half}")
            columns[:, where] = where.start + turned
    return columns


def layer_work(plan: ServingPlan, causes: Causes, times: Times) -> Work:
    """Work of layer 0 of every step, rows are steps; `columns_of_layers` says how others differ."""
    model, side, template = plan.model, plan.side, plan.layer
    work = template.blank(len(causes))

    def put(group: str, time: Int, amount: Int | int = 0, flops: Int | int = 0) -> None:
        columns = template.slice(group)
        work.time_ps[:, columns] = time if np.ndim(time) == 2 else np.asarray(time)[:, None]
        for table, value in ((work.amount_bytes, amount), (work.flops, flops)):
            table[:, columns] = value if np.ndim(value) == 2 else np.asarray(value).reshape(-1, 1)

    rows, chunk = causes.half("rows"), causes.half("chunk")
    loads = causes.loads()
    size = model.bytes_per_weight
    matrices = {
        "qkv": model.hidden * shapes.qkv_width(model),
        "projection": shapes.attention_width(model) * model.hidden,
    }
    token_weights = shapes.mlp_token_bytes(model) // size
    for half in range(plan.halves):
        x, together = f".{half}", rows[:, half] + chunk[:, half]
        some = together > 0
        put(f"norm{x}", times.fc["norm"][:, half])
        for name, elements in matrices.items():
            put(
                f"{name}{x}",
                times.fc[name][:, half],
                some * elements * size,
                2 * together * elements,
            )
        put(
            f"mlp{x}",
            times.fc["mlp"][:, half],
            some * shapes.mlp_read_bytes(model, together),
            2 * together * token_weights,
        )
        put(
            f"prefill{x}",
            times.prefill[:, half],
            0,
            2 * causes.half("pairs")[:, half] * shapes.attention_width(model),
        )
        reduced = together * model.hidden * model.bytes_per_kv
        moved = 2 * (plan.gpus - 1) * reduced // plan.gpus
        for name in ("reduce1", "reduce2"):
            put(f"{name}{x}", times.fc["all_reduce"][:, half], moved)
        kv = shapes.kv_token_bytes(model)
        work_each = 4 * model.head_dim * model.heads
        if not side.lanes:
            tokens = loads[:, half].sum(axis=1)
            put(f"attention{x}", times.attention[:, half], tokens * kv, tokens * work_each)
            continue
        tokens = loads[:, half].reshape(len(causes), side.lanes, -1).sum(axis=2)
        put(f"side{x}", times.side[:, half], tokens * kv, tokens * work_each)
        if side.link_GBps:
            put(f"receive{x}", times.receive[:, half])
            put(f"send{x}", times.send[:, half])
            put(
                f"inputs{x}",
                times.inputs[:, half],
                input_bytes(plan, rows[:, half], chunk[:, half]),
            )
            put(f"outputs{x}", times.outputs[:, half], output_bytes(plan, rows[:, half]))
    return work


def edge_work(plan: ServingPlan, causes: Causes, times: Times) -> Work:
    """Work outside the layers of every step, rows are steps."""
    model, template = plan.model, plan.edge
    work = template.blank(len(causes))
    token = kv_bytes(model)
    together = causes.half("rows") + causes.half("chunk")
    table = shapes.lm_head_bytes(model)
    entries = {
        "swap_out": (times.swap_out, causes.get("swap_out") * token, 0),
        "swap_in": (times.swap_in, causes.get("swap_in") * token, 0),
        "lm_head": (
            times.fc["lm_head"].sum(axis=1),
            (together > 0).sum(axis=1) * table,
            2 * together.sum(axis=1) * model.vocab * model.hidden,
        ),
        "idle": (times.idle, 0, 0),
    }
    for name, (time, amount, flops) in entries.items():
        if name == "idle" and "queue" not in {lane.id for lane in plan.lanes}:
            continue
        columns = template.slice(name)
        work.time_ps[:, columns] = time[:, None]
        work.amount_bytes[:, columns] = np.asarray(amount).reshape(-1, 1)
        work.flops[:, columns] = np.asarray(flops).reshape(-1, 1)
    return work
