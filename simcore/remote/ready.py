"""Everything a simulation loads, loaded ahead: for a process that waits for its first task."""

from __future__ import annotations


def get_ready() -> None:
    """Import every system and simulate a few tokens of a small model."""
    import simcore.sweep.sensitivity
    import simcore.systems  # noqa: F401
    from simcore.registry import SYSTEMS

    list(SYSTEMS.items())
    get_loops_ready()


def get_loops_ready() -> None:
    """Simulate a few tokens of a small model.

    The first call of a compiled loop fetches its code from the disk, or has it compiled.
    """
    import simcore.remote.compare
    import simcore.systems  # noqa: F401
    from simcore.engine.simulator import simulate
    from simcore.scenario.document import Document

    simulate(Document.from_text(_SMALL).resolve())


_SMALL = """\
version: 1
name: a few tokens through all loops
system: hermes
hardware: {gpu: rtx-4090, ndp_dimms: {preset: hermes-ddr4-3200, count: 2}}
model: {preset: opt-13b, layers: 2}
workload: {kind: fixed, batch: 1, prompt_tokens: 8, output_tokens: 8}
policy: {window_tokens: 2}
"""
