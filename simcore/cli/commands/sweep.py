"""`dimmscope sweep`: vary fields of a scenario and tabulate what comes out."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.data import is_file
from simcore.errors import Problem, ScenarioErrors, did_you_mean

if TYPE_CHECKING:
    from simcore.sweep.executors import Executor
    from simcore.sweep.spec import SweepSpec
    from simcore.sweep.table import Row

_PICTURES = (".svg", ".pdf", ".png")
_MOST_ERRORS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "source",
        metavar="SWEEP|SCENARIO",
        help="a sweep file or the name of a shipped sweep; or a scenario with --vary",
    )
    what = parser.add_argument_group("what is varied")
    what.add_argument(
        "--vary",
        metavar="PATH=VALUES",
        action="append",
        default=[],
        help="field and values: a,b,c | lin:FROM:TO:N | log:FROM:TO:N | presets:all|PATTERN; "
        "up to four times; replaces the fields of a sweep file",
    )
    what.add_argument(
        "--set",
        metavar="PATH=VALUE",
        dest="edits",
        action="append",
        default=[],
        help="change a value of the scenario at all points; may be repeated",
    )
    what.add_argument(
        "--method",
        metavar="grid|random|lhs|search",
        help="full grid (default), random or Latin-hypercube sample, or multi-objective search",
    )
    what.add_argument("--points", metavar="N", help="points of a sample or search (100)")
    what.add_argument("--seed", metavar="N", help="seed of the sample or search (1)")
    good = parser.add_argument_group("what is good")
    good.add_argument(
        "--objective",
        metavar="FIGURE[:max|min]",
        action="append",
        default=[],
        help="figure to look at, such as energy_J_per_token; may be repeated (tokens_per_s)",
    )
    good.add_argument(
        "--constraint",
        metavar="FIGURE>=X",
        action="append",
        default=[],
        help="what a point must meet, such as 'tokens_per_s >= 10' or fits; may be repeated",
    )
    good.add_argument(
        "--price",
        metavar="COMPONENT=USD",
        action="append",
        default=[],
        help="price of one component, such as ndp_dimms=120; goes before the scenario's",
    )
    where = parser.add_argument_group("where it runs")
    where.add_argument("--workers", metavar="N", help="local processes (all cores)")
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on an existing Dask cluster, such as tcp://host:8786",
    )
    where.add_argument(
        "--store",
        metavar="FILE",
        help="results by content; a sweep that is run again takes what is there "
        "(sweeps.sqlite in the user's cache folder)",
    )
    out = parser.add_argument_group("what is written")
    out.add_argument(
        "--out",
        metavar="FILE",
        nargs="+",
        action="extend",
        default=[],
        help=".csv or .parquet table; .svg, .pdf or .png chart named by the file, such as "
        "dimms-pareto.svg (curves, heatmap, pareto, parallel, sensitivity)",
    )
    out.add_argument("--json", metavar="FILE|-", help="write sweep, rows and analysis as JSON")
    out.add_argument("--theme", default="paper", help="theme of charts: paper (default), dark")
    out.add_argument(
        "--sort", metavar="FIGURE", help="order of the printed table (the first objective)"
    )
    out.add_argument("--top", metavar="N", default="20", help="rows printed (20); 0 for all")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Run the sweep, then write what was asked for."""
    from simcore.results.files import check_target
    from simcore.sweep.store import Store, default_store

    read = _Arguments()
    top = read.whole("--top", arguments.top, 0, 1_000_000)
    workers = read.whole("--workers", arguments.workers, 1, 1024)
    spec = _spec(arguments, read)
    if arguments.scheduler and arguments.workers:
        read.add("--workers", "does not go with --scheduler", "one of both")
    if arguments.sort:
        read.figure("--sort", arguments.sort)
    read.check()
    for path in [*arguments.out, *([arguments.json] if arguments.json else [])]:
        if path != "-":
            check_target(path, arguments.source)
    for path in arguments.out:
        _check_out(path, arguments.theme)
    store_path = Path(arguments.store) if arguments.store else default_store()
    with Store(store_path) as store:
        executor = _executor(spec, arguments.scheduler, workers)
        try:
            rows = _run(spec, store, executor, console)
        finally:
            executor.close()
    for path in arguments.out:
        _write(spec, rows, path, arguments.theme)
        console.message(f"wrote {path}")
    if arguments.json:
        console.json(sweep_json(spec, rows), arguments.json)
    if arguments.json != "-":
        print_sweep(spec, rows, console, sort=arguments.sort or "", top=top or len(rows))
    return Exit.DONE


def _spec(arguments: argparse.Namespace, read: _Arguments) -> SweepSpec:
    """The sweep of a file with the changes of the command line, or of the command line alone."""
    import dataclasses

    from simcore.cli.loading import find_scenario, parse_edit
    from simcore.sweep import files, parse
    from simcore.sweep.spec import Method

    edits = [parse_edit(edit) for edit in arguments.edits]
    vary = [parse.read_vary(text) for text in arguments.vary]
    points = read.whole("--points", arguments.points, 1, 100_000)
    seed = read.whole("--seed", arguments.seed, 0, 2**63 - 1)
    prices = read.prices(arguments.price)
    method = None
    if arguments.method is not None:
        method = Method(read.word("--method", arguments.method, [m.value for m in Method]))
    read.check()
    source, base = arguments.source, None
    sweeps = {file.stem for file in files.list_sweeps()}
    if (is_file(Path(source)) and files.is_sweep_file(Path(source))) or source in sweeps:
        base = files.load_spec(files.find_sweep(source), edits)
        document, scenario = base.document, base.scenario
    else:
        from simcore.scenario.document import Document
        from simcore.sweep.resolve import with_field

        if not vary:
            read.add("--vary", "a scenario alone is no sweep", "PATH=VALUES, or a sweep file",
                     "such as --vary hardware.ndp_dimms.count=2,4,8")  # fmt: skip
            read.check()
        document, scenario = Document.from_file(find_scenario(source)), source
        for path, value in edits:
            document = with_field(document, path, value)
    made = parse.make_spec(
        document,
        vary or [("seed", [1])],
        name=base.name if base else "",
        scenario=scenario,
        method=method or (base.method if base else Method.GRID),
        points=points or (base.points or None if base and not method else None),
        objectives=arguments.objective,
        constraints=arguments.constraint,
        prices=(dict(base.prices) if base else {}) | prices,
        seed=1 if seed is None else seed,
    )
    if base is None:
        return made
    return dataclasses.replace(
        made,
        axes=made.axes if vary else base.axes,
        objectives=made.objectives if arguments.objective else base.objectives,
        constraints=made.constraints if arguments.constraint else base.constraints,
        seed=made.seed if seed is not None else base.seed,
    )


class _Arguments:
    """Reads numbers and words and gathers everything wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, name: str, message: str, allowed: str, hint: str = "", value: str = "") -> None:
        self.problems.append(Problem(name, message, allowed, hint, value=value))

    def whole(self, name: str, text: str | None, low: int, high: int) -> int | None:
        if text is None:
            return None
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.add(name, "a whole number is needed", f"{low} to {high}", value=text[:40])
        return value

    def word(self, name: str, text: str, known: Sequence[str]) -> str:
        if text not in known:
            hint = did_you_mean(text, known).strip()
            self.add(name, "not one of the choices", " | ".join(known), hint, text[:40])
            return known[0]
        return text

    def figure(self, name: str, text: str) -> None:
        from simcore.sweep.figures import figure_problem

        problem = figure_problem(text, name)
        if problem is not None:
            self.problems.append(problem)

    def prices(self, texts: Sequence[str]) -> dict[str, float]:
        found = {}
        for text in texts:
            name, _, value = text.partition("=")
            try:
                found[name.strip()] = float(value)
            except ValueError:
                self.add("--price", "write COMPONENT=USD", "such as ndp_dimms=120", value=text[:40])
        return found

    def check(self) -> None:
        if self.problems:
            raise ScenarioErrors(self.problems, "sweep")


def _executor(spec: SweepSpec, scheduler: str | None, workers: int | None) -> Executor:
    from simcore.sweep.executors import DaskCluster, LocalPool
    from simcore.sweep.search import check_search
    from simcore.sweep.spec import Method

    if spec.method is Method.SEARCH:
        check_search()
    if scheduler:
        return DaskCluster(scheduler)
    return LocalPool(workers, spec.size)


def _run(spec: SweepSpec, store: Any, executor: Executor, console: Console) -> tuple[Row, ...]:
    from simcore.errors import Cancelled
    from simcore.sweep.runner import Progress, run_sweep

    bar = console.progress(spec.name, "points", left=True)
    last: Progress | None = None

    def on_rows(rows: Sequence[Row], progress: Progress) -> None:
        nonlocal last
        last = progress
        if bar:
            bar(progress.done, progress.total)

    with _stoppable() as stopped:
        try:
            rows = run_sweep(spec, store, executor, on_rows=on_rows, cancelled=stopped.is_set)
        except Cancelled:
            done = last.done if last else 0
            console.message(
                f"{done} of {spec.size} points are done and kept in {store.path}; "
                "run the sweep again to go on"
            )
            raise
        finally:
            console.end_progress()
    if last and last.stored:
        console.message(f"{last.stored} of {last.total} points were done before ({store.path})")
    return rows


@contextlib.contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM ask the sweep to stop and keep what is done; a second one ends it."""
    stopped = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)

    def ask(*_: Any) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    try:
        before = {number: signal.signal(number, ask) for number in signals}
    except ValueError:  # not in the main thread
        yield stopped
        return
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_out(path: str, theme: str) -> None:
    from simcore.export.tables import check_table_file

    if Path(path).suffix.lower() not in _PICTURES:
        check_table_file(path)
        return
    from simcore.export.charts.style import THEMES
    from simcore.sweep.charts import chart_of_name

    THEMES.get(theme)
    chart_of_name(path)


def _write(spec: SweepSpec, rows: Sequence[Row], path: str, theme: str) -> None:
    from simcore.sweep.table import write_rows

    if Path(path).suffix.lower() in _PICTURES:
        from simcore.sweep.charts import chart_of_name, write_sweep_chart

        write_sweep_chart(chart_of_name(path), spec, rows, path, theme=theme)
        return
    write_rows(spec, rows, path)


def sweep_json(spec: SweepSpec, rows: Sequence[Row]) -> dict[str, Any]:
    """A sweep and what came out of it as plain data; nothing of when or where it ran."""
    from simcore.results.summary import plain, version
    from simcore.sweep.analysis import pareto, sensitivity
    from simcore.sweep.table import cells, header

    names = header(spec, rows)
    front = pareto(rows, spec.objectives)
    found: dict[str, Any] = plain(
        {
            "name": spec.name,
            "scenario": spec.scenario,
            "version": version(),
            "method": spec.method,
            "seed": spec.seed,
            "axes": [{"path": a.path, "unit": a.unit, "values": _values(a)} for a in spec.axes],
            "objectives": {o.figure: "max" if o.maximise else "min" for o in spec.objectives},
            "constraints": [c.text for c in spec.constraints],
            "prices_USD": spec.prices,
            "points": len(rows),
            "failed": sum(row.outcome.failure is not None for row in rows),
            "pareto": [row.index for row, on in zip(rows, front.tolist(), strict=True) if on],
            "sensitivity": {
                o.figure: {s.path: s.share for s in sensitivity(spec, rows, o.figure)}
                for o in spec.objectives
            },
            "rows": [dict(zip(names, row, strict=True)) for row in cells(spec, rows)],
        }
    )
    return found


def _values(axis: Any) -> Any:
    if axis.range is None:
        return list(axis.values)
    r = axis.range
    return {"from": r.low, "to": r.high, "points": r.points, "scale": r.scale}


def print_sweep(
    spec: SweepSpec, rows: Sequence[Row], console: Console, *, sort: str, top: int
) -> None:
    """The best rows, what matters, what failed."""
    import math

    from simcore.sweep.analysis import pareto, sensitivity
    from simcore.sweep.figures import figure_label, maximised
    from simcore.sweep.spec import Method

    figures = list(dict.fromkeys([o.figure for o in spec.objectives]))
    figures += [c.figure for c in spec.constraints if c.figure not in figures]
    first = sort or figures[0]
    figures += [first] if first not in figures else []
    upward = {o.figure: o.maximise for o in spec.objectives}.get(first, maximised(first))

    def rank(row: Row) -> tuple[bool, float, int]:
        value = row.number(first)
        good = math.inf if math.isnan(value) else -value if upward else value
        return not row.feasible, good, row.index

    front = pareto(rows, spec.objectives)
    ordered = sorted(rows, key=rank)[:top]
    titles = [figure_label(name) for name in figures]
    shown = [
        (
            *(_cell(value) for value in row.values),
            *(_figure(row.figures.get(name)) for name in figures),
            "*" if front[row.index] else "",
            "" if row.status == "done" else row.status,
        )
        for row in ordered
    ]
    console.table((*(axis.header for axis in spec.axes), *titles, "Pareto", ""), shown)
    if len(rows) > len(ordered):
        console.out(f"… {len(rows) - len(ordered)} more; --top 0 shows all")
    failed = [row for row in rows if row.outcome.failure]
    infeasible = sum(not row.feasible for row in rows) - len(failed)
    console.out()
    console.out(
        f"{len(rows)} points, {len(failed)} failed"
        + (f", {infeasible} do not meet the constraints" if spec.constraints else "")
    )
    if len(spec.axes) > 1 and spec.method is not Method.SEARCH:  # no sample of the space
        for one in sensitivity(spec, rows, first):
            if not math.isnan(one.share):
                console.out(
                    f"{one.path} alone explains {100 * one.share:.0f} % of the variance of {first}"
                )
    errors = dict.fromkeys(f"{row.status}: {row.outcome.error}" for row in failed)
    for text in list(errors)[:_MOST_ERRORS]:
        console.message(text)
    if len(errors) > _MOST_ERRORS:
        console.message(f"… {len(errors) - _MOST_ERRORS} other errors; they are in the table")
    for note in dict.fromkeys(row.note for row in rows if row.note):
        console.message(f"price: {note}")


def _figure(value: Any) -> str:
    from simcore.units import rounded

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return rounded(value, 4)
    return "-" if value is None else _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


COMMAND = Command(
    "sweep",
    "vary up to four fields of a scenario, on all cores or a cluster; table, Pareto front, charts",
    configure,
    execute,
    epilog="examples:\n"
    "  dimmscope sweep ndp-dimms-per-model\n"
    "  dimmscope sweep h2m2-llama2-70b --vary workload.batch=16,32,64 \\\n"
    "      --vary hardware.lpddr.bandwidth_GBps=lin:200:800:7 --out map-heatmap.svg table.csv",
)
