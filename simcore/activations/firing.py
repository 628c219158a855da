"""A token of the statistical source: who fires, and what drifts. One compiled call does it all.

Layer by layer, so that a row of thresholds is in the processor's cache for all sequences, and the
draws of a row never leave it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.random_words import State, below, fill, shuffle, uniform
from simcore.compiled import bits_below, compiled

U16 = NDArray[np.uint16]
Groups = NDArray[np.int64]
Words = NDArray[np.uint64]

_ZERO = np.uint16(0)
_HALF = 64
"""Columns of a word; a group of columns is a pair of words."""


@compiled
def draw_token(
    streams: NDArray[np.uint64],
    rise: U16,
    coupled: int,
    lead: np.uint16,
    traded: tuple[Groups, Groups],
    previous: NDArray[np.uint64],
    shared: Groups,
    taken: NDArray[np.int64],
    drift: tuple[State, Groups, Groups, float],
    planes: NDArray[np.uint64],
) -> tuple[Groups, Groups]:
    """Draw the next token of every sequence, and what drifts after it.

    Args:
        streams: states of the sequences' generators, (sequences, 6), moved on.
        rise: thresholds for firing after silence, (layers, columns); traded in place first.
        coupled: the first so many columns have one draw a pair for all layers.
        lead: what the threshold is higher by after firing.
        traded: columns that take over thresholds, and from whom.
        previous: what fired at the token before, (sequences, layers, words), in the order of the
            thresholds; what fires now, after.
        shared: groups in which all sequences do what the first does.
        taken: where each group of a row is among the thresholds, (sequences, groups).
        drift: what `choose_trades` asks for.
        planes: where to write what fires, in the order of a row, (sequences, layers, words).

    Returns:
        What is to be traded at the next token.
    """
    sequences, columns = len(streams), rise.shape[1]
    words = np.empty((sequences, coupled // 8), np.uint64)  # four draws each
    for sequence in range(sequences):
        fill(streams[sequence], words[sequence])
    common, own = words.view(np.uint16), np.empty((columns - coupled) // 4, np.uint64)
    edge = coupled // _HALF
    for layer in range(len(rise)):
        row = rise[layer]
        trade(row, *traded)
        for sequence in range(sequences):
            fired = previous[sequence, layer]
            fill(streams[sequence], own)
            fire_pairs(common[sequence], row[:coupled], lead, fired[:edge])
            fire(own.view(np.uint16), row[coupled:], lead, fired[edge:])
            if sequence:
                copy_groups(previous[0, layer], shared, fired)
            arrange(fired, taken[sequence], planes[sequence, layer])
    return choose_trades(*drift)


@compiled
def fire(draws: U16, rise: U16, lead: np.uint16, fired: Words) -> None:
    """Fire a row of neurons that draw for themselves.

    The threshold after having fired is `rise` and the lead; here the draw is lowered by the lead
    instead, and nothing can overflow.

    Args:
        draws, rise: (columns,) draws and thresholds for firing after silence.
        lead: what the threshold is higher by after firing.
        fired: (words,) what fired at the token before; what fires now, after.
    """
    for word in range(fired.size):
        at = np.uint64(_HALF * word)
        silent = bits_below(draws, at, rise, at, _ZERO)
        fired[word] = silent | (bits_below(draws, at, rise, at, lead) & fired[word])


@compiled
def fire_pairs(draws: U16, rise: U16, lead: np.uint16, fired: Words) -> None:
    """The same for neurons of which two, a word apart, have one draw: (columns // 2,) draws."""
    for word in range(fired.size):
        at, drawn = np.uint64(_HALF * word), np.uint64(_HALF * (word // 2))
        silent = bits_below(draws, drawn, rise, at, _ZERO)
        fired[word] = silent | (bits_below(draws, drawn, rise, at, lead) & fired[word])


@compiled
def trade(rise: U16, columns: Groups, partners: Groups) -> None:
    """Give `columns` of a row the thresholds of their partners, in place."""
    taken = np.empty(partners.size, np.uint16)
    for index in range(taken.size):
        taken[index] = rise[partners[index]]
    for index in range(taken.size):
        rise[columns[index]] = taken[index]


@compiled
def copy_groups(source: Words, groups: Groups, target: Words) -> None:
    """Copy some groups of two words from one row to another."""
    for index in range(groups.size):
        first = 2 * groups[index]
        target[first], target[first + 1] = source[first], source[first + 1]


@compiled
def arrange(fired: Words, groups: Groups, out: Words) -> None:
    """The groups of two words of a row in another order: group k is what was ``groups[k]``."""
    for place in range(groups.size):
        out[2 * place] = fired[2 * groups[place]]
        out[2 * place + 1] = fired[2 * groups[place] + 1]


@compiled
def twins(row: Words, out: Words) -> None:
    """The activity of the other column of each pair: words of a group change places."""
    for word in range(0, row.size, 2):
        out[word], out[word + 1] = row[word + 1], row[word]


@compiled
def choose_trades(
    drift: State, starts: Groups, pairs: Groups, share: float
) -> tuple[Groups, Groups]:
    """Which columns take over whose thresholds: in each segment a share of the pairs exchange them.

    Args:
        drift: the generator, moved on.
        starts, pairs: first column of each segment of the thresholds, and its pairs of columns.
        share: of the pairs of columns.
    """
    most = 0
    for segment in range(pairs.size):
        most += 2 * min(int(share * pairs[segment]) + 2, pairs[segment])
    columns, partners = np.empty(most, np.int64), np.empty(most, np.int64)
    found = 0
    for segment in range(pairs.size):
        if pairs[segment] < 2:
            continue
        swaps = int(share * pairs[segment] / 2 + uniform(drift))
        if swaps:
            picks = _pick(drift, pairs[segment], 2 * swaps)
            stop = found + 2 * picks.size
            _pair_up(picks, starts[segment], columns[found:stop], partners[found:stop])
            found = stop
    return columns[:found], partners[:found]


@compiled
def _pick(drift: State, pairs: int, tries: int) -> Groups:
    """An even number of different pairs, in random order."""
    picked = np.zeros(pairs, np.bool_)
    for _ in range(tries):
        picked[below(drift, pairs)] = True
    picks, found = np.empty(min(tries, pairs), np.int64), 0
    for pair in range(pairs):
        if picked[pair]:
            picks[found] = pair
            found += 1
    shuffle(drift, picks[:found])
    return picks[: found // 2 * 2]


@compiled
def _pair_up(picks: Groups, start: int, columns: Groups, partners: Groups) -> None:
    """The first half of the picked pairs exchanges with the second, both columns of each."""
    count = picks.size
    for place in range(count):
        mine, other = picks[place], picks[(place + count // 2) % count]
        for half in range(2):
            at = place + half * count
            columns[at] = start + mine // _HALF * (2 * _HALF) + mine % _HALF + half * _HALF
            partners[at] = start + other // _HALF * (2 * _HALF) + other % _HALF + half * _HALF
