"""What can be given to the program, spoilt, and the reader each is given to.

A target has `make(draw, folder)`, which writes its files, and `read(folder)`, which does with them
what the program does. `allowed` are patterns of files that reading may leave behind.
"""

import contextlib
import io
import itertools
import json
import os
import random
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import simcore.systems  # noqa: F401 - fills the registry
from simcore.activations.recorded import RecordedSource, load_recording
from simcore.cli.entry import main
from simcore.data import asset, data_root, list_scenarios
from simcore.engine.simulator import Simulator, simulate
from simcore.errors import UserError
from simcore.hardware.dram.presets import dram_presets
from simcore.hardware.dram.reference import compared, reference_rows
from simcore.placement import program
from simcore.results.io import load_run, save_run
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.scenario.fields import Knob
from simcore.scenario.listing import scenario_fields
from simcore.scenario.presets import PRESET_KINDS, presets
from simcore.scenario.schema import Model, RecordedActivations
from simcore.sweep.evaluate import Outcome
from simcore.sweep.parse import load_spec
from simcore.sweep.store import Store
from simcore.workload.requests import make_requests
from tests.fuzz import mangle

SMALL = """\
version: 1
name: small
system: hermes
hardware:
  gpu: rtx-4090
  ndp_dimms: {preset: hermes-ddr4-3200, count: 4}
model: {preset: relullama2-70b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, vocab: 1000}
workload: {kind: fixed, batch: 1, prompt_tokens: 16, output_tokens: 6}
seed: 1
"""
_HUGE = 100 << 20
_KINDS = sorted(set(PRESET_KINDS.values()))


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Attributes:
        make: writes the spoilt input into an empty folder.
        read: reads it; may raise UserError.
        weight: share of the cases.
        allowed: patterns of files that may appear, beside those that `make` wrote.
    """

    make: Callable[[random.Random, Path], None]
    read: Callable[[Path], object]
    weight: int = 4
    allowed: tuple[str, ...] = ()


def _file(name: str, source: Callable[[random.Random], str]):
    """Writes one spoilt text file; one in 400 is of 100 MB."""

    def make(draw: random.Random, folder: Path) -> None:
        path = folder / name
        data = mangle.file_bytes(draw, source(draw))
        path.write_bytes(data)
        if draw.random() < 0.0025:
            with path.open("ab") as file:
                file.truncate(_HUGE)

    return make


# Scenarios, as the window, the command line and the simulator take them.


@cache
def _scenario_texts() -> tuple[str, ...]:
    return (SMALL, *(path.read_text(encoding="utf-8") for path in list_scenarios()))


def _read_scenario(folder: Path) -> None:
    document = Document.from_file(folder / "scenario.yaml")
    document.problems()
    document.resolve()


def _read_by_command(folder: Path) -> None:
    _command("validate", str(folder / "scenario.yaml"))


def _command(*words: str) -> None:
    """Run a command; its outcome must be done or bad input, and it must have said something."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main(words)
    if code not in (0, 2):
        raise AssertionError(f"exit code {code}: {said.getvalue()[-600:]}")
    if code == 2:
        if not said.getvalue().strip() or "Traceback" in said.getvalue():
            raise AssertionError(f"no message: {said.getvalue()[-600:]!r}")
        raise UserError(said.getvalue())


@cache
def _small_fields():
    """Fields of small scenarios of every system, by system."""
    fields = {}
    for id in (
        "hermes",
        "hermes-base",
        "h2m2",
        "hybridserve",
        "vllm-swap",
        "l3",
        "cpu-offload",
        "flexgen",
        "hf",
        "dejavu",
        "tensorrt-llm",
    ):
        try:
            document = Document.from_text(SMALL).with_value("system", id)
            fields[id] = [
                info
                for info in scenario_fields(document.resolve())
                if info.path not in ("name", "system") and not info.path.startswith("model")
            ]
        except UserError:
            continue
    return fields


def _in_range(draw: random.Random, info) -> str:
    """A value the field takes, most often one at the edge."""
    knob: Knob = info.knob
    if knob.choices:
        return str(draw.choice(list(knob.choices)))
    if info.type is bool:
        return draw.choice(("true", "false"))
    low = knob.ge if knob.ge is not None else knob.gt
    high = knob.le
    if info.type is int:
        ends = [low if low is not None else 0, high if high is not None else 2**40]
        return str(int(draw.choice([*ends, int(ends[0]) + 1, int(info.value or 1)])))
    ends = [low if low else 1e-12, high if high is not None else 1e300, float(info.value or 1)]
    return repr(float(draw.choice(ends)) * draw.choice((1.0, 1.0, 1.0000001, 1e3, 1e-3)))


def _make_run(draw: random.Random, folder: Path) -> None:
    id = draw.choice(list(_small_fields()))
    document = Document.from_text(SMALL).with_value("system", id)
    for _ in range(draw.choice((1, 1, 2, 3))):
        info = draw.choice(_small_fields()[id])
        if info.type is str and not info.knob.choices:
            continue
        # Small enough to be simulated within the limit of a case.
        if info.path.startswith("workload.") and info.type is int:
            value = str(draw.choice((1, 2, 5, 17)))
        else:
            value = _in_range(draw, info)
        with contextlib.suppress(UserError):
            document = document.with_value(info.path, _plain(value))
    (folder / "scenario.yaml").write_text(document.text(), encoding="utf-8")


def _plain(text: str):
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def _read_run(folder: Path) -> None:
    run = Simulator(Document.from_file(folder / "scenario.yaml").resolve(), items=False)
    for _ in range(3):
        if not run.advance(4):
            break
    made = run.run
    durations = made.column("duration_ps")
    if len(made) == 0 or (durations < 0).any() or made.end_ps != sum(map(int, durations)):
        raise AssertionError(f"durations {durations}")
    summarise(made)
    made.spans(len(made) - 1)


# Presets and other data of the program, which DIMMSCOPE_DATA can replace.


def _data_folder(folder: Path, name: str, data: bytes) -> None:
    (folder / "scenarios").mkdir()
    target = folder / "assets" / name
    target.parent.mkdir(parents=True)
    for path in (data_root() / "assets" / name).parent.iterdir():
        if path.name != target.name and path.is_file():
            shutil.copyfile(path, target.parent / path.name)
    if name.startswith("dram/"):
        (folder / "assets/presets").mkdir()
        shutil.copyfile(asset("presets/dram.yaml"), folder / "assets/presets/dram.yaml")
    target.write_bytes(data)


def _make_presets(draw: random.Random, folder: Path) -> None:
    kind = draw.choice([*_KINDS, "dram"])
    name = f"presets/{kind}.yaml"
    data = mangle.file_bytes(draw, asset(name).read_text(encoding="utf-8"))
    _data_folder(folder, name, data)
    (folder / "kind").write_text(kind)


@contextlib.contextmanager
def _data_in(folder: Path):
    before = os.environ.get("DIMMSCOPE_DATA")
    os.environ["DIMMSCOPE_DATA"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("DIMMSCOPE_DATA")
        if before is not None:
            os.environ["DIMMSCOPE_DATA"] = before


def _read_presets(folder: Path) -> None:
    kind = (folder / "kind").read_text()
    with _data_in(folder):
        if kind == "dram":
            for preset in dram_presets().values():
                preset.timing.with_values({})
        else:
            for component in [c for c, file in PRESET_KINDS.items() if file == kind]:
                presets(component)


def _make_dram(draw: random.Random, folder: Path) -> None:
    source = asset("dram/reference.csv").read_text(encoding="utf-8").split("\n")
    _data_folder(folder, "dram/reference.csv", _table(draw, "\n".join(source[:12])))


def _read_dram(folder: Path) -> None:
    with _data_in(folder):
        compared(reference_rows())


# Tables.


def _table(draw: random.Random, source: str) -> bytes:
    """A CSV file with cells, columns or rows spoilt."""
    rows = [line.split(",") for line in source.strip("\n").split("\n")]
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        row = draw.choice(rows)
        if not row:
            continue
        kind, at = draw.random(), draw.randrange(len(row))
        if kind < 0.6:
            row[at] = draw.choice((mangle.word(draw), '"', '""', "nan", "inf", "-inf", "1e19", "x"))
        elif kind < 0.75:
            del row[at]
        elif kind < 0.9:
            row.insert(at, mangle.word(draw))
        else:
            rows.insert(draw.randrange(len(rows) + 1), list(row))
    text = draw.choice(("\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows)
    data = text.encode("utf-8", "surrogatepass")
    return data if draw.random() < 0.8 else mangle.raw(draw, data)


def _make_trace(draw: random.Random, folder: Path) -> None:
    rows = "\n".join(
        f"{draw.choice((n, n * 10.5, -n))},{draw.randint(1, 900)},{draw.randint(1, 300)}"
        for n in range(draw.randint(0, 30))
    )
    path = folder / "trace.csv"
    path.write_bytes(_table(draw, f"arrival_s,prompt_tokens,output_tokens\n{rows}\n"))
    if draw.random() < 0.0025:
        with path.open("ab") as file:
            file.truncate(_HUGE)
    (folder / "arrivals").write_text(draw.choice(("trace", "offline", "poisson")))


def _make_histogram(draw: random.Random, folder: Path) -> None:
    shares = (0.25, 3, 1e-300, 1e300)
    rows = [
        f"{field},{low},{low + draw.choice((1, 50, 100000))},{draw.choice(shares)},"
        + draw.choice(("", str(low), str(low + 20)))
        for field in ("prompt_tokens", "output_tokens")
        for low in range(0, draw.choice((1, 200, 400)), 100)
    ]
    source = "field,bin_low,bin_high,probability,mean_in_bin\n" + "\n".join(rows) + "\n"
    (folder / "histogram.csv").write_bytes(_table(draw, source))


def _served(source: str, file: Path, arrivals: str) -> None:
    document = Document.from_text(
        "system: l3\nmodel: opt-66b\nworkload: {kind: serving, requests: 20}\n"
    )
    document = document.with_value("workload.source", source)
    document = document.with_value(f"workload.{source}", str(file))
    document = document.with_value("workload.arrivals", arrivals)
    made = make_requests(document.resolve())
    if len(made) and min(made.prompt.min(), made.output.min(), 1 + made.arrival_ps.min()) < 1:
        raise AssertionError(f"{made}")


def _read_trace(folder: Path) -> None:
    _served("trace", folder / "trace.csv", (folder / "arrivals").read_text())


def _read_histogram(folder: Path) -> None:
    _served("histogram", folder / "histogram.csv", "offline")


# Archives of arrays.


class _Evil:
    """Runs a command where pickles are loaded."""

    def __reduce__(self):
        return (os.system, ("touch pwned",))


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    return out.getvalue()


def _spoilt_array(draw: random.Random, array: np.ndarray) -> bytes:
    kind = draw.randrange(9)
    if kind == 0:
        return _npy(np.array([_Evil()], dtype=object))
    if kind == 1:
        return _npy(array.astype(draw.choice(("f4", "f8", "U3", "c8", "i1", "?", "u8", "M8[s]"))))
    if kind == 2:
        return _npy(array.reshape(-1)[: draw.randrange(array.size + 1)])
    if kind == 3:
        return _npy(np.stack([array, array]) if array.ndim else array.reshape(1, 1, 1))
    if kind == 4:
        flat = array.copy().reshape(-1)
        for _ in range(3):
            if flat.size:
                with (
                    contextlib.suppress(ValueError, OverflowError, TypeError),
                    np.errstate(all="ignore"),
                ):
                    flat[draw.randrange(flat.size)] = draw.choice(
                        (0, 1, -1, 255, 2**31, 2**62, float("nan"), float("inf"))
                    )
        return _npy(flat.reshape(array.shape))
    if kind == 5:  # the header promises very much
        data = _npy(array)
        at = data.find(b"'shape': (") + 10
        return data[:at] + b"999999999999, " + data[at:-14] if draw.random() < 0.5 else data[:at]
    if kind == 6:
        return mangle.raw(draw, _npy(array))
    if kind == 7:
        return _npy(np.asfortranarray(array))
    return b"" if draw.random() < 0.5 else _npy(array)[:-1]


def _archive(draw: random.Random, path: Path, entries: dict[str, bytes]) -> None:
    entries = dict(entries)
    arrays = [name for name in entries if name.endswith(".npy")]
    for _ in range(draw.choice((0, 1, 1, 2))):
        name = draw.choice(arrays)
        kind = draw.random()
        if kind < 0.7:
            source = np.lib.format.read_array(io.BytesIO(entries[name]))
            entries[name] = _spoilt_array(draw, source)
            arrays.remove(name)
        elif kind < 0.8:
            del entries[name]
            arrays.remove(name)
        elif kind < 0.9:
            entries[draw.choice(("../pwned.npy", "/tmp/pwned", "column.x.npy", "é.npy"))] = b"x"
        else:
            entries[name] = entries[draw.choice(arrays)]
        if not arrays:
            break
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        if draw.random() < 0.01:  # 600 MB of nothing
            with archive.open("column.bomb.npy", "w") as file:
                for _ in range(600):
                    file.write(bytes(1 << 20))
    if draw.random() < 0.25:
        path.write_bytes(mangle.raw(draw, path.read_bytes()))


@cache
def _mask_entries() -> dict[str, bytes]:
    random_ = np.random.default_rng(1)
    return {
        "shape.npy": _npy(np.array([3, 40, 2, 24])),
        "masks.npy": _npy(random_.integers(0, 256, (3, 40, 2, 3), np.uint8)),
        "profile_counts.npy": _npy(random_.integers(0, 100, (2, 24))),
        "profile_tokens.npy": _npy(np.array(100)),
    }


def _make_masks(draw: random.Random, folder: Path) -> None:
    _archive(draw, folder / "masks.npz", _mask_entries())


def _read_masks(folder: Path) -> None:
    load_recording.cache_clear()
    path = folder / "masks.npz"
    model = Model(
        title="m", layers=2, hidden=16, heads=2, kv_heads=2, head_dim=8, ffn=24, ffn_matrices=2,
        vocab=50,
    )  # fmt: skip
    source = RecordedSource(model, RecordedActivations(file=str(path)), 2, 5)
    source.profile()
    source.prompt_frequency()
    for plane in source.draw():
        source.parents(plane)


@cache
def _run_entries() -> dict[str, bytes]:
    folder = Path(os.environ["DIMMSCOPE_STATE"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"fuzz-{os.getpid()}.npz"
    save_run(simulate(Document.from_text(SMALL).resolve()), path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    path.unlink()
    return entries


def _spoilt_json(draw: random.Random, value: object, depth: int = 0) -> object:
    """Plain data with one place in it replaced."""
    if depth < 6 and isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(list(value))
        if draw.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _spoilt_json(draw, value[key], depth + 1)}
    if depth < 6 and isinstance(value, list) and value and draw.random() < 0.6:
        at = draw.randrange(len(value))
        return [*value[:at], _spoilt_json(draw, value[at], depth + 1), *value[at + 1 :]]
    return draw.choice(_PLAIN)


_PLAIN = (
    *(None, True, -1, 0, 1, 7, 2**53, 2**70, 10**30, 1e308, 0.5, -5.5, float("nan"), float("-inf")),
    *("", "x", "é" * 50, "hermes", [], {}, [1, 2], {"a": 1}, [[[[]]]], [None, None]),
)


def _make_saved(draw: random.Random, folder: Path) -> None:
    entries = dict(_run_entries())
    if draw.random() < 0.4:
        header = json.loads(entries["header.json"])
        entries["header.json"] = json.dumps(_spoilt_json(draw, header)).encode()
    if draw.random() < 0.1:
        entries["header.json"] = mangle.raw(draw, entries["header.json"])
    _archive(draw, folder / "run.npz", entries)


def _read_saved(folder: Path) -> None:
    run = load_run(folder / "run.npz")
    if len(run):
        summarise(run)
        for step in range(len(run)):
            run.spans(step)
            if run.plan.items:
                run.placement(step)


# Sweeps.


@cache
def _sweep_texts() -> tuple[str, ...]:
    folder = data_root() / "scenarios/sweeps"
    return tuple(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml")))


def _read_sweep(folder: Path) -> None:
    load_spec(folder / "sweep.yaml")


@cache
def _store_bytes() -> bytes:
    folder = Path(os.environ["DIMMSCOPE_STATE"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"fuzz-{os.getpid()}.sqlite"
    with Store(path) as store:
        store.put({f"key{n}": Outcome({"tokens_per_s": n * 1.5}, None, "", 0.1) for n in range(60)})
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    data = path.read_bytes()
    path.unlink()
    return data


_CELLS = (
    *("", "x", "[]", "{", '{"a": {}}', "null", "NaN", '{"tokens_per_s": "x"}', 1, -1.5),
    *(b"\x00\xff", b"{}", "capacity", "[" * 5000),
)


def _make_store(draw: random.Random, folder: Path) -> None:
    path = folder / "store.sqlite"
    path.write_bytes(_store_bytes())
    kind = draw.random()
    if kind < 0.45:
        path.write_bytes(mangle.raw(draw, _store_bytes()))
        return
    db = sqlite3.connect(path)
    column = draw.choice(("failure", "error", "figures", "wall_s", "code"))
    value = draw.choice(_CELLS)
    if kind < 0.85:
        db.execute(f"UPDATE points SET {column} = ? WHERE key = 'key3'", (value,))
    elif kind < 0.9:
        db.execute("DROP TABLE points")
    elif kind < 0.95:
        db.execute(f"PRAGMA user_version = {draw.choice((0, 2, -1, 99))}")
        db.execute("ALTER TABLE points DROP COLUMN error")
    else:
        db.execute("ALTER TABLE points RENAME TO other")
        db.execute("CREATE VIEW points AS SELECT * FROM other")
    db.commit()
    db.close()


def _read_store(folder: Path) -> None:
    with Store(folder / "store.sqlite") as store:
        len(store)
        for outcome in store.get([f"key{n}" for n in range(60)]).values():
            if not all(isinstance(v, (int, float, type(None))) for v in outcome.figures.values()):
                raise AssertionError(f"{outcome}")
        store.put({"new": Outcome({"tokens_per_s": 1.0}, None, "", 0.1)})


# What the window keeps beside scenarios, and its settings.

_VIEW = """\
# What DIMMscope remembers of the window for the scenario beside it; may be deleted.
format: dimmscope-view
version: 1
session:
  cursor: {step: 3, share: 0.25}
  visible: {first_step: 0.0, last_step: 5.5}
  selection: {span: {step: 2, lane: gpu, op: wait, layer: 1, number: 0}, device: gpu}
  loop: [1, 4]
  stops: {active: [], values: {}}
  chart: {chart: timeline, steps: own}
  markers: [{step: 1, offset_ps: 5, of_ps: 10}, null]
  lanes: {order: [gpu], hidden: [], pinned: [], folded: []}
"""


def _make_view(draw: random.Random, folder: Path) -> None:
    (folder / "s.yaml").write_text(SMALL, encoding="utf-8")
    _file("s.view.yaml", lambda _: _VIEW)(draw, folder)


@cache
def _state():
    from PySide6.QtCore import QCoreApplication

    from app.persistence.parts import register_parts
    from app.state.app_state import AppState

    application = QCoreApplication.instance() or QCoreApplication([])
    state = AppState()
    register_parts(state)
    state.runs.replace(simulate(Document.from_text(SMALL).resolve()))
    return application, state


def _read_view(folder: Path) -> None:
    from app.persistence import sidecar

    found = sidecar.read(folder / "s.yaml")
    _, state = _state()
    for late in (False, True):
        state.memory.restore(found.values, with_run=late)
    if not 0 <= state.cursor.step < len(state.runs.current):
        raise AssertionError(f"cursor at {state.cursor.step}")
    sidecar.text_of(state.memory.collect())
    state.memory.restore({}, with_run=False)
    state.memory.restore({}, with_run=True)
    if found.problem:
        raise UserError(found.problem)


_INI = """\
[General]
theme=dark
scale=110
welcome=true
session=true
autosave=false
keys="{\\"file.open\\": [\\"Ctrl+O\\"]}"
recent=/nowhere/a.yaml, /nowhere/b.yaml

[layout]
version=3
state=@ByteArray(\\0\\0\\0\\xff)
"""


def _read_settings(folder: Path) -> None:
    from app.settings.store import Settings

    settings = Settings(folder)
    for name in ("theme", "scale", "welcome", "session", "autosave", "watch", "keys", "recent"):
        getattr(settings, name)
    settings.add_recent(folder / "x.yaml")
    settings.sync()
    if settings.problems:
        raise UserError(" ".join(settings.problems))


def _make_autosave(draw: random.Random, folder: Path) -> None:
    place = folder / "autosave" / "20260101-000000-x"
    place.mkdir(parents=True)
    about = json.dumps(_spoilt_json(draw, {"path": "/nowhere/a.yaml", "time": 1.5})).encode()
    (place / "about.json").write_bytes(about if draw.random() < 0.6 else mangle.raw(draw, about))
    (place / "scenario.yaml").write_bytes(mangle.file_bytes(draw, SMALL))


def _read_autosave(folder: Path) -> None:
    from app.persistence.autosave import orphans

    before = os.environ["DIMMSCOPE_STATE"]
    os.environ["DIMMSCOPE_STATE"] = str(folder)
    try:
        for orphan in orphans():
            str(orphan.title)
            Document.from_text(orphan.text).problems()
            orphan.discard()
    finally:
        os.environ["DIMMSCOPE_STATE"] = before


# The cache of solved programs, and words on the command line.


def _make_solved(draw: random.Random, folder: Path) -> None:
    entries = {
        "counts.npy": _npy(np.zeros((2, 6), np.int64)),
        "figures.npy": _npy(np.array([1.0, 2.0, 3.0, 4.0])),
    }
    _archive(draw, folder / "partition-k.npz", entries)


def _read_solved(folder: Path) -> None:
    from simcore.activations.space import neuron_space

    before = os.environ["DIMMSCOPE_CACHE"]
    os.environ["DIMMSCOPE_CACHE"] = str(folder)
    try:
        space = neuron_space(Document.from_text(SMALL).resolve().model)
        if program._load("k", space) is None:
            raise UserError("solved again")
    finally:
        os.environ["DIMMSCOPE_CACHE"] = before


def _make_words(draw: random.Random, folder: Path) -> None:
    (folder / "s.yaml").write_text(SMALL, encoding="utf-8")
    info = draw.choice(next(iter(_small_fields().values())))
    path = draw.choice(
        (info.path, info.path, "hardware.gpu", mangle.word(draw), f"{info.path}.x", "a..b", ".")
    )
    value = mangle.word(draw)
    if draw.random() < 0.05:
        anchors = "abcdefghijklmnopqrstuv"[: draw.randint(2, 22)]
        width = draw.randint(2, 9)
        value = (
            "[&a [x, x]"
            + "".join(
                f", &{new} [{', '.join([f'*{old}'] * width)}]"
                for old, new in itertools.pairwise(anchors)
            )
            + "]"
        )
    elif info.type in (int, float) and draw.random() < 0.3:
        path, value = info.path, _in_range(draw, info)
    words = ["run", str(folder / "s.yaml"), "--set", f"{path}={value}", "--tokens", "2"]
    if draw.random() < 0.2:
        words += ["--tokens", mangle.word(draw)]
    if draw.random() < 0.05:
        words = [draw.choice(("list", "devices", "dram", "validate")), mangle.word(draw)]
    (folder / "words.json").write_text(json.dumps(words))


def _read_words(folder: Path) -> None:
    words = json.loads((folder / "words.json").read_text())
    if not any("\0" in word for word in words):  # a process cannot be given one
        _command(*words)


def _shipped(draw: random.Random) -> str:
    return draw.choice(_scenario_texts())


TARGETS = {
    "scenario": Target(_file("scenario.yaml", _shipped), _read_scenario, 8),
    "command": Target(_file("scenario.yaml", _shipped), _read_by_command, 3),
    "simulation": Target(_make_run, _read_run, 6),
    "presets": Target(_make_presets, _read_presets, 5),
    "dram table": Target(_make_dram, _read_dram, 1),
    "trace": Target(_make_trace, _read_trace),
    "histogram": Target(_make_histogram, _read_histogram),
    "masks": Target(_make_masks, _read_masks),
    "saved run": Target(_make_saved, _read_saved),
    "sweep": Target(_file("sweep.yaml", lambda draw: draw.choice(_sweep_texts())), _read_sweep, 4),
    "results of sweeps": Target(_make_store, _read_store, 3, ("store.sqlite-*",)),
    "session": Target(_make_view, _read_view, 4, ("s.view.yaml.*bak",)),
    "settings": Target(
        _file("dimmscope.ini", lambda _: _INI), _read_settings, 2, ("dimmscope.ini*",)
    ),
    "unsaved edits": Target(_make_autosave, _read_autosave, 2),
    "solved placement": Target(_make_solved, _read_solved, 2),
    "command line": Target(_make_words, _read_words, 3),
}


def warm_up() -> None:
    """Import and compute what all cases share, so that no case pays for it."""
    _run_entries(), _store_bytes(), _small_fields(), _state()
    for kind in PRESET_KINDS:
        presets(kind)
    dram_presets()
    _read_words_help()


def _read_words_help() -> None:
    from simcore.cli.entry import COMMAND_NAMES, _load

    for name in COMMAND_NAMES:
        _load(name)
