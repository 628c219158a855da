"""What can be given to the program, spoilt, and the reader each is given to.

Each room knows one kind of thing. A target has `make(draw, folder)`, which writes its files, and
`read(folder)`, which does with them what the program does.
"""

import simcore.systems  # noqa: F401 - fills the registry
from tests.fuzz.targets import archives, data, live, own_presets, scenarios, sweeps, tables, window
from tests.fuzz.targets.common import SMALL, Target

__all__ = ["SMALL", "TARGETS", "Target", "warm_up"]

_ROOMS = (scenarios, data, own_presets, tables, archives, live, sweeps, window)
TARGETS = {name: target for room in _ROOMS for name, target in room.TARGETS.items()}


def warm_up() -> None:
    """Import and compute what all cases share, so that no case pays for it."""
    for room in (archives, sweeps, scenarios, window, data, own_presets, live):
        room.warm_up()
