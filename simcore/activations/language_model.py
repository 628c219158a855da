"""The shipped ReLU language model, computed with numpy token by token.

Six decoder layers (see assets/activations/README.md): LayerNorm, attention of three heads,
LayerNorm, MLP with ReLU. Keys and values of earlier tokens are kept, so a step costs one token.
Positions are learned and end at 256: a longer text goes on with the last 128 tokens, read anew.

Everything is double precision: matrix products differ between processors in the last bits, and
with these far below the gaps between numbers that matter, the same neurons fire everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simcore.data import asset

Real = NDArray[np.float64]
Ids = NDArray[np.int64]

WINDOW: Final = 256
KEPT: Final = 128
"""Tokens a window goes on with once it is full."""

_HEADS: Final = 3
_EPSILON: Final = 1e-5


@dataclass(frozen=True)
class _Layer:
    norm1: tuple[Real, Real]
    qkv: Real
    out: Real
    norm2: tuple[Real, Real]
    fc1: tuple[Real, Real]
    fc2: tuple[Real, Real]


@dataclass(frozen=True)
class Weights:
    """Weights in double precision; matrices are (inputs, outputs).

    Attributes:
        table: (vocabulary, width) of tokens.
        positions: (256, width).
        layers: the decoder layers.
        norm, head: what makes logits.
    """

    table: Real
    positions: Real
    layers: tuple[_Layer, ...]
    norm: tuple[Real, Real]
    head: Real

    @property
    def width(self) -> int:
        """Numbers of a hidden state."""
        return int(self.table.shape[1])

    @property
    def neurons(self) -> int:
        """MLP neurons of a layer."""
        return int(self.layers[0].fc1[1].shape[0])


def _matrix(data: Mapping[str, NDArray[np.generic]], name: str) -> Real:
    """Rows of int8 times their scale."""
    rows = np.asarray(data[f"{name}.q"], np.float64)
    return rows * np.asarray(data[f"{name}.scale"], np.float64).reshape(-1, 1)


@lru_cache(maxsize=1)
def shipped_weights() -> Weights:
    """The weights in assets/activations."""
    with np.load(asset("activations/relu_adamw_l1_weights_int8.npz"), allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}

    def vector(name: str) -> Real:
        return np.asarray(data[name], np.float64)

    def turned(name: str) -> Real:
        return np.ascontiguousarray(_matrix(data, name).T)

    def pair(name: str) -> tuple[Real, Real]:
        return vector(f"{name}.weight"), vector(f"{name}.bias")

    def linear(name: str) -> tuple[Real, Real]:
        return turned(f"{name}.weight"), vector(f"{name}.bias")

    layers: list[_Layer] = []
    while f"b.{len(layers)}.qkv.weight.q" in data:
        b = f"b.{len(layers)}"
        layers.append(
            _Layer(
                pair(f"{b}.n1"),
                turned(f"{b}.qkv.weight"),
                turned(f"{b}.o.weight"),
                pair(f"{b}.n2"),
                linear(f"{b}.fc1"),
                linear(f"{b}.fc2"),
            )
        )
    return Weights(
        _matrix(data, "e.weight"),
        _matrix(data, "p.weight"),
        tuple(layers),
        pair("n"),
        turned("h.weight"),
    )


def _normed(x: Real, norm: tuple[Real, Real]) -> Real:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
    result: Real = centred / spread * norm[0] + norm[1]
    return result


@dataclass(frozen=True)
class Activity:
    """What one pass over a few tokens gives; B sequences, T tokens.

    Attributes:
        logits: (B, vocabulary) after the last token.
        neurons: MLP values before the ReLU, (B, T, layers, neurons); a neuron fires above 0.
        inputs: outputs of the LayerNorm before attention, (B, T, layers, width).
    """

    logits: Real
    neurons: Real
    inputs: Real


class Reader:
    """A batch of texts being read, all of the same length.

    Attributes:
        length: tokens in the window so far.
    """

    def __init__(self, weights: Weights, batch: int) -> None:
        self._weights = weights
        layers = len(weights.layers)
        self._keys = np.zeros((layers, batch, WINDOW, weights.width))
        self._values = np.zeros_like(self._keys)
        self._tokens = np.zeros((batch, WINDOW), np.int64)
        self.length = 0

    def read(self, tokens: Ids) -> Activity:
        """Read the next tokens of every sequence.

        Args:
            tokens: ids, (B, T) with T at least 1; more than fit are read in several passes.
        """
        passes = list(self.passes(tokens))
        return Activity(
            passes[-1].logits,
            np.concatenate([p.neurons for p in passes], axis=1),
            np.concatenate([p.inputs for p in passes], axis=1),
        )

    def passes(self, tokens: Ids) -> Iterator[Activity]:
        """The same pass by pass, for texts whose activity is too much to be held at once."""
        while tokens.shape[1]:
            if self.length == WINDOW:
                kept = self._tokens[:, WINDOW - KEPT :].copy()
                self.length = 0
                self._pass(kept)
            room = WINDOW - self.length
            yield self._pass(tokens[:, :room])
            tokens = tokens[:, room:]

    def _pass(self, tokens: Ids) -> Activity:
        weights, start = self._weights, self.length
        batch, count = tokens.shape
        stop = start + count
        self._tokens[:, start:stop] = tokens
        x = weights.table[tokens] + weights.positions[start:stop]
        neurons = np.empty((batch, count, len(weights.layers), weights.neurons))
        inputs = np.empty((batch, count, len(weights.layers), weights.width))
        for index, layer in enumerate(weights.layers):
            inputs[:, :, index] = normed = _normed(x, layer.norm1)
            x = x + self._attend(index, normed @ layer.qkv, start, stop) @ layer.out
            before = _normed(x, layer.norm2) @ layer.fc1[0] + layer.fc1[1]
            neurons[:, :, index] = before
            x = x + np.maximum(before, 0.0) @ layer.fc2[0] + layer.fc2[1]
        self.length = stop
        logits: Real = _normed(x[:, -1], weights.norm) @ weights.head
        return Activity(logits, neurons, inputs)

    def _attend(self, index: int, qkv: Real, start: int, stop: int) -> Real:
        """Attention of the new tokens over all so far, (B, T, width)."""
        batch, count, width = len(qkv), stop - start, self._weights.width
        self._keys[index, :, start:stop] = qkv[..., width : 2 * width]
        self._values[index, :, start:stop] = qkv[..., 2 * width :]

        def heads(values: Real) -> Real:
            return values.reshape(batch, -1, _HEADS, width // _HEADS).transpose(0, 2, 1, 3)

        query = heads(qkv[..., :width])
        key = heads(self._keys[index, :, :stop])
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // _HEADS)
        later = np.arange(stop)[None, :] > np.arange(start, stop)[:, None]
        scores[:, :, later] = -np.inf
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = scores @ heads(self._values[index, :, :stop])
        return mixed.transpose(0, 2, 1, 3).reshape(batch, count, width)


def choose(logits: Real, temperature: float, draws: Real) -> Ids:
    """The next token of each sequence.

    Args:
        logits: (B, vocabulary).
        temperature: 0 takes the likeliest.
        draws: uniform in [0, 1), (B,).
    """
    if temperature == 0:
        likeliest: Ids = logits.argmax(axis=1)
        return likeliest
    scaled = (logits - logits.max(axis=1, keepdims=True)) / temperature
    upto = np.cumsum(np.exp(scaled), axis=1)
    wanted = draws * upto[:, -1]
    return np.array(
        [
            min(int(np.searchsorted(row, value, side="right")), len(row) - 1)
            for row, value in zip(upto, wanted, strict=True)
        ],
        np.int64,
    )
