"""The compiled part of a decode step: layer by layer, so that a layer stays in the cache.

A step calls few functions, each for all layers: whoever comes out of one has to get the
interpreter back, for which it may have to wait.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.activations.firing import twins
from simcore.compiled import compiled
from simcore.placement.adjustment import apply_swaps, choose_swaps
from simcore.placement.predictor import Needs, learn_row, predict_row
from simcore.placement.remap import count_firing, counter
from simcore.placement.states import Words, clear, rows
from simcore.systems.hermes.tally import common, count_common, count_placed

Int = NDArray[np.int64]
Counts = NDArray[np.int32]
Planes = NDArray[np.uint64]


@compiled
def predict(
    swaps: tuple[Plane, Plane],
    state: Planes,
    active: Plane,
    last: Words,
    parents: tuple[Plane, Plane],
    paired: bool,
    needs: Needs,
    valid: Words,
    gpu: Plane,
    predicted: Plane,
) -> None:
    """Put the copies chosen at the last token into place, and predict.

    Args:
        swaps: who comes to the GPU and who goes, (layers, words) each.
        state: bit-sliced states, (4, layers, words).
        active: neurons that fire, (layers, words).
        last: what the last layer did at the token before, (words,).
        parents: activity of each neuron's two parents, (layers, words) each.
        paired: whether they are the pair of columns below instead.
        needs: what a state must be, by how many parents fired.
        valid: real neurons of a row.
        gpu: copies on the GPU, (layers, words), changed in place.
        predicted: where to write predicted neurons, (layers, words).
    """
    incoming, outgoing = swaps
    first, second = parents
    twin = np.empty_like(last)
    for layer in range(len(gpu)):
        apply_swaps(gpu[layer], incoming[layer], outgoing[layer])
        states, out = rows(state, layer), predicted[layer]
        if paired:
            below = active[layer - 1] if layer else last
            twins(below, twin)
            predict_row(states, below, twin, needs, valid, out)
        else:
            predict_row(states, first[layer], second[layer], needs, valid, out)


@compiled
def account(
    active: Plane,
    predicted: Plane,
    uses: Planes,
    before: Plane,
    gpu: Plane,
    dimms: Planes,
    blocks: Int,
    counts: tuple[Counts, Counts, Counts],
    learning: tuple[Planes, int, Planes, bool],
    swapping: tuple[Words, int, int, Plane, Plane, Counts],
) -> None:
    """Count what each place computes, learn, and choose the copies for the next token.

    Args:
        active, predicted: neurons that fire, and that were expected to, (layers, words).
        uses: how many sequences use a neuron, bit-sliced, (bits, layers, words).
        before: what fired at the token before.
        gpu: copies on the GPU, (layers, words).
        dimms: home planes, (DIMMs, layers, words).
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        counts: neurons read and multiplied by each place, (layers, blocks, 1 + DIMMs), added to,
            the latter only where there are several sequences; where to write active and predicted
            neurons, those in both, and those active again, (layers, 4, blocks).
        learning: bit-sliced states, (4, layers, words), and what is added to those of active
            neurons; bit-sliced firings in the window, (3, layers, words), and whether they are
            counted. Changed in place.
        swapping: real neurons of a row; state above which one is hot; most bytes that may be
            copied in a layer, negative where nothing is ever chosen; where to write who comes to
            the GPU and who goes, (layers, words), and how many, (layers, blocks).
    """
    read, macs, fired = counts
    state, up, window, counts_window = learning
    valid, hot_threshold, room_bytes, incoming, outgoing, moved = swapping
    pool = np.empty(gpu.shape[1], np.uint64)
    for layer in range(len(gpu)):
        now, expected, on = active[layer], predicted[layer], gpu[layer]
        _count_read(expected, on, dimms, layer, blocks, pool, read[layer])
        if len(uses) > 1:
            _count_macs(now, expected, uses, on, dimms, layer, blocks, pool, macs[layer])
        _count_fired(now, expected, before[layer], blocks, fired[layer])
        states = rows(state, layer)
        learn_row(states, now, up)
        if counts_window:
            count_firing(counter(window, layer, 0, now.size), now)
        if room_bytes >= 0:
            come, go = incoming[layer], outgoing[layer]
            room = room_bytes
            choose_swaps(on, valid, states, hot_threshold, room, blocks, come, go, moved[layer])


@compiled
def _count_read(
    expected: Words, on: Words, dimms: Planes, layer: int, blocks: Int, pool: Words, out: Counts
) -> None:
    """A predicted neuron is read once for the batch; `pool` is room for a row."""
    for word in range(pool.size):
        pool[word] = expected[word]
    count_placed(pool, on, dimms, layer, blocks, 1, out)


@compiled
def _count_macs(
    now: Words,
    expected: Words,
    uses: Planes,
    on: Words,
    dimms: Planes,
    layer: int,
    blocks: Int,
    pool: Words,
    out: Counts,
) -> None:
    """Each sequence multiplies its own active neurons.

    A false alarm is multiplied once before its zero is seen.
    """
    for word in range(pool.size):
        pool[word] = expected[word] & ~now[word]
    count_placed(pool, on, dimms, layer, blocks, 1, out)
    for bit in range(len(uses)):
        for word in range(pool.size):
            pool[word] = expected[word] & uses[bit, layer, word]
        count_placed(pool, on, dimms, layer, blocks, 1 << bit, out)


@compiled
def _count_fired(now: Words, expected: Words, before: Words, blocks: Int, out: Counts) -> None:
    """Active and predicted neurons, those in both, and those active again."""
    count_common(now, now, blocks, out[0])
    count_common(expected, expected, blocks, out[1])
    count_common(now, expected, blocks, out[2])
    count_common(now, before, blocks, out[3])


@compiled
def weigh_homes(dimms: Planes, blocks: Int, out: Int) -> None:
    """Bytes of the neurons at home on each DIMM.

    Args:
        dimms: home planes, (DIMMs, layers, words).
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        out: (DIMMs,).
    """
    for unit in range(len(dimms)):
        out[unit] = 0
        for layer in range(dimms.shape[1]):
            home = dimms[unit, layer]
            for block in range(len(blocks)):
                start, stop, size = blocks[block]
                out[unit] += common(home[start:stop], home[start:stop]) * size


@compiled
def number_homes(dimms: Planes, number: Planes) -> None:
    """Write the bits of the number of each neuron's home DIMM, lowest first.

    Args:
        dimms: home planes, (DIMMs, layers, words).
        number: (bits, layers, words).
    """
    for layer in range(dimms.shape[1]):
        for bit in range(len(number)):
            clear(number[bit, layer])
        for unit in range(len(dimms)):
            for bit in range(len(number)):
                if unit >> bit & 1:
                    for word in range(number.shape[2]):
                        number[bit, layer, word] |= dimms[unit, layer, word]
