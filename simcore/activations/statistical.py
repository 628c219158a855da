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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import WORD, Plane
from simcore.activations.concentration import alive_shares, layer_curves
from simcore.activations.source import Frequencies, Planes, Words, below
from simcore.activations.space import Block, NeuronSpace, neuron_space
from simcore.activations.streams import state_words, stream
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
    """Thresholds, the coupled groups of 128 columns first and then the uncoupled ones.

    Attributes:
        groups: index in the row of each group of the table.
        coupled: columns of the coupled groups.
        rise: u16 thresholds for firing after silence, (layers, columns); 0 never fires.
        segments: where each block's columns lie, among the coupled and among the others.
    """

    groups: NDArray[np.int64]
    coupled: int
    rise: U16
    segments: tuple[_Segment, ...]

    @property
    def places(self) -> Groups:
        """Where each group of the row is in the table."""
        return np.argsort(self.groups)


def _by_group(columns: NDArray[Any]) -> NDArray[Any]:
    """A view of (layers, columns) as (layers, groups, columns of a group)."""
    return columns.reshape(len(columns), -1, _PAIR)


def _stationary(
    bits: np.random.BitGenerator, table: _Table, rise: U16, correlation: float
) -> Plane:
    """The neurons of a sequence that fire at a token before which nothing is known.

    One draw per pair-column serves all layers of the coupled groups; the others draw for every
    neuron.
    """
    raw = bits.random_raw(table.coupled // 8).view(np.uint16)
    common = np.repeat(raw.reshape(-1, 1, _HALF), 2, axis=1).reshape(-1)
    layers, own = len(rise), rise.shape[1] - table.coupled
    drawn = bits.random_raw(layers * own // 4).view(np.uint16).reshape(layers, own)
    scaled = rise * np.float32(1 / max(1e-6, 1 - correlation))
    found = np.empty(rise.shape, np.bool_)
    np.less(common, scaled[:, : table.coupled], out=found[:, : table.coupled])
    np.less(drawn, scaled[:, table.coupled :], out=found[:, table.coupled :])
    return np.packbits(found, axis=-1, bitorder="little").view(np.uint64)


def _probabilities(
    block: Block, layers: int, density: float, model: Model
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Firing probability by column of the block, padding 0, for layers that are alike.

    In double precision: powers may differ in the last bit from one processor to the next, and
    thresholds cut from single precision would then differ too. What is yielded is written anew for
    the next layers, so that it stays in the processor's cache.
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
    alive = alive_shares(layers, dead).tolist()
    p = np.empty_like(curve)
    first = 0
    for layer in range(layers):
        kind = scales[layer], alive[layer]
        if layer + 1 < layers and (scales[layer + 1], alive[layer + 1]) == kind:
            continue
        np.multiply(curve, scales[layer], out=p)
        np.minimum(p, 1.0, out=p)
        if dead:
            p[x > alive[layer]] = 0.0
        yield slice(first, layer + 1), p
        first = layer + 1


def _coupled_groups(groups: int, share: float) -> NDArray[np.bool_]:
    """Which groups are coupled: a share of them, evenly spread."""
    index = np.arange(groups)
    return np.floor((index + 1) * share + 1e-9) > np.floor(index * share + 1e-9)


@lru_cache(maxsize=4)
def _base(
    model: Model, correlation: float, coupling: float
) -> tuple[NeuronSpace, Frequencies, _Table]:
    """Space, offline frequencies and thresholds; they depend on the model, not on the seed."""
    space = neuron_space(model)
    densities = {"qkv": model.stats.qkv_density, "mlp": model.stats.mlp_density}
    profile = np.empty((space.layers, space.columns), np.float32)
    rise = np.empty(profile.shape, np.uint16)
    for block in space.blocks:
        columns = slice(block.start * WORD, block.stop * WORD)
        for alike, p in _probabilities(block, space.layers, densities[block.id], model):
            profile[alike, columns] = p
            p *= (1 - correlation) * _FULL
            rise[alike, columns] = np.minimum(p, _FULL - 1, out=p)
    coupled = np.concatenate(
        [_coupled_groups((b.stop - b.start) // 2, coupling) for b in space.blocks]
    )
    groups = np.argsort(~coupled, kind="stable")
    segments, at = [], 0
    for wanted in (True, False):
        mine = np.flatnonzero(coupled == wanted)
        for block in space.blocks:
            first, end = block.start // 2, block.stop // 2
            full = first + block.neurons // _PAIR
            segments.append(_Segment(at, int(((mine >= first) & (mine < full)).sum()) * _HALF))
            at += int(((mine >= first) & (mine < end)).sum()) * _PAIR
    table = _Table(
        groups,
        int(coupled.sum()) * _PAIR,
        np.take(_by_group(rise), groups, axis=1).reshape(rise.shape),
        tuple(segments),
    )
    profile.setflags(write=False)
    return space, profile, table


def _choose_trades(
    drift: np.random.Generator, segments: Sequence[_Segment], share: float
) -> tuple[Groups, Groups]:
    """Columns of the table that take over the thresholds of others, in all layers at once.

    A share of pair-columns exchange them. Carried out layer by layer as a draw reads them
    anyway, it takes half the time.
    """
    none = np.empty(0, np.int64)
    columns, others = [none], [none]
    for segment in segments:
        if segment.pairs < 2:
            continue
        expected = share * segment.pairs / 2
        swaps = int(expected + drift.random())
        if not swaps:
            continue
        picked = np.zeros(segment.pairs, np.bool_)
        picked[drift.integers(0, segment.pairs, 2 * swaps)] = True
        picks = np.flatnonzero(picked)
        picks = drift.permutation(picks)[: len(picks) // 2 * 2]
        column = segment.start + (picks // _HALF) * _PAIR + picks % _HALF
        other = np.roll(column, len(column) // 2)
        columns += [column, column + _HALF]
        others += [other, other + _HALF]
    return np.concatenate(columns), np.concatenate(others)


def _exchange(rise: U16, columns: Groups, partners: Groups) -> None:
    """Give `columns` the thresholds of their partners in every layer, in place."""
    for row in rise:  # ten times as fast as for all rows at once
        row[columns] = row[partners]


@lru_cache(maxsize=2)
def _shifted(
    model: Model, settings: StatisticalActivations, seed: int
) -> tuple[U16, Mapping[str, Any]]:
    """Thresholds after the prompt has shifted what is hot, and the state of the drift then."""
    _, _, table = _base(model, settings.adjacent_correlation, settings.coupling)
    drift = stream(seed, "activations.drift")
    traded, partners = _choose_trades(drift, table.segments, settings.prompt_shift)
    rise = table.rise.copy()
    _exchange(rise, traded, partners)
    return rise, drift.bit_generator.state


@lru_cache(maxsize=2)
def _prompt_frequency(
    model: Model, settings: StatisticalActivations, batch: int, prompt_tokens: int, seed: int
) -> tuple[Frequencies, Mapping[str, Any]]:
    """Frequencies over the prompts at the start, and the state of the noise after them."""
    noise = stream(seed, "activations.prompt").bit_generator
    source = StatisticalSource(model, settings, batch, prompt_tokens, seed)
    found = source.sampled_frequency(noise)
    found.setflags(write=False)
    return found, noise.state


@lru_cache(maxsize=2)
def _first_token(
    model: Model, settings: StatisticalActivations, batch: int, seed: int
) -> tuple[Plane, NDArray[np.uint64]]:
    """What fires before anything is known, in the order of the table, and the draws' states then.

    By sequence: (sequences, layers, words) and (sequences, 6).
    """
    _, _, table = _base(model, settings.adjacent_correlation, settings.coupling)
    rise, _ = _shifted(model, settings, seed)
    streams = _draw_streams(batch, seed)
    rho = settings.adjacent_correlation
    planes = np.stack([_stationary(bits, table, rise, rho) for bits in streams])
    planes.setflags(write=False)
    return planes, np.stack([state_words(bits.state) for bits in streams])


def _draw_streams(batch: int, seed: int) -> list[np.random.BitGenerator]:
    return [stream(seed, f"activations.draw.{i}").bit_generator for i in range(batch)]


class StatisticalSource:
    """Draws activity from a model's published statistics."""

    paired = True

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
        self.space, self._profile, table = _base(
            model, settings.adjacent_correlation, settings.coupling
        )
        rise, drift = _shifted(model, settings, seed)
        self._table = replace(table, rise=rise.copy())
        # p + (1 - p) rho after firing is p (1 - rho) + rho: the same lead in every neuron.
        self._lead = np.uint16(round(settings.adjacent_correlation * (_FULL - 1)))
        self._drift = state_words(drift)
        self._noise = stream(seed, "activations.prompt")
        self._fresh = True  # nothing was drawn yet, nor noise
        self._start = (model, settings, batch, prompt_tokens, seed)
        self._streams, self._previous = np.empty((0, 6), np.uint64), np.empty((0, 0, 0), np.uint64)
        self._common = self._common_groups(settings.sequence_correlation)
        self._segments = (
            np.array([segment.start for segment in table.segments]),
            np.array([segment.pairs for segment in table.segments]),
        )
        none = np.empty(0, np.int64)
        self._trades = (none, none)  # chosen by the last draw, to be carried out by the next one
        self._orders = self._own_orders(settings.prompt_shift, batch, seed)
        places = self._table.places
        self._taken = np.stack([places[order] for order in self._orders])
        self._shared = places[self._common]
        self.note = (
            f"statistical: MLP density {model.stats.mlp_density:g}, "
            f"QKV density {model.stats.qkv_density:g}; neurons numbered by expected hotness"
        )

    def profile(self) -> Frequencies:
        return self._profile

    def prompt_frequency(self) -> Frequencies:
        """Frequencies over the prompts of all sequences.

        These are the current probabilities with the sampling error of as many correlated tokens.
        Those at the start are kept: the next edit rarely changes what they depend on.
        """
        if not self._fresh:
            self._trade()
            return self.sampled_frequency(self._noise.bit_generator)
        self._fresh = False
        found, self._noise.bit_generator.state = _prompt_frequency(*self._start)
        return found

    def _trade(self) -> None:
        """Carry out at once what the last draw left to the next one."""
        columns, partners = self._trades
        _exchange(self._table.rise, columns, partners)
        self._trades = (columns[:0], partners[:0])

    def sampled_frequency(self, noise: np.random.BitGenerator) -> Frequencies:
        """The probabilities of the table with the sampling error of the prompts."""
        rho = self._settings.adjacent_correlation
        effective = max(1.0, self._prompt_tokens * (1 - rho) / (1 + rho))
        mean = np.minimum(1.0, np.arange(_FULL) / (_FULL * max(1e-6, 1 - rho)))
        # A uniform in (-1, 1) has variance 1/3; the raw draw is one in +-32768.
        scale = np.sqrt(3 * mean * (1 - mean) / effective) / 32768
        means, scales = mean.astype(np.float32), scale.astype(np.float32)
        out = np.empty((self.space.layers, self.space.columns), np.float32)
        grouped = _by_group(out)
        table = self._table
        edge = table.coupled // _PAIR
        for groups in (slice(0, edge), slice(edge, None)):
            taken = table.groups[groups]
            for row, rise in zip(grouped, _by_group(table.rise)[:, groups]):  # all in the cache
                noisy = noise.random_raw(rise.size // 4).view(np.int16).astype(np.float32)
                noisy *= scales.take(rise.ravel())
                noisy += means.take(rise.ravel())
                np.clip(noisy, 0, 1, out=noisy)
                row[taken] = noisy.reshape(rise.shape)
        if len(self._orders) == 1:
            return out
        mean = grouped[:, self._orders[0]]
        for order in self._orders[1:]:
            mean += grouped[:, order]
        mean /= np.float32(len(self._orders))
        return mean.reshape(out.shape)

    def draw(self) -> Planes:
        # Here, as who only looks at a run needs no compiler.
        from simcore.activations.firing import draw_token

        self._fresh = False
        if not len(self._previous):
            # Kept, as are the frequencies over the prompts.
            model, settings, batch, _, seed = self._start
            first, streams = _first_token(model, settings, batch, seed)
            self._previous, self._streams = first.copy(), streams.copy()
        table = self._table
        planes = np.empty((len(self._taken), *self.space.shape), np.uint64)
        self._trades = draw_token(
            self._streams,
            table.rise,
            table.coupled,
            self._lead,
            self._trades,
            self._previous,
            self._shared,
            self._taken,
            (self._drift, *self._segments, self._settings.drift_per_token),
            planes,
        )
        return planes

    def parents(self, active: Plane, last: Words) -> tuple[Plane, Plane]:
        first = below(active, last)
        return first, first.reshape(len(first), -1, 2)[:, :, ::-1].reshape(first.shape)

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
