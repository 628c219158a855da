"""Totals of many rows at once are those of each row by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.engine import rows as rows_module
from simcore.engine.phases import Group, Phase, Template, Work
from simcore.engine.rows import row_lengths, row_totals
from simcore.errors import InvariantError
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, WaitReason
from tests.simcore.engine.plain_totals import totals

LANES = tuple(Lane(name, name, "unit", LaneKind.COMPUTE) for name in "abc")
OPS = (Op("x", "x", "mlp"), Op("y", "y", "other"), *WAIT_OPS)
TEMPLATE = Template(
    (
        Phase("one", (Group("x", 0, (0, 1)), Group("y", 1, (2,), ("x",)))),
        Phase("two", (Group("z", 0, (1, 2)),), {0: WaitReason.MEMORY_FULL}),
    ),
    LANES,
    OPS,
)


@pytest.fixture(autouse=True, scope="module", params=["columns", "loops"])
def way(request):
    """Both ways to add up rows: by operations on columns, and in the compiled loop."""
    before, rows_module._loops = rows_module._loops, None
    if request.param == "loops":
        rows_module.load_loops()
    yield
    rows_module._loops = before


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_rows_by_themselves(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (rows, TEMPLATE.columns)
    work = Work(*(rng.integers(0, 50, shape) * rng.integers(0, 2, shape) for _ in range(3)))
    found = row_totals(TEMPLATE, work)
    for row in range(rows):
        one = slice(row, row + 1)
        alone = Work(work.time_ps[one], work.amount_bytes[one], work.flops[one])
        expected = totals([(TEMPLATE, alone)])
        assert found.duration_ps[row] == expected.duration_ps
        assert np.array_equal(found.time_ps[row], expected.time_ps)
        assert np.array_equal(found.amount_bytes[row], expected.amount_bytes)
        assert np.array_equal(found.flops[row], expected.flops)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**31))
def test_steps_of_several_rows(steps: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (steps * rows, TEMPLATE.columns)
    work = Work(*(rng.integers(0, 50, shape) * rng.integers(0, 2, shape) for _ in range(3)))
    found = row_totals(TEMPLATE, work, rows)
    for step in range(steps):
        mine = slice(step * rows, (step + 1) * rows)
        alone = Work(work.time_ps[mine], work.amount_bytes[mine], work.flops[mine])
        expected = totals([(TEMPLATE, alone)])
        assert found.duration_ps[step] == expected.duration_ps
        assert np.array_equal(found.time_ps[step], expected.time_ps)
        assert np.array_equal(found.amount_bytes[step], expected.amount_bytes)
        assert np.array_equal(found.flops[step], expected.flops)


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_lengths_alone(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (rows, TEMPLATE.columns)
    work = Work(*(rng.integers(0, 50, shape) * rng.integers(0, 2, shape) for _ in range(3)))
    assert np.array_equal(row_lengths(TEMPLATE, work), row_totals(TEMPLATE, work).duration_ps)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Any phases on three lanes: groups that wait for some before them, for any reason."""
    phases = []
    for phase in range(draw(st.integers(1, 3))):
        groups: list[Group] = []
        for number in range(draw(st.integers(1, 4))):
            lanes = draw(st.sets(st.integers(0, 2), min_size=1).map(sorted))
            after = draw(st.sets(st.sampled_from([g.id for g in groups]))) if groups else set()
            held = {name: draw(st.sampled_from(WaitReason)) for name in sorted(after)[::2]}
            name, op = f"{phase}.{number}", draw(st.integers(0, 1))
            groups.append(Group(name, op, tuple(lanes), tuple(sorted(after)), held))
        idle = {
            lane: draw(st.sampled_from(WaitReason)) for lane in draw(st.sets(st.integers(0, 2)))
        }
        phases.append(Phase(str(phase), tuple(groups), idle))
    return Template(phases, LANES, OPS)


@given(templates(), st.integers(1, 4), st.integers(0, 2**31))
def test_sums_of_any_template_are_those_of_its_spans(
    template: Template, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (rows, template.columns)
    work = Work(*(rng.integers(0, 5, shape) * rng.integers(0, 2, shape) for _ in range(3)))
    found, expected = row_totals(template, work, rows), totals([(template, work)])
    assert found.duration_ps.tolist() == [expected.duration_ps]
    assert np.array_equal(found.time_ps[0], expected.time_ps)
    assert np.array_equal(found.amount_bytes[0], expected.amount_bytes)
    assert np.array_equal(found.flops[0], expected.flops)


def test_work_that_does_not_fit_is_refused() -> None:
    """The compiled loop would write beside its sums, or end with the process."""
    fits, wide = (np.ones((3, TEMPLATE.columns + more), np.int64) for more in (0, 1))
    for work, rows_each in (
        (Work(fits, fits, fits), 2),
        (Work(fits, fits, fits), 0),
        (Work(wide, wide, wide), 1),
        (Work(fits, fits, fits[:2]), 1),
        (Work(fits[:, :1], fits, fits), 1),
    ):
        with pytest.raises(InvariantError, match="rows a step"):
            row_totals(TEMPLATE, work, rows_each)
    with pytest.raises(InvariantError):
        row_lengths(TEMPLATE, Work(wide, wide, wide))


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        ((), "needs phases"),
        ((Phase("p", ()),), "no group"),
        ((Phase("p", (Group("g", 0, ()),)),), "lanes"),
        ((Phase("p", (Group("g", 0, (3,)),)),), "lanes"),
        ((Phase("p", (Group("g", 0, (-1,)),)),), "lanes"),
        ((Phase("p", (Group("g", len(OPS), (0,)),)),), "op"),
        ((Phase("p", (Group("g", 0, (0,), ("h",)), Group("h", 0, (1,)))),), "before it"),
        ((Phase("p", (Group("g", 0, (0,), ("g",)),)),), "before it"),
        ((Phase("p", (Group("g", 0, (0,)),)), Phase("q", (Group("h", 0, (1,), ("g",)),))), "h"),
    ],
)
def test_phases_that_make_no_sense_are_refused(phases: tuple[Phase, ...], said: str) -> None:
    with pytest.raises(InvariantError, match=said):
        Template(phases, LANES, OPS)
    with pytest.raises(InvariantError, match="WAIT_OPS"):
        Template(TEMPLATE.phases, LANES, OPS[:2])


@given(templates(), st.integers(1, 4), st.integers(0, 2**31))
def test_lengths_of_any_template(template: Template, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (rows, template.columns)
    work = Work(*(rng.integers(0, 5, shape) * rng.integers(0, 2, shape) for _ in range(3)))
    assert np.array_equal(row_lengths(template, work), row_totals(template, work).duration_ps)
