"""Prompts and texts for the model that writes during a run, from the form and from a file."""

import json
import random
from pathlib import Path

from simcore.data import scenario_file
from simcore.engine.simulator import Simulator
from simcore.errors import UserError
from simcore.results.text import printable, step_token, texts, visible
from simcore.scenario.document import Document
from simcore.tokenizer import shipped_tokenizer
from tests.fuzz import mangle
from tests.fuzz.targets.common import Target

_PIECES = (
    *("the ", "Whale", " sea", "\n", "\r\n", "\t", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85"),
    *(
        "é",
        "é",
        "中文",
        "مرحبا",
        "\u202e",
        "\u200d",
        "👩‍👩‍👧",
        "\ufeff",
        "\U0010ffff",
        "\ud800",
        "\udfff",
    ),
    *(" " * 40, "a" * 300, "0" * 99, "'", '"', "\\", "#", ": ", "- ", "{", "}", "&a", "*a", "!!x"),
    *("<b>", "&amp;", "%s", "{0}", "<|endoftext|>", "…", "\u2028", "\u00ad", "\u0301" * 50),
)
_STEPS = 3


def _text(draw: random.Random) -> str:
    """A prompt of any length up to a little too long."""
    count = draw.choice((0, 1, 1, 3, 10, 60))
    text = "".join(draw.choice(_PIECES) for _ in range(count))
    kind = draw.random()
    if kind < 0.1:
        return (text or "x") * draw.choice((2, 200))
    if kind < 0.3:
        return "".join(chr(draw.randrange(0x110000)) for _ in range(draw.choice((1, 20, 1000))))
    return text


def _make(draw: random.Random, folder: Path) -> None:
    settings = {
        "prompt": _text(draw),
        "temperature": draw.choice((0, 0.8, 0.8, 0.8, 5, 1e-300, 5.0001, -0.0, "x")),
        "batch": draw.choice((1, 1, 2)),
        "prompt_tokens": draw.choice((1, 4, 300)),
    }
    if draw.random() < 0.4:
        settings["text_file"] = draw.choice((*["text"] * 6, "missing", ".", "", "t\0"))
        source = _text(draw).encode("utf-8", "surrogatepass")
        (folder / "text").write_bytes(mangle.raw(draw, source) if draw.random() < 0.5 else source)
    (folder / "live.json").write_text(json.dumps(settings))


def _read(folder: Path) -> None:
    settings = json.loads((folder / "live.json").read_text())
    document = Document.from_file(scenario_file("hermes-live"))
    document = document.with_value("workload.output_tokens", _STEPS)
    for name in ("batch", "prompt_tokens"):
        document = document.with_value(f"workload.{name}", settings[name])
    for name in ("prompt", "temperature", "text_file"):
        if name in settings:
            document = document.with_value(f"activations.{name}", settings[name])
    again = Document.from_text(document.text())  # what would be saved is read back as it was
    if again.get("activations.prompt") != document.get("activations.prompt"):
        raise AssertionError(f"prompt {document.get('activations.prompt')!r} is not kept")
    simulator = Simulator(again.resolve(), items=False)
    while simulator.step():
        pass
    run = simulator.run
    if len(run) != 1 + _STEPS:
        raise AssertionError(f"{len(run)} steps")
    for text in texts(run):
        printable(text).encode("utf-8")
    for step in range(len(run)):
        token = step_token(run, step)
        if token is not None and not isinstance(visible(token), str):
            raise AssertionError(f"token {token!r}")


TARGETS = {"live prompt": Target(_make, _read, 4)}


def warm_up() -> None:
    """What all cases share."""
    shipped_tokenizer().encode("once")
    document = Document.from_file(scenario_file("hermes-live"))
    try:
        Simulator(document.with_value("workload.output_tokens", 1).resolve(), items=False).step()
    except UserError as error:  # the shipped scenario runs
        raise AssertionError(str(error)) from error
