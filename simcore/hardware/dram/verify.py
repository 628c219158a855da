"""Holds a trace of commands against every timing constraint, without the model that made it."""

from __future__ import annotations

from collections import defaultdict, deque

from simcore.hardware.dram.command import Kind, Trace
from simcore.hardware.dram.timing import DramTiming

_LONG_AGO = -(1 << 40)


def violations(timing: DramTiming, trace: Trace, ranks: int = 1, limit: int = 20) -> list[str]:
    """What a trace does wrong, at most `limit` sentences; empty if it keeps every constraint.

    Checked are the state of banks (a read finds its row open), nRCD, nRP, nRAS, nRC, nRRD_S/L,
    nFAW, nCCD_S/L/R, nRTP, nWR, nWTR_S/L, read to write, gaps between ranks, nRFC, that refreshes
    are not more than two nREFI apart, that bursts do not meet on a data bus, and that commands do
    not meet on their bus.
    """
    return _Verifier(timing, ranks, limit).run(trace)


class _Verifier:
    """When each kind of command was last given, by the scope a constraint has."""

    def __init__(self, timing: DramTiming, ranks: int, limit: int) -> None:
        self.t, self.ranks, self.limit = timing, ranks, limit
        self.found: list[str] = []
        self.last: dict[tuple[str, int, int], int] = defaultdict(lambda: _LONG_AGO)
        self.row: dict[int, int] = {}
        self.window: dict[int, deque[int]] = defaultdict(lambda: deque([_LONG_AGO] * 4, maxlen=4))
        self.columns: dict[int, deque[tuple[int, bool, int, int]]] = defaultdict(
            lambda: deque(maxlen=64)
        )

    def run(self, trace: Trace) -> list[str]:
        kinds, banks, rows = trace.kind.tolist(), trace.bank.tolist(), trace.row.tolist()
        for at, kind, bank, row in zip(trace.cycle.tolist(), kinds, banks, rows, strict=True):
            if len(self.found) >= self.limit:
                break
            side = bank // self.t.banks
            if kind in (Kind.READ, Kind.WRITE):
                self._column(at, bank, side, row, write=kind == Kind.WRITE)
            elif kind == Kind.ACT:
                self._activate(at, bank, side, row)
            elif kind == Kind.PRE:
                self._precharge(at, (bank,), "PRE")
                if bank not in self.row:
                    self._wrong(at, f"PRE of bank {bank}, which is closed")
                self.row.pop(bank, None)
                self.last["pre", 0, bank] = at
            elif kind == Kind.PRE_ALL:
                first = side * self.t.banks
                self._precharge(at, range(first, first + self.t.banks), "PRE_ALL")
                for b in range(first, first + self.t.banks):
                    self.row.pop(b, None)
                self.last["pre all", 0, side] = at
            elif kind == Kind.REFRESH:
                self._refresh(at, side)
        self._buses(trace)
        return self.found

    def _wrong(self, at: int, what: str) -> None:
        if len(self.found) < self.limit:
            self.found.append(f"cycle {at}: {what}")

    def _after(self, at: int, key: tuple[str, int, int], gap: int, what: str) -> None:
        if at - self.last[key] < gap:
            self._wrong(at, f"{what}: {at - self.last[key]} after it instead of {gap}")

    def _activate(self, at: int, bank: int, side: int, row: int) -> None:
        t = self.t
        if bank in self.row:
            self._wrong(at, f"ACT of bank {bank}, which is open")
        group = bank // t.banks_per_group
        self._after(at, ("act", 0, bank), t.nRC, "ACT after ACT of the bank (nRC)")
        self._after(at, ("pre", 0, bank), t.nRP, "ACT after PRE (nRP)")
        self._after(at, ("pre all", 0, side), t.precharge_all, "ACT after PRE_ALL (nRPab)")
        self._after(at, ("act", 1, group), t.nRRD_L, "ACT after ACT of the group (nRRD_L)")
        self._after(at, ("act", 2, side), t.nRRD_S, "ACT after ACT of the rank (nRRD_S)")
        self._after(at, ("ref", 0, side), t.nRFC, "ACT after REFRESH (nRFC)")
        if at - self.window[side][0] < t.nFAW:
            self._wrong(at, "five ACT of a rank in nFAW")
        self.window[side].append(at)
        self.row[bank] = row
        for scope, number in enumerate((bank, group, side)):
            self.last["act", scope, number] = at

    def _precharge(self, at: int, banks: tuple[int, ...] | range, name: str) -> None:
        t = self.t
        for bank in banks:
            if bank in self.row:
                self._after(at, ("act", 0, bank), t.nRAS, f"{name} after ACT (nRAS)")
                self._after(at, ("read", 0, bank), t.nRTP, f"{name} after READ (nRTP)")
                done = t.nCWL + t.nBL + t.nWR
                self._after(at, ("write", 0, bank), done, f"{name} after WRITE (nWR)")

    def _refresh(self, at: int, side: int) -> None:
        t = self.t
        first = side * t.banks
        if any(first <= bank < first + t.banks for bank in self.row):
            self._wrong(at, "REFRESH of a rank with an open row")
        self._after(at, ("pre all", 0, side), t.precharge_all, "REFRESH after PRE_ALL (nRPab)")
        for bank in range(first, first + t.banks):
            self._after(at, ("pre", 0, bank), t.nRP, "REFRESH after PRE (nRP)")
        self._after(at, ("ref", 0, side), t.nRFC, "REFRESH after REFRESH (nRFC)")
        before = self.last["ref", 0, side]
        if before > _LONG_AGO and at - before > 2 * t.nREFI:
            self._wrong(at, "REFRESH more than two nREFI after the last")
        self.last["ref", 0, side] = at

    def _column(self, at: int, bank: int, side: int, row: int, *, write: bool) -> None:
        t = self.t
        if self.row.get(bank) != row:
            self._wrong(at, f"row {row} of bank {bank} is not open")
        self._after(at, ("act", 0, bank), t.nRCD, "column command after ACT (nRCD)")
        group, level = bank // t.banks_per_group, bank // (t.banks_per_group * t.bank_groups)
        lane = side // self.ranks
        end = at + (t.nCWL if write else t.nCL)
        for then, wrote, other, data in self.columns[lane]:
            gap = at - then
            other_side = other // t.banks
            if other_side != side:
                # Only the data bus is shared: from the end of one burst a gap to the next.
                if end - (data + t.nBL) < t.nCS:
                    self._wrong(at, f"bursts of two ranks {end - data - t.nBL} apart (nCS)")
                continue
            same = other // t.banks_per_group == group
            if wrote == write:
                need, name = (t.nCCD_L, "nCCD_L") if same else (t.nCCD_S, "nCCD_S")
                if other // (t.banks_per_group * t.bank_groups) != level and not write:
                    need, name = max(need, t.nCCD_R), "nCCD_R"
            elif wrote:
                tail = t.nWTR_L if same else t.nWTR_S
                need, name = t.nCWL + t.nBL + tail, "nWTR_L" if same else "nWTR_S"
            else:
                need, name = t.nCL + t.nBL + 2 - t.nCWL, "read to write"
            if gap < need:
                self._wrong(at, f"column commands {gap} apart instead of {need} ({name})")
            if end - data < t.nBL and not gap < need:
                self._wrong(at, "bursts meet on the data bus")
        self.columns[lane].append((at, write, bank, end))
        self.last["write" if write else "read", 0, bank] = at

    def _buses(self, trace: Trace) -> None:
        """Every command gets its half cycles, the first not before its cycle begins."""
        t = self.t
        free = {False: 0, True: 0}  # by: is it the column bus
        for at, kind in zip(trace.cycle.tolist(), trace.kind.tolist(), strict=True):
            column = kind in (Kind.READ, Kind.WRITE)
            bus = column and t.split_buses
            slots = (
                t.column_slots
                if column
                else t.act_slots
                if kind in (Kind.ACT, Kind.ACT_1)
                else t.pre_slots
                if kind in (Kind.PRE, Kind.PRE_ALL)
                else 2
            )
            begin = max(2 * at, free[bus])
            if begin - 2 * at > (1 if slots == 1 else 0):
                self._wrong(at, f"{Kind(kind).name} while its bus is taken")
            free[bus] = begin + slots
