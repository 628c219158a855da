"""Spans of layers that come again are those of every layer laid out by itself."""

from __future__ import annotations

from dataclasses import fields
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.engine import step_spans
from simcore.engine.phases import Group, Phase, Template, Work
from simcore.engine.step_spans import spans
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, WaitReason

LANES = tuple(Lane(name, name, "unit", LaneKind.COMPUTE) for name in "abcd")
OPS = (Op("x", "x", "mlp"), Op("y", "y", "other"), Op("z", "z", "qkv"), *WAIT_OPS)


def drawn_template(rng: np.random.Generator) -> Template:
    """Phases of some groups on some lanes, each after some of those before it."""
    phases = []
    for number in range(rng.integers(1, 4)):
        groups: list[Group] = []
        for at in range(rng.integers(1, 4)):
            lanes = rng.permutation(len(LANES))[: rng.integers(1, len(LANES) + 1)]
            before = tuple(group.id for group in groups if rng.integers(0, 2))
            held = {name: WaitReason.MEMORY_FULL for name in before if rng.integers(0, 2)}
            op = int(rng.integers(0, 3))
            groups.append(Group(f"{number}.{at}", op, tuple(map(int, lanes)), before, held))
        phases.append(Phase(f"phase {number}", tuple(groups)))
    return Template(phases, LANES, OPS)


def drawn_work(rng: np.random.Generator, columns: int, period: int, rows: int) -> Work:
    shape = (period, columns)
    times = rng.integers(0, 9, shape) * rng.integers(0, 2, shape)
    times[rng.integers(0, 3, period) == 0] = 0  # rows without any work
    which = np.arange(rows) % period
    return Work(times[which], *(rng.integers(0, 50, (rows, columns)) for _ in range(2)))


@given(st.integers(1, 5), st.integers(1, 17), st.integers(0, 2**31))
def test_rows_that_come_again(period: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    template, edge = drawn_template(rng), drawn_template(rng)
    segments = [
        (edge, drawn_work(rng, edge.columns, 1, 1), False),
        (template, drawn_work(rng, template.columns, period, rows), True),
        (template, drawn_work(rng, template.columns, 1, 4), True),
        (edge, drawn_work(rng, edge.columns, 2, 2), False),
    ]
    found = spans(segments)
    with mock.patch.object(step_spans, "_period", len):
        expected = spans(segments)
    for column in fields(expected):
        one, other = getattr(found, column.name), getattr(expected, column.name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), column.name


def test_the_period() -> None:
    rows = np.array([[1, 2], [3, 4], [1, 5]])
    for times in (1, 2, 5):
        again = np.tile(rows, (times, 1))
        assert step_spans._period(again) == 3
        assert step_spans._period(again[:-1]) == (2 if times == 1 else 3)
    assert step_spans._period(np.tile(rows[:1], (7, 1))) == 1
    assert step_spans._period(rows[[0, 1, 0, 2, 0, 1]]) == 6
