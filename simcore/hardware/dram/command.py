"""Command-level model of one channel: every activate, precharge, read, write and refresh.

It serves a sequence of bursts through a queue of given depth and keeps every timing constraint.
Time jumps from command to command, so the cost is per command and not per cycle. The controller:

- first ready, first come first served, row hits first: a ready read or write of an open row comes
  before an activate or precharge; a row with requests waiting is not closed;
- a request whose row is being opened leaves the queue for a waiting place, so the queue sees one
  more request, and is served before all others (that row was opened for it);
- open rows stay open until another row of the bank is wanted;
- all ranks are refreshed together every nREFI: opened requests are served, then precharge-all and
  refresh, and nothing else meanwhile;
- the source is always ahead: a place in the queue is filled at once;
- writes wait in a queue of the same depth and are drained from 0.8 down to 0.2 of it.

`simcore.hardware.dram.verify` holds traces against the constraints on its own.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simcore.hardware.dram.layout import Bursts
from simcore.hardware.dram.timing import DramTiming
from simcore.units import Int64Array

WRITE_HIGH, WRITE_LOW = 0.8, 0.2
"""Fill of the write queue that starts and ends its draining (watermarks of Ramulator's default
write policy, MIT; public)."""

ACT_1_AHEAD = 7
"""Cycles the first of two activate commands may come before the second is due (LPDDR5: within
nAAD = 8 cycles, JESD209-5; public)."""

_FAR = 1 << 60


class Kind(IntEnum):
    """Commands of a trace."""

    ACT = 0
    PRE = 1
    READ = 2
    WRITE = 3
    PRE_ALL = 4
    REFRESH = 5
    ACT_1 = 6


@dataclass(frozen=True, slots=True)
class Trace:
    """Commands in order of issue.

    Attributes:
        cycle: when the command is issued, in nCK; shape (n,).
        kind: `Kind`; shape (n,).
        bank: bank number as in `Bursts`; of PRE_ALL and REFRESH the first bank of the rank.
        row: row of ACT, READ and WRITE, else -1.
    """

    cycle: Int64Array
    kind: NDArray[np.int8]
    bank: Int64Array
    row: Int64Array


@dataclass(frozen=True, slots=True)
class Served:
    """What a run of the command-level model came to.

    Attributes:
        cycles: from the start to the last column command's end of data slot.
        bursts: bursts served.
        fraction_of_peak: share of the data buses' time that moved data.
        activates: activate commands.
        trace: the commands, if asked for.
    """

    cycles: int
    bursts: int
    fraction_of_peak: float
    activates: int
    trace: Trace | None


def serve(
    timing: DramTiming,
    bursts: Bursts,
    *,
    ranks: int = 1,
    queue: int = 32,
    refresh: bool = True,
    protect_hits: bool = True,
    keep_trace: bool = False,
) -> Served:
    """Serve `bursts` on one channel.

    Args:
        timing: the channel.
        bursts: what is asked for, in order.
        ranks: ranks of the channel (of every pseudo-channel).
        queue: depth of the request queue of the channel.
        refresh: whether all-bank refresh happens.
        protect_hits: keep a row open while requests wait for it (``FRFCFSRowHit`` of Ramulator);
            without, the oldest ready command may close it (``FRFCFS``).
        keep_trace: also return the commands.
    """
    channel = _Channel(timing, ranks, refresh and timing.nREFI > 0, protect_hits, keep_trace)
    channel.run(bursts, queue)
    end = channel.last_column + timing.nBL
    slots = len(bursts.bank) * timing.nBL / timing.pseudo_channels
    trace = channel.trace() if keep_trace else None
    return Served(end, len(bursts.bank), slots / end, channel.activates, trace)


class _Channel:
    """State of the channel: what each bank, group, rank and bus may do next, and the queue.

    Plain lists and integers: the loop runs a million times, and objects would triple its time.
    """

    def __init__(
        self, timing: DramTiming, ranks: int, refresh: bool, protect: bool, keep: bool
    ) -> None:
        t = self.t = timing
        self.protect = protect
        self.sides = t.pseudo_channels * ranks  # a side: one rank of one pseudo-channel
        self.ranks = ranks
        self.per_rank = t.banks
        self.per_group = t.banks_per_group
        self.per_level = t.bank_groups * t.banks_per_group
        banks, groups = self.sides * t.banks, self.sides * t.groups
        self.row = [-1] * banks
        self.act_at, self.pre_at = [0] * banks, [0] * banks
        self.col_at = [0] * banks
        self.act_group = [0] * groups
        self.read_group, self.write_group = [0] * groups, [0] * groups
        self.act_side = [0] * self.sides
        self.read_side, self.write_side = [0] * self.sides, [0] * self.sides
        self.window = [deque([-_FAR] * 4, maxlen=4) for _ in range(self.sides)]
        self.row_bus = self.col_bus = 0  # next free half cycle
        self.next_refresh = t.nREFI if refresh else _FAR
        # Requests: per bank the rows waited for, each with the ages of its requests.
        self.waiting: dict[int, dict[int, deque[int]]] = {}
        self.half: set[int] = set()  # banks that have the first of two activate commands
        self.opening: dict[int, int] = {}  # bank: age of the request its row was opened for
        self.last_column = 0
        self.activates = 0
        self.log: list[tuple[int, int, int, int]] | None = [] if keep else None

    def trace(self) -> Trace:
        data = np.array(sorted(self.log or [], key=lambda c: c[0]), dtype=np.int64).reshape(-1, 4)
        return Trace(data[:, 0], data[:, 1].astype(np.int8), data[:, 2], data[:, 3])

    # --- the loop -----------------------------------------------------------------------------

    def run(self, bursts: Bursts, depth: int) -> None:
        bank, row = bursts.bank.tolist(), bursts.row.tolist()
        write = bursts.write.tolist()
        total = len(bank)
        mixed = any(write)
        high, low = max(1, int(WRITE_HIGH * depth)), int(WRITE_LOW * depth)
        self.writes = write
        room = [depth, depth]  # free places: reads, writes
        waits: list[dict[int, dict[int, deque[int]]]] = [{}, {}]
        fed = served = now = 0
        mode = 0
        while served < total:
            while fed < total and room[write[fed]]:
                kind = write[fed]
                rows = waits[kind].setdefault(bank[fed], {})
                rows.setdefault(row[fed], deque()).append(fed)
                room[kind] -= 1
                fed += 1
            if mixed:
                filled = depth - room[1]
                if mode == 0 and (filled >= high or not waits[0]):
                    mode = 1
                elif mode == 1 and ((filled <= low and waits[0]) or not waits[1]):
                    mode = 0
            self.waiting = waits[mode]
            now, left, done = self._step(now, mode)
            if left >= 0:
                room[write[left]] += 1
            served += done

    def _step(self, now: int, mode: int) -> tuple[int, int, int]:
        """Issue the next command; (earliest next cycle, request that left its place, served)."""
        t = self.t
        refreshing = now >= self.next_refresh
        best_time, best_rank, best_age = _FAR, 9, 0
        best = (-1, 0)  # bank, kind
        row_from = (self.row_bus + 1) // 2
        col_from = (self.col_bus + 1) // 2
        act_from = row_from if row_from > now else now
        # A precharge of half a cycle may use the second half of one.
        pre_from = self.row_bus // 2 if t.pre_slots == 1 else row_from
        pre_from = pre_from if pre_from > now else now
        col_from = col_from if col_from > now else now
        column_side = self.write_side if mode else self.read_side
        column_group = self.write_group if mode else self.read_group
        per_rank, per_group = self.per_rank, self.per_group
        # Requests whose row was opened come first, whichever queue is served.
        for bank, age in self.opening.items():
            kind = Kind.WRITE if self.writes[age] else Kind.READ
            write = kind == Kind.WRITE
            at = col_from
            ready = self.col_at[bank]
            at = ready if ready > at else at
            ready = (self.write_side if write else self.read_side)[bank // per_rank]
            at = ready if ready > at else at
            ready = (self.write_group if write else self.read_group)[bank // per_group]
            at = ready if ready > at else at
            if at < best_time or (at == best_time and age < best_age):
                best_time, best_rank, best_age, best = at, 0, age, (bank, kind)
        if not refreshing:
            column = Kind.WRITE if mode else Kind.READ
            for bank, rows in self.waiting.items():
                open_row = self.row[bank]
                if open_row in rows:
                    age = rows[open_row][0]
                    at = col_from
                    ready = self.col_at[bank]
                    at = ready if ready > at else at
                    ready = column_side[bank // per_rank]
                    at = ready if ready > at else at
                    ready = column_group[bank // per_group]
                    at = ready if ready > at else at
                    if at < best_time or (at == best_time and (1, age) < (best_rank, best_age)):
                        best_time, best_rank, best_age, best = at, 1, age, (bank, column)
                    if self.protect or len(rows) == 1:
                        continue
                if bank in self.opening:
                    continue
                if open_row >= 0:
                    age = min(ages[0] for r, ages in rows.items() if r != open_row)
                    kind = Kind.PRE
                    at = pre_from
                    ready = self.pre_at[bank]
                    at = ready if ready > at else at
                else:
                    age = next(iter(rows.values()))[0]
                    kind = Kind.ACT
                    at = act_from
                    side = bank // per_rank
                    ready = self.act_at[bank]
                    at = ready if ready > at else at
                    ready = self.act_side[side]
                    at = ready if ready > at else at
                    ready = self.act_group[bank // per_group]
                    at = ready if ready > at else at
                    ready = self.window[side][0] + t.nFAW
                    at = ready if ready > at else at
                    if t.act_parts == 2 and bank not in self.half:
                        kind, at = Kind.ACT_1, max(act_from, at - ACT_1_AHEAD)
                if at < best_time or (at == best_time and (2, age) < (best_rank, best_age)):
                    best_time, best_rank, best_age, best = at, 2, age, (bank, kind)
        if best_time >= self.next_refresh and not refreshing:
            return self.next_refresh, -1, 0
        if refreshing and not self.opening:
            return self._refresh(now), -1, 0
        return self._issue(best_time, best[0], best[1], best_age, best_rank)

    def _issue(self, at: int, bank: int, kind: int, age: int, rank: int) -> tuple[int, int, int]:
        t = self.t
        left, done = -1, 0
        if kind == Kind.ACT:
            rows = self.waiting[bank]
            row = next(iter(rows))
            ages = rows[row]
            ages.popleft()
            if not ages:
                del rows[row]
                if not rows:
                    del self.waiting[bank]
            self.opening[bank] = age
            left = age
            self._activate(at, bank, row)
        elif kind == Kind.ACT_1:
            self.half.add(bank)
            self._take_row_bus(at, t.act_slots)
            if self.log is not None:
                self.log.append((at, Kind.ACT_1, bank, -1))
        elif kind == Kind.PRE:
            self.row[bank] = -1
            self.act_at[bank] = max(self.act_at[bank], at + t.nRP)
            self._take_row_bus(at, t.pre_slots)
            if self.log is not None:
                self.log.append((at, Kind.PRE, bank, -1))
        else:
            row = self.row[bank]
            if rank == 0:
                del self.opening[bank]
            else:
                rows = self.waiting[bank]
                ages = rows[row]
                ages.popleft()
                if not ages:
                    del rows[row]
                    if not rows:
                        del self.waiting[bank]
                left = age
            done = 1
            self._column(at, bank, row, kind)
        return at if t.split_buses else at + 1, left, done

    # --- what a command makes others wait for --------------------------------------------------

    def _take_row_bus(self, at: int, slots: int) -> None:
        begin = max(2 * at, self.row_bus)
        self.row_bus = begin + slots
        if not self.t.split_buses:
            self.col_bus = self.row_bus

    def _activate(self, at: int, bank: int, row: int) -> None:
        t = self.t
        side, group = bank // self.per_rank, bank // self.per_group
        self.row[bank] = row
        self.half.discard(bank)
        self.activates += 1
        self.act_at[bank] = at + t.nRC
        self.pre_at[bank] = at + t.nRAS
        self.col_at[bank] = at + t.nRCD
        self.act_side[side] = at + t.nRRD_S
        self.act_group[group] = at + t.nRRD_L
        self.window[side].append(at)
        self._take_row_bus(at, t.act_slots)
        if self.log is not None:
            self.log.append((at, Kind.ACT, bank, row))

    def _column(self, at: int, bank: int, row: int, kind: int) -> None:
        t = self.t
        side, group = bank // self.per_rank, bank // self.per_group
        read = kind == Kind.READ
        begin = max(2 * at, self.col_bus)
        self.col_bus = begin + t.column_slots
        if not t.split_buses:
            self.row_bus = self.col_bus
        self.last_column = max(self.last_column, at)
        turn = t.nCL + t.nBL + 2 - t.nCWL
        if read:
            self.pre_at[bank] = max(self.pre_at[bank], at + t.nRTP)
            self.read_side[side] = max(self.read_side[side], at + t.nCCD_S)
            self.read_group[group] = max(self.read_group[group], at + t.nCCD_L)
            self.write_side[side] = max(self.write_side[side], at + turn)
        else:
            data = at + t.nCWL + t.nBL
            self.pre_at[bank] = max(self.pre_at[bank], data + t.nWR)
            self.write_side[side] = max(self.write_side[side], at + t.nCCD_S)
            self.write_group[group] = max(self.write_group[group], at + t.nCCD_L)
            self.read_side[side] = max(self.read_side[side], data + t.nWTR_S)
            self.read_group[group] = max(self.read_group[group], data + t.nWTR_L)
        if self.ranks > 1:
            first = side - side % self.ranks
            # One gap on the shared data bus, seen from the commands' own latencies.
            to_read = t.nBL + t.nCS + (0 if read else t.nCWL - t.nCL)
            to_write = t.nBL + t.nCS + (t.nCL - t.nCWL if read else 0)
            for other in range(first, first + self.ranks):
                if other != side:
                    self.read_side[other] = max(self.read_side[other], at + to_read)
                    self.write_side[other] = max(self.write_side[other], at + to_write)
        if t.stack_ids > 1:
            level, size = bank // self.per_level, t.bank_groups
            first = side * t.stack_ids
            for other in range(first, first + t.stack_ids):
                if other != level:
                    for g in range(other * size, other * size + size):
                        self.read_group[g] = max(self.read_group[g], at + t.nCCD_R)
        if self.log is not None:
            self.log.append((at, kind, bank, row))

    def _refresh(self, now: int) -> int:
        """Precharge and refresh every rank, one after the other as they become ready."""
        t = self.t
        done = []
        self.half.clear()
        events: list[tuple[int, int, int]] = []
        for side in range(self.sides):
            first = side * self.per_rank
            banks = range(first, first + self.per_rank)
            if any(self.row[b] >= 0 for b in banks):
                at = max(now, *(self.pre_at[b] for b in banks if self.row[b] >= 0))
                heapq.heappush(events, (at, side, int(Kind.PRE_ALL)))
            else:
                at = max(now, *(self.act_at[b] - t.nRP for b in banks))
                at = max(now, *(self.act_at[b] for b in banks if self.act_at[b] <= now + t.nRP))
                heapq.heappush(events, (at, side, int(Kind.REFRESH)))
        while events:
            at, side, kind = heapq.heappop(events)
            free = (self.row_bus + 1) // 2
            if free > at:
                heapq.heappush(events, (free, side, kind))
                continue
            first = side * self.per_rank
            slots = t.pre_slots if kind == Kind.PRE_ALL else 2
            self._take_row_bus(at, slots)
            if self.log is not None:
                self.log.append((at, kind, first, -1))
            if kind == Kind.PRE_ALL:
                # Banks that were precharged by themselves right before keep their own nRP.
                ready = at + t.precharge_all
                for b in range(first, first + self.per_rank):
                    if self.row[b] < 0 and self.act_at[b] <= now + t.nRP:
                        ready = max(ready, self.act_at[b])
                    self.row[b] = -1
                heapq.heappush(events, (ready, side, int(Kind.REFRESH)))
            else:
                for b in range(first, first + self.per_rank):
                    self.act_at[b] = at + t.nRFC
                done.append(at)
        self.next_refresh += t.nREFI
        return max(done) + 1
