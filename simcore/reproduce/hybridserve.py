"""How the published numbers of HybridServe are computed: means over models and prompt lengths.

The paper gives overall averages; its prompt lengths are known only to end where OPT's positions do.
Speedups are quotients of end-to-end throughput, prefill included, over `MODELS` and `PROMPTS`. A
config can name others (``models``, ``prompts``), one (``model``, ``input_len``), and the kind of
mean (``mean: geometric | arithmetic | harmonic``); geometric is what the final version is reported
to use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from simcore.reproduce.ask import Answer, Ask
from simcore.reproduce.cases import RunCase
from simcore.reproduce.names import Unresolved, batches, model_preset, system_id, versus, whole
from simcore.reproduce.rules import divide, rule

FAMILY = "hybridserve"
MODELS = ("opt-6.7b", "opt-13b", "opt-30b", "opt-66b")
PROMPTS = (128, 256, 512, 1024, 1920)
BATCH, OUTPUT = 128, 128
SPEED = "tokens_per_s"
MEANS = ("geometric", "arithmetic", "harmonic")
_GPUS = {"rtx 4090": "rtx-4090"}


def models(ask: Ask) -> tuple[str, ...]:
    """Presets of the models a target covers; ``OPT-6.7B, 13B`` names two of one family."""
    one = ask.text("model")
    if one:
        return (model_preset(one),)
    words = [word.strip() for word in ask.text("models").split(",") if word.strip()]
    if not words:
        return MODELS
    family, found = "", []
    for word in words:
        if re.fullmatch(r"[\d.]+[bB]", word) and family:
            word = f"{family}-{word}"
        elif "-" in word:
            family = word.rpartition("-")[0]
        found.append(model_preset(word))
    return tuple(found)


def prompts(ask: Ask) -> tuple[int, ...]:
    """Prompt lengths a target covers."""
    if ask.get("input_len") is not None:
        return (whole(ask.get("input_len"), "input length"),)
    given = ask.text("prompts")
    if not given:
        return PROMPTS
    words = [word.strip() for word in given.split(",")]
    if not all(word.isdecimal() and 0 < len(word) < 8 and int(word) > 0 for word in words):
        raise Unresolved(f"The prompt lengths {given!r} are not a list of whole numbers.")
    return tuple(dict.fromkeys(int(word) for word in words))


def _case(ask: Ask, system: str, model: str, prompt: int) -> RunCase:
    found = batches(ask.get("batch")) or (BATCH,)
    if len(found) != 1:
        raise Unresolved("The target names several batches.")
    output = ask.get("output_len")
    settings: list[tuple[str, Any]] = []
    gpu = ask.text("gpu")
    if gpu:
        settings.append(("hardware.gpu", _GPUS.get(gpu.lower(), gpu)))
    if ask.get("seed") is not None:
        settings.append(("seed", ask.get("seed")))
    length = OUTPUT if output is None else whole(output, "output length")
    return RunCase(system, model, found[0], prompt, length, tuple(settings))


def mean(kind: str, values: Sequence[float]) -> float:
    """A mean of positive values.

    Raises:
        Unresolved: if the kind is not one of MEANS.
    """
    if kind == "arithmetic":
        return math.fsum(values) / len(values)
    if kind == "geometric":
        return math.exp(math.fsum(math.log(value) for value in values) / len(values))
    if kind == "harmonic":
        return len(values) / math.fsum(1 / value for value in values)
    raise Unresolved(f"The mean {kind!r} is not one of {', '.join(MEANS)}.")


@rule("hybridserve:speedup", "hybridserve:ratio")
def speedup(ask: Ask) -> Answer:
    """Throughput of a system over that of another, over models and prompt lengths."""
    pair = versus(ask.target.parts)
    variant = ask.text("variant") or (pair[0] if pair else ask.main)
    baseline = ask.text("baseline") or (pair[1] if pair else "")
    if not baseline:
        raise Unresolved("The target names no baseline to divide by.")
    top, bottom = system_id(variant, FAMILY), system_id(baseline, FAMILY)
    values: list[float] = []
    shown: list[str] = []
    lengths = prompts(ask)
    for model in models(ask):
        mine = []
        for prompt in lengths:
            speed = ask.figure(_case(ask, top, model, prompt), SPEED)
            mine.append(divide(speed, ask.figure(_case(ask, bottom, model, prompt), SPEED)))
        values += mine
        shown.append(f"{model} {', '.join(f'{value:.3g}' for value in mine)}")
    about = (
        f"{top} over {bottom}, prompts of {', '.join(str(n) for n in lengths)} tokens: "
        f"{'; '.join(shown)}"
    )
    if '"up to"' in ask.target.quantity or ask.text("aggregate") == "max":
        return Answer(max(values), f"{about}; the largest.")
    if len(values) == 1:
        return Answer(values[0], f"{about}.")
    kind = ask.text("mean") or "geometric"
    value = mean(kind, values)
    others = ", ".join(f"{name} {mean(name, values):.4g}" for name in MEANS if name != kind)
    return Answer(value, f"{about}; the {kind} mean ({others}).")


@rule("hybridserve:bytes.ratio")
def cache_bytes(ask: Ask) -> Answer:
    """Bytes of a token's activation over those of its keys and values."""
    name = ask.text("model")
    preset = model_preset(name) if name else MODELS[0]
    case = RunCase("hybridserve", preset, 1, 1, 1)
    model = case.scenario().model
    if ask.text("attention").upper() == "MHA" and model.heads != model.kv_heads:
        raise Unresolved(f"{preset} has fewer heads of keys and values than of queries.")
    value = ask.figure(case, "summary.act_bytes_over_kv_bytes")
    return Answer(value, f"By construction: one vector of the hidden size over two, {preset}.")
