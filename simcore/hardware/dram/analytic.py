"""Sustained bandwidth of a DRAM channel by formula, with the constraint that limits it.

The unit of account is a *row visit*: the bursts of a granule that are served from one opened row
in each of the bank groups the layout spreads them over. A row visit of ``u`` bursts in ``s`` banks
needs a period ``P`` of cycles, the longest of

- the data bus, ``u (nBL + switching)``: ranks and stack levels cost a gap when the next burst
  comes from another one;
- activates, ``s`` of them at ``max(nRRD, nFAW / 4)`` per rank, and the buses commands travel on;
- the queue: a row visit stays for ``nRP + nRCD``, the wait for a busy bank or bank group, and the
  time its bursts take one after the other (``nCCD_L`` inside a bank group). The queue of ``Q``
  bursts is full when what earlier row visits have left over adds up to ``Q``; that equation gives
  the period (Little's law with its exact start and end, so it holds for granules longer than the
  queue as well).

Periods that are close to each other add up to more than the longest, because their queues run
empty by chance: they are joined by a norm of order `SHARPNESS`, the one shape constant. Refresh
takes its share of all.

docs/decisions/0007-dram-by-row-visits.md says why.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.errors import Problem, ScenarioErrors
from simcore.hardware.dram.command import WRITE_HIGH, WRITE_LOW
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.timing import DramTiming

FloatArray = NDArray[np.float64]

SHARPNESS = 12.0
"""Order of the norm that joins the periods (calibrated, one for all: on rows of the reference
table, tests/data/dram, by the median error; values from 8 to 20 change it by less than 0.005)."""

_HALVINGS = 22


class Pattern(StrEnum):
    """What is read: ascending addresses, or granules at random places."""

    STREAM = "stream"
    GATHER = "gather"


class Scope(StrEnum):
    """Who reads: the channel's controller, a unit beside each rank, a unit in each bank."""

    CHANNEL = "channel"
    RANK = "rank"
    BANK = "bank"


@dataclass(frozen=True, slots=True)
class Access:
    """How a channel is accessed.

    Attributes:
        pattern: stream or gather.
        layout: how addresses go to banks.
        granule_bytes: contiguous bytes at each random place (gather).
        streams: streams, or granules, asked for in turns burst by burst.
        ranks: ranks on the channel (of every pseudo-channel).
        queue: requests the controller of a channel sees at once.
        scope: channel, rank or bank.
        write_share: share of the bursts that is written.
        refresh: whether the rows are refreshed.
        in_step: in scope bank, whether each command goes to all banks of a rank at once, so that
            the rows of all of them must be open before the first read.
    """

    pattern: Pattern = Pattern.STREAM
    layout: Layout = Layout.BANK_GROUP
    granule_bytes: int = 64
    streams: int = 1
    ranks: int = 1
    queue: int = 32
    scope: Scope = Scope.CHANNEL
    write_share: float = 0.0
    refresh: bool = True
    in_step: bool = False

    def __post_init__(self) -> None:
        found = [
            Problem(name, message, allowed, value=str(value))
            for name, value, message, allowed, good in (
                ("granule", self.granule_bytes, "out of range", "1 B to 1 GiB", _GRANULE),
                ("streams", self.streams, "out of range", "1 to 1024", (1, 1024)),
                ("ranks", self.ranks, "out of range", "1 to 16", (1, 16)),
                ("queue", self.queue, "out of range", "1 to 4096", (1, 4096)),
                ("writes", self.write_share, "no share", "0 to 1", (0, 1)),
            )
            if not good[0] <= value <= good[1]
        ]
        if found:
            raise ScenarioErrors(found, "DRAM access")


_GRANULE = (1, 1 << 30)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Sustained bandwidth.

    Attributes:
        fraction_of_peak: of the data buses in scope.
        bandwidth_GBps, peak_GBps: of all ranks or banks in scope.
        limited_by: the constraint that limits, in words.
        periods: cycles a row visit needs by each constraint on its own; the norm of them counts.
        visit_bursts: bursts of a row visit.
        row_bursts: those of one row, between its opening and closing.
        refresh_share: share of the time that refresh takes.
    """

    fraction_of_peak: float
    bandwidth_GBps: float
    peak_GBps: float
    limited_by: str
    periods: Mapping[str, float]
    visit_bursts: float
    row_bursts: float
    refresh_share: float


def usual_queue(timing: DramTiming) -> int:
    """Requests a controller sees at once: 32 a pseudo-channel, as in the reference table."""
    return 32 * timing.pseudo_channels


def estimate(timing: DramTiming, access: Access) -> Estimate:
    """Sustained bandwidth of one access."""
    if access.scope is Scope.BANK:
        return _banks(timing, access)
    one = access if access.scope is Scope.CHANNEL else _replace_ranks(access)
    found = _Channel(timing, one, np.array([float(access.granule_bytes)]))
    fraction = float(found.fraction[0])
    sides = 1 if access.scope is Scope.CHANNEL else access.ranks
    peak = timing.peak_GBps * sides
    return Estimate(
        fraction,
        fraction * peak,
        peak,
        found.limit(),
        {name: float(values[0]) for name, values in found.periods.items()},
        float(found.u[0]),
        float(found.m[0]),
        found.refresh_share,
    )


def fractions(timing: DramTiming, access: Access, granule_bytes: ArrayLike) -> FloatArray:
    """Shares of peak for many granules at once; the rest as `access` says."""
    granules = np.asarray(granule_bytes, dtype=np.float64).reshape(-1)
    if access.scope is Scope.BANK:
        return np.array(
            [_banks(timing, access, float(g)).fraction_of_peak for g in granules], dtype=np.float64
        )
    one = access if access.scope is Scope.CHANNEL else _replace_ranks(access)
    return _Channel(timing, one, granules).fraction


def fractions_and_limit(
    timing: DramTiming, access: Access, granule_bytes: ArrayLike
) -> tuple[FloatArray, str]:
    """Shares of peak for many granules, and what limits the first of them; as dear as one."""
    granules = np.asarray(granule_bytes, dtype=np.float64).reshape(-1)
    if access.scope is Scope.BANK:
        first = _banks(timing, access, float(granules[0]))
        return fractions(timing, access, granules), first.limited_by
    one = access if access.scope is Scope.CHANNEL else _replace_ranks(access)
    found = _Channel(timing, one, granules)
    return found.fraction, found.limit()


def refresh_share(timing: DramTiming) -> float:
    """Share of the time the channel stands still for refresh.

    From the last read over precharge-all and refresh to the first read again, once every nREFI.
    """
    if not timing.nREFI:
        return 0.0
    gap = timing.nRTP + timing.precharge_all + timing.nRFC + timing.nRCD
    return gap / timing.nREFI


def _replace_ranks(access: Access) -> Access:
    """One rank with a controller of its own."""
    return dataclasses.replace(access, ranks=1, scope=Scope.CHANNEL)


@lru_cache(maxsize=256)
def _fullest(balls: int, bins: int) -> float:
    """Mean number of balls in the fullest of `bins`, thrown at random."""
    if bins == 1:
        return float(balls)
    mean = 0.0
    for most in range(balls):
        term = np.array([1 / math.factorial(k) for k in range(most + 1)])
        power = np.array([1.0])
        for _ in range(bins):
            power = np.convolve(power, term)[: balls + 1]
        below = power[balls] if len(power) > balls else 0.0
        mean += 1 - float(below) * math.factorial(balls) / float(bins) ** balls
    return mean


class _Channel:
    """The terms of one channel (per pseudo-channel), for a column of granules."""

    def __init__(self, timing: DramTiming, access: Access, granules: FloatArray) -> None:
        t = self.t = timing
        self.access = access
        one_bank = access.layout is Layout.ONE_BANK
        sides = 1 if one_bank else t.pseudo_channels
        self.one_bank = one_bank
        self.Q = max(1.0, access.queue / sides)
        n = np.full_like(granules, np.inf)
        if access.pattern is Pattern.GATHER:
            n = np.maximum(1.0, np.ceil(granules / t.burst_bytes) / sides)
        self.n = n
        self._visits()
        self._chances()
        self._periods()

    # --- row visits ---------------------------------------------------------------------------

    def _visits(self) -> None:
        """Banks (s), bursts a bank (m), bursts (u) of a row visit; row visits of a granule (v)."""
        t, n = self.t, self.n
        groups = float(t.bank_groups)
        one = np.ones_like(n)
        self.reopened = one  # share of the row visits that open a row
        match self.access.layout:
            case Layout.BANK_GROUP | Layout.RANK:
                s = np.minimum(n, groups)
            case _:
                s = one
        row = np.full_like(n, float(t.row_bursts))
        if self.access.layout is Layout.MOP4:
            if self.access.pattern is Pattern.STREAM:
                s = one * groups
            else:
                # Four columns of a row, then the next bank; back for more after all banks.
                row = np.minimum(row, 4.0)
                self.reopened = np.minimum(1.0, row * t.banks * self.access.ranks / n)
        m = np.minimum(n / s, row)
        self.alone = s  # bank groups one granule keeps busy
        if self.access.layout is Layout.MOP4:
            self.alone = np.minimum(s, np.maximum(1.0, (self.Q + s) / 4))
        self.v = n / (s * m)
        self.fresh = np.where(np.isfinite(self.v), 1 / self.v, 0.0)
        self.in_step = one
        turns = self.access.streams
        self.own = np.maximum(float(t.nBL), t.nCCD_L / self.alone)
        self.single, self.random = s, self.fresh
        if turns > 1:
            self.random = one
            s, m = self._turns(s, m, turns)
        self.s, self.m, self.u = s, m, s * m
        self.c1 = np.maximum(float(t.nBL), t.nCCD_L / self.alone)

    def _turns(self, s: FloatArray, m: FloatArray, turns: int) -> tuple[FloatArray, FloatArray]:
        """Banks and bursts a bank of granules in turns: one row visit over all their banks.

        The fullest bank group sets the pace. Aligned granules longer than a row walk the bank
        groups in step.
        """
        t, ranks = self.t, self.access.ranks
        wide = s >= t.bank_groups
        if self.access.pattern is Pattern.GATHER:
            self.in_step = np.clip(self.v, 1.0, t.bank_groups)
        bins = np.round(t.groups * ranks / np.where(wide, 1, self.in_step * s))
        bins = np.maximum(1, bins)
        pace = np.array([turns / _fullest(turns, int(b)) for b in bins])
        self.alone = np.where(wide, float(t.bank_groups), pace * s)
        distinct = t.banks * ranks / s
        opened = distinct * (1 - (1 - 1 / np.maximum(distinct, 1.0 + 1e-9)) ** turns)
        return s * np.maximum(1.0, opened), m * turns / np.maximum(1.0, opened)

    # --- chance -------------------------------------------------------------------------------

    def _chances(self) -> None:
        """Chances that two granules at random places meet in a bank, a bank group, a rank."""
        t, ranks = self.t, self.access.ranks
        fills = self.c1 <= t.nBL  # the bus, alone
        self.p_bank = np.minimum(1.0, self.s / (t.banks * ranks))
        self.p_group = np.where(fills, 0.0, np.minimum(1.0, self.s / (t.groups * ranks)))
        side = 1.0 / (ranks * t.stack_ids)
        groups = np.maximum(1.0, t.bank_groups / self.in_step)
        # Two visits in a rank run side by side unless they need the same bank groups.
        apart = max0(1 - self.single / groups)
        meets = np.where((self.single > 1) & (self.own <= t.nBL), 1.0, apart)
        # Row visits of one granule follow each other in one rank and in different bank groups.
        random = self.random
        self.p_clean = random * side * meets + (1 - random)
        self.p_rank = random * (1 - 1.0 / ranks)
        self.p_level = random * (1 - 1.0 / t.stack_ids) / ranks
        self.rank_gap = t.nCS
        self.level_gap = max(t.nCCD_R, t.nCCD_S) - t.nBL

    # --- periods ------------------------------------------------------------------------------

    def _periods(self) -> None:
        t = self.t
        self._opening()
        # Chance that a visit meets an earlier one, seen over as many visits as the queue holds:
        # a small queue stands still for each of them, a large one sees their mean.
        meet = self.p_bank * self.fresh
        meet = np.maximum(1e-6, 1 - (1 - meet) ** np.maximum(1.0, (self.Q / self.u) ** 2))
        free, held = self._window(0.0 * meet), self._window(1 / meet)
        window = (1 - meet) * free + meet * held
        period = (1 - meet) * self._joined(free) + meet * self._joined(held)
        bounds = self._bounds(np.maximum(period, self.u * t.nBL))
        self.periods = bounds | {"queue": window}
        top = np.maximum(np.stack(list(bounds.values())).max(axis=0), window)
        if self.access.pattern is Pattern.STREAM and self.access.streams == 1:
            period = top  # nothing is left to chance
        self.refresh_share = refresh_share(t) if self.access.refresh else 0.0
        if self.one_bank:
            period = self.bank_busy
        share = self.u * t.nBL / period / (t.pseudo_channels if self.one_bank else 1)
        self.fraction = np.minimum(1.0, share) * (1 - self.refresh_share)

    def _found_open(self) -> FloatArray:
        """Share of row visits that find another row open; refresh has closed the rest."""
        t = self.t
        if not (self.access.refresh and t.nREFI):
            return np.ones_like(self.u)
        period = np.maximum(self.u * self.c1, self.s * max(t.nFAW / 4, t.nRRD_S))
        visits = t.nREFI / period * self.s / (t.banks * self.access.ranks)
        first = np.where(self.fresh > 0, -np.expm1(-visits) / visits, np.minimum(1, 1 / visits))
        return np.asarray(1 - first)

    def _joined(self, window: FloatArray) -> FloatArray:
        """The norm of the queue's period and what the shared resources need."""
        period = window
        for _ in range(3):
            bounds = self._bounds(np.maximum(period, self.u * self.t.nBL))
            parts = [np.stack(list(bounds.values())).max(axis=0), window]
            if self.access.ranks > 1:
                # Which rank is next is chance: each may have too few or too many activates.
                parts.append(bounds["activate"])
            stack = np.stack(parts)
            long = stack.max(axis=0)
            period = long * ((stack / long) ** SHARPNESS).sum(axis=0) ** (1 / SHARPNESS)
        return np.asarray(period)

    def _turnaround(self) -> FloatArray:
        """Cycles a row visit pays for changing between reads and writes.

        Writes are collected and drained together; each change leaves the data bus idle, and the
        rows of the side that waited have to be opened.
        """
        t, share = self.t, self.access.write_share
        if not 0.0 < share < 1.0:
            return np.zeros_like(self.u)
        depth = self.Q
        drained = max(1.0, max(1.0, WRITE_HIGH * depth) - WRITE_LOW * depth)
        # A granule that has begun to enter is drained with the batch.
        batch = drained + np.where(np.isfinite(self.n), np.minimum(self.n - 1, depth), 0.0)
        to_write = t.nCL + 2 - t.nCWL
        to_read = t.nCWL + (t.nWTR_S if self.alone.max() > 1 or self.fresh.max() else t.nWTR_L)
        rows = np.where(self.fresh > 0, float(t.nRP + t.nRCD), 0.0)
        return np.asarray(self.u * share / batch * (max(0, to_write) + to_read + rows))

    def _opening(self) -> None:
        """Time from a place in the queue to the first activates (`ahead`) and data (`open`)."""
        t, s = self.t, self.s
        close = t.nRP * self._found_open()
        ahead = close + 1
        spread = np.maximum((s - 1) * t.nRRD_S, t.nFAW * np.floor((s - 1) / 4))
        seen = np.minimum(s, self.Q)
        # With fewer places than banks the precharges follow each other as well.
        serial = np.maximum(0.0, s / self.Q - 1) * ahead
        self.ahead = ahead + (seen - 1) * t.nRRD_S / 2
        spread = np.maximum(spread, serial)
        self.spread = spread
        self.serial = serial * self.reopened
        self.open = (ahead + spread + t.nRCD) * self.reopened
        self.ahead, self.spread = self.ahead * self.reopened, spread * self.reopened
        pace = np.where(s > 1, np.maximum(t.nBL * s, t.nCCD_L), t.nCCD_L)
        w = self.access.write_share
        closes = (1 - w) * t.nRTP + w * (t.nCWL + t.nBL + t.nWR)
        self.bank_busy = np.maximum(t.nRC, t.nRCD + (self.m - 1) * pace + closes + t.nRP)

    def _together(self, period: FloatArray, pace: FloatArray) -> FloatArray:
        """Row visits that are open at once."""
        draining = self.u * pace / period
        # On the average a visit is half done.
        opened = 2 * self.Q / (self.u + 1) - self.open / period
        return np.maximum(1.0, np.maximum(draining, opened))

    def _pace(self, period: FloatArray) -> FloatArray:
        """Cycles from a burst of a visit to its next, as other visits share the data bus."""
        t = self.t
        if self.access.streams > 1:
            return self.c1
        away = self.p_rank * self._slower(self.rank_gap)
        away = away + self.p_level * self._slower(self.level_gap)
        near = np.where(self.c1 > t.nBL, self.p_clean * max0(2 * t.nBL - self.c1), 0.0)
        k = self._together(period, self.c1 + away + near)
        return self.c1 + np.minimum(1.0, k - 1) * (near + away * self._lonely(k - 1))

    def _lonely(self, others: FloatArray) -> FloatArray:
        """Chance that no two open visits can share a rank, beyond the first pair."""
        pairs = (others + 1) * others / 2
        return np.asarray((1 - self.p_clean) ** np.maximum(0.0, pairs - 1))

    def _left_over(self, period: FloatArray, waits: FloatArray) -> FloatArray:
        """Bursts earlier row visits still have in the queue when the next one comes to it."""
        t, Q, u, s = self.t, self.Q, self.u, self.s
        c = self._pace(period)
        # Waiting for the bank: those queued there, and the rest of the one it is busy with.
        queued = np.maximum(0.0, Q / u - self.ahead / period)
        busy = self.bank_busy
        rest = self._residual(busy, period)
        wait = self.p_bank * (queued * busy + rest)
        # Waiting for the bank group: visits that came earlier and still use it.
        work = self.m * t.nCCD_L
        load = np.minimum(0.9, self.p_group * work / period)
        group = self.p_group * self._residual(work, period) / (1 - load)
        wait = wait * waits + np.minimum(group, self.p_group * Q * t.nCCD_L)
        wait = self.fresh * wait
        ahead = self.ahead + wait
        # The first bursts of all banks go out while the later ones are still being opened.
        whole = np.maximum(self.spread + (self.m - 1) * t.nCCD_L, (u - 1) * c)
        whole = np.maximum(whole, self.serial + (u - s) * c)
        drain = np.maximum((u - s) / np.maximum(1.0, u - 1) * whole, 1e-9)
        open_ = self.open - self.spread + wait + whole - drain
        first = np.floor(open_ / period)
        last = np.floor((open_ + drain) / period)
        terms = last - first
        sums = (last * (last + 1) - first * (first + 1)) / 2
        left = first + terms * (1 + open_ / drain) - sums * period / drain
        # At that moment the opening bursts of longer visits have left.
        gone = 1 - s / u
        return s * np.maximum(0.0, ahead / period - gone) + (u - s) * left

    def _several(self) -> FloatArray:
        """From 0 where the queue sees the next visit alone to 1 where it holds two or more."""
        return np.clip(self.Q / self.u - 1, 0.0, 1.0)

    def _residual(self, work: FloatArray, period: FloatArray) -> FloatArray:
        """Mean time earlier visits still hold what each of them needs for `work` cycles.

        They came one, two, ... periods ago; at random times once the queue holds several.
        """
        count = np.floor(work / period)
        steady = count * work - period * count * (count + 1) / 2
        chance = self._several()
        return chance * np.minimum(work * work / (2 * period), work * 4) + (1 - chance) * steady

    def _slower(self, gap: float) -> FloatArray:
        """Cycles a burst loses when the two visits that are open are in different ranks.

        If the other rank is ready before the same bank group is, they take turns; else the
        second has to wait until the first is done.
        """
        turn = self.t.nBL + gap
        alone = np.where(self.c1 > self.t.nBL, self.c1, 0.0)
        return np.where(self.c1 > turn, max0(2 * turn - self.c1), alone)

    def _window(self, waits: FloatArray) -> FloatArray:
        """The period at which the queue is just full."""
        t = self.t
        low: FloatArray = np.log(self.u * t.nBL / 2)
        longest = self.open + self.u * self.c1 + self.Q * (self.bank_busy + t.nCCD_L)
        high = np.log(64 * longest)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            full = self._left_over(np.exp(middle), waits) > self.Q - 1e-9
            low, high = np.where(full, middle, low), np.where(full, high, middle)
        return np.asarray(np.exp(high))

    def _bounds(self, period: FloatArray) -> dict[str, FloatArray]:
        """Cycles a row visit needs on each shared resource."""
        t, ranks, u = self.t, self.access.ranks, self.u
        s = self.s * self.reopened
        k = np.maximum(self._together(period, self.c1), self.access.streams)
        other = np.maximum(1e-9, 1 - self.p_clean)
        rank, level = self.p_rank / other, self.p_level / other
        any_ = 1 - (1 - np.minimum(1.0, rank + level)) ** np.maximum(0.0, k - 1)
        mean = rank * self._gap(self.rank_gap) + level * self._gap(self.level_gap)
        gap = mean / np.maximum(rank + level, 1e-9) * any_
        lonely = self._lonely(k - 1) * (1 - self.p_clean)
        # A run of bursts from one rank ends at the latest when none of its open rows has more.
        pool = np.maximum(0.0, self.Q - self.open * u / period)
        run = 1 + 2 * pool / ranks
        ends = (self.p_rank * self.rank_gap) / run * (1 - lonely)
        gap = gap * lonely + np.where(self.own > t.nBL, ends, 0.0) * np.minimum(1.0, pool)
        found = {"data bus": u * (t.nBL + gap) + self._turnaround()}
        self.gap = gap
        found["bank groups"] = u * t.nCCD_L / (t.groups * ranks)
        found["activate"] = s * max(t.nFAW / 4, t.nRRD_S) / ranks
        row = s * (t.act_parts * t.act_slots + t.pre_slots) / 2
        if t.split_buses:
            found["row command bus"] = row * t.pseudo_channels
        else:
            found["command bus"] = row + u * t.column_slots / 2
        return found

    def _gap(self, gap: float) -> FloatArray:
        """Cycles the data bus idles a burst while no two open visits share a rank.

        One gap a visit that fills the bus alone, else a gap a burst, or the wait for the bank
        group if that is shorter.
        """
        t = self.t
        return np.where(self.own > t.nBL, np.minimum(self.own - t.nBL, gap), gap / self.u)

    def limit(self) -> str:
        """What limits the first granule, in words."""
        t = self.t
        longest = max(self.periods, key=lambda name: float(self.periods[name][0]))
        if longest == "activate":
            return "nFAW" if t.nFAW / 4 >= t.nRRD_S else "nRRD_S"
        if longest == "data bus":
            if self.gap[0] > 0.01 * t.nBL:
                return "nCS (rank switch)" if t.stack_ids == 1 else "nCCD_R (stack level switch)"
            return "nRFC, nREFI (refresh)" if self.refresh_share else "nBL (data bus)"
        if longest == "bank groups":
            return "nCCD_L (bank groups)"
        if longest != "queue":
            return longest
        drain = float(((self.u - 1) * self.c1)[0])
        if self.one_bank:
            return "nCCD_L (bank group)" if drain > t.nRC else "nRC (row cycle)"
        if self.c1[0] > t.nBL and drain > self.open[0]:
            return "nCCD_L (bank group)"
        queued = self.p_bank * self.fresh * self.Q / self.u * self.bank_busy
        if queued[0] > self.open[0]:
            return "nRC (bank conflicts)"
        return "nRP, nRCD (rows opened, queue too short)"


def max0(value: ArrayLike) -> FloatArray:
    """The positive part."""
    return np.maximum(0.0, np.asarray(value, dtype=np.float64))


def _banks(timing: DramTiming, access: Access, granule: float | None = None) -> Estimate:
    """A unit in every bank reads its own bank: no bus is shared, only the activates of a rank."""
    t = timing
    m = float(t.row_bursts)
    if access.pattern is Pattern.GATHER:
        size = access.granule_bytes if granule is None else granule
        m = min(m, float(math.ceil(size / t.burst_bytes)))
    w = access.write_share
    close = (1 - w) * t.nRTP + w * (t.nCWL + t.nBL + t.nWR)
    opening = max((t.banks - 1) * t.nRRD_S, t.nFAW * ((t.banks - 1) // 4)) if access.in_step else 0
    periods = {
        "column": m * t.nCCD_L,
        "row": max(float(t.nRC), opening + t.nRCD + (m - 1) * t.nCCD_L + close + t.nRP),
        "activate": t.banks * max(t.nFAW / 4, t.nRRD_S),
    }
    longest = max(periods.values())
    share = refresh_share(t) if access.refresh else 0.0
    fraction = m * t.nCCD_L / longest * (1 - share)
    peak = bank_peak_GBps(t) * t.pseudo_channels * t.banks * access.ranks
    if periods["activate"] >= longest:
        limit = "nFAW" if t.nFAW / 4 >= t.nRRD_S else "nRRD_S"
    else:
        limit = (
            "nRC (row cycle)" if periods["row"] - periods["column"] > 0.1 * longest else "nCCD_L"
        )
    return Estimate(fraction, fraction * peak, peak, limit, periods, m, m, share)


def bank_peak_GBps(timing: DramTiming) -> float:
    """Rate of one bank: a burst every nCCD_L (DDR4-3200 at 0.63 ns: 12.7 GB/s a rank's bank)."""
    return 1e3 * timing.burst_bytes / (timing.nCCD_L * timing.tCK_ps)
