"""The neurons of a model: which blocks they form and where they lie in a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simcore.activations.bitplanes import WORD, Plane
from simcore.model.shapes import attention_neuron_bytes, mlp_neuron_bytes
from simcore.scenario.schema import Model

_PAIR = 2 * WORD


@dataclass(frozen=True, slots=True)
class Block:
    """Neurons of one kind in a layer.

    Attributes:
        id, title: ``qkv`` or ``mlp``, and as shown.
        neurons: neurons of one layer.
        start: first word in a plane's row.
        stop: word after the last, padding included.
        neuron_bytes: weights of one neuron.
        neuron_macs: multiply-accumulates of one neuron for one token.
    """

    id: str
    title: str
    neurons: int
    start: int
    stop: int
    neuron_bytes: int
    neuron_macs: int

    @property
    def words(self) -> slice:
        """The block's words in a row."""
        return slice(self.start, self.stop)

    @property
    def first_column(self) -> int:
        """Column of the block's first neuron."""
        return self.start * WORD


@dataclass(frozen=True, slots=True)
class NeuronSpace:
    """All sparse neurons of a model.

    A row of a plane is one layer: the QKV input channels, padding to a multiple of 128 columns,
    then the MLP neurons, padded likewise.
    """

    layers: int
    blocks: tuple[Block, ...]

    @property
    def words(self) -> int:
        """Words of one row."""
        return self.blocks[-1].stop

    @property
    def columns(self) -> int:
        """Columns of one row, padding included."""
        return self.words * WORD

    @property
    def neurons(self) -> int:
        """Neurons in all, without padding."""
        return self.layers * sum(block.neurons for block in self.blocks)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a plane."""
        return (self.layers, self.words)

    def valid(self) -> Plane:
        """One row of words with the bits of real neurons set."""
        flags = np.zeros(self.columns, np.bool_)
        for block in self.blocks:
            flags[block.first_column : block.first_column + block.neurons] = True
        return np.packbits(flags, bitorder="little").view(np.uint64)

    def weigh(self, plane: Plane) -> int:
        """Bytes of the weights of a set of neurons."""
        bits = np.bitwise_count(plane)
        return sum(
            int(bits[:, block.words].sum(dtype=np.int64)) * block.neuron_bytes
            for block in self.blocks
        )

    def block_of(self, column: int) -> Block:
        """The block a column lies in."""
        return next(block for block in self.blocks if column < block.stop * WORD)


def neuron_space(model: Model) -> NeuronSpace:
    """The neurons of a model: QKV input channels and MLP hidden units (Hermes, II-B, IV-A)."""
    attention = attention_neuron_bytes(model)
    mlp = mlp_neuron_bytes(model)
    first = -(-model.hidden // _PAIR) * 2
    second = first + -(-model.ffn // _PAIR) * 2
    width = model.bytes_per_weight
    return NeuronSpace(
        model.layers,
        (
            Block("qkv", "QKV inputs", model.hidden, 0, first, attention, attention // width),
            Block("mlp", "MLP neurons", model.ffn, first, second, mlp, mlp // width),
        ),
    )
