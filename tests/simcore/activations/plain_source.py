"""The draw of the statistical source without its tricks: one neuron at a time, no packed bits.

Kept to say what the fast path must give, bit for bit.
"""

from __future__ import annotations

import numpy as np

from simcore.activations.statistical import StatisticalSource
from simcore.activations.streams import stream

GROUP, HALF = 128, 64


class PlainSource:
    """Draws the same neurons from the same streams as a fresh `StatisticalSource`."""

    def __init__(self, source: StatisticalSource, batch: int, seed: int) -> None:
        settings, table = source._settings, source._table
        layers, columns = table.rise.shape
        self.rise = table.rise.astype(np.int64)  # in the order of the table
        self.groups = table.groups.tolist()
        self.coupled = table.coupled
        self.rho = settings.adjacent_correlation
        self.lead = round(self.rho * 65535)
        self.bits = [stream(seed, f"activations.draw.{i}").bit_generator for i in range(batch)]
        self.common = source._common.tolist()
        self.orders = [order.tolist() for order in source._orders]
        self.previous: list[np.ndarray] = []
        self.trades: list[tuple[np.ndarray, np.ndarray]] = []
        self.shape = (layers, columns)

    def _uniforms(self, bits: np.random.BitGenerator) -> np.ndarray:
        """A draw for every neuron, in the order of the table."""
        layers, columns = self.shape
        raw = bits.random_raw(self.coupled // 2 // 4).view(np.uint16)
        own = bits.random_raw(layers * (columns - self.coupled) // 4).view(np.uint16)
        out = np.empty(self.shape, np.int64)
        for column in range(self.coupled):
            group, inside = divmod(column, GROUP)
            out[:, column] = raw[group * HALF + inside % HALF]
        out[:, self.coupled :] = own.reshape(layers, -1)
        return out

    def draw(self) -> list[np.ndarray]:
        """Who fires, (layers, columns of the row) for each sequence."""
        if not self.previous:
            scale = np.float32(1 / max(1e-6, 1 - self.rho))
            often = self.rise.astype(np.uint16) * scale
            self.previous = [self._uniforms(bits) < often for bits in self.bits]
        for columns, partners in self.trades:
            self.rise[:, columns] = self.rise[:, partners]
        kept: list[np.ndarray] = []
        for bits, before in zip(self.bits, self.previous, strict=True):
            drawn = self._uniforms(bits)
            again = (self.rise > 0) & (drawn < self.rise + self.lead)
            fired = np.where(before, again, drawn < self.rise)
            if kept:
                for group in self.common:
                    at = self.groups.index(group) * GROUP
                    fired[:, at : at + GROUP] = kept[0][:, at : at + GROUP]
            kept.append(fired)
        self.previous = kept
        return [self._placed(fired, order) for fired, order in zip(kept, self.orders, strict=True)]

    def _placed(self, fired: np.ndarray, order: list[int]) -> np.ndarray:
        out = np.empty_like(fired)
        for group, acts_like in enumerate(order):
            at = self.groups.index(acts_like) * GROUP
            out[:, group * GROUP : (group + 1) * GROUP] = fired[:, at : at + GROUP]
        return out
