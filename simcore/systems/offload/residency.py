"""Which neurons stay on the GPU when their weights lie in host memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations import bitplanes
from simcore.activations.bitplanes import Plane
from simcore.activations.source import ActivationSource
from simcore.activations.space import NeuronSpace

Int = NDArray[np.int64]


def count_blocks(space: NeuronSpace, plane: Plane) -> Int:
    """Set bits by layer and block."""
    return np.stack([bitplanes.count(plane[:, block.words]) for block in space.blocks], axis=1)


def resident_plane(source: ActivationSource, rule: str, room: int) -> Plane:
    """Neurons that stay on the GPU.

    Args:
        source: gives the neurons and how often they fire.
        rule: ``layers`` takes whole blocks in order of computation, ``hottest`` the neurons that
            fire most often, lower index first among equals.
        room: GPU memory in bytes.
    """
    space = source.space
    return _hottest(source, room) if rule == "hottest" else _whole_blocks(space, room)


def _whole_blocks(space: NeuronSpace, room: int) -> Plane:
    plane = np.zeros(space.shape, np.uint64)
    valid = space.valid()
    for layer in range(space.layers):
        for block in space.blocks:
            room -= block.neurons * block.neuron_bytes
            if room < 0:
                return plane
            plane[layer, block.words] = valid[block.words]
    return plane


def _hottest(source: ActivationSource, room: int) -> Plane:
    space = source.space
    sizes = np.zeros(space.columns, np.int64)
    for block in space.blocks:
        sizes[block.first_column : block.first_column + block.neurons] = block.neuron_bytes
    frequency = np.where(sizes > 0, source.profile(), np.float32(-1)).reshape(-1)
    order = np.argsort(-frequency, kind="stable")
    taken = np.cumsum(np.tile(sizes, space.layers)[order]) <= room
    flags = np.zeros(frequency.size, np.bool_)
    flags[order] = taken
    flags &= np.tile(sizes > 0, space.layers)
    return bitplanes.pack(flags.reshape(space.layers, space.columns))
