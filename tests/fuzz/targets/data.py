"""Data of the program, which DIMMSCOPE_DATA can replace: presets, DRAM table."""

import contextlib
import os
import random
import shutil
from pathlib import Path

from simcore.data import asset, data_root
from simcore.hardware.dram.presets import dram_presets
from simcore.hardware.dram.reference import compared, reference_rows
from simcore.scenario.presets import PRESET_KINDS, presets
from tests.fuzz import mangle
from tests.fuzz.targets.common import Target
from tests.fuzz.targets.tables import table

_KINDS = sorted(set(PRESET_KINDS.values()))


def _make_presets(draw: random.Random, folder: Path) -> None:
    kind = draw.choice([*_KINDS, "dram"])
    name = f"presets/{kind}.yaml"
    data = mangle.file_bytes(draw, asset(name).read_text(encoding="utf-8"))
    _data_folder(folder, name, data)
    (folder / "kind").write_text(kind)


def _read_presets(folder: Path) -> None:
    kind = (folder / "kind").read_text()
    with _data_in(folder):
        if kind == "dram":
            for preset in dram_presets().values():
                preset.timing.with_values({})
        else:
            for component in [c for c, file in PRESET_KINDS.items() if file == kind]:
                presets(component)


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


def _make_dram(draw: random.Random, folder: Path) -> None:
    source = asset("dram/reference.csv").read_text(encoding="utf-8").split("\n")
    _data_folder(folder, "dram/reference.csv", table(draw, "\n".join(source[:12])))


def _read_dram(folder: Path) -> None:
    with _data_in(folder):
        compared(reference_rows())


TARGETS = {
    "presets": Target(_make_presets, _read_presets, 5),
    "dram table": Target(_make_dram, _read_dram, 1),
}


def warm_up() -> None:
    """What all cases share."""
    for kind in PRESET_KINDS:
        presets(kind)
    dram_presets()
