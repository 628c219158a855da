"""`dimmscope explain`: why an operation or a wait takes so long."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_scenario_arguments, open_run
from simcore.errors import UnknownNameError, UserError

if TYPE_CHECKING:
    from simcore.results.run import Run

_SHOWN = 3
NOTHING = 5e-5
"""Effects below this are not listed one by one."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--step", metavar="N", type=int, required=True, help="step; 0 is the prefill"
    )
    parser.add_argument("--layer", metavar="L", type=int, help="only this layer, counted from 0")
    parser.add_argument("--op", metavar="ID", help="only this kind of operation or wait")
    parser.add_argument("--lane", metavar="ID", help="only this lane")
    parser.add_argument(
        "--sensitivity",
        action="store_true",
        help="how the step's time and tokens/s change when each number of the hardware and the "
        "model grows by 10 %%, simulated anew",
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """List what the step spends its time on and explain the longest."""
    import numpy as np

    run = open_run(arguments, console)
    step = arguments.step
    if not 0 <= step < len(run):
        raise UserError(f"step {step} does not exist; the run has steps 0 to {len(run) - 1}")
    spans = run.spans(step)
    keep = np.ones(len(spans), bool)
    if arguments.layer is not None:
        keep &= spans.layer == arguments.layer
        if not keep.any():
            raise UserError(
                f"layer {arguments.layer} does not exist; the model has layers 0 to "
                f"{int(spans.layer.max())}"
            )
    if arguments.op is not None:
        keep &= spans.op == _index("operation", arguments.op, [op.id for op in run.ops])
    if arguments.lane is not None:
        keep &= spans.lane == _index("lane", arguments.lane, [lane.id for lane in run.lanes])
    chosen = np.flatnonzero(keep)
    if not len(chosen):
        raise UserError("no operation or wait of this step fits; leave out --op, --lane or --layer")
    _overview(run, step, spans, chosen, console)
    if arguments.op is None:  # waits explain themselves by the work they wait for
        is_wait = np.array([op.is_wait for op in run.ops])
        work = chosen[~is_wait[spans.op[chosen]]]
        chosen = work if len(work) else chosen
    for span in _longest(spans, chosen):
        console.out()
        console.out(run.explain(step, span).text())
    if arguments.sensitivity:
        console.out()
        _sensitivity(run, step, console)
    return Exit.DONE


def _sensitivity(run: Run, step: int, console: Console) -> None:
    """The effect of every parameter, strongest first; what has none is only named."""
    from simcore.sweep.sensitivity import FACTOR, effects, parameters, ranked, stretch_at

    stretch, wanted = stretch_at(run, step), parameters(run.scenario)
    show = console.progress("sensitivity")
    found = []
    try:
        for effect in effects(stretch, wanted):
            found.append(effect)
            if show:
                show(len(found), len(wanted))
    finally:
        console.end_progress()
    console.out(f"sensitivity to +{100 * (FACTOR - 1):.0f} %, one at a time: {stretch.text}")
    order = ranked(found)
    strong = [item for item in order if not item.reason and abs(item.step_time) >= NOTHING]
    rows = [
        (
            item.parameter.path,
            f"{item.parameter.value:g}",
            f"{item.value:g}",
            f"{100 * item.step_time:+.2f} %",
            "-" if item.tokens_per_s != item.tokens_per_s else f"{100 * item.tokens_per_s:+.2f} %",
        )
        for item in strong
    ]
    console.table(("parameter", "value", "tried", "step time", "tokens/s"), rows)
    none = [item.parameter.path for item in order if not item.reason and item not in strong]
    if none:
        console.out(f"less than {100 * NOTHING:g} %: {', '.join(none)}")
    for item in order:
        if item.reason:
            console.out(f"not tried: {item.parameter.path}: {item.reason}")


def _index(kind: str, name: str, known: list[str]) -> int:
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known.index(name)


def _longest(spans: Any, chosen: Any) -> list[int]:
    """The longest spans, one for each kind of operation."""
    order = sorted(chosen.tolist(), key=lambda i: (-int(spans.duration_ps[i]), i))
    found: dict[int, int] = {}
    for index in order:
        found.setdefault(int(spans.op[index]), index)
    return list(found.values())[:_SHOWN]


def _overview(run: Run, step: int, spans: Any, chosen: Any, console: Console) -> None:
    """Time by lane and kind within what was chosen, longest first."""
    import numpy as np

    from simcore.units import PS_PER_US

    length_us = int(run.value("duration_ps", step)) / PS_PER_US
    console.out(f"step {step}: {length_us:,.3f} µs")
    table = np.zeros((len(run.lanes), len(run.ops)))
    count = np.zeros_like(table, dtype=np.int64)
    where = (spans.lane[chosen], spans.op[chosen])
    np.add.at(table, where, spans.duration_ps[chosen] / PS_PER_US)
    np.add.at(count, where, 1)
    lanes, ops = np.nonzero(count)
    order = np.argsort(-table[lanes, ops], kind="stable")
    rows = [
        (
            run.lanes[lane].title,
            run.ops[op].id,
            int(count[lane, op]),
            f"{table[lane, op]:,.3f}",
            f"{100 * table[lane, op] / length_us:.1f} %" if length_us else "-",
        )
        for lane, op in zip(lanes[order].tolist(), ops[order].tolist(), strict=True)
    ]
    console.table(("lane", "operation", "times", "µs", "of the step"), rows[:20])
    if len(rows) > 20:
        console.out(f"... {len(rows) - 20} shorter ones; narrow with --lane, --layer or --op")


COMMAND = Command(
    "explain",
    "say why a step, a layer or an operation takes as long as it does",
    configure,
    execute,
    epilog="example: dimmscope explain hermes.yaml --step 10 --layer 3 --op mlp_cold\n"
    "example: dimmscope explain hermes.yaml --step 10 --sensitivity",
)
