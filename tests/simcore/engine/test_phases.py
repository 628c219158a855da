"""Timeline algebra on an example worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.engine.layout import lay_out
from simcore.engine.phases import Group, Phase, Template, Work
from simcore.engine.step_spans import spans
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, WaitReason, consumers, sources
from tests.simcore.engine.plain_totals import totals

LANES = tuple(Lane(name, name, "G", LaneKind.COMPUTE) for name in ("a", "b", "c", "d"))
OPS = (Op("x", "x", "mlp"), Op("y", "y", "qkv"), Op("z", "z", "other"), *WAIT_OPS)

TEMPLATE = Template(
    [
        Phase(
            "first",
            (
                Group("link", 2, (0,)),
                Group("work", 0, (1, 2), ("link",)),
            ),
            {3: WaitReason.DEPENDENCY},
        ),
        Phase("second", (Group("more", 1, (0,)),)),
    ],
    LANES,
    OPS,
)
# Columns: link on a; work on b and c; more on a. Two rows.
TIMES = np.array([[10, 30, 20, 5], [0, 7, 7, 0]])
WORK = Work(TIMES, TIMES * 2, TIMES * 3)


def named() -> list[tuple[str, str, int, int]]:
    result = spans([(TEMPLATE, WORK, True)])
    return [
        (LANES[lane].id, OPS[op].id, int(start), int(end))
        for lane, op, start, end in zip(
            result.lane, result.op, result.start_ps, result.end_ps, strict=True
        )
    ]


def test_the_example() -> None:
    """Row 0: link 0-10, work 10-40 and 10-30, then 5 more. Row 1 from 45: work 7, nothing more."""
    assert lay_out(TEMPLATE, WORK).duration_ps == 40 + 5 + 7
    found = named()
    assert ("a", "z", 0, 10) in found
    assert ("b", "wait.dependency", 0, 10) in found
    assert ("b", "x", 10, 40) in found
    assert ("c", "x", 10, 30) in found
    assert ("c", "wait.imbalance", 30, 40) in found
    assert ("a", "wait.sync", 10, 40) in found
    assert ("d", "wait.dependency", 0, 40) in found
    assert ("a", "y", 40, 45) in found
    assert ("b", "wait.no_work", 40, 45) in found
    assert ("c", "x", 45, 52) in found


def test_a_wait_knows_its_cause() -> None:
    result = spans([(TEMPLATE, WORK, True)])
    for index in range(len(result)):
        if OPS[result.op[index]].is_wait:
            cause = result.cause[index]
            assert cause >= 0
            assert not OPS[result.op[cause]].is_wait
            assert result.end_ps[cause] >= result.end_ps[index]


def test_totals_equal_the_spans() -> None:
    sums = totals([(TEMPLATE, WORK)])
    result = spans([(TEMPLATE, WORK, True)])
    again = np.zeros_like(sums.time_ps)
    np.add.at(again, (result.lane, result.op), result.duration_ps)
    assert np.array_equal(again, sums.time_ps)
    assert sums.amount_bytes.sum() == WORK.amount_bytes.sum()
    assert (sums.time_ps.sum(axis=1) == sums.duration_ps).all()


@pytest.mark.parametrize("rows", [1, 3])
def test_segments_follow_each_other(rows: int) -> None:
    work = Work(*(np.tile(np.array([[4, 3, 2, 1]]), (rows, 1)) for _ in range(3)))
    result = spans([(TEMPLATE, work, False), (TEMPLATE, work, True)])
    assert int(result.end_ps.max()) == 2 * rows * (4 + 3 + 1)
    assert set(result.layer[result.start_ps < rows * 8].tolist()) == {-1}


def test_a_wait_for_a_free_buffer_is_no_dependency() -> None:
    """One buffer: the second load (a) begins when the first user (b) has ended, at 10 + 20."""
    full = WaitReason.MEMORY_FULL
    template = Template(
        [
            Phase(
                "buffered",
                (
                    Group("load.0", 2, (0,)),
                    Group("use.0", 0, (1,), ("load.0",)),
                    Group("load.1", 2, (0,), ("use.0",), {"use.0": full}),
                    Group("use.1", 0, (1,), ("load.1",)),
                ),
            )
        ],
        LANES[:2],
        OPS,
    )
    times = np.array([[10, 20, 10, 5], [10, 20, 0, 5]])
    work = Work(times, times, times)
    assert lay_out(template, work).duration_ps == (10 + 20 + 10 + 5) + (10 + 20 + 5)
    found = spans([(template, work, True)])
    names = [
        (LANES[lane].id, OPS[op].id, int(start), int(end))
        for lane, op, start, end in zip(
            found.lane, found.op, found.start_ps, found.end_ps, strict=True
        )
    ]
    assert ("a", "wait.memory_full", 10, 30) in names
    assert ("b", "wait.dependency", 30, 40) in names
    # In the second row the load takes no time; nothing waits for it, but the buffer was waited for.
    assert ("a", "wait.memory_full", 55, 75) in names


def needed() -> dict[tuple[str, str, int], tuple[str, str, int] | None]:
    """What each op of the example needed last, ops named by lane, kind and start."""
    result = spans([(TEMPLATE, WORK, True), (TEMPLATE, WORK, True)])
    names = [
        (LANES[lane].id, OPS[op].id, int(start))
        for lane, op, start in zip(result.lane, result.op, result.start_ps, strict=True)
    ]
    wait = np.array([op.is_wait for op in OPS])[result.op]
    assert (result.source[wait] == -1).all()
    return {
        name: names[source] if source >= 0 else None
        for name, source, is_wait in zip(names, result.source.tolist(), wait, strict=True)
        if not is_wait
    }


def test_every_op_knows_what_it_needed_last() -> None:
    """Work needs the link, the next phase what ended the last one, a row the row before it."""
    found = needed()
    assert found[("a", "z", 0)] is None
    assert found[("b", "x", 10)] == ("a", "z", 0)
    assert found[("c", "x", 10)] == ("a", "z", 0)
    assert found[("a", "y", 40)] == ("b", "x", 10)
    # Row 1: its link takes no time and hands on the barrier: `more` of row 0 ended at 45.
    assert found[("b", "x", 45)] == ("a", "y", 40)
    assert found[("c", "x", 45)] == ("a", "y", 40)
    # The second segment starts at 52, when work of row 1 has ended; `more` there takes no time.
    assert found[("a", "z", 52)] == ("b", "x", 45)
    assert found[("b", "x", 62)] == ("a", "z", 52)


def test_what_an_op_waited_for_is_what_it_needed() -> None:
    result = spans([(TEMPLATE, WORK, True)])
    for at in np.flatnonzero((result.cause >= 0)[:-1]).tolist():
        if result.lane[at] == result.lane[at + 1] and result.cause[at + 1] < 0:
            assert result.source[at + 1] == result.cause[at]
    assert (result.end_ps[result.source] <= result.start_ps)[result.source >= 0].all()


def test_sources_follow_from_waits_where_nobody_recorded_them() -> None:
    result = spans([(TEMPLATE, WORK, True)])
    bare = replace(result, source=np.empty(0, np.int32))
    found = sources(bare)
    waited = np.flatnonzero(found >= 0)
    assert len(waited)
    assert (found[waited] == result.source[waited]).all()
    assert consumers(result, int(result.source[waited[0]])).tolist()
