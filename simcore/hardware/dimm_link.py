"""Links between DIMMs: which way data go, how many hops, and where they meet.

Hermes (arXiv 2502.16963, section IV) has bidirectional point-to-point links and a bridge, and moves
neurons between pairs of DIMMs: every pair has a link of its own then (`Topology.PAIRS`), which is
what the simulated systems use. `CHAIN` and `RING` link neighbours only, so that data pass DIMMs on
their way and share links with others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.errors import Problem, ScenarioErrors
from simcore.hardware.derivation import Derivation
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import DimmLink
from simcore.units import PS_PER_US, Int64Array, transfer_ps, us_to_ps

Int = NDArray[np.int64]


class Topology(StrEnum):
    """How DIMMs are linked."""

    PAIRS = "pairs"
    CHAIN = "chain"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a set of transfers that start together costs.

    Attributes:
        load_bytes: (count, count) bytes over the link from row to column, those passing included.
        hops: (count, count) links between two DIMMs.
        time_ps: until the last has arrived: the busiest link, then the hops of the longest way.
        busiest: (from, to) of the link with most bytes; (-1, -1) if nothing moves.
    """

    load_bytes: Int
    hops: Int
    time_ps: int
    busiest: tuple[int, int]


def route(topology: Topology, count: int, start: int, end: int) -> tuple[int, ...]:
    """DIMMs on the way from `start` to `end`, both included; a ring takes the shorter side."""
    if start == end:
        return (start,)
    if topology == Topology.PAIRS:
        return (start, end)
    forward = (end - start) % count
    step = 1 if end > start else -1
    steps = abs(end - start)
    if topology == Topology.RING:
        step, steps = (1, forward) if 2 * forward <= count else (-1, count - forward)
    return tuple((start + step * k) % count for k in range(steps + 1))


def hops(topology: Topology, count: int) -> Int:
    """Links between any two DIMMs, (count, count)."""
    return np.array(
        [[len(route(topology, count, a, b)) - 1 for b in range(count)] for a in range(count)],
        dtype=np.int64,
    )


def move(link: DimmLink, topology: Topology, traffic_bytes: ArrayLike) -> Moved:
    """Transfers between DIMMs that start together.

    Args:
        link: the links; each direction has the whole bandwidth.
        topology: how the DIMMs are linked.
        traffic_bytes: (count, count) bytes from row to column; the diagonal moves nothing.

    Raises:
        ScenarioErrors: if the traffic is not square or negative.
    """
    traffic = np.asarray(traffic_bytes, dtype=np.int64)
    if traffic.ndim != 2 or traffic.shape[0] != traffic.shape[1] or (traffic < 0).any():
        message = "not a square of sizes"
        raise ScenarioErrors([Problem("traffic", message, value=str(traffic.shape))], "DIMM-link")
    count = len(traffic)
    far, load = hops(topology, count), np.zeros_like(traffic)
    longest = 0
    for a, b in zip(*np.nonzero(traffic * (1 - np.eye(count, dtype=np.int64)))):
        way = route(topology, count, int(a), int(b))
        load[list(way[:-1]), list(way[1:])] += traffic[a, b]
        longest = max(longest, len(way) - 1)
    if not longest:
        return Moved(load, far, 0, (-1, -1))
    at = np.unravel_index(int(load.argmax()), load.shape)
    busy: Int64Array = transfer_ps(load.max(), link.bandwidth_GBps)
    time = int(busy) + longest * int(us_to_ps(link.latency_us))
    return Moved(load, far, time, (int(at[0]), int(at[1])))


def derivations(link: DimmLink, count: int) -> tuple[Derivation, ...]:
    """What one transfer and an exchange between all DIMMs cost, by the way they are linked.

    Args:
        link: the links.
        count: DIMMs.
    """
    each = 64 * 1024
    found = [
        Derivation(
            "transfer that reaches half of it",
            f"{link.bandwidth_GBps:g} GB/s x {link.latency_us:g} us",
            link.bandwidth_GBps * link.latency_us,
            "kB",
            SourceClass.DERIVED,
            "time = latency + bytes / bandwidth",
        )
    ]
    words = {
        Topology.PAIRS: "a link for every pair, as simulated",
        Topology.RING: "a ring",
        Topology.CHAIN: "a chain",
    }
    for topology in Topology:
        moved = move(link, topology, np.full((count, count), each))
        busiest = int(moved.load_bytes.max()) // each
        far = int(moved.hops.max())
        found.append(
            Derivation(
                f"64 KiB from each of {count} DIMMs to each other, {words[topology]}",
                f"{busiest} x 65.5 kB / {link.bandwidth_GBps:g} GB/s + {far} x "
                f"{link.latency_us:g} us",
                moved.time_ps / PS_PER_US,
                "us",
                SourceClass.DERIVED,
                "busiest link, and the hops of the longest way",
            )
        )
    return tuple(found)
