# ruff: noqa: E501 - the text of a page

"""Writes ``docs/reliability.md`` from the results of the fuzzer and the soak.

``./dev fuzz --json tests/fuzz/results.json``, ``./dev soak --json tests/soak/results.json`` (the same
with ``--edits 500`` and ``--long-runs``), ``./dev audit``, then ``python -m tests.reliability``.
"""

import json
from pathlib import Path

from simcore.results.io import MAX_BYTES
from simcore.results.run import MOST_PS
from simcore.results.store import MEMORY_SHARE, MOST_BUDGET_BYTES
from simcore.units import PS_PER_S
from tests.fuzz import worker
from tests.soak.long_runs import MOST_MB_BEYOND_RECORDS, MOST_SEEK_MS, STORIES
from tests.soak.run import MOST_MB_PER_100_EDITS, WARM_EDITS

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/reliability.md"

_HEAD = """\
# Bad input, faults and long runs

Written by `python -m tests.reliability` from the results of `./dev fuzz` and `./dev soak`; do not
edit, write it again.

## What is promised

- Whatever a file holds, reading it ends in a result or in a message that says where, what and what
  to do (exit code 2 on the command line): never a traceback, a hang, a file written by half, or code
  run out of the file.
- What was saved stays: files are written beside their target and renamed, results of sweeps are
  transactions.
- Time is whole picoseconds in 64 bits. A run can last {days:.0f} days of simulated time; up to there
  every sum is exact, and beyond it the run ends with a message, not with a wrong number
  ([why not a year](decisions/0016-a-run-lasts-106-days.md)).
- A run keeps at most {budget:.2f} GB of records in memory, less on a computer with less than {memory_GB:.0f} GB; the
  rest goes to a temporary file without a name, of which nothing stays
  ([how](decisions/0017-long-runs-in-a-file.md)).
- Nothing is sent or fetched: commands and window open no network connection, except a sweep that is
  given the address of a scheduler.

## Spoilt input

`./dev fuzz --cases N --seed S` makes spoilt files of every kind the program reads: values out of
range, unknown keys, huge numbers, NaN and infinity, deep nesting, aliases that unfold without end or
contain themselves, wrong encodings, NUL bytes, files of 100 MB, truncated and altered bytes, arrays of
wrong type and shape, pickled objects, archives that unpack to far more than they are, damaged
databases. Each case runs in a folder of its own, watched by the interpreter's audit events, and fails
if it

- raises anything but an error with a message,
- takes longer than {seconds:g} s of processor time, or more than {memory} MB over what the program
  takes anyway,
- leaves a file behind, writes or deletes outside its folder, starts a program, connects to anything or
  loads a class out of a pickle.

A case follows from seed and number alone: `--seed S --first N --cases 1` repeats it. A thousand cases
are part of the tests (`tests/fuzz/test_fuzz.py`), beside a test for every fault found so far.
"""

_FAULTS = """\
## Faults

| fault | what happens | test |
|---|---|---|
| killed while writing a scenario, saved run, session or results | the last finished write is there, whole | `tests/faults/test_killed.py` |
| killed with unsaved edits | offered at the next start | `tests/app/test_autosave.py` |
| killed sweep, killed worker of a sweep | goes on where it was | `tests/simcore/sweep/test_runner.py` |
| a long run outgrows memory and disk | message; the steps so far can be viewed and saved; `dimmscope run` shows and exports them, marked as partial, and ends with exit code 2 | `tests/simcore/results/test_store.py`, `tests/cli/test_no_room.py` |
| full disk where `dimmscope run` exports to | message for that file, exit code 2; figures and the other files are there | `tests/cli/test_no_room.py` |
| full disk while saving, exporting, keeping edits or session | message; the old file stays; the window goes on | `tests/app/test_faults.py` |
| folders that cannot be written: scenario, export, session, unsaved edits, settings, cache | message; the window goes on, a simulation needs none of them | `tests/faults/test_read_only.py` |
| OpenGL libraries that cannot be loaded | message with what to install; commands work | `tests/faults/test_no_graphics.py` |
| display without OpenGL | nothing: the window draws without it | `tests/faults/test_no_graphics.py` |
| broken system of another package | left out with a message; `--safe` loads none | `tests/simcore/systems/test_plugins.py` |
| folder gone, file changed or deleted while open | message; saving works once it is back | `tests/app/test_faults.py`, `test_file_watch.py` |
| simulation fails in the middle, simulating process killed or out of memory | message; the steps so far stay; the next edit simulates again | `tests/app/test_faults.py`, `tests/simcore/remote` |
| no fonts, layout or settings that are none | own fonts, default layout, a copy is kept | `tests/app/test_faults.py`, `test_settings.py` |
| second instance | each keeps its own unsaved edits | `tests/app/test_autosave.py` |
| actions in any order | views show the run at the cursor; undoing everything gives back the file's text | `tests/app/test_any_order.py` |

Writes are not forced to the disk before the rename, but for scenarios: after a loss of power, not of
the process, the last export or session may be missing.
"""

_NOT = """\
## Not covered

- Masks up to 1 GiB are read if the file is of a size to match: real ones can take that much memory.
- Saved runs up to {saved:.0f} GiB are read if the file is of a size to match; beyond the budget of memory they
  go to the temporary file as well.
"""

_AUDIT = HERE / "audit.json"
_NO_AUDIT = """\
- Known vulnerabilities of the packages the program uses: `./dev audit` asks for them. It has not been
  run where a service answers, so nothing is claimed.
"""


def _audit() -> str:
    """What is known of the packages, or that it is not known."""
    said = _NOT.format(saved=MAX_BYTES / 2**30)
    if not _AUDIT.is_file():
        return said + _NO_AUDIT
    found = json.loads(_AUDIT.read_text(encoding="utf-8"))
    listed = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in found["vulnerable"].items())
    return (
        f"{said}\n## Packages\n\nOn {found['date']} {found['service']} judged the "
        f"{found['packages']} pinned packages (`./dev audit`). Known vulnerabilities: "
        f"{listed or 'none'}.\n"
    )


def _window_rows(runs: dict[str, dict]) -> list[str]:
    """Columns of the soaks of the window there are."""
    shown = {
        "minutes, rounds": lambda one: f"{one['minutes']}, {one['rounds']}",
        "edits, files opened, plays": lambda one: f"{one['edits']}, {one['opens']}, {one['plays']}",
        "hours of playing at normal speed": lambda one: f"{one.get('played_hours', 0)}",
        "slope of the memory, MB per 100 edits": lambda one: f"{one['slope_MB_per_100_edits']}",
        **{
            f"{name}, first and last": lambda one, key=key: f"{one[key][0]}, {one[key][1]}"
            for name, key in (
                ("memory (MB)", "resident_MB"),
                ("threads", "threads"),
                ("running timers", "timers"),
                ("open files", "handles"),
                ("widgets", "widgets"),
            )
        },
        "grew": lambda one: "; ".join(one["problems"]) or "nothing",
    }
    return [
        "| | " + " | ".join(_TITLES[name] for name in runs) + " |",
        "|---|" + "---|" * len(runs),
        *(
            f"| {name} | " + " | ".join(text(one) for one in runs.values()) + " |"
            for name, text in shown.items()
        ),
    ]


_TITLES = {"window": "in every way", "edits": "edits alone"}


def _long_rows(found: dict[str, dict]) -> list[str]:
    """A row for each long run there is."""
    lines = [
        "| run | steps | wall time | steps/s | simulated | memory (records) at a tenth, at the end, MB "
        "| anonymous, MB | in the file, MB | slope without records, MB per 1,000 "
        "| a step anywhere, median and longest | wrong |",
        "|---|---:|---:|---:|---:|---|---|---:|---:|---|---|",
    ]
    for name, one in found.items():
        memory = ", ".join(
            f"{all_:.0f} ({records:.0f})"
            for all_, records in zip(one["resident_MB"], one["records_MB"], strict=True)
        )
        lines.append(
            f"| {STORIES[name].title} | {one['steps']:,} {STORIES[name].unit} | {one['wall_s']} s | "
            f"{one['steps_per_s']:,.0f} | {one['simulated_s']:,.0f} s | {memory} | "
            f"{one['anonymous_MB'][0]:.0f}, {one['anonymous_MB'][1]:.0f} | {one['file_MB']:,.0f} | "
            f"{one['slope_MB_per_1000'][1]} | {one['seek_ms'][0]} ms, {one['seek_ms'][1]} ms | "
            f"{'; '.join(one['problems']) or 'nothing'} |"
        )
    return lines


def page() -> str:
    """The page as the results say."""
    fuzz = json.loads((HERE / "fuzz/results.json").read_text(encoding="utf-8"))
    soak = json.loads((HERE / "soak/results.json").read_text(encoding="utf-8"))
    counts: dict[str, dict[str, int]] = {}
    for target, outcome, count in fuzz["outcomes"]:
        counts.setdefault(target, {})[outcome] = count
    rows = [
        f"| {target} | {sum(of.values())} | {of.get('read', 0)} | {of.get('refused', 0)} | "
        f"{of.get('failed', 0)} |"
        for target, of in counts.items()
    ]
    lines = [
        _HEAD.format(
            days=MOST_PS / PS_PER_S / 86_400,
            seconds=worker.SECONDS,
            memory=worker.MEGABYTES,
            budget=MOST_BUDGET_BYTES / 1e9,
            memory_GB=MOST_BUDGET_BYTES * MEMORY_SHARE / 1e9,
        ),
        f"Seed {fuzz['seed']}, {fuzz['cases']:,} cases, {fuzz['failed']} failed. Slowest case "
        f"{fuzz['slowest_s']} s, most memory {fuzz['largest_MB']} MB.\n",
        "| input | cases | read | refused with a message | failed |",
        "|---|---:|---:|---:|---:|",
        *rows,
        "",
        _FAULTS,
        "## Long use\n",
        "`./dev soak --minutes N` uses the real window round after round: opens a file, edits it live,"
        "\nplays it at the highest speed, searches, compares, goes through every view and back in the"
        "\nhistory. `./dev soak --edits N` makes live edits of one file one after the other, after"
        f"\n{WARM_EDITS} of them to warm up, since the history keeps 250. After the warm-up memory may not"
        f"\nclimb by more than {MOST_MB_PER_100_EDITS:g} MB per 100 edits (median of all slopes, once "
        "the allocator has returned\nwhat it only kept), and threads, timers, open files and widgets "
        "must not grow.\n",
        *_window_rows({name: soak[name] for name in _TITLES if name in soak}),
        "",
        "The two files that are opened in turn need different numbers of widgets.\n",
        "## Long runs\n",
        "`./dev soak --long-runs`, each in a process of its own; without single neurons, as "
        "`dimmscope run`, or\nwith them, as the window. Records of all steps are kept; beyond these, "
        f"memory may not grow by more than\n{MOST_MB_BEYOND_RECORDS:g} MB after the first tenth; where a "
        "budget bounds the records, all memory may not grow by more\nthan these and the budget from the "
        "start on. The clock must be the sum of the steps, the last\nstep's spans its record, and a step "
        "anywhere must be reached and laid out (with the map of neurons,\nwhere it is kept) within "
        f"{MOST_SEEK_MS:g} ms.\n",
        *_long_rows(soak.get("long runs", {})),
        "",
        _audit(),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
