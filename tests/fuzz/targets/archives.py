"""Archives of arrays: masks, saved runs, solved placements."""

import contextlib
import io
import json
import os
import random
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from simcore.activations.recorded import RecordedSource, load_recording
from simcore.engine.simulator import simulate
from simcore.errors import UserError
from simcore.placement import program
from simcore.results.io import load_run, save_run
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.scenario.schema import Model, RecordedActivations
from tests.fuzz import mangle
from tests.fuzz.targets.common import SMALL, Target, spoilt_json


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
        source.parents(plane, plane[-1])


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


def _make_saved(draw: random.Random, folder: Path) -> None:
    entries = dict(_run_entries())
    if draw.random() < 0.4:
        header = json.loads(entries["header.json"])
        entries["header.json"] = json.dumps(spoilt_json(draw, header)).encode()
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


TARGETS = {
    "masks": Target(_make_masks, _read_masks),
    "saved run": Target(_make_saved, _read_saved),
    "solved placement": Target(_make_solved, _read_solved, 2),
}


def warm_up() -> None:
    """What all cases share."""
    _run_entries()
