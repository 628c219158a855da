"""Random but consistent timing sets, and the two models on one access."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from simcore.hardware.dram.analytic import Access, Pattern
from simcore.hardware.dram.command import Served, serve
from simcore.hardware.dram.layout import gather, stream
from simcore.hardware.dram.presets import dram_preset, dram_presets
from simcore.hardware.dram.timing import DramTiming

BASES = tuple(dram_presets())


@st.composite
def timings(draw) -> DramTiming:
    """A preset with each of its times between half and twice as long."""
    base = dram_preset(draw(st.sampled_from(BASES))).timing

    def scaled(name: str, low: int = 1) -> int:
        return max(low, round(getattr(base, name) * draw(st.floats(0.5, 2.0))))

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
