"""Random but consistent timing sets, and the two models on one access."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator

import numpy as np
from hypothesis import strategies as st

from simcore.hardware.dram.analytic import Access, Pattern
from simcore.hardware.dram.command import Served, serve
from simcore.hardware.dram.layout import gather, stream
from simcore.hardware.dram.presets import dram_preset, dram_presets
from simcore.hardware.dram.timing import DramTiming

BASES = tuple(dram_presets())


def scaled_timing(base: DramTiming, factor: Callable[[], float]) -> DramTiming:
    """A channel with each of its times longer or shorter, and still consistent."""

    def scaled(name: str) -> int:
        return max(1, round(getattr(base, name) * factor()))

    changes = {name: scaled(name) for name in ("nRP", "nRCD", "nRTP", "nRFC", "nWR")}
    changes["nRAS"] = max(changes["nRCD"], scaled("nRAS"))
    changes["nRC"] = changes["nRAS"] + changes["nRP"]
    changes["nRRD_S"] = scaled("nRRD_S")
    changes["nRRD_L"] = max(changes["nRRD_S"], scaled("nRRD_L"))
    changes["nFAW"] = max(changes["nRRD_S"], scaled("nFAW"))
    changes["nCCD_L"] = max(base.nCCD_S, scaled("nCCD_L"))
    changes["nWTR_S"] = scaled("nWTR_S")
    changes["nWTR_L"] = max(changes["nWTR_S"], scaled("nWTR_L"))
    return dataclasses.replace(base, **changes)


@st.composite
def timings(draw) -> DramTiming:
    """A preset with each of its times between half and twice as long."""
    base = dram_preset(draw(st.sampled_from(BASES))).timing
    return scaled_timing(base, lambda: draw(st.floats(0.5, 2.0)))


def random_timings(count: int, seed: int) -> Iterator[tuple[DramTiming, random.Random]]:
    """The same for statistics: equal seeds give equal sets, whatever else is imported."""
    rng = random.Random(seed)
    for _ in range(count):
        base = dram_preset(rng.choice(BASES)).timing
        yield scaled_timing(base, lambda: rng.uniform(0.5, 2.0)), rng


def by_commands(
    timing: DramTiming, access: Access, bursts: int, seed: int = 1, keep_trace: bool = False
) -> Served:
    """The command-level model on an access."""
    if access.pattern is Pattern.STREAM:
        asked = stream(timing, access.layout, access.ranks, bursts, access.streams, seed)
    else:
        asked = gather(
            *(timing, access.layout, access.ranks, bursts),
            *(access.granule_bytes, access.streams, seed),
        )
    if access.write_share:
        draws = np.random.default_rng([seed, 1]).random(bursts) < access.write_share
        asked = dataclasses.replace(asked, write=draws)
    return serve(
        timing,
        asked,
        ranks=access.ranks,
        queue=access.queue,
        refresh=access.refresh,
        keep_trace=keep_trace,
    )
