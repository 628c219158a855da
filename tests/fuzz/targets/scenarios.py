"""Scenarios, as the window, the command line and the simulator take them."""

import contextlib
import io
import itertools
import json
import random
from functools import cache
from pathlib import Path

from simcore.cli.entry import COMMAND_NAMES, _load, main
from simcore.data import list_scenarios
from simcore.engine.simulator import Simulator
from simcore.errors import UserError
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.scenario.fields import Knob
from simcore.scenario.listing import scenario_fields
from tests.fuzz import mangle
from tests.fuzz.targets.common import SMALL, Target, text_file


@cache
def _scenario_texts() -> tuple[str, ...]:
    return (SMALL, *(path.read_text(encoding="utf-8") for path in list_scenarios()))


def _read_scenario(folder: Path) -> None:
    document = Document.from_file(folder / "scenario.yaml")
    document.problems()
    document.resolve()


def _read_by_command(folder: Path) -> None:
    _command("validate", str(folder / "scenario.yaml"))


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
    "scenario": Target(text_file("scenario.yaml", _shipped), _read_scenario, 8),
    "command": Target(text_file("scenario.yaml", _shipped), _read_by_command, 3),
    "simulation": Target(_make_run, _read_run, 6),
    "command line": Target(_make_words, _read_words, 3),
}


def warm_up() -> None:
    """What all cases share."""
    _small_fields()
    for name in COMMAND_NAMES:
        _load(name)
