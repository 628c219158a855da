"""Neurons drawn from published statistics.

Every neuron is a two-state Markov chain with stationary probability p and lag-1 correlation rho,
so adjacent tokens agree in most bits and tokens far apart only as much as unrelated ones (bit
agreement, zeros included, is the measure of similarity used here).

Columns come in pairs (c, c + 64 of each 128). In a coupled pair all neurons of all layers share
one uniform draw a token, so a neuron fires when its two parents in the layer below do, up to their
difference in p; in an uncoupled pair every neuron draws for itself and its parents tell nothing.
Neurons are numbered by expected hotness, which is allowed because their order carries no meaning;
the drift moves them out of that order during a run, in all layers of a column alike. Each sequence
of a batch has its own prompt and so its own order, as far as prompts shift it at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.activations.concentration import alive_shares, layer_curves
from simcore.activations.source import Frequencies
from simcore.activations.space import Block, NeuronSpace, neuron_space
from simcore.activations.streams import stream
from simcore.scenario.schema import Model, StatisticalActivations

_PAIR = 128
_HALF = 64
_FULL = 65536.0

U16 = NDArray[np.uint16]
Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Segment:
    """Pair-columns of one block inside one threshold table, those of groups with padding aside."""

    start: int
    pairs: int


@dataclass(slots=True)
class _Table:
    """Thresholds of the coupled or the uncoupled groups of 128 columns.

    Attributes:
        groups: index of each group in the row.
        rise, stay: u16 thresholds for firing after silence and after firing, (layers, columns).
        segments: where each block's columns lie.
    """

    groups: NDArray[np.int64]
    rise: U16
    stay: U16
    segments: tuple[_Segment, ...]

    def copy(self) -> _Table:
        return _Table(self.groups, self.rise.copy(), self.stay.copy(), self.segments)


def _grouped(plane: Plane) -> Plane:
    """A view of a plane as (layers, groups of 128 columns, words of a group)."""
    return plane.reshape(len(plane), -1, _PAIR // 64)


def _probabilities(block: Block, layers: int, density: float, model: Model) -> NDArray[np.float64]:
    """Firing probability by (layer, column of the block), padding 0.

    In double precision: powers may differ in the last bit from one processor to the next, and
    thresholds cut from single precision would then differ too.
    """
    stats = model.stats
    if block.id == "mlp":
        shares = (stats.block_share_for_80pct, stats.model_share_for_80pct)
        dead = stats.dead_share_max
    else:  # layers alike: nothing is published about the QKV inputs
        shares = (stats.qkv_share_for_80pct, stats.qkv_share_for_80pct)
        dead = 0.0
    scales, exponent = layer_curves(layers, density, *shares, dead)
    columns = (block.stop - block.start) * 64
    rank = np.arange(columns).reshape(-1, _HALF, 2).transpose(0, 2, 1).reshape(-1)
    x = (rank + 0.5) / block.neurons
    curve = x**-exponent
    curve[np.arange(columns) >= block.neurons] = 0.0
    p = np.minimum(1.0, np.array(scales)[:, None] * curve)
    if dead:
        p[x > alive_shares(layers, dead)[:, None]] = 0.0
    return p


def _coupled_groups(groups: int, share: float) -> NDArray[np.bool_]:
    """Which groups are coupled: a share of them, evenly spread."""
    index = np.arange(groups)
    return np.floor((index + 1) * share + 1e-9) > np.floor(index * share + 1e-9)


@lru_cache(maxsize=4)
def _base(
    model: Model, correlation: float, coupling: float
) -> tuple[NeuronSpace, Frequencies, _Table, _Table]:
    """Space, offline frequencies and thresholds; they depend on the model, not on the seed."""
    space = neuron_space(model)
    densities = {"qkv": model.stats.qkv_density, "mlp": model.stats.mlp_density}
    exact = np.concatenate(
        [_probabilities(b, space.layers, densities[b.id], model) for b in space.blocks], axis=1
    )
    coupled = np.concatenate(
        [_coupled_groups((b.stop - b.start) // 2, coupling) for b in space.blocks]
    )
    tables = []
    for wanted in (True, False):
        groups = np.flatnonzero(coupled == wanted)
        p = exact.reshape(space.layers, -1, _PAIR)[:, groups].reshape(space.layers, -1)
        rise = np.minimum(p * (1 - correlation) * _FULL, _FULL - 1)
        stay = np.minimum((p + (1 - p) * correlation) * _FULL, _FULL - 1)
        stay[p == 0] = 0
        segments, at = [], 0
        for block in space.blocks:
            inside = int(((groups >= block.start // 2) & (groups < block.stop // 2)).sum())
            last = block.start // 2 + block.neurons // _PAIR
            full = int(((groups >= block.start // 2) & (groups < last)).sum())
            segments.append(_Segment(at, full * _HALF))
            at += inside * _PAIR
        tables.append(
            _Table(groups, rise.astype(np.uint16), stay.astype(np.uint16), tuple(segments))
        )
    profile = exact.astype(np.float32)
    profile.setflags(write=False)
    return space, profile, tables[0], tables[1]


class StatisticalSource:
    """Draws activity from a model's published statistics."""

    def __init__(
        self,
        model: Model,
        settings: StatisticalActivations,
        batch: int,
        prompt_tokens: int,
        seed: int,
    ) -> None:
        self._settings = settings
        self._prompt_tokens = prompt_tokens
        self.space, self._profile, coupled, alone = _base(
            model, settings.adjacent_correlation, settings.coupling
        )
        self._coupled, self._alone = coupled.copy(), alone.copy()
        self._drift = stream(seed, "activations.drift")
        self._noise = stream(seed, "activations.prompt")
        self._bits = [stream(seed, f"activations.draw.{i}").bit_generator for i in range(batch)]
        self._previous: list[Plane] = []
        self._common = self._common_groups(settings.sequence_correlation)
        self._trade_places(settings.prompt_shift)
        self._orders = self._own_orders(settings.prompt_shift, batch, seed)
        self.note = (
            f"statistical: MLP density {model.stats.mlp_density:g}, "
            f"QKV density {model.stats.qkv_density:g}; neurons numbered by expected hotness"
        )

    def profile(self) -> Frequencies:
        return self._profile

    def prompt_frequency(self) -> Frequencies:
        """Frequencies over the prompts of all sequences.

        These are the current probabilities with the sampling error of as many correlated tokens.
        """
        rho = self._settings.adjacent_correlation
        effective = max(1.0, self._prompt_tokens * (1 - rho) / (1 + rho))
        mean = np.minimum(1.0, np.arange(_FULL) / (_FULL * max(1e-6, 1 - rho)))
        # A uniform in (-1, 1) has variance 1/3; the raw draw is one in +-32768.
        scale = np.sqrt(3 * mean * (1 - mean) / effective) / 32768
        means, scales = mean.astype(np.float32), scale.astype(np.float32)
        out = np.empty((self.space.layers, self.space.columns), np.float32)
        grouped = out.reshape(self.space.layers, -1, _PAIR)
        for table in (self._coupled, self._alone):
            raw = self._noise.bit_generator.random_raw(table.rise.size // 4).view(np.int16)
            noisy = raw.reshape(table.rise.shape).astype(np.float32)
            noisy *= scales[table.rise]
            noisy += means[table.rise]
            grouped[:, table.groups] = noisy.reshape(self.space.layers, -1, _PAIR)
        np.clip(out, 0, 1, out=out)
        if len(self._orders) == 1:
            return out
        mean = grouped[:, self._orders[0]]
        for order in self._orders[1:]:
            mean += grouped[:, order]
        mean /= np.float32(len(self._orders))
        return mean.reshape(out.shape)

    def draw(self) -> Sequence[Plane]:
        if not self._previous:
            self._previous = [self._draw_stationary(bits) for bits in self._bits]
        planes: list[Plane] = []
        kept: list[Plane] = []
        for bits, previous in zip(self._bits, self._previous, strict=True):
            rise, stay = self._draw_two(bits)
            fired = rise | (previous & stay)
            if kept and len(self._common):
                _grouped(fired)[:, self._common] = _grouped(kept[0])[:, self._common]
            order = self._orders[len(kept)]
            kept.append(fired)
            planes.append(_grouped(fired)[:, order].reshape(fired.shape))
        self._previous = kept
        if self._settings.drift_per_token:
            self._trade_places(self._settings.drift_per_token)
        return planes

    def parents(self, below: Plane) -> tuple[Plane, Plane]:
        twins = below.reshape(below.shape[0], -1, 2)[:, :, ::-1].reshape(below.shape)
        return below, twins

    def _common_groups(self, share: float) -> Groups:
        """Groups whose neurons fire alike in all sequences: every so many."""
        return np.flatnonzero(_coupled_groups(self.space.words // 2, share))

    def _own_orders(self, share: float, batch: int, seed: int) -> list[Groups]:
        """For each sequence of the batch, which group of the first sequence its groups act like.

        Every sequence has a prompt of its own, and what a prompt shifts is drawn for each: a share
        of the groups of a block exchange their hotness. The first sequence keeps its order, so a
        batch of one is what it was.
        """
        rng = stream(seed, "activations.sequences")
        common = np.zeros(self.space.words // 2, np.bool_)
        common[self._common] = True
        orders = [np.arange(len(common))]
        for _ in range(1, batch):
            order = np.arange(len(common))
            for block in self.space.blocks:
                # Only full groups: padding has nothing to exchange.
                inside = block.start // 2 + np.arange(block.neurons // _PAIR)
                free = rng.permutation(inside[~common[inside]])
                picks = free[: round(share * len(free))]
                order[np.sort(picks)] = picks
            orders.append(order)
        return orders

    def _draw_stationary(self, bits: np.random.BitGenerator) -> Plane:
        """A plane with every neuron at its stationary probability."""
        scale = np.float32(1 / max(1e-6, 1 - self._settings.adjacent_correlation))
        raws = self._uniforms(bits)
        return self._compare(raws, [t.rise * scale for t in (self._coupled, self._alone)])

    def _draw_two(self, bits: np.random.BitGenerator) -> tuple[Plane, Plane]:
        """Planes of 'fires even after silence' and 'fires after firing', from the same draws."""
        raws = self._uniforms(bits)
        tables = (self._coupled, self._alone)
        return (
            self._compare(raws, [table.rise for table in tables]),
            self._compare(raws, [table.stay for table in tables]),
        )

    def _uniforms(self, bits: np.random.BitGenerator) -> tuple[U16, U16]:
        """Uniform draws: one per pair-column for coupled groups, one per neuron for the others."""
        shared = bits.random_raw(len(self._coupled.groups) * _HALF // 4).view(np.uint16)
        own = bits.random_raw(self._alone.rise.size // 4).view(np.uint16)
        twice = np.repeat(shared.reshape(-1, 1, _HALF), 2, axis=1)
        return twice.reshape(1, -1), own.reshape(self.space.layers, -1)

    def _compare(self, raws: tuple[U16, U16], thresholds: Sequence[NDArray[Any]]) -> Plane:
        """The neurons whose draw is below their threshold."""
        layers = self.space.layers
        plane = np.empty(self.space.shape, np.uint64)
        grouped = plane.reshape(layers, -1, 2)
        for table, raw, threshold in zip((self._coupled, self._alone), raws, thresholds):
            if len(table.groups):
                words = np.packbits(np.less(raw, threshold), axis=-1, bitorder="little")
                grouped[:, table.groups] = words.view(np.uint64).reshape(layers, -1, 2)
        return plane

    def _trade_places(self, share: float) -> None:
        """Let a share of pair-columns exchange their thresholds, in all layers at once."""
        for table in (self._coupled, self._alone):
            for segment in table.segments:
                if segment.pairs < 2:
                    continue
                expected = share * segment.pairs / 2
                swaps = int(expected + self._drift.random())
                if not swaps:
                    continue
                picks = np.unique(self._drift.integers(0, segment.pairs, 2 * swaps))
                picks = self._drift.permutation(picks)[: len(picks) // 2 * 2]
                column = segment.start + (picks // _HALF) * _PAIR + picks % _HALF
                column = np.concatenate([column, column + _HALF])
                half = len(picks) // 2
                order = np.concatenate([np.arange(half, 2 * half), np.arange(half)])
                other = np.concatenate([column[order], column[len(picks) :][order]])
                for values in (table.rise, table.stay):
                    values[:, column] = values[:, other]
