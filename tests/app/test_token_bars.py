"""Bars of the token slider: each step is read once while a run grows, and all are there."""

from types import SimpleNamespace

import numpy as np
import pytest

from app.viewmodels.token_bars import TokenBars
from simcore.results.run import KIND_DECODE, KIND_PREFILL


class Steps(SimpleNamespace):
    """As much of a run as the slider asks for."""

    def __init__(self, durations, prefills=1):
        kind = np.full(len(durations), KIND_DECODE, np.int8)
        kind[:prefills] = KIND_PREFILL
        columns = {"duration_ps": np.array(durations, np.int64), "kind": kind}
        super().__init__(columns=columns, read=[])

    def column(self, name, start, stop):
        self.read.append((name, start, stop))
        return self.columns[name][start:stop]


def same(one, other):
    return (
        np.array_equal(one.left, other.left)
        and np.array_equal(one.height, other.height)
        and np.array_equal(one.prefill, other.prefill)
        and one.width == other.width
    )


def test_by_hand():
    """Four steps on 40 px: the longest decode step has 1 / 1.15 of 20 px, a prefill is cut."""
    bars = TokenBars().of(Steps([900, 40, 20, 1]), 4, 4, 40.0, 21.0)
    assert bars.left.tolist() == [0, 10, 20, 30]
    assert bars.width == 9
    assert bars.height == pytest.approx([20, 20 / 1.15, 10 / 1.15, 0.04 * 20])
    assert bars.prefill.tolist() == [True, False, False, False]


def test_more_steps_than_pixels():
    """Six steps on 3 px: the longer one of two shows, and a prefill is not hidden."""
    bars = TokenBars().of(Steps([8, 2, 10, 4, 5, 10]), 6, 6, 3.0, 11.0)
    assert bars.left.tolist() == [0, 1, 2]
    assert bars.height == pytest.approx([8 / 11.5 * 10, 10 / 11.5 * 10, 10 / 11.5 * 10])
    assert bars.prefill.tolist() == [True, False, False]


def test_prefills_alone_are_measured_by_the_longest():
    bars = TokenBars().of(Steps([5, 10], prefills=2), 2, 4, 8.0, 11.0)
    assert bars.height.tolist() == [5, 10]


@pytest.mark.parametrize("total", [50, 700])
def test_a_growing_run_is_read_once(total):
    rng = np.random.default_rng(1)
    run, growing = Steps(rng.integers(1, 1000, total), prefills=3), TokenBars()
    for length in (1, 2, 3, 4, 30, 31, total):
        found = growing.of(run, length, total, 200.0, 26.0)
        assert same(found, TokenBars().of(Steps(**_parts(run)), length, total, 200.0, 26.0))
    read = [(start, stop) for name, start, stop in run.read if name == "kind"]
    assert read == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 30), (30, 31), (31, total)]
    assert growing.of(run, total, total, 200.0, 26.0) is found
    wider = growing.of(run, total, total, 300.0, 26.0)
    assert same(wider, TokenBars().of(run, total, total, 300.0, 26.0))


def test_another_run_is_read_anew():
    bars = TokenBars()
    one, other = Steps([9, 5, 3]), Steps([9, 1, 2, 3])
    bars.of(one, 3, 4, 40.0, 26.0)
    found = bars.of(other, 3, 4, 40.0, 26.0)
    assert same(found, TokenBars().of(other, 3, 4, 40.0, 26.0))
    assert same(bars.of(other, 2, 4, 40.0, 26.0), TokenBars().of(other, 2, 4, 40.0, 26.0))


def _parts(run):
    return {
        "durations": run.columns["duration_ps"],
        "prefills": int((run.columns["kind"] == KIND_PREFILL).sum()),
    }
