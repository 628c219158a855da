"""What is fixed for a Hermes run: capacities and the offline placement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simcore.activations import make_source
from simcore.activations.source import ActivationSource
from simcore.activations.space import NeuronSpace
from simcore.activations.streams import stream
from simcore.errors import CapacityError
from simcore.hardware import gpu as gpu_model
from simcore.hardware.cold_units import ColdUnits, of_dimms
from simcore.model import shapes
from simcore.placement.partition import (
    BlockRanking,
    Placement,
    UnitCosts,
    deal,
    expected_ps,
    greedy_counts,
    random_partition,
    rank_neurons,
)
from simcore.placement.program import GROUP_NEURONS, Solution, SolverError, solve
from simcore.scenario.schema import Gpu, Model, NdpDimms, Scenario
from simcore.systems.hermes.machine import (
    OPS,
    MachinePlan,
    Parts,
    check_units,
    kv_items,
    make_lanes,
    make_memory,
    parts_of,
)
from simcore.systems.hermes.policy import HermesPolicy
from simcore.systems.hermes.steps import Phases, common_templates
from simcore.units import us_to_ps

MEMORY_KINDS = ("hot neurons", "projection", "tables", "reserve", "weights", "kv")


@dataclass(frozen=True, slots=True, kw_only=True)
class HermesPlan(MachinePlan):
    """A prepared Hermes run.

    Attributes:
        policy: the knobs.
        space: the sparse neurons.
        note: what the activations are.
        placement: the offline placement; must not be written.
        offline: how it was found.
        hot_room_bytes: GPU memory for hot neurons.
        costs: time of an active neuron on either side, by block.
    """

    policy: HermesPolicy
    space: NeuronSpace
    note: str
    placement: Placement
    offline: Offline
    hot_room_bytes: int
    costs: tuple[UnitCosts, ...]


def prepare(scenario: Scenario, *, items: bool, on_host: bool = False) -> HermesPlan:
    """Check capacities and fix everything that does not change.

    Args:
        scenario: a resolved scenario.
        items: whether steps record single neurons.
        on_host: whether the host takes the place of the NDP-DIMMs.

    Raises:
        CapacityError: if the DIMMs cannot hold the model, or the GPU its dense part.
    """
    parts = parts_of(scenario, on_host=on_host)
    model, policy = scenario.model, scenario.policy
    workload = scenario.workload
    room = _hot_room(parts.gpu, model, policy)
    context = workload.prompt_tokens + workload.output_tokens
    check_units(parts.units, model, workload.batch, context)
    source = make_source(scenario)
    lanes = make_lanes(parts)
    phases = Phases(lanes, parts.units.count)
    placement, offline = _placement(source, scenario, parts, room)
    layer = phases.template(
        phases.split("qkv", "qkv_hot", "qkv_cold"),
        phases.attention(),
        phases.projection(),
        phases.split("mlp", "mlp_hot", "mlp_cold"),
        phases.output(),
    )
    return HermesPlan(
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
        policy=policy,
        space=source.space,
        note=source.note,
        placement=placement,
        offline=offline,
        hot_room_bytes=room,
        costs=tuple(unit_costs(parts, parts.units, source.space)),
        kv_items=kv_items(workload.batch * model.kv_heads, parts.units.count),
        layer=layer,
        **common_templates(phases),
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


def unit_costs(parts: Parts, units: ColdUnits, space: NeuronSpace) -> list[UnitCosts]:
    """What one active neuron costs on either side, by block (T_l of equations 4 and 5)."""
    costs = []
    gpu = parts.gpu
    fixed = 2 * us_to_ps(parts.pcie.sync_us) + us_to_ps(gpu.kernel_launch_us)
    for block in space.blocks:
        read = float(units.gemv_ps(block.neuron_bytes, 0))
        both = float(units.gemv_ps(block.neuron_bytes, block.neuron_macs))
        on_gpu = block.neuron_bytes * 1e3 / gpu.bandwidth_GBps
        costs.append(UnitCosts(on_gpu, read, both - read, fixed))
    return costs


@lru_cache(maxsize=2)
def _rankings(profile: _Profile) -> tuple[BlockRanking, ...]:
    return rank_neurons(profile.space, profile.frequency, profile.batch)


@dataclass(frozen=True, slots=True)
class Offline:
    """How the offline placement was found.

    Attributes:
        method: ``ilp``, ``greedy`` or ``random``.
        note: one sentence for the reader, with the reason if it is not what was asked for.
        expected_ps: the paper's objective, sum over layers and blocks of the slower side.
        solution: what the solver said; nothing unless it was used.
    """

    method: str
    note: str
    expected_ps: float
    solution: Solution | None = None


@lru_cache(maxsize=8)
def _offline(
    profile: _Profile, room: int, costs: tuple[UnitCosts, ...], dimms: int, method: str
) -> tuple[Placement, Offline]:
    rankings = _rankings(profile)
    arguments = (profile.space, rankings, room, costs, dimms)
    solution = None
    note = "Hottest neurons first, each layer up to its balance point."
    if method == "ilp":
        try:
            solution = solve(*arguments)
            note = (
                f"Integer program of {solution.variables} variables, {GROUP_NEURONS} neurons to a "
                f"group, at most {solution.gap:.2%} slower than the best."
            )
        except SolverError as error:
            method, note = "greedy", f"{note} The integer program was not used: {error}."
    counts = greedy_counts(*arguments) if solution is None else list(solution.counts)
    expected = expected_ps(rankings, counts, costs, dimms)
    return deal(profile.space, rankings, counts, dimms), Offline(method, note, expected, solution)


class _Profile:
    """Offline frequencies as a key: two are equal if they come from the same settings."""

    def __init__(self, source: ActivationSource, scenario: Scenario) -> None:
        self.space = source.space
        self.frequency = source.profile()
        self.batch = scenario.workload.batch
        self._key = (scenario.model, scenario.activations, self.batch)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Profile) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _placement(
    source: ActivationSource, scenario: Scenario, parts: Parts, room: int
) -> tuple[Placement, Offline]:
    units = parts.units
    # The host gets the split made for the paper's NDP-DIMMs: "the same hot/cold split" (V-A).
    made_for = units if units.numbered else of_dimms(NdpDimms())
    costs = tuple(unit_costs(parts, made_for, source.space))
    method = "ilp" if scenario.policy.partition == "ilp" else "greedy"
    placement, offline = _offline(_Profile(source, scenario), room, costs, made_for.count, method)
    if scenario.policy.partition == "random":
        # As many neurons on the GPU as the best split has there, but not the right ones.
        rng = stream(scenario.seed, "partition")
        room = source.space.weigh(placement.gpu)
        dealt = random_partition(source.space, room, units.count, rng)
        return dealt, Offline("random", "Neurons at random.", float("nan"))
    if units is not made_for:
        everyone = np.bitwise_or.reduce(placement.dimms)
        placement = Placement(placement.gpu, [everyone])
    return placement, offline
