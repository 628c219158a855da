import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.engine.sums import sums_by_place


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**58)), max_size=20))
def test_sums_are_those_of_whole_numbers(pairs):
    place = np.array([p for p, _ in pairs], np.int64)
    values = np.array([v for _, v in pairs], np.int64)
    expected = [sum(v for p, v in pairs if p == place) for place in range(5)]
    assert sums_by_place(place, values, 5).tolist() == expected
