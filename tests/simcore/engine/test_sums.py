import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.engine import sums
from simcore.engine.sums import add_by_place

PLACES = 5


@given(st.integers(1, 6), st.integers(1, 3), st.booleans(), st.integers(0, 2**31))
def test_sums_are_those_of_whole_numbers(steps, rows_each, alike, seed):
    rng = np.random.default_rng(seed)
    rows, columns = steps * rows_each, 7
    values = rng.integers(0, 2**58, (rows, columns))
    where = rng.integers(0, PLACES, columns if alike else (rows, columns))
    out = np.ones((steps, PLACES), np.int64)
    add_by_place(out, where, values, rows_each)
    expected = [[1] * PLACES for _ in range(steps)]
    for row in range(rows):
        for column in range(columns):
            place = where[column] if alike else where[row, column]
            expected[row // rows_each][place] += int(values[row, column])
    assert out.tolist() == expected


@pytest.mark.parametrize("rows_each", [1, 2, 5])
def test_rows_are_added_in_parts(monkeypatch, rows_each):
    rng = np.random.default_rng(1)
    values, where = rng.integers(0, 99, (20, 4)), rng.integers(0, PLACES, (20, 4))
    whole, parts = (np.zeros((20 // rows_each, PLACES), np.int64) for _ in range(2))
    add_by_place(whole, where, values, rows_each)
    monkeypatch.setattr(sums, "_ROWS", 3)  # also where a step goes on in the next part
    add_by_place(parts, where, values, rows_each)
    assert whole.tolist() == parts.tolist()
