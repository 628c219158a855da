"""A decode step of Hermes with a byte for every neuron and nothing packed.

Kept to say what the fast step must give, count by count. The draw has a plain twin of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simcore.activations import bitplanes as bp
from simcore.activations import make_source
from simcore.placement.predictor import initial_states
from simcore.systems.hermes.plan import HermesPlan
from simcore.systems.hermes.work import projection_ps
from tests.simcore.placement.literal import literal_remap, literal_swaps


class PlainHermes:
    """Steps a Hermes plan with the default predictor, swaps and remapping."""

    def __init__(self, plan: HermesPlan) -> None:
        self.plan, self.policy = plan, plan.policy
        self.source = make_source(plan.scenario)
        self.gpu = bp.unpack(plan.placement.gpu).astype(bool)
        homes = np.array([bp.unpack(home) for home in plan.placement.dimms])
        self.home = homes.argmax(axis=0)
        self.valid = bp.unpack(plan.space.valid()[None])[0].astype(bool)
        self.state = initial_states(self.source.prompt_frequency()).astype(int)
        self.window = np.zeros_like(self.state)
        self.before = np.zeros_like(self.gpu)
        self.last_layer = np.zeros(self.gpu.shape[1], bool)
        self.swaps: list[tuple[slice, list]] = []
        self.moved = self._no_moves()

    def _no_moves(self) -> np.ndarray:
        space = self.plan.space
        return np.zeros((space.layers, len(space.blocks), max(1, self.plan.pairs)), int)

    def _columns(self) -> list[slice]:
        return [slice(64 * block.start, 64 * block.stop) for block in self.plan.space.blocks]

    def _by_block(self, flags: np.ndarray) -> np.ndarray:
        return np.stack([flags[:, columns].sum(axis=1) for columns in self._columns()], axis=1)

    def step(self, token: int) -> dict[str, np.ndarray]:
        """Counts of output token `token`."""
        swapped = self._apply_swaps()
        remapped, self.moved = self.moved, self._no_moves()
        each = [bp.unpack(plane).astype(bool) for plane in self.source.draw()]
        active = np.any(each, axis=0)
        predicted = self._predict(active)
        places = [self.gpu, *(~self.gpu & (self.home == d) for d in range(self._dimms))]
        read = np.stack([self._by_block(predicted & place) for place in places], axis=2)
        macs = np.stack([self._macs(predicted & place, active, each) for place in places], axis=2)
        counts = {
            "n_gpu": read[:, :, 0],
            "n_dimm": read[:, :, 1:],
            "macs_gpu": macs[:, :, 0],
            "macs_dimm": macs[:, :, 1:],
            "active": self._by_block(active),
            "predicted": self._by_block(predicted),
            "hits": self._by_block(active & predicted),
            "repeats": self._by_block(active & self.before),
            "swap_in": swapped,
            "remap": remapped,
        }
        self.before = active
        self._learn(active)
        if (token + 1) % self.policy.window_tokens == 0:
            self._remap()
        return counts

    @property
    def _dimms(self) -> int:
        return self.plan.units.count

    def _predict(self, active: np.ndarray) -> np.ndarray:
        below = np.vstack([self.last_layer[None], active[:-1]])
        self.last_layer = active[-1]
        twins = np.arange(active.shape[1]) ^ 64
        parents = below.astype(int) + below[:, twins]
        score = self.state + self.policy.parent_weight * parents
        return (score > self.policy.threshold) & self.valid

    def _macs(self, mine: np.ndarray, active: np.ndarray, each: Sequence[np.ndarray]) -> np.ndarray:
        """Every sequence multiplies what fires in it; a false alarm is multiplied once."""
        return self._by_block(mine & ~active) + sum(self._by_block(mine & own) for own in each)

    def _learn(self, active: np.ndarray) -> None:
        step = np.where(active, self.policy.state_up, -1)
        self.state = np.clip(self.state + step, 0, 15)
        self.window += active
        layers = self.plan.space.layers
        free = np.full(layers, projection_ps(self.plan) * self.plan.pcie.bandwidth_GBps / 1e3)
        free = free.astype(int)
        self.swaps = []
        for block, columns in reversed(
            list(zip(self.plan.space.blocks, self._columns(), strict=True))
        ):
            moves = literal_swaps(
                self.gpu[:, columns],
                self.valid[columns],
                self.state[:, columns],
                self.policy.hot_threshold,
                free // block.neuron_bytes,
            )
            free = free - np.array([len(come) for come, _ in moves]) * block.neuron_bytes
            self.swaps.append((columns, moves))

    def _apply_swaps(self) -> np.ndarray:
        moved = np.zeros((self.plan.space.layers, len(self.plan.space.blocks)), int)
        for columns, moves in self.swaps:
            index = self._columns().index(columns)
            for layer, (come, go) in enumerate(moves):
                self.gpu[layer, [columns.start + i for i in go]] = False
                self.gpu[layer, [columns.start + i for i in come]] = True
                moved[layer, index] = len(come)
        return moved

    def _remap(self) -> None:
        plan = self.plan
        room = projection_ps(plan) * plan.link.bandwidth_GBps / 1e3
        cold = ~self.gpu & self.valid
        for index, (block, columns) in enumerate(
            zip(plan.space.blocks, self._columns(), strict=True)
        ):
            most = np.full(plan.space.layers, int(room // block.neuron_bytes))
            self.home[:, columns], moved = literal_remap(
                self.home[:, columns], cold[:, columns], self.window[:, columns], self._dimms, most
            )
            self.moved[:, index] = moved
        self.window[:] = 0
