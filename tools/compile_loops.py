"""Compile the inner loops ahead of the first run, which would wait for them."""

from __future__ import annotations

import simcore
from simcore.engine.simulator import simulate

SMALL = "hermes-llama2-70b"
WINDOW_TOKENS = 5


def main() -> None:
    """Simulate one window of tokens of a system whose steps go down to single neurons."""
    document = simcore.open_document(SMALL).with_value("model", "opt-13b")
    simulate(document.with_value("workload.output_tokens", WINDOW_TOKENS + 2).resolve())


if __name__ == "__main__":
    main()
