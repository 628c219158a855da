"""Plans and problems for the tests of H2M2."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import simcore.systems  # noqa: F401 - fills the registry
from simcore.registry import SYSTEMS
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario
from simcore.systems.h2m2.causes import problem_of
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import H2M2Plan
from simcore.systems.h2m2.mapping import Problem
from simcore.systems.h2m2.memory import Footprints

CELLS = {"gpt3-175b": (32, 256), "chinchilla-70b": (64, 512), "llama2-70b": (128, 1024)}
"""Model to batch and shortest length of the paper."""


def scenario(
    system: str = "h2m2",
    model: str = "gpt3-175b",
    length: int | None = None,
    steps: int = 1,
    hardware: dict[str, Any] | None = None,
    **policy: Any,
) -> Scenario:
    batch, shortest = CELLS[model]
    document = {
        "system": system,
        "hardware": hardware or {},
        "model": {"preset": model, "bytes_per_weight": 1, "bytes_per_kv": 1},
        "workload": {
            "batch": batch,
            "prompt_tokens": shortest if length is None else length,
            "output_tokens": steps,
        },
        "policy": policy,
    }
    return Document.from_text(json.dumps(document)).resolve()


def plan(*args: Any, **changes: Any) -> H2M2Plan:
    resolved = scenario(*args, **changes)
    return SYSTEMS.get(resolved.system).prepare(resolved)


def problem(made: H2M2Plan) -> Problem:
    return problem_of(Kernels(made), made.lengths.tokens, made.lengths.padded)


def random_problem(rng: np.random.Generator, units: int, rows: int) -> Problem:
    """Times that rise on one side and fall on the other, footprints alike, little room."""

    def rising(shape: tuple[int, ...]) -> np.ndarray:
        steps = rng.integers(0, 20, (*shape, units))
        zero = np.zeros((*shape, 1), np.int64)
        return np.concatenate([zero, np.cumsum(steps, axis=-1)], axis=-1)

    shapes: list[tuple[int, ...]] = [(), (rows,), ()]
    hbm, lpddr, size = ([rising(s) for s in shapes] for _ in range(3))
    whole = sum(int(s[..., -1].max()) for s in size)
    feet = Footprints(
        tuple(size),
        tuple(s[..., -1:] - s for s in size),
        int(rng.integers(0, whole + 1)),
        int(rng.integers(whole // 2, 2 * whole + 1)),
    )
    return Problem(tuple(hbm), tuple(s[..., ::-1].copy() for s in lpddr), feet)
