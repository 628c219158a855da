"""What the window keeps beside scenarios, and its settings."""

import json
import os
import random
from functools import cache
from pathlib import Path

from simcore.engine.simulator import simulate
from simcore.errors import UserError
from simcore.scenario.document import Document
from tests.fuzz import mangle
from tests.fuzz.targets.common import SMALL, Target, spoilt_json, text_file

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
    text_file("s.view.yaml", lambda _: _VIEW)(draw, folder)


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
    about = json.dumps(spoilt_json(draw, {"path": "/nowhere/a.yaml", "time": 1.5})).encode()
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


TARGETS = {
    "session": Target(_make_view, _read_view, 4, ("s.view.yaml.*bak",)),
    "settings": Target(
        text_file("dimmscope.ini", lambda _: _INI), _read_settings, 2, ("dimmscope.ini*",)
    ),
    "unsaved edits": Target(_make_autosave, _read_autosave, 2),
}


def warm_up() -> None:
    """What all cases share."""
    _state()
