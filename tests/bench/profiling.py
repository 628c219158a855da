"""Where the time goes in the hottest paths, by pyinstrument: ``./dev profile [PATH...]``.

Each path runs in a process of its own; its tree is printed, and which functions most time is spent
in goes to a file, from which the page about speed has a table. To look at another version of the
program, run this file from its root::

    PYTHONPATH=. python -P .../tests/bench/profiling.py --as before [PATH...]

so it uses nothing of its own version but what both have.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pyinstrument import Profiler
from pyinstrument.frame import Frame
from pyinstrument.renderers import ConsoleRenderer
from pyinstrument.session import Session

RESULTS = Path(__file__).with_name("profiles.json")
INTERVAL_S = 0.0001
"""Between samples, which are taken where a function is entered or left: with more than what a
compiled loop takes, its time would be counted for the next function."""
LONGEST_S = 0.025
"""What a sample counts at most: in one that is longer, the thread has waited for a core."""
TOP = 5
NOW = "now"
"""Name of the version at hand."""

Work = Callable[[], int]
"""Does what is profiled, and says how many times."""

_PROJECT = ("simcore", "app")
_IDLE, _QT = "_idle", "_handle_events"
_QT_TITLE = "Qt: events, layout, styles, painting"


def _as_a_worker() -> None:
    """Load ahead what a process of the window's loads that waits for work."""
    with suppress(ImportError):  # a version without compiled loops
        from simcore.remote.ready import get_ready

        get_ready()


def hermes(_: ExitStack) -> Work:
    """A Hermes step, LLaMA2-70B, batch 1."""
    import simcore
    from simcore.engine.simulator import Simulator

    document = simcore.open_document("hermes-llama2-70b")
    resolved = document.with_value("workload.output_tokens", 4096).resolve()
    simulator = Simulator(resolved, items=False)
    simulator.advance(8)

    def work() -> int:
        first = len(simulator.run)
        while len(simulator.run) - first < 400:
            simulator.advance(simulator.block_steps)
        return len(simulator.run) - first

    return work


def l3(_: ExitStack) -> Work:
    """L3 serving 1,000 requests of GPT-175B."""
    import simcore
    from simcore.engine.simulator import simulate

    _as_a_worker()
    document = simcore.open_document("l3-gpt-175b")
    resolved = document.with_value("workload.requests", 1000).resolve()
    simulate(document.with_value("workload.requests", 20).resolve(), items=False)

    def work() -> int:
        simulate(resolved, items=False)
        return 1

    return work


def hybridserve(_: ExitStack) -> Work:
    """HybridServe, from an edit to the first step: the search for ratio and mini-batches."""
    import simcore
    from simcore.engine.simulator import Simulator

    _as_a_worker()
    document = simcore.open_document("hybridserve-opt-66b")

    def edit(batch: int) -> None:
        Simulator(document.with_value("workload.batch", batch).resolve()).advance(2)

    edit(40)

    def work() -> int:
        for turn in range(12):
            edit(41 + turn)
        return 12

    return work


def run(_: ExitStack) -> Work:
    """The whole default run as an edit in the window asks for it: simulated, handed over, kept."""
    import simcore
    from simcore.remote.simulate import Prepared, Simulate, Steps, begun, grow

    _as_a_worker()
    document = simcore.open_document("hermes-llama2-70b")

    def edit(dimms: int) -> None:
        runs: list[Any] = []

        def say(message: object) -> None:
            if isinstance(message, Prepared):
                runs.append(begun(message))
            elif isinstance(message, Steps):
                grow(runs[0], message)

        Simulate(document.with_value("hardware.ndp_dimms.count", dimms)).work(say)

    edit(7)

    def work() -> int:
        for turn in range(5):
            edit(8 + turn)
        return 5

    return work


def frame(after: ExitStack) -> Work:
    """A frame of the window, 1280x800: one step forward with all views of the default layout."""
    from tests.bench.window import Bench

    bench = Bench("hermes-llama2-70b")
    after.callback(bench.window.close)
    gc.disable()  # as the program does it; what it collects between frames is no part of one

    def work() -> int:
        for step in range(10, 110):
            bench.state.cursor.seek(step)
            end = time.monotonic() + 0.03
            while time.monotonic() < end:
                _handle_events(bench.app)
                _idle()
        return 100

    return work


def _handle_events(app: Any) -> None:
    app.processEvents()


def _idle() -> None:
    time.sleep(0.001)


# Title, and what prepares it, given a stack for what is to be done afterwards.
PATHS: dict[str, tuple[str, Callable[[ExitStack], Work]]] = {
    "hermes": ("a Hermes step, batch 1", hermes),
    "l3": ("L3, 1,000 requests", l3),
    "hybridserve": ("HybridServe, edit to the first step", hybridserve),
    "run": ("the default run, as after an edit", run),
    "frame": ("a frame of the window, 1280x800", frame),
}


def profiled(work: Work) -> tuple[Session, float]:
    """Do it under the profiler; also the processor's time for one, s, of this thread."""
    profiler = Profiler(interval=INTERVAL_S)
    profiler.start()
    begin = time.thread_time()
    times = work()
    each_s = (time.thread_time() - begin) / times
    session = profiler.stop()
    session.frame_records = [
        (stack, min(seconds, LONGEST_S)) for stack, seconds in session.frame_records
    ]
    return session, each_s


def own_times(root: Frame) -> Counter[str]:
    """Seconds by function of the program, with those of libraries and compiled loops it calls.

    What was idle is left out; what Qt does by itself while it handles events goes by one name.
    """
    found: Counter[str] = Counter()

    def add(frame: Frame, owner: str) -> None:
        owner = _name(frame) or owner
        own = frame.time - sum(child.time for child in frame.children)
        if owner and owner != _IDLE:
            found[owner] += max(0.0, own)
        for child in frame.children:
            add(child, owner)

    add(root, "")
    return found


def _name(frame: Frame) -> str:
    """Where a function of the program is; nothing for any other frame."""
    if frame.is_synthetic or not frame.file_path:
        return ""
    if Path(frame.file_path) == Path(__file__):
        return {_IDLE: _IDLE, _QT: _QT_TITLE}.get(frame.function, "")
    parts = Path(frame.file_path).parts
    package = next((name for name in _PROJECT if name in parts), "")
    if not package:
        return ""
    last = len(parts) - 1 - parts[::-1].index(package)
    file = "/".join(parts[last + (package == "simcore") :])
    method = f"{frame.class_name}." if frame.class_name else ""
    return f"{file}: {method}{frame.function}"


def summary(times_s: Counter[str], each_s: float) -> dict[str, Any]:
    """The functions most time is spent in, and their shares; the time of one, ms."""
    total = sum(times_s.values())
    return {
        "ms": each_s * 1e3,
        "top": [[name, seconds / total] for name, seconds in times_s.most_common(TOP)],
    }


def keep(path: Path, version: str, name: str, found: dict[str, Any]) -> None:
    """Put the summary of a path into the file; other paths and versions stay."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept.setdefault(version, {})[name] = found
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def profile(name: str) -> tuple[str, dict[str, Any]]:
    """Tree and summary of a path."""
    with ExitStack() as after:
        session, each_s = profiled(PATHS[name][1](after))
    root = session.root_frame()
    assert root is not None, "nothing was sampled"
    tree = ConsoleRenderer(unicode=True, color=False).render(session)
    return tree, {"title": PATHS[name][0], **summary(own_times(root), each_s)}


def main() -> None:
    """Profile what the arguments name, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="./dev profile", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"of {', '.join(PATHS)}")
    parser.add_argument("--as", dest="version", default=NOW, help="name of the version profiled")
    parser.add_argument("--into", type=Path, default=RESULTS, help="file of the summaries")
    parser.add_argument("--here", action="store_true", help="in this process")
    chosen = parser.parse_args()
    for name in chosen.paths:
        if name not in PATHS:
            parser.error(f"no such path: {name}; there are {', '.join(PATHS)}")
    if not chosen.here:
        for name in chosen.paths or PATHS:
            options = ["--as", chosen.version, "--into", chosen.into, "--here"]
            done = subprocess.run([sys.executable, "-P", __file__, *options, name], check=False)
            if done.returncode:
                sys.exit(f"{name} could not be profiled")
        return
    (name,) = chosen.paths
    with tempfile.TemporaryDirectory(prefix="dimmscope-profile-") as folder:
        _leave_alone(Path(folder))
        tree, found = profile(name)
    sys.stdout.write(f"\n{found['title']}: {found['ms']:.3g} ms\n{tree}\n")
    for where, share in found["top"]:
        sys.stdout.write(f"{share:6.1%}  {where}\n")
    sys.stdout.flush()
    keep(chosen.into, chosen.version, name, found)


def _leave_alone(folder: Path) -> None:
    """Keep the user's settings, sessions and solved programs out of it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with suppress(ImportError):  # a version without compiled loops
        from simcore.data import cache_folder

        os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))  # nothing is compiled anew
    for name in ("CONFIG", "STATE", "CACHE"):
        os.environ[f"DIMMSCOPE_{name}"] = str(folder / name)


if __name__ == "__main__":
    main()
