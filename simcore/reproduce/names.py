"""What the papers call models, systems, batches: words of a target turned into ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from simcore.errors import did_you_mean
from simcore.registry import SYSTEMS
from simcore.scenario.presets import presets


class Unresolved(Exception):  # noqa: N818 - an outcome, not a fault
    """A target cannot be simulated; the message is a full sentence that says why."""


MODEL_NAMES: Mapping[str, str] = {
    # Hermes runs ReLUfied checkpoints of LLaMA2 and Falcon, and writes LLaMA for LLaMA2 in places.
    "llama-13b": "relullama2-13b",
    "llama2-13b": "relullama2-13b",
    "llama-70b": "relullama2-70b",
    "llama2-70b": "relullama2-70b",
    "falcon-40b": "relufalcon-40b",
    "gpt-175b": "gpt3-175b",
    "gpt-89b": "gpt3-89b",
    # The generation of 72B models whose heads share keys and values in groups of eight.
    "qwen-72b": "qwen2.5-72b",
}
"""Names in papers, in small letters, to preset ids; other names are preset ids as they are."""

UNNAMED = ("", "not named", "not stated", "any")
_SHORT_VARIANTS: Mapping[str, str] = {
    "full": "hermes",
    "host": "hermes-host",
    "base": "hermes-base",
    "random": "hermes-random",
    "partition": "hermes-partition",
    "adjustment": "hermes-adjustment",
    "trt": "tensorrt-llm",
}
FAMILY_VARIANTS: Mapping[str, Mapping[str, str]] = {
    "h2m2": {
        "oracle": "h2m2-oracle",
        "naive granularity": "h2m2-naive",
        "head-aware, exhaustive": "h2m2-oracle",
        "q-major": "h2m2-q-major",
        "f-major": "h2m2-f-major",
        "a-major": "h2m2-a-major",
        "flexgen": "h2m2-flexgen",
        "8hbm": "8-hbm",
    },
    "hybridserve": {
        "hybrid": "hybridserve",
        "hybrid-cache": "hybridserve",
        "act": "hybridserve-act-only",
        "act-cache": "hybridserve-act-only",
        "kv": "hybridserve-kv-only",
        "kv-cache": "hybridserve-kv-only",
        "recompute": "hybridserve-recompute",
        "flexgen": "hybridserve-flexgen",
        "deepspeed": "deepspeed-inference",
        "vllm": "vllm-swap",
    },
}
"""What the papers of a family call a system or variant, in small letters, to registry ids."""
_WITH_DIMMS = re.compile(r"(?P<system>\S+) with (?P<dimms>\d+) DIMMs?", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
MAX_BATCHES = 64


def is_unnamed(value: Any) -> bool:
    """Whether a value of a config names nothing."""
    return value is None or (isinstance(value, str) and value.strip().lower() in UNNAMED)


def model_preset(name: str) -> str:
    """The preset of a model.

    Raises:
        Unresolved: if there is none.
    """
    id = MODEL_NAMES.get(name.strip().lower(), name.strip().lower())
    known = presets("model")
    if id not in known:
        raise Unresolved(f"There is no model {name!r}. {did_you_mean(id, known).capitalize()}")
    return id


def system_id(name: str, family: str = "") -> str:
    """The registry id of a system or variant.

    Args:
        name: as a target has it.
        family: family of the target, whose paper may use a word that others use differently.

    Raises:
        Unresolved: if it is not registered.
    """
    id = name.strip().lower()
    id = FAMILY_VARIANTS.get(family, {}).get(id, id)
    if id not in SYSTEMS:
        id = _SHORT_VARIANTS.get(id, id)
    if id not in SYSTEMS:
        raise Unresolved(f"The system {id!r} is not part of this version.")
    return id


def system_and_dimms(text: str) -> tuple[str, int | None]:
    """``hermes`` or ``hermes with 8 DIMMs`` as registry id and number of DIMMs."""
    found = _WITH_DIMMS.fullmatch(text.strip())
    if found:
        return system_id(found["system"]), int(found["dimms"])
    return system_id(text), None


def versus(parts: Iterable[str]) -> tuple[str, str] | None:
    """The two names of a part such as ``partition-vs-random``; None if there is none."""
    for part in parts:
        left, found, right = part.partition("-vs-")
        if found and left and right:
            return left, right
    return None


def batches(value: Any) -> tuple[int, ...]:
    """``4``, ``1, 4, 16`` or ``1-16`` (powers of two from 1 to 16) as batches; () if not given.

    Raises:
        Unresolved: if it is none of these.
    """
    if is_unnamed(value):
        return ()
    wrong = Unresolved(f"The batch {value!r} is not a number, a list or a range of numbers.")
    found: list[int] = []
    for word in str(value).split(","):
        span = _RANGE.fullmatch(word.strip())
        if span:
            low, high = int(span[1]), int(span[2])
            if low < 1 or high < low or high > 1 << 20:
                raise wrong
            found += [b for b in (1 << k for k in range(21)) if low <= b <= high]
        elif word.strip().isdecimal() and len(word.strip()) < 8 and int(word) > 0:
            found.append(int(word))
        else:
            raise wrong
    if not found or len(found) > MAX_BATCHES:
        raise wrong
    return tuple(dict.fromkeys(found))


def whole(value: Any, what: str) -> int:
    """A whole number above zero.

    Raises:
        Unresolved: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise Unresolved(f"The {what} {value!r} is not a whole number.")
    if value < 1:
        raise Unresolved(f"The {what} {value!r} is not above zero.")
    return int(value)
