"""How many bytes a Hermes step cannot but move, counted from the arrays of a live simulation.

An array counts once where a step reads it and once where it writes it, however often it does: a
layer may stay in the cache meanwhile. Of arrays that are written here and there, only what changes
counts. What is made and used up within a step (`Touched.lasting` is false) is listed, but is no
part of the limit: it need never leave the cache.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations.space import NeuronSpace
from simcore.activations.statistical import StatisticalSource
from simcore.engine.simulator import Simulator
from simcore.systems.hermes.state import HermesState
from simcore.systems.hermes.work import segments

WINDOWS = 4
"""Windows over which changes are counted, of what is written here and there."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Touched:
    """What a step moves of some arrays, in bytes, on average over a window.

    Attributes:
        what: what they hold.
        arrays: their names, as `held` has them.
        read, written: as they are stored.
        plain_read, plain_written: if every number had a byte of its own, one for a neuron, instead
            of a plane for each of its bits or values.
        lasting: whether what is in them is of use after the step.
    """

    what: str
    arrays: tuple[str, ...]
    read: float
    written: float
    plain_read: float
    plain_written: float
    lasting: bool = True

    @property
    def moved(self) -> float:
        """Bytes in all, as they are stored."""
        return self.read + self.written

    @property
    def plain(self) -> float:
        """Bytes in all, if numbers had a byte of their own."""
        return self.plain_read + self.plain_written


UNTOUCHED = (
    "source._profile",  # of the offline placement
    "source._shared",  # what sequences of a batch have in common; there is one
    "source._common",
    "source._orders.0",  # of a batch, for the prompts
    "source._table.groups",  # for the prompts
    "_remapped",  # how many neurons were remapped: among the records
    "_at_rest",
    "home_bytes",  # after a window
)
"""Arrays that are there, too, and that a step does not go through."""


def held(state: HermesState) -> Arrays:
    """All arrays of the state of a run and of its source of activity, by name."""
    return dict(_arrays("", state))


def _arrays(name: str, value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, np.ndarray):
        yield name, value
        return
    parts: Iterable[tuple[object, Any]] = ()
    if isinstance(value, HermesState | StatisticalSource):
        parts = vars(value).items()
    elif dataclasses.is_dataclass(value):
        parts = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, tuple | list):
        parts = enumerate(value)
    for part, inner in parts:
        yield from _arrays(f"{name}.{part}" if name else str(part), inner)


@dataclass(frozen=True)
class _Counting:
    """Counts bytes of named arrays."""

    arrays: Arrays
    space: NeuronSpace

    def bytes_of(self, names: Iterable[str]) -> float:
        return float(sum(self.arrays[name].nbytes for name in names))

    def planes(
        self, what: str, *names: str, read: bool = True, write: bool = True, lasting: bool = True
    ) -> Touched:
        """Bit planes; those of one array are together one number of each neuron."""
        for name in names:
            found = self.arrays[name]
            assert found.dtype == np.uint64, name
            assert found.shape[-2:] == self.space.shape, name
        stored = self.bytes_of(names)
        plain = float(len(names) * self.space.layers * self.space.columns)
        return Touched(
            what, names, stored * read, stored * write, plain * read, plain * write, lasting
        )

    def others(self, what: str, *names: str, write: bool) -> Touched:
        """Arrays that are not packed: a plain program would have the same."""
        stored = self.bytes_of(names)
        return Touched(what, names, stored, stored * write, stored, stored * write)


def touched(simulator: Simulator) -> tuple[Touched, ...]:
    """What a step of a run reads and writes; the run goes on by some windows meanwhile.

    Args:
        simulator: a Hermes run that has begun, of one sequence drawn from statistics, adjusted
            online, remapped, and without single neurons on record.

    Raises:
        ValueError: if it is another one; other arrays would have to be counted.
    """
    plan, state = simulator.run.plan, simulator._state
    _refuse_others(simulator)
    traded, rehomed, moved = _changes(simulator)
    arrays = held(state)
    count = _Counting(arrays, plan.space)
    rise = count.others("thresholds of firing", "source._table.rise", write=False)
    homes = count.planes("home DIMMs", "dimms", write=False)
    recorded, rows = _recorded_bytes(simulator), _row_bytes(simulator)
    return (
        dataclasses.replace(rise, written=traded, plain_written=traded),
        count.planes("what the source drew", "source._previous"),
        # Read as that of the token before, written for the next one.
        count.planes("activity", "_active"),
        count.planes("states", "states"),
        count.planes("firings in the window", "_window"),
        count.planes("copies on the GPU", "gpu"),
        count.planes("who comes to the GPU and who goes", "_swaps.0", "_swaps.1"),
        dataclasses.replace(homes, written=rehomed, plain_written=moved),
        Touched("records", (), 0.0, recorded, 0.0, recorded),
        count.others(
            "small tables",
            *("source._taken", "source._segments.0", "source._segments.1", "valid", "_blocks"),
            write=False,
        ),
        count.others(
            "generators, trades, counts",
            *("source._streams", "source._drift", "source._trades.0", "source._trades.1"),
            "_swapped",
            write=True,
        ),
        count.planes("prediction", "_predicted", lasting=False),
        count.planes("activity, read by the step itself", "_active", write=False, lasting=False),
        Touched("rows of work", (), rows, rows, rows, rows, lasting=False),
        Touched("records, put together", (), recorded, recorded, recorded, recorded, lasting=False),
    )


def _refuse_others(simulator: Simulator) -> None:
    run, state = simulator.run, simulator._state
    if not isinstance(state, HermesState) or not isinstance(state.source, StatisticalSource):
        raise ValueError("bytes are counted of Hermes, drawn from statistics")
    if run.plan.items or run.plan.scenario.workload.batch != 1:
        raise ValueError("bytes are counted of one sequence, without single neurons on record")
    if state._swap_room < 0 or not state._remaps or run.plan.policy.partition == "oracle":
        raise ValueError("bytes are counted with adjustment and remapping, without an oracle")
    if len(run) < 2:
        raise ValueError("bytes are counted of a run that has begun")


def _changes(simulator: Simulator) -> tuple[float, float, float]:
    """Bytes of thresholds and of home planes that change in a step, and neurons that move."""
    state = simulator._state
    steps = WINDOWS * simulator.run.plan.policy.window_tokens
    traded = words = bits = 0
    for _ in range(steps):
        rise, homes = state.source._table.rise.copy(), state.dimms.copy()
        simulator.advance(1)
        traded += int(np.count_nonzero(rise != state.source._table.rise))
        changes = homes ^ state.dimms
        words += int(np.count_nonzero(changes))
        bits += int(np.bitwise_count(changes).sum())
    # Each neuron that moves leaves one plane for another.
    return (
        traded * rise.itemsize / steps,
        words * homes.itemsize / steps,
        bits / 2 / steps,
    )


def _recorded_bytes(simulator: Simulator) -> float:
    """What the run keeps of a step."""
    record = simulator.run.record(len(simulator.run) - 1)
    return float(sum(np.asarray(value).nbytes for value in record.values()))


def _row_bytes(simulator: Simulator) -> float:
    """The rows of work of a step, from which its times are summed."""
    run = simulator.run
    works = (work for _, work, _ in segments(run.plan, run.record(len(run) - 1)))
    return float(
        sum(part.nbytes for work in works for part in (work.time_ps, work.amount_bytes, work.flops))
    )


def compared(parts: Iterable[Touched], GBps: float, step_ms: float) -> dict[str, float]:
    """A step beside the time to move its bytes once.

    Args:
        parts: what a step touches.
        GBps: bytes moved by copying, those read and those written, over its time.
        step_ms: what a step takes.

    Returns:
        ``MB``, ``limit_ms`` and ``times`` (the step over the limit) of what lasts; the same with
        ``all_`` for everything, and with ``plain_`` for what lasts if every number had a byte of
        its own; and the MB of each part.
    """
    parts = tuple(parts)
    lasting = [part for part in parts if part.lasting]
    sums = {
        "": sum(part.moved for part in lasting),
        "all_": sum(part.moved for part in parts),
        "plain_": sum(part.plain for part in lasting),
    }
    found = {"step_ms": step_ms, "GBps": GBps}
    for name, moved in sums.items():
        limit_ms = moved / GBps / 1e6
        found |= {
            f"{name}MB": moved / 1e6,
            f"{name}limit_ms": limit_ms,
            f"{name}times": step_ms / limit_ms,
        }
    for part in lasting:
        found |= {
            f"read_MB {part.what}": part.read / 1e6,
            f"written_MB {part.what}": part.written / 1e6,
            f"plain_MB {part.what}": part.plain / 1e6,
        }
    return found
