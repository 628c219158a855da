"""One decode step of Hermes at the level of neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations import make_source, written
from simcore.activations.bitplanes import Plane, count
from simcore.activations.source import Planes
from simcore.engine.pauses import pause
from simcore.placement.partition import oracle_counts
from simcore.placement.predictor import (
    NEVER,
    Needs,
    initial_states,
    needed_states,
    state_planes,
)
from simcore.placement.remap import WINDOW_BITS, rebalance
from simcore.placement.states import first_bits
from simcore.results.run import KIND_DECODE, Run
from simcore.systems.hermes.loops import account, number_homes, predict, weigh_homes
from simcore.systems.hermes.plan import HermesPlan
from simcore.systems.hermes.policy import HermesPolicy
from simcore.systems.hermes.tally import count_uses
from simcore.systems.hermes.work import projection_ps

Int = NDArray[np.int64]


class HermesState:
    """Everything that changes from token to token.

    Attributes:
        gpu: neurons with a copy on the GPU.
        dimms: home planes, (DIMMs, layers, words).
        states: of all neurons, as four bit planes, least significant first.
        hot_bytes: weights of the copies on the GPU after prefill; swaps are one for one and do not
            change it.
        home_bytes: sparse weights on each DIMM.
    """

    def __init__(self, plan: HermesPlan, run: Run) -> None:
        policy, space = plan.policy, plan.space
        self.source = make_source(plan.scenario)
        self.gpu = plan.placement.gpu.copy()
        self.dimms = np.array(plan.placement.dimms)
        self.states = state_planes(initial_states(self.source.prompt_frequency()))
        self.valid = space.valid()
        self._needs = _needs(policy)
        self._active = np.zeros(space.shape, np.uint64)
        self._predicted = np.empty(space.shape, np.uint64)
        self._window = np.zeros((WINDOW_BITS, *space.shape), np.uint64)
        self._swaps = np.zeros(space.shape, np.uint64), np.zeros(space.shape, np.uint64)
        self._swapped = np.zeros((space.layers, len(space.blocks)), np.int32)
        self._blocks = np.array([(b.start, b.stop, b.neuron_bytes) for b in space.blocks])
        self._remapped = self._at_rest = np.zeros(self._remap_shape(plan), np.int32)
        self._swap_room = -1
        if policy.online_adjustment:
            self._swap_room = int(projection_ps(plan) * plan.pcie.bandwidth_GBps / 1e3)
        self._remaps = policy.window_remap and plan.link is not None and bool(plan.pairs)
        self._home = self._attach_home(plan, run)
        self.hot_bytes = space.weigh(self.gpu)
        self.home_bytes = self._weigh_homes()

    def _weigh_homes(self) -> Int:
        out = np.empty(len(self.dimms), np.int64)
        weigh_homes(self.dimms, self._blocks, out)
        return out

    @staticmethod
    def _remap_shape(plan: HermesPlan) -> tuple[int, int, int]:
        return (plan.space.layers, len(plan.space.blocks), max(1, plan.pairs))

    def _attach_home(self, plan: HermesPlan, run: Run) -> int:
        """Keep the home DIMM of every neuron as bit planes of its number."""
        if not plan.items:
            return -1
        bits = max(1, (plan.units.count - 1).bit_length())
        number = np.empty((bits, *plan.space.shape), np.uint64)
        number_homes(self.dimms, number)
        return run.attach("home", number)

    def decode(self, plan: HermesPlan, run: Run, token: int) -> dict[str, Any]:
        """Simulate output token `token` (0 is the first) and return the causes to record."""
        before = self._active
        sequences = self.source.draw()
        uses, active = self._uses(sequences)
        pause()
        last = before[-1]
        paired = self.source.paired
        parents = (active, active) if paired else self.source.parents(active, last)
        predict(
            self._swaps,
            self.states,
            active,
            last,
            parents,
            paired,
            self._needs,
            self.valid,
            self.gpu,
            self._predicted,
        )
        if plan.policy.partition == "oracle":
            self.gpu = self._oracle(plan, self._predicted)
        swapped, self._swapped = self._swapped, np.zeros_like(self._swapped)
        record = self._account(plan, uses, active, before)
        record["swap_in"] = swapped
        record["remap"] = self._remapped
        record["kind"] = np.int8(KIND_DECODE)
        record["home"] = np.int32(self._home)
        record |= written(self.source)
        if plan.items:
            record["active_bits"] = active
            record["predicted_bits"] = self._predicted
            record["gpu_bits"] = self.gpu
        self._active = active
        self._remap(plan, run, token)
        return record

    def prefill(self, plan: HermesPlan) -> dict[str, Any]:
        """The causes of the prefill step: nothing is sparse yet."""
        layers, blocks = plan.space.layers, len(plan.space.blocks)
        record: dict[str, Any] = {
            name: np.zeros((layers, blocks), np.int32)
            for name in ("n_gpu", "macs_gpu", "swap_in", "active", "predicted", "hits", "repeats")
        }
        for name in ("n_dimm", "macs_dimm"):
            record[name] = np.zeros((layers, blocks, plan.units.count), np.int32)
        record["remap"] = np.zeros(self._remap_shape(plan), np.int32)
        record["home"] = np.int32(self._home)
        record |= written(self.source)
        if plan.items:
            record["active_bits"] = np.zeros(plan.space.shape, np.uint64)
            record["predicted_bits"] = np.zeros(plan.space.shape, np.uint64)
            record["gpu_bits"] = self.gpu
        return record

    def _uses(self, sequences: Planes) -> tuple[Planes, Plane]:
        """How many sequences use each neuron, as a bit-sliced number, and which any uses."""
        if len(sequences) == 1:
            return sequences, sequences[0]
        shape = sequences.shape[1:]
        uses = np.empty((len(sequences).bit_length(), *shape), np.uint64)
        active = np.empty(shape, np.uint64)
        count_uses(sequences, uses, active)
        return uses, active

    @staticmethod
    def _oracle(plan: HermesPlan, predicted: Plane) -> Plane:
        """The GPU's copies if they could be chosen for each token at no cost."""
        blocks = plan.space.blocks
        needed = [count(predicted[:, block.words]) for block in blocks]
        sizes = [block.neuron_bytes for block in blocks]
        room = plan.hot_room_bytes
        chosen = oracle_counts(needed, sizes, plan.costs, plan.units.count, room)
        copies = np.empty_like(predicted)
        for block, amount in zip(blocks, chosen, strict=True):
            first_bits(predicted, amount, block.start, block.stop, copies)
        return copies

    def _account(
        self, plan: HermesPlan, uses: Planes, active: Plane, before: Plane
    ) -> dict[str, Any]:
        """Learn from what fires; neurons and multiply-accumulates each unit gets."""
        layers, blocks = plan.space.layers, len(self._blocks)
        read = np.zeros((layers, blocks, 1 + len(self.dimms)), np.int32)
        macs = np.zeros_like(read) if len(uses) > 1 else read
        fired = np.empty((layers, 4, blocks), np.int32)
        planes = active, self._predicted, uses, before, self.gpu, self.dimms
        policy = plan.policy
        account(
            *planes,
            self._blocks,
            (read, macs, fired),
            (self.states, policy.state_up, self._window, self._remaps),
            (self.valid, policy.hot_threshold, self._swap_room, *self._swaps, self._swapped),
        )
        return {
            "n_gpu": read[:, :, 0],
            "n_dimm": read[:, :, 1:],
            "macs_gpu": macs[:, :, 0],
            "macs_dimm": macs[:, :, 1:],
            "active": fired[:, 0],
            "predicted": fired[:, 1],
            "hits": fired[:, 2],
            "repeats": fired[:, 3],
        }

    def _remap(self, plan: HermesPlan, run: Run, token: int) -> None:
        """Rebalance the DIMMs by the window's activity and start a new one, if it is over."""
        self._remapped = self._at_rest
        tokens = plan.policy.window_tokens
        if not self._remaps or (token + 1) % tokens:
            return
        assert plan.link is not None
        if plan.policy.remap_rule != "printed":
            # The printed rule's loop test Z_heavy <= Z_light, after the descending sort, only holds
            # for equal loads and so moves nothing.
            window_bytes = projection_ps(plan) * plan.link.bandwidth_GBps / 1e3
            room = (window_bytes // self._blocks[:, 2]).astype(np.int64)
            self._remapped = np.zeros_like(self._at_rest)
            homes = self.dimms, self.gpu, self.valid, self._window
            rebalance(*homes, room, self._blocks, tokens, self._remapped)
        self._home = self._attach_home(plan, run)
        self.home_bytes = self._weigh_homes()
        self._window[:] = 0


def _needs(policy: HermesPolicy) -> Needs:
    """From which state on a neuron is predicted, by how many of its parents fired."""
    if policy.predictor == "token":
        # Only the state half: a neuron is predicted when it is hot (a reading; the printed
        # threshold can not be reached by the state alone).
        return needed_states(0, policy.hot_threshold, inclusive=False)
    if policy.predictor == "layer":
        # Only the parents' half: both must fire (a reading; 6 + 6 stays below 15).
        return NEVER, NEVER, 0
    inclusive = policy.compare == "ge"
    return needed_states(policy.parent_weight, policy.threshold, inclusive=inclusive)
