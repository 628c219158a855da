"""Mini-batches whose work balances."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.placement.packing import arrival_bins, balanced_bins, bin_sums


def test_order_of_arrival():
    assert arrival_bins(1, 5, 2).tolist() == [[0, 0, 0, 1, 1]]


def test_by_hand():
    """Excesses 5, 4, -3, -6 in two bins of two: -6, then 5 brings its bin nearest to zero, then 4
    and -3 share the other."""
    found = balanced_bins(np.array([[5, 4, -3, -6]]), 2)
    assert found.tolist() == [[0, 1, 1, 0]]
    assert bin_sums(np.array([[5, 4, -3, -6]]), found, 2).tolist() == [[-1, 1]]


ROWS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.integers(-99, 99), min_size=n, max_size=n), min_size=1, max_size=4),
        st.integers(1, n),
    )
)


@given(case=ROWS)
def test_every_request_is_packed_once_in_bins_of_equal_size(case):
    values, bins = np.array(case[0]), case[1]
    found = balanced_bins(values, bins)
    sizes = bin_sums(np.ones_like(values), found, bins)
    assert (sizes.sum(axis=1) == values.shape[1]).all()
    assert (sizes.max(axis=1) - sizes.min(axis=1) <= 1).all()
    sums = bin_sums(values, found, bins)
    assert np.array_equal(sums.sum(axis=1), values.sum(axis=1))
    alone = [balanced_bins(row[None], bins)[0].tolist() for row in values]
    assert alone == found.tolist(), "rows do not depend on each other"


def test_sorted_requests_are_spread():
    """In order of arrival the heavy ones would be together."""
    values = np.arange(-50, 50)[None]
    packed = np.abs(bin_sums(values, balanced_bins(values, 4), 4)).max()
    arrived = np.abs(bin_sums(values, arrival_bins(1, 100, 4), 4)).max()
    assert packed <= 50 < 900 < arrived
