"""What a target is, and what several of them write."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
HUGE = 100 << 20


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


def text_file(name: str, source: Callable[[random.Random], str]):
    """Writes one spoilt text file; one in 400 is of 100 MB."""

    def make(draw: random.Random, folder: Path) -> None:
        path = folder / name
        data = mangle.file_bytes(draw, source(draw))
        path.write_bytes(data)
        if draw.random() < 0.0025:
            with path.open("ab") as file:
                file.truncate(HUGE)

    return make


def spoilt_json(draw: random.Random, value: object, depth: int = 0) -> object:
    """Plain data with one place in it replaced."""
    if depth < 6 and isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(list(value))
        if draw.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: spoilt_json(draw, value[key], depth + 1)}
    if depth < 6 and isinstance(value, list) and value and draw.random() < 0.6:
        at = draw.randrange(len(value))
        return [*value[:at], spoilt_json(draw, value[at], depth + 1), *value[at + 1 :]]
    return draw.choice(PLAIN)


PLAIN = (
    *(None, True, -1, 0, 1, 7, 2**53, 2**70, 10**30, 1e308, 0.5, -5.5, float("nan"), float("-inf")),
    *("", "x", "é" * 50, "hermes", [], {}, [1, 2], {"a": 1}, [[[[]]]], [None, None]),
)
