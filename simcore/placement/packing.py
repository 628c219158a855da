"""Mini-batches of requests whose work on two resources balances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]


def arrival_bins(rows: int, requests: int, bins: int) -> Int:
    """Bin of each request in order of arrival, (rows, requests); sizes differ by at most one."""
    each = np.arange(requests) * bins // requests
    return np.broadcast_to(each, (rows, requests)).copy()


def balanced_bins(excess: Int, bins: int) -> Int:
    """Bins of equal size whose sums of `excess` are as near zero as a greedy rule gets them.

    Requests are taken by decreasing size of their excess; each goes to the bin with room left whose
    sum comes nearest to zero with it, the first of equals.

    Args:
        excess: (rows, requests) time on one resource minus time on the other; rows are packed
            independently.
        bins: number of bins, at most as many as requests.

    Returns:
        (rows, requests) bin of each request; sizes differ by at most one.
    """
    rows, requests = excess.shape
    out = np.zeros((rows, requests), np.int64)
    if bins == 1:
        return out
    # Larger bins first, as in `arrival_bins` up to order; the sizes are the same for all rules.
    room = np.broadcast_to(
        np.bincount(np.arange(requests) * bins // requests, minlength=bins), (rows, bins)
    ).copy()
    order = np.argsort(-np.abs(excess), axis=1, kind="stable")
    sums = np.zeros((rows, bins), np.int64)
    every = np.arange(rows)
    never = np.iinfo(np.int64).max
    least = int(room.min()) - 1
    ranked = np.ascontiguousarray(np.take_along_axis(excess, order, axis=1).T)
    chosen = np.empty((requests, rows), np.int64)
    there, closed = np.empty_like(sums), room <= 0
    flat_sums, flat_room, flat_closed = sums.ravel(), room.ravel(), closed.ravel()
    base = every * bins
    for turn in range(requests):  # each choice depends on the ones before; rows run together
        value = ranked[turn]
        np.abs(np.add(sums, value[:, None], out=there), out=there)
        there[closed] = never
        bin = chosen[turn] = there.argmin(axis=1)
        at = base + bin
        flat_sums[at] += value
        left = flat_room[at] - 1
        flat_room[at] = left
        if turn >= least:  # before, no bin can be full
            flat_closed[at] = left == 0
    np.put_along_axis(out, order, chosen.T, axis=1)
    return out


def bin_sums(values: Int, bin_of: Int, bins: int) -> Int:
    """Sums of values over the requests of each bin, (rows, bins)."""
    rows, _ = bin_of.shape
    flat = (np.arange(rows)[:, None] * bins + bin_of).ravel()
    wide = np.broadcast_to(values, bin_of.shape).ravel()
    # Sums of tokens and squared lengths stay below 2**53, where floating point is exact.
    sums = np.bincount(flat, wide.astype(np.float64), rows * bins)
    return sums.astype(np.int64).reshape(rows, bins)
