"""Sweeps and their stored results."""

import os
import random
import sqlite3
from functools import cache
from pathlib import Path

from simcore.data import data_root
from simcore.sweep.evaluate import Outcome
from simcore.sweep.files import load_spec
from simcore.sweep.store import Store
from tests.fuzz import mangle
from tests.fuzz.targets.common import Target, text_file


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


TARGETS = {
    "sweep": Target(
        text_file("sweep.yaml", lambda draw: draw.choice(_sweep_texts())), _read_sweep, 4
    ),
    "results of sweeps": Target(_make_store, _read_store, 3, ("store.sqlite-*",)),
}


def warm_up() -> None:
    """What all cases share."""
    _store_bytes()
