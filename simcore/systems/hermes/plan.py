"""What is fixed for a Hermes run: lanes, ops, phases, capacities, the offline placement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simcore.activations import make_source
from simcore.activations.source import ActivationSource
from simcore.activations.space import NeuronSpace
from simcore.activations.streams import stream
from simcore.engine.phases import Group, Phase, Template
from simcore.errors import CapacityError, InvariantError
from simcore.hardware import gpu as gpu_model
from simcore.hardware import ndp_dimm
from simcore.model import shapes
from simcore.placement.partition import (
    Placement,
    UnitCosts,
    greedy_partition,
    random_partition,
)
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, WaitReason
from simcore.scenario.schema import DimmLink, Gpu, Host, Model, NdpDimms, Pcie, Scenario
from simcore.systems.hermes.policy import HermesPolicy
from simcore.units import us_to_ps

GPU, UP, DOWN, FIRST_DIMM = 0, 1, 2, 3

OPS: tuple[Op, ...] = (
    Op(
        "predict",
        "predict",
        "predict",
        help="The host looks up state and parents and decides which neurons each unit computes.",
    ),
    Op("input_up", "input to GPU", "transfer", help="Layer input to the GPU, one synchronisation."),
    Op("qkv_hot", "QKV hot", "qkv", help="The GPU computes the predicted hot QKV neurons."),
    Op("qkv_cold", "QKV cold", "qkv", help="A DIMM computes its predicted cold QKV neurons."),
    Op(
        "result_down",
        "result to DIMMs",
        "transfer",
        help="The GPU's partial result goes to the DIMMs, one synchronisation.",
    ),
    Op("gather", "gather", "transfer", help="Partial results travel to the DIMM that needs them."),
    Op(
        "merge",
        "merge",
        "merge",
        help="The activation unit adds partial results; after the MLP "
        "also residual and normalisation.",
    ),
    Op(
        "attention",
        "attention",
        "attention",
        help="QK^T, softmax and the weighted sum of values over the KV cache of the DIMM's heads.",
    ),
    Op(
        "projection",
        "projection",
        "projection",
        help="The GPU computes the dense attention output projection.",
    ),
    Op(
        "swap_in",
        "copy hot neurons",
        "migration",
        help="Newly hot neurons are copied to the GPU and overwrite the coolest ones.",
    ),
    Op(
        "remap",
        "remap cold neurons",
        "migration",
        help="Cold neurons move from busy to idle DIMMs after a window.",
    ),
    Op("mlp_hot", "MLP hot", "mlp", help="The GPU computes the predicted hot MLP neurons."),
    Op("mlp_cold", "MLP cold", "mlp", help="A DIMM computes its predicted cold MLP neurons."),
    Op("lm_head", "output table", "other", help="The GPU computes the next-token scores."),
    Op("stream", "stream weights", "weights", help="Prefill: all weights of a layer to the GPU."),
    Op(
        "prefill",
        "prefill layer",
        "other",
        help="Prefill: the GPU computes one layer for the whole prompt.",
    ),
    Op("kv_down", "store KV", "transfer", help="Prefill: keys and values of a layer to the DIMMs."),
    Op(
        "load_hot",
        "load hot neurons",
        "weights",
        help="Prefill: the chosen hot neurons and the resident tables to the GPU.",
    ),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("hot neurons", "projection", "tables", "reserve", "weights", "kv")


@dataclass(frozen=True, slots=True, kw_only=True)
class HermesPlan(Plan):
    """A prepared Hermes run.

    Attributes:
        gpu, pcie, dimm, link, host, model, policy: parts of the scenario, never None.
        space: the sparse neurons.
        note: what the activations are.
        placement: the offline placement; must not be written.
        hot_room_bytes: GPU memory for hot neurons.
        kv_items: (sequence, KV head) pairs held by each DIMM, (DIMMs,).
        layer, tail, prefill_head, prefill_layer, prefill_tail: phases of the segments of a step.
    """

    gpu: Gpu
    pcie: Pcie
    dimm: NdpDimms
    link: DimmLink
    host: Host
    model: Model
    policy: HermesPolicy
    space: NeuronSpace
    note: str
    placement: Placement
    hot_room_bytes: int
    kv_items: NDArray[np.int64]
    layer: Template
    tail: Template
    prefill_head: Template
    prefill_layer: Template
    prefill_tail: Template

    @property
    def dimms(self) -> int:
        """Number of DIMMs."""
        return self.dimm.count

    @property
    def pairs(self) -> int:
        """DIMM pairs, each with a DIMM-link lane."""
        return self.dimm.count // 2

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return self.scenario.workload.batch


def prepare(scenario: Scenario, *, items: bool) -> HermesPlan:
    """Check capacities and fix everything that does not change.

    Raises:
        CapacityError: if the DIMMs cannot hold the model, or the GPU its dense part.
    """
    hardware, model, policy = scenario.hardware, scenario.model, scenario.policy
    gpu, pcie, dimm = hardware.gpu, hardware.pcie, hardware.ndp_dimms
    link, host = hardware.dimm_link, hardware.host
    if not (gpu and pcie and dimm and link and host):
        raise InvariantError("the loader fills in every component a system needs")
    workload = scenario.workload
    room = _hot_room(gpu, model, policy)
    _check_dimms(dimm, model, workload.batch, workload.prompt_tokens + workload.output_tokens)
    source = make_source(scenario)
    space = source.space
    placement = _placement(source, scenario, room)
    lanes = _lanes(gpu, pcie, dimm, link)
    templates = _templates(lanes, dimm.count)
    return HermesPlan(
        scenario=scenario,
        lanes=lanes,
        ops=OPS,
        memory=(
            MemoryDevice("gpu", gpu.title, gpu_model.memory_bytes(gpu)),
            *(
                MemoryDevice(f"dimm{j}", f"DIMM {j}", ndp_dimm.capacity_bytes(dimm))
                for j in range(dimm.count)
            ),
        ),
        memory_kinds=MEMORY_KINDS,
        total_steps=1 + workload.output_tokens,
        items=items,
        gpu=gpu,
        pcie=pcie,
        dimm=dimm,
        link=link,
        host=host,
        model=model,
        policy=policy,
        space=space,
        note=source.note,
        placement=placement,
        hot_room_bytes=room,
        kv_items=_kv_items(workload.batch * model.kv_heads, dimm.count),
        layer=templates[0],
        tail=templates[1],
        prefill_head=templates[2],
        prefill_layer=templates[3],
        prefill_tail=templates[4],
    )


def _hot_room(gpu: Gpu, model: Model, policy: HermesPolicy) -> int:
    """GPU memory left for hot neurons."""
    capacity = gpu_model.memory_bytes(gpu)
    dense = model.layers * shapes.projection_bytes(model) + shapes.table_bytes(model)
    reserve = int(gpu.reserve_GB * 1e9)
    if policy.gpu_hot_GB is not None:
        room = int(policy.gpu_hot_GB * 1e9)
        needed = dense + room
    else:
        room = capacity - dense - reserve
        needed = dense + reserve
    if needed > capacity:
        raise CapacityError(
            gpu.title,
            needed,
            capacity,
            "projection weights, tables, reserve and hot neurons must fit the GPU: take a larger "
            "GPU (hardware.gpu.memory_GiB), a smaller model, or less policy.gpu_hot_GB",
        )
    return room


def _check_dimms(dimm: NdpDimms, model: Model, batch: int, context: int) -> None:
    kv = model.layers * shapes.kv_token_bytes(model) * context * batch
    needed = shapes.weight_bytes(model) + kv
    one = ndp_dimm.capacity_bytes(dimm)
    if needed > one * dimm.count:
        raise CapacityError(
            f"{dimm.count} NDP-DIMMs",
            needed,
            one * dimm.count,
            f"all weights and the KV cache lie on the DIMMs: hardware.ndp_dimms.count must be at "
            f"least {-(-needed // one)}",
        )


def _kv_items(items: int, dimms: int) -> NDArray[np.int64]:
    """KV heads of all sequences, dealt round-robin to the DIMMs."""
    return np.bincount(np.arange(items) % dimms, minlength=dimms).astype(np.int64)


def unit_costs(gpu: Gpu, pcie: Pcie, dimm: NdpDimms, space: NeuronSpace) -> list[UnitCosts]:
    """What one active neuron costs on either side, by block (T_l of equations 4 and 5)."""
    costs = []
    fixed = 2 * us_to_ps(pcie.sync_us) + us_to_ps(gpu.kernel_launch_us)
    for block in space.blocks:
        on_dimm = float(ndp_dimm.gemv_ps(dimm, block.neuron_bytes, block.neuron_macs))
        on_gpu = block.neuron_bytes * 1e3 / gpu.bandwidth_GBps
        costs.append(UnitCosts(on_gpu, on_dimm, fixed))
    return costs


@lru_cache(maxsize=8)
def _cached_greedy(
    key: tuple[object, ...],
    room: int,
    costs: tuple[UnitCosts, ...],
    dimms: int,
    holder: _Profile,
) -> Placement:
    return greedy_partition(holder.space, holder.frequency, room, costs, dimms)


class _Profile:
    """Space and frequencies of a source; equal for all, so that only the key decides."""

    def __init__(self, source: ActivationSource) -> None:
        self.space = source.space
        self.frequency = source.profile()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Profile)

    def __hash__(self) -> int:
        return 0


def _placement(source: ActivationSource, scenario: Scenario, room: int) -> Placement:
    hardware = scenario.hardware
    if not (hardware.gpu and hardware.pcie and hardware.ndp_dimms):
        raise InvariantError("the loader fills in every component a system needs")
    dimms = hardware.ndp_dimms.count
    if scenario.policy.partition == "random":
        return random_partition(source.space, room, dimms, stream(scenario.seed, "partition"))
    costs = tuple(unit_costs(hardware.gpu, hardware.pcie, hardware.ndp_dimms, source.space))
    key = (scenario.model, scenario.activations)
    return _cached_greedy(key, room, costs, dimms, _Profile(source))


def _lanes(gpu: Gpu, pcie: Pcie, dimm: NdpDimms, link: DimmLink) -> tuple[Lane, ...]:
    return (
        Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps),
        Lane("pcie_up", "PCIe to GPU", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        Lane("pcie_down", "PCIe to DIMMs", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        *(
            Lane(f"dimm{j}", f"DIMM {j}", "DIMM", LaneKind.COMPUTE, ndp_dimm.internal_GBps(dimm))
            for j in range(dimm.count)
        ),
        *(
            Lane(f"link{k}", f"DIMM-link {k}", "DIMM-link", LaneKind.LINK, link.bandwidth_GBps)
            for k in range(dimm.count // 2)
        ),
        Lane("host", "Host CPU", "Host", LaneKind.HOST),
    )


def _templates(lanes: tuple[Lane, ...], dimms: int) -> tuple[Template, ...]:
    """Phases of a decode layer, of the end of a token, and of prefill (Hermes, IV-A2, Fig. 6)."""
    dimm = tuple(range(FIRST_DIMM, FIRST_DIMM + dimms))
    links = tuple(range(FIRST_DIMM + dimms, FIRST_DIMM + dimms + dimms // 2))
    host = len(lanes) - 1
    need = WaitReason.DEPENDENCY

    def idle(*which: int) -> dict[int, WaitReason]:
        return dict.fromkeys(which, need)

    def sparse(name: str, hot: str, cold: str) -> Phase:
        return Phase(
            name,
            (
                Group(f"{name}.predict", OP["predict"], (host,)),
                Group(f"{name}.up", OP["input_up"], (UP,), (f"{name}.predict",)),
                Group(f"{name}.hot", OP[hot], (GPU,), (f"{name}.up",)),
                Group(f"{name}.down", OP["result_down"], (DOWN,), (f"{name}.hot",)),
                Group(f"{name}.cold", OP[cold], dimm, (f"{name}.predict",)),
            ),
        )

    def gather(name: str) -> tuple[Group, ...]:
        return (Group(f"{name}.gather", OP["gather"], links),) if links else ()

    after_qkv = ("attention.gather",) if links else ()
    after_mlp = ("output.gather",) if links else ()
    move = (Group("projection.remap", OP["remap"], links),) if links else ()
    layer = (
        sparse("qkv", "qkv_hot", "qkv_cold"),
        Phase(
            "attention",
            (
                *gather("attention"),
                Group("attention.merge", OP["merge"], dimm, after_qkv),
                Group("attention.run", OP["attention"], dimm),
            ),
            idle(GPU),
        ),
        Phase(
            "projection",
            (
                Group("projection.up", OP["input_up"], (UP,)),
                Group("projection.run", OP["projection"], (GPU,), ("projection.up",)),
                Group("projection.swap", OP["swap_in"], (UP,)),
                Group("projection.down", OP["result_down"], (DOWN,), ("projection.run",)),
                *move,
            ),
            idle(*dimm),
        ),
        sparse("mlp", "mlp_hot", "mlp_cold"),
        Phase(
            "output",
            (*gather("output"), Group("output.merge", OP["merge"], dimm, after_mlp)),
            idle(GPU),
        ),
    )
    tail = (
        Phase(
            "head",
            (
                Group("head.up", OP["input_up"], (UP,)),
                Group("head.run", OP["lm_head"], (GPU,), ("head.up",)),
            ),
            idle(*dimm),
        ),
    )
    first = (Phase("first", (Group("first.stream", OP["stream"], (UP,)),), idle(GPU)),)
    body = (
        Phase(
            "body",
            (
                Group("body.stream", OP["stream"], (UP,)),
                Group("body.run", OP["prefill"], (GPU,)),
                Group("body.kv", OP["kv_down"], (DOWN,), ("body.run",)),
            ),
            dict.fromkeys(dimm, WaitReason.NO_WORK),
        ),
    )
    last = (Phase("load", (Group("load.hot", OP["load_hot"], (UP,)),), idle(GPU)),)
    return tuple(Template(phases, lanes, OPS) for phases in (layer, tail, first, body, last))
