"""Which neurons fire, from uniform draws and thresholds: the innermost loop of a draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import bits_below, compiled

U16 = NDArray[np.uint16]

_ZERO = np.uint16(0)


@compiled
def _row(
    draws: U16,
    rise: U16,
    lead: np.uint16,
    previous: NDArray[np.uint64],
    fired: NDArray[np.uint64],
) -> None:
    """Fire the words of a row that have these draws and thresholds.

    The threshold after having fired is `rise` and the lead; here the draw is lowered by the lead
    instead, and nothing can overflow.
    """
    for word in range(fired.size):
        column = np.uint64(64 * word)
        silent = bits_below(draws, rise, column, _ZERO)
        again = bits_below(draws, rise, column, lead)
        fired[word] = silent | (again & previous[word])


@compiled
def fire(
    common: U16,
    own: U16,
    rise: U16,
    lead: np.uint16,
    previous: Plane,
    fired: Plane,
) -> None:
    """Draw some layers.

    Args:
        common: draws of the first columns, the same in all layers.
        own: draws of the other columns, (layers, columns).
        rise: thresholds for firing after silence, (layers, columns of both).
        lead: what the threshold is higher by after firing.
        previous: what fired at the token before, (layers, words).
        fired: where to write what fires now, (layers, words).
    """
    edge, words = common.size, common.size // 64
    for layer in range(len(rise)):
        row, before, now = rise[layer], previous[layer], fired[layer]
        _row(common, row[:edge], lead, before[:words], now[:words])
        _row(own[layer], row[edge:], lead, before[words:], now[words:])


@compiled
def trade(rise: U16, columns: NDArray[np.int64], partners: NDArray[np.int64]) -> None:
    """Give `columns` the thresholds of their partners, in every layer, in place."""
    taken = np.empty(partners.size, np.uint16)
    for layer in range(len(rise)):
        row = rise[layer]
        for index in range(taken.size):
            taken[index] = row[partners[index]]
        for index in range(taken.size):
            row[columns[index]] = taken[index]


@compiled
def arrange(fired: Plane, groups: NDArray[np.int64]) -> Plane:
    """The groups of two words of each row in another order: group k is what was ``groups[k]``."""
    out = np.empty_like(fired)
    for layer in range(len(fired)):
        row, found = fired[layer], out[layer]
        for place in range(groups.size):
            found[2 * place] = row[2 * groups[place]]
            found[2 * place + 1] = row[2 * groups[place] + 1]
    return out
