"""One decode step of Hermes at the level of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations import make_source, written
from simcore.activations.bitplanes import Plane, count, tally
from simcore.engine.pauses import pause
from simcore.placement.adjustment import Swap, choose_swaps
from simcore.placement.partition import oracle_counts
from simcore.placement.predictor import Predictor, below, initial_states
from simcore.placement.remap import WINDOW_BITS, count_firing, rebalance
from simcore.placement.states import first_bits
from simcore.results.run import KIND_DECODE, Run
from simcore.systems.hermes.plan import HermesPlan
from simcore.systems.hermes.tally import count_common, count_placed
from simcore.systems.hermes.work import projection_ps

Int = NDArray[np.int64]


class HermesState:
    """Everything that changes from token to token.

    Attributes:
        gpu: neurons with a copy on the GPU.
        dimms: home planes, (DIMMs, layers, words).
        predictor: neuron states.
        hot_bytes: weights of the copies on the GPU after prefill; swaps are one for one and do not
            change it.
        home_bytes: sparse weights on each DIMM.
    """

    def __init__(self, plan: HermesPlan, run: Run) -> None:
        self.source = make_source(plan.scenario)
        self.gpu = plan.placement.gpu.copy()
        self.dimms = np.array(plan.placement.dimms)
        self.predictor = Predictor(initial_states(self.source.prompt_frequency()))
        self.valid = plan.space.valid()
        self._last_layer = np.zeros(plan.space.words, np.uint64)
        self._before = np.zeros(plan.space.shape, np.uint64)
        self._window = np.zeros((WINDOW_BITS, *plan.space.shape), np.uint64)
        self._swap: Swap | None = None
        self._ends = np.array([(block.start, block.stop) for block in plan.space.blocks])
        self._remapped = np.zeros(self._remap_shape(plan), np.int32)
        self._home = self._attach_home(plan, run)
        self.hot_bytes = plan.space.weigh(self.gpu)
        self.home_bytes = self._weigh_homes(plan)

    def _weigh_homes(self, plan: HermesPlan) -> Int:
        return np.array([plan.space.weigh(home) for home in self.dimms], np.int64)

    @staticmethod
    def _remap_shape(plan: HermesPlan) -> tuple[int, int, int]:
        return (plan.space.layers, len(plan.space.blocks), max(1, plan.pairs))

    def _attach_home(self, plan: HermesPlan, run: Run) -> int:
        """Keep the home DIMM of every neuron as bit planes of its number."""
        if not plan.items:
            return -1
        bits = max(1, (plan.units.count - 1).bit_length())
        number = np.zeros((bits, *plan.space.shape), np.uint64)
        for index, home in enumerate(self.dimms):
            for bit in range(bits):
                if (index >> bit) & 1:
                    number[bit] |= home
        return run.attach("home", number)

    def decode(self, plan: HermesPlan, run: Run, token: int) -> dict[str, Any]:
        """Simulate output token `token` (0 is the first) and return the causes to record."""
        swapped = self._apply_swaps(plan)
        remapped, self._remapped = self._remapped, np.zeros_like(self._remapped)
        sequences = self.source.draw()
        uses = tally(sequences)
        active = uses[0].copy()
        for plane in uses[1:]:
            active |= plane
        predicted = self._predict(plan, active)
        if plan.policy.partition == "oracle":
            self.gpu = self._oracle(plan, predicted)
        pause()
        record = self._counts(plan, uses, active, predicted)
        record["repeats"] = self._common(active, self._before)
        self._before = active
        record["swap_in"] = swapped
        record["remap"] = remapped
        record["kind"] = np.int8(KIND_DECODE)
        record["home"] = np.int32(self._home)
        record |= written(self.source)
        if plan.items:
            record["active_bits"] = active
            record["predicted_bits"] = predicted
            record["gpu_bits"] = self.gpu
        pause()
        self._learn(plan, active)
        if plan.policy.window_remap and (token + 1) % plan.policy.window_tokens == 0:
            self._remap(plan, run)
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

    def _apply_swaps(self, plan: HermesPlan) -> NDArray[np.int32]:
        """Put the copies chosen after the last token into place; how many, by layer and block."""
        if self._swap is None:
            return np.zeros((plan.space.layers, len(plan.space.blocks)), np.int32)
        self.gpu &= ~self._swap.outgoing
        self.gpu |= self._swap.incoming
        moved = self._swap.moved.astype(np.int32)
        self._swap = None
        return moved

    def _predict(self, plan: HermesPlan, active: Plane) -> Plane:
        """Predicted neurons, from states and from what fires in the layer below."""
        policy = plan.policy
        first, second = self.source.parents(below(active, self._last_layer))
        self._last_layer = active[-1].copy()
        inclusive = policy.compare == "ge"
        if policy.predictor == "token":
            # Only the state half: a neuron is predicted when it is hot (a reading; the printed
            # threshold can not be reached by the state alone).
            none = np.zeros_like(active)
            predicted = self.predictor.predict(
                (none, none), weight=0, threshold=policy.hot_threshold, inclusive=False
            )
        elif policy.predictor == "layer":
            # Only the parents' half: both must fire (a reading; 6 + 6 stays below 15).
            predicted = first & second
        else:
            predicted = self.predictor.predict(
                (first, second),
                weight=policy.parent_weight,
                threshold=policy.threshold,
                inclusive=inclusive,
            )
        predicted &= self.valid
        return predicted

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

    def _counts(
        self, plan: HermesPlan, uses: Sequence[Plane], active: Plane, predicted: Plane
    ) -> dict[str, Any]:
        """Neurons and multiply-accumulates each unit gets.

        A predicted neuron is read once for the batch. Each sequence multiplies its own active
        neurons; a false alarm is multiplied once before its zero is seen. How many sequences use
        a neuron comes as a bit-sliced number.
        """
        read = np.zeros((plan.space.layers, len(self._ends), 1 + len(self.dimms)), np.int32)
        count_placed(self.gpu, self.dimms, predicted, self._ends, 1, read)
        macs = read
        if len(uses) > 1:
            macs = np.zeros_like(read)
            count_placed(self.gpu, self.dimms, predicted & ~active, self._ends, 1, macs)
            for bit, used in enumerate(uses):
                count_placed(self.gpu, self.dimms, predicted & used, self._ends, 1 << bit, macs)
        return {
            "n_gpu": read[:, :, 0],
            "n_dimm": read[:, :, 1:],
            "macs_gpu": macs[:, :, 0],
            "macs_dimm": macs[:, :, 1:],
            "active": self._common(active, active),
            "predicted": self._common(predicted, predicted),
            "hits": self._common(active, predicted),
        }

    def _common(self, first: Plane, second: Plane) -> NDArray[np.int32]:
        """Neurons in both planes, by layer and block."""
        out = np.empty((len(first), len(self._ends)), np.int32)
        count_common(first, second, self._ends, out)
        return out

    def _learn(self, plan: HermesPlan, active: Plane) -> None:
        """Update states and window, choose the copies for the next token."""
        policy = plan.policy
        self.predictor.update(active, policy.state_up)
        if policy.window_remap:
            count_firing(self._window, active)
        if policy.online_adjustment:
            room = int(projection_ps(plan) * plan.pcie.bandwidth_GBps / 1e3)
            self._swap = choose_swaps(
                self.gpu,
                self.valid,
                self.predictor.state,
                policy.hot_threshold,
                np.full(plan.space.layers, room),
                plan.space.blocks,
            )

    def _remap(self, plan: HermesPlan, run: Run) -> None:
        """Rebalance the DIMMs by the window's activity and start a new window."""
        if plan.link and plan.pairs:
            window_bytes = projection_ps(plan) * plan.link.bandwidth_GBps / 1e3
            cold = ~self.gpu & self.valid
            for index, block in enumerate(plan.space.blocks):
                self._remapped[:, index] = rebalance(
                    self.dimms,
                    cold,
                    self._window,
                    int(window_bytes // block.neuron_bytes),
                    block.words,
                    tokens=plan.policy.window_tokens,
                    printed_rule=plan.policy.remap_rule == "printed",
                )
            self._home = self._attach_home(plan, run)
            self.home_bytes = self._weigh_homes(plan)
        self._window[:] = 0
