"""What a working process does before anybody wants anything: a run nobody sees.

Compiled loops are loaded when they are first called, which takes as long as a hundred steps. A
short run of a small model calls them all, so that the first run on screen need not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable

from simcore.engine.pauses import at_pauses
from simcore.engine.simulator import Simulator
from simcore.errors import Cancelled
from simcore.scenario.document import open_document

_SCENARIO = "hermes-llama2-70b"
_CHANGES = {"model": "tiny-relu-lm", "workload.prompt_tokens": 8, "workload.output_tokens": 6}


def rehearse(wanted: Callable[[], bool]) -> None:
    """Simulate it, or leave off where `wanted` says that there is real work."""

    def check() -> None:
        if wanted():
            raise Cancelled

    try:
        check()
        document = open_document(_SCENARIO)
        for path, value in _CHANGES.items():
            document = document.with_value(path, value)
        with at_pauses(check):
            simulator = Simulator(document.resolve(), items=True)
            while simulator.advance(1):
                check()
    except Exception:  # real work, or nobody is told: who asks for a run is, of what is wrong
        return
