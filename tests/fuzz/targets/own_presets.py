"""The folder of the user's own presets: damaged files, strangers, things that are no files."""

import contextlib
import os
import random
from pathlib import Path

from simcore.data import asset
from simcore.errors import UserError
from simcore.scenario.document import Document
from simcore.scenario.presets import PRESET_KINDS, own_problems, presets
from tests.fuzz import mangle
from tests.fuzz.targets.common import HUGE, SMALL, Target

_KINDS = sorted(set(PRESET_KINDS.values()))
_STRANGERS = ("gpu.yaml", "GPUS.yaml", "gpus.yml", "x.yaml", ".yaml", "gpus.yaml~", "é\u202e.yaml")
_CARD = """\
my-card:
  title: A card of my own
  values: {memory_GiB: 48, bandwidth_GBps: 1234, fp16_TFLOPS: 200}
  class: public
  source: data sheet, page 3
"""


def _make(draw: random.Random, folder: Path) -> None:
    own = folder / "config" / "presets"
    own.mkdir(parents=True)
    for _ in range(draw.choice((1, 1, 2, 4))):
        kind = draw.choice([*_KINDS, "gpus", "gpus", "gpus"])
        path = own / f"{kind}.yaml"
        if path.exists() or path.is_symlink():
            continue
        what = draw.random()
        if what < 0.03:
            path.mkdir()
        elif what < 0.06:
            path.symlink_to(draw.choice((path.name, "nowhere", "/dev/zero", "/", "..")))
        elif what < 0.09:
            os.mkfifo(path)
        elif what < 0.095:
            path.touch()
            os.truncate(path, HUGE)
        elif kind == "gpus" and what < 0.6:
            path.write_bytes(mangle.file_bytes(draw, _CARD))
        else:
            text = asset(f"presets/{kind}.yaml").read_text(encoding="utf-8")
            # Most entries under names of their own, as a user's copy would have them.
            lines = [
                f"own-{line}" if line[:1].isalnum() and draw.random() < 0.9 else line
                for line in text.split("\n")
            ]
            path.write_bytes(mangle.file_bytes(draw, "\n".join(lines)))
    if draw.random() < 0.15:
        with contextlib.suppress(OSError):
            (own / draw.choice(_STRANGERS)).write_bytes(draw.randbytes(20))


def _read(folder: Path) -> None:
    before = os.environ["DIMMSCOPE_CONFIG"]
    os.environ["DIMMSCOPE_CONFIG"] = str(folder / "config")
    try:
        problems = own_problems()
        for component in PRESET_KINDS:
            found = presets(component)
            for preset in found.values():
                if not preset.title or not preset.values:
                    raise AssertionError(f"{component} {preset.id!r} is empty")
        if "rtx-4090" not in presets("gpu"):
            raise AssertionError("shipped presets are gone")
        Document.from_text(SMALL).resolve()
        for id in ("my-card", *(name for name in presets("gpu") if name.startswith("own-")))[:4]:
            with contextlib.suppress(UserError):
                Document.from_text(SMALL).with_value("hardware.gpu", id).resolve()
        if problems:
            raise UserError("\n".join(problems))
    finally:
        os.environ["DIMMSCOPE_CONFIG"] = before


TARGETS = {"own presets": Target(_make, _read, 4)}


def warm_up() -> None:
    """What all cases share."""
    for component in PRESET_KINDS:
        presets(component)
