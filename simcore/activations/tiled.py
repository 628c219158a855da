"""A small network's activity tiled to a large model: a stand-in, not a measurement of it.

Large layer l of L is made of small layer floor(6 l / L); column j of a block is a copy of small
neuron order(j mod n), in an order of its own for each small layer. It fires where the small
neuron's real value before the ReLU (MLP) or after the LayerNorm before attention (QKV inputs)
exceeds a threshold. There is one threshold a layer and block, set on recorded text so that the
mean density is the published one, plus a small fixed offset of each copy, so that copies differ.

Parents are found by sampling on the small network, as for recorded masks: the two neurons of the
small layer a layer's lower neighbour is made of that correlate most. A copy's parents are the
copies of the same number. Where the layer below is made of the same small layer, the first parent
is the same neuron; layers depend on each other more than in a real model there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, pack, unpack
from simcore.activations.language_model import Reader, Real, shipped_weights
from simcore.activations.recorded import strongest
from simcore.activations.source import Frequencies
from simcore.activations.space import Block, NeuronSpace, neuron_space
from simcore.activations.streams import stream
from simcore.data import asset
from simcore.scenario.schema import Model

JITTER: Final = 0.2
"""Spread of the copies' offsets, in standard deviations of a layer's values."""

_SEQUENCES: Final = (0, 8, 16, 24, 32, 40)
_TOKENS: Final = 96

Thresholds = NDArray[np.float32]
Index = NDArray[np.int64]


@lru_cache(maxsize=1)
def _sample() -> tuple[Real, Real]:
    """Values on recorded text, (tokens, layers, n) of the QKV inputs and of the MLP."""
    with np.load(asset("activations/relu_adamw_l1.npz"), allow_pickle=False) as data:
        tokens = np.asarray(data["tokens"][list(_SEQUENCES), :_TOKENS], np.int64)
    activity = Reader(shipped_weights(), len(tokens)).read(tokens)
    inputs, neurons = activity.inputs, activity.neurons
    return inputs.reshape(-1, *inputs.shape[2:]), neurons.reshape(-1, *neurons.shape[2:])


@dataclass(frozen=True)
class _Tiles:
    """One block of the large model.

    Attributes:
        block: where it lies.
        source: small layer of each large layer.
        order: (small layers, n): small neuron of each place in a copy.
        thresholds: (layers, copies, n), infinite beyond the block's neurons.
        parents: (layers, 2, n): place in a copy of the parents.
    """

    block: Block
    source: Index
    order: Index
    thresholds: Thresholds
    parents: Index

    @property
    def columns(self) -> slice:
        """The block's neurons in a row."""
        return slice(self.block.first_column, self.block.first_column + self.block.neurons)

    def arrange(self, values: Real) -> Thresholds:
        """Small values (..., small layers, n) in the order of the copies, single precision."""
        ordered: Thresholds = np.take_along_axis(
            values.astype(np.float32), np.broadcast_to(self.order, values.shape), axis=-1
        )
        return ordered

    def fire(self, values: Real, out: NDArray[np.bool_]) -> None:
        """Set the block's columns of (layers, columns)."""
        ordered = self.arrange(values)[self.source]
        fired = ordered[:, None, :] > self.thresholds
        out[:, self.columns] = fired.reshape(len(fired), -1)[:, : self.block.neurons]

    def frequency(self, values: Real, out: Frequencies) -> None:
        """Set the block's columns to the share of tokens a neuron fires at; values (T, layers, n).

        Counting by rank in the sorted values of a small neuron; its copies ask all at once.
        """
        tokens = len(values)
        ranked = np.sort(self.arrange(values), axis=0)
        for small in np.unique(self.source):
            rows = np.flatnonzero(self.source == small)
            limits = self.thresholds[rows]
            share = np.empty(limits.shape, np.float32)
            for place in range(limits.shape[2]):
                below = np.searchsorted(ranked[:, small, place], limits[:, :, place], side="right")
                share[:, :, place] = (tokens - below) / np.float32(tokens)
            out[rows, self.columns] = share.reshape(len(rows), -1)[:, : self.block.neurons]

    def follow(self, flags: NDArray[np.uint8], which: int) -> NDArray[np.uint8]:
        """The flags of the parents: flags (layers, columns of the block, padding included)."""
        copies, n = self.thresholds.shape[1:]
        places = self.parents[:, which]
        other = np.flatnonzero((places != np.arange(n)).any(axis=1))
        if not len(other):
            return flags
        padded = np.zeros((len(other), copies * n), np.uint8)
        width = min(flags.shape[1], copies * n)
        padded[:, :width] = flags[other, :width]
        shaped = padded.reshape(len(other), copies, n)
        result = flags.copy()
        for row, layer in enumerate(other):
            parents = shaped[row].take(places[layer], axis=1).reshape(-1)
            result[layer, : self.block.neurons] = parents[: self.block.neurons]
        return result


def _make_tiles(block: Block, layers: int, density: float, values: Real) -> _Tiles:
    tokens, small_layers, n = values.shape
    rng = stream(0, f"tiles {block.id}")  # of the stand-in, not of the run
    source = np.arange(layers) * small_layers // layers
    order = np.stack([rng.permutation(n) for _ in range(small_layers)])
    copies = -(-block.neurons // n)
    offsets = rng.standard_normal((layers, copies, n)).astype(np.float32) * np.float32(JITTER)
    blank = np.zeros((layers, 2, n), np.int64)
    tiles = _Tiles(block, source, order, offsets, blank)
    arranged = tiles.arrange(values)
    spread = values.std(axis=(0, 2))
    limits = np.empty(layers, np.float32)
    which = np.arange(tokens) % copies  # a copy for each token: all of them would be no better
    for layer in range(layers):
        offsets[layer] *= np.float32(spread[source[layer]])
        shifted = arranged[:, source[layer]] - offsets[layer, which]
        limits[layer] = np.quantile(shifted, 1 - density)
    thresholds = offsets + limits[:, None, None]
    thresholds.reshape(layers, -1)[:, block.neurons :] = np.inf
    flags = np.zeros((tokens, small_layers, n), np.uint8)
    for small in np.unique(source):
        flags[:, small] = arranged[:, small] > limits[source == small].mean()
    return dataclasses.replace(tiles, thresholds=thresholds, parents=_parents(flags, source))


def _parents(flags: NDArray[np.uint8], source: Index) -> Index:
    """Places of the parents, (layers, 2, n), from flags (tokens, small layers, n)."""
    out = np.empty((len(source), 2, flags.shape[2]), np.int64)
    found: dict[tuple[int, int], Index] = {}
    for layer, small in enumerate(source):
        below = int(source[layer - 1]) if layer else -1
        if (small, below) not in found:
            child, parent = flags[:, small], flags[:, below]
            if not layer:  # the last layer, one token before
                child, parent = child[1:], flags[:-1, source[-1]]
            found[small, below] = strongest(child, parent).T
        out[layer] = found[small, below]
        if layer and small == below:
            _put_self_first(out[layer])
    return out


def _put_self_first(parents: Index) -> None:
    """In (2, n): the neuron itself as the first parent, also where it never fired."""
    own = np.arange(parents.shape[1])
    parents[1] = np.where(parents[0] == own, parents[1], parents[0])
    parents[0] = own


@dataclass(frozen=True)
class Tiling:
    """A small network stretched to a large model's size.

    Attributes:
        space: the large model's neurons.
        qkv, mlp: its two blocks.
    """

    space: NeuronSpace
    qkv: _Tiles
    mlp: _Tiles
    _profile: list[Frequencies] = field(default_factory=list)

    def profile(self) -> Frequencies:
        """Frequencies on the recorded text, (layers, columns)."""
        if not self._profile:
            frequency = self.frequency(*_sample())
            frequency.setflags(write=False)
            self._profile.append(frequency)
        return self._profile[0]

    def frequency(self, inputs: Real, neurons: Real) -> Frequencies:
        """Share of tokens at which each large neuron fires; values (tokens, small layers, n)."""
        out = np.zeros((self.space.layers, self.space.columns), np.float32)
        self.qkv.frequency(inputs, out)
        self.mlp.frequency(neurons, out)
        return out

    def fire(self, inputs: Real, neurons: Real) -> Plane:
        """The large neurons that fire for one token's values (small layers, n)."""
        out = np.zeros((self.space.layers, self.space.columns), np.bool_)
        self.qkv.fire(inputs, out)
        self.mlp.fire(neurons, out)
        return pack(out)

    def parents(self, below: Plane) -> tuple[Plane, Plane]:
        """Activity of the parents, from that of the layers below the rows."""
        flags = unpack(below)
        result = []
        for which in (0, 1):
            parts = [
                tiles.follow(flags[:, tiles.block.start * 64 : tiles.block.stop * 64], which)
                for tiles in (self.qkv, self.mlp)
            ]
            result.append(pack(np.concatenate(parts, axis=1).astype(np.bool_)))
        return result[0], result[1]


@lru_cache(maxsize=2)
def tiling(model: Model) -> Tiling:
    """The shipped network tiled to a model's layers, widths and published densities."""
    space = neuron_space(model)
    inputs, neurons = _sample()
    qkv, mlp = space.blocks
    return Tiling(
        space,
        _make_tiles(qkv, space.layers, model.stats.qkv_density, inputs),
        _make_tiles(mlp, space.layers, model.stats.mlp_density, neurons),
    )
