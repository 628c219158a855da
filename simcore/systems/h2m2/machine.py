"""The board: two memories, an accelerator chip at each, a link between them; lanes and ops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template
from simcore.errors import InvariantError
from simcore.hardware.npu import TileCost
from simcore.model import shapes
from simcore.results.placement import PlaceCategory
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import ChipLink, Mmu, Model, NpuChip, Scenario, SideMemory
from simcore.systems.h2m2.policy import H2M2Policy
from simcore.units import GB, GiB, KiB
from simcore.workload.turnover import LengthSums

Int = NDArray[np.int64]

PAPER = "Hwang et al., arXiv 2504.14893"
COMPONENTS = ("hbm", "hbm_npu", "lpddr", "lpddr_npu", "chip_link", "mmu")
PRESETS = {
    "hbm": "h2m2-hbm3",
    "hbm_npu": "h2m2-npu",
    "lpddr": "h2m2-lpddr5x",
    "lpddr_npu": "h2m2-npu",
    "chip_link": "h2m2-chip-link",
    "mmu": "h2m2-mmu",
}

SUBLAYERS = ("qkv", "attention", "fc")
SUBLAYER_TITLES = ("QKV", "attention", "FC")
QKV, ATTENTION, FC = range(3)

MEMORY_KINDS = ("qkv weights", "fc weights", "kv", "activations", "page remainders")

OPS: tuple[Op, ...] = (
    Op("launch", "barrier and launch", "other", help="The dependency controller starts a kernel."),
    Op("walk", "page walks", "other", help="Translations missing in the TLB are looked up."),
    Op("qkv", "QKV", "qkv", help="Queries, keys and values of this side's heads."),
    Op("attention", "attention", "attention", help="Logits and weighted sums of its heads."),
    Op("projection", "projection", "projection", help="Its columns of the output projection."),
    Op("up", "FFN up", "mlp", help="Its columns of the first FFN matrices."),
    Op("down", "FFN down", "mlp", help="Its columns of the last FFN matrix."),
    Op("read_weights", "read weights", "weights", help="Weights stream from this memory."),
    Op("read_kv", "read KV", "transfer", help="Keys and values stream from this memory."),
    Op("softmax", "softmax", "attention", help="Softmax of its heads, in the vector units."),
    Op("norm", "norm, activation", "other", help="Normalisation, activation function, residual."),
    Op("exchange", "copy outputs", "transfer", help="Outputs go to the other side as well."),
    Op("remote", "remote reads", "transfer", help="Data read by the chip of the other side."),
    Op("fill", "cache fill", "migration", help="Lines missing in HBM come from LPDDR."),
    Op("move", "move pages", "migration", help="Pages of the next layer change sides."),
    Op("all_reduce", "ring exchange", "transfer", help="Parts of all devices go round the ring."),
    Op("solve", "solve mapping", "other", help="The host shares out heads for the next iteration."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

HBM, LPDDR = 0, 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a scenario, none missing."""

    hbm: SideMemory
    hbm_npu: NpuChip
    lpddr: SideMemory
    lpddr_npu: NpuChip
    link: ChipLink
    mmu: Mmu

    @property
    def chips(self) -> tuple[NpuChip, NpuChip]:
        """The chip at the HBM and the chip at the LPDDR."""
        return self.hbm_npu, self.lpddr_npu

    @property
    def memories(self) -> tuple[SideMemory, SideMemory]:
        """HBM and LPDDR."""
        return self.hbm, self.lpddr


def parts_of(scenario: Scenario) -> Parts:
    """The components of this machine."""
    h = scenario.hardware
    if not (h.hbm and h.hbm_npu and h.lpddr and h.lpddr_npu and h.chip_link and h.mmu):
        raise InvariantError("the loader fills in every component a system needs")
    return Parts(h.hbm, h.hbm_npu, h.lpddr, h.lpddr_npu, h.chip_link, h.mmu)


def capacity_bytes(memory: SideMemory, policy: H2M2Policy) -> int:
    """What a memory holds, with the reading of its unit the policy asks for."""
    return int(memory.capacity_GB * (GiB if policy.capacity_unit == "GiB" else GB))


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel of a layer.

    Attributes:
        id: id of its op.
        sublayer: index into `SUBLAYERS`.
        inputs: rows of its weight matrix; 0 for attention.
        outputs: columns of it, or width of the concatenated heads.
        experts: whether there is one for every expert of a mixture.
    """

    id: str
    sublayer: int
    inputs: int
    outputs: int
    experts: bool = False

    @property
    def is_attention(self) -> bool:
        """Whether it reads keys and values, not weights."""
        return self.inputs == 0


@dataclass(frozen=True, kw_only=True)
class H2M2Plan(Plan):
    """A prepared run.

    Attributes:
        parts, model: parts of the scenario.
        kernels: kernels of a layer, in order.
        costs: cycles of a weight tile on either chip.
        expert_costs: the same for the sequences that share an expert; of a dense model, `costs`.
        lengths: sums over the sequences, one for each step.
        layer: phases of a layer.
        first: pages of the first layer on their way, before it; None where nothing moves.
    """

    parts: Parts
    model: Model
    kernels: tuple[Kernel, ...]
    costs: tuple[TileCost, TileCost]
    expert_costs: tuple[TileCost, TileCost]
    lengths: LengthSums
    layer: Template
    first: Template | None

    @property
    def policy(self) -> H2M2Policy:
        """The knobs."""
        policy: H2M2Policy = self.scenario.policy
        return policy

    def costs_of(self, kernel: Kernel) -> tuple[TileCost, TileCost]:
        """Cycles of a weight tile of a kernel on either chip."""
        return self.expert_costs if kernel.experts else self.costs

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return int(self.scenario.workload.batch)

    @property
    def units(self) -> int:
        """Parts every sublayer is cut into: one a query head."""
        return self.model.heads

    @property
    def split(self) -> bool:
        """Whether both memories hold parts of every kind, so that something is mapped."""
        return self.policy.machine == "asymmetric"

    @cached_property
    def capacity(self) -> tuple[int, int]:
        """Bytes of HBM and of LPDDR."""
        memories = self.parts.memories
        return (
            capacity_bytes(memories[HBM], self.policy),
            capacity_bytes(memories[LPDDR], self.policy),
        )

    @property
    def paged(self) -> bool:
        """Whether memory is paged in hardware; of the machines, only H2M2's is."""
        return self.policy.paging and self.split

    @property
    def page_bytes(self) -> int:
        """Size of a page; 1 when memory is not paged, so that nothing is rounded."""
        return self.parts.mmu.page_KiB * KiB if self.paged else 1

    @cached_property
    def bandwidth_GBps(self) -> tuple[float, float]:
        """Sustained bandwidth of HBM and of LPDDR."""
        hbm, lpddr = self.parts.memories
        return hbm.bandwidth_GBps * hbm.efficiency, lpddr.bandwidth_GBps * lpddr.efficiency


def vectors_of_an_expert(model: Model, batch: int) -> int:
    """Sequences that share an expert which is read at all, on average; the batch if it is dense."""
    picks = batch * model.experts_per_token
    return max(1, round(picks / float(shapes.distinct_experts(model, batch))))


def make_kernels(model: Model, policy: H2M2Policy) -> tuple[Kernel, ...]:
    """QKV, attention, output projection, FFN up, FFN down."""
    wide = model.heads * model.head_dim
    up = model.ffn * (model.ffn_matrices - 1)
    projection = FC if policy.fc_includes_outproj else QKV
    mixture = model.experts > 1
    return (
        Kernel("qkv", QKV, model.hidden, (model.heads + 2 * model.kv_heads) * model.head_dim),
        Kernel("attention", ATTENTION, 0, wide),
        Kernel("projection", projection, wide, model.hidden),
        Kernel("up", FC, model.hidden, up, mixture),
        Kernel("down", FC, model.ffn, model.hidden, mixture),
    )


_CHIP_TITLES = {
    "asymmetric": ("HBM chip", "LPDDR chip"),
    "lpddr_only": ("Chip 0", "Chip 1"),
    "hierarchical": ("Chip 0", "Chip 1"),
}
_UNITS = (("mv", "MV units"), ("mm", "MM units"), ("vec", "vector units"))
# MV units first: they are the ones that always work, in attention.


def make_lanes(parts: Parts, policy: H2M2Policy) -> tuple[Lane, ...]:
    """Units of both chips, the memories, the link, dependency controller and host."""
    lanes = []
    for id, chip in zip(("c0", "c1"), _CHIP_TITLES[policy.machine], strict=True):
        for unit, title in _UNITS:
            lanes.append(Lane(f"{id}_{unit}", f"{chip} {title}", title, LaneKind.COMPUTE))
    for id, title, memory in (("hbm", "HBM", parts.hbm), ("lpddr", "LPDDR", parts.lpddr)):
        if id == "lpddr" or policy.machine != "lpddr_only":
            lanes.append(Lane(id, title, "memory", LaneKind.LINK, memory.bandwidth_GBps))
    link = parts.link.bandwidth_GBps
    lanes.append(Lane("link", "Chip link", "chip link", LaneKind.LINK, link))
    lanes.append(Lane("control", "Dependency controller", "controller", LaneKind.HOST))
    if policy.machine == "asymmetric":
        lanes.append(Lane("host", "Host", "Host", LaneKind.HOST))
    return tuple(lanes)


def make_memory(parts: Parts, policy: H2M2Policy) -> tuple[MemoryDevice, ...]:
    """HBM, where there is any, and LPDDR."""
    lpddr = MemoryDevice("lpddr", parts.lpddr.title, capacity_bytes(parts.lpddr, policy))
    if policy.machine == "lpddr_only":
        return (lpddr,)
    return (MemoryDevice("hbm", parts.hbm.title, capacity_bytes(parts.hbm, policy)), lpddr)


PLACES = (PlaceCategory("hbm", "HBM"), PlaceCategory("lpddr", "LPDDR"))
