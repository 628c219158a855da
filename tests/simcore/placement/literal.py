"""The paper's rules for moving neurons, one neuron at a time: what the fast ones must give."""

from __future__ import annotations

import numpy as np


def literal_swaps(gpu, valid, state, hot, room):
    """Rank newcomers by state, victims by state, swap while the newcomer's is higher."""
    result = []
    state = state.astype(int)
    for layer in range(len(gpu)):
        come = [i for i in np.flatnonzero(valid & ~gpu[layer]) if state[layer, i] > hot]
        go = list(np.flatnonzero(gpu[layer]))
        come.sort(key=lambda i: (-state[layer, i], i))
        go.sort(key=lambda i: (state[layer, i], i))
        pairs = [
            (a, b) for a, b in zip(come, go, strict=False) if state[layer, a] > state[layer, b]
        ]
        pairs = pairs[: room[layer]]
        result.append(({int(a) for a, _ in pairs}, {int(b) for _, b in pairs}))
    return result


def literal_loads(home, cold, activity, dimms):
    """Activity of the cold neurons of each DIMM over the window: (layers, DIMMs)."""
    return np.array(
        [
            [activity[layer][(home[layer] == j) & cold[layer]].sum() for j in range(dimms)]
            for layer in range(len(home))
        ]
    )


def literal_remap(home, cold, activity, dimms, room):
    """Algorithm 1 with its loop test put right, one neuron at a time."""
    home = home.copy()
    moved = []
    for layer in range(len(home)):
        mine = [activity[layer][(home[layer] == j) & cold[layer]].sum() for j in range(dimms)]
        order = sorted(range(dimms), key=lambda j: -mine[j])
        row = []
        for pair in range(dimms // 2):
            heavy, light = order[pair], order[dimms - 1 - pair]
            count = 0
            gap = mine[heavy] - mine[light]
            candidates = [
                i
                for i in np.flatnonzero((home[layer] == heavy) & cold[layer])
                if activity[layer, i] > 0
            ]
            candidates.sort(key=lambda i: (-activity[layer, i], i))
            for i in candidates:
                if count == room[layer]:
                    break
                if gap > activity[layer, i]:
                    home[layer, i] = light
                    gap -= 2 * activity[layer, i]
                    count += 1
            row.append(count)
        moved.append(row)
    return home, moved
