"""Timing and organisation of one DRAM channel, in clock cycles, with the checks a set must pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcore.errors import Problem, ScenarioErrors, did_you_mean
from simcore.scenario.binding import FieldSpec, field_specs
from simcore.scenario.fields import knob

_CYCLES: dict[str, Any] = {"unit": "nCK", "ge": 1, "le": 65_536}
_MAYBE: dict[str, Any] = {"unit": "nCK", "ge": 0, "le": 65_536}


@dataclass(frozen=True, slots=True, kw_only=True)
class DramTiming:
    """One channel of a memory standard at one speed.

    Times are whole clock cycles (`tCK_ps` long), named as in the JEDEC standards; ``_S`` holds
    between bank groups, ``_L`` inside one. A *burst* is what one read or write command moves. An
    HBM channel is its pseudo-channels, each with a data bus and banks of its own, sharing the
    buses commands travel on. Row and burst bytes are those of a rank (or a pseudo-channel).
    """

    tCK_ps: int = knob(help="length of a clock cycle", unit="ps", ge=50, le=20_000)
    burst_bytes: int = knob(help="bytes of one burst", unit="B", ge=4, le=1024)
    nBL: int = knob(help="cycles a burst holds the data bus", **_CYCLES)
    nCL: int = knob(help="read command to first data", **_CYCLES)
    nCWL: int = knob(help="write command to first data", **_CYCLES)
    nRCD: int = knob(help="activate to read or write", **_CYCLES)
    nRP: int = knob(help="precharge to activate", **_CYCLES)
    nRAS: int = knob(help="activate to precharge", **_CYCLES)
    nRC: int = knob(help="activate to activate of the same bank", **_CYCLES)
    nFAW: int = knob(help="window that holds at most four activates of a rank", **_CYCLES)
    nRRD_S: int = knob(help="activate to activate, other bank group", **_CYCLES)
    nRRD_L: int = knob(help="activate to activate, same bank group", **_CYCLES)
    nCCD_S: int = knob(help="column command to the next, other bank group", **_CYCLES)
    nCCD_L: int = knob(help="column command to the next, same bank group", **_CYCLES)
    nCCD_R: int = knob(0, help="column command to the next, other stack level; 0: nCCD_S", **_MAYBE)
    nRTP: int = knob(help="read to precharge", **_CYCLES)
    nWR: int = knob(help="end of written data to precharge", **_CYCLES)
    nWTR_S: int = knob(help="end of written data to read, other bank group", **_CYCLES)
    nWTR_L: int = knob(help="end of written data to read, same bank group", **_CYCLES)
    nRFC: int = knob(help="all-bank refresh to the next command of the rank", **_CYCLES)
    nREFI: int = knob(help="interval of refreshes; 0 leaves refresh out", **_MAYBE)
    nCS: int = knob(2, help="gap on the data bus between bursts of two ranks", **_MAYBE)
    nRPab: int = knob(0, help="precharge of all banks to activate; 0 takes nRP", **_MAYBE)
    bank_groups: int = knob(help="bank groups of a rank", ge=1, le=64)
    banks_per_group: int = knob(help="banks of a bank group", ge=1, le=64)
    stack_ids: int = knob(1, help="stack levels (SID) that repeat the banks", ge=1, le=16)
    rows: int = knob(help="rows of a bank", ge=2, le=1 << 22)
    row_bytes: int = knob(help="bytes of a row, all devices of the rank", unit="B", ge=64, le=65536)
    pseudo_channels: int = knob(1, help="pseudo-channels sharing the command buses", ge=1, le=4)
    act_parts: int = knob(1, help="commands an activate is made of", ge=1, le=2)
    act_slots: int = knob(2, help="half cycles an activate command holds its bus", ge=1, le=8)
    pre_slots: int = knob(2, help="half cycles a precharge holds its bus", ge=1, le=8)
    column_slots: int = knob(2, help="half cycles a read or write holds its bus", ge=1, le=8)
    split_buses: bool = knob(False, help="row and column commands have a bus each (HBM)")

    def __post_init__(self) -> None:
        found = tuple(problems(dataclasses.asdict(self)))
        if found:
            raise ScenarioErrors(found, "DRAM timing")

    @property
    def groups(self) -> int:
        """Bank groups of a rank over all stack levels: each has column circuits of its own."""
        return self.bank_groups * self.stack_ids

    @property
    def banks(self) -> int:
        """Banks of a rank (or pseudo-channel)."""
        return self.groups * self.banks_per_group

    @property
    def row_bursts(self) -> int:
        """Bursts in a row."""
        return self.row_bytes // self.burst_bytes

    @property
    def precharge_all(self) -> int:
        """Precharge of all banks to the next activate, in cycles."""
        return self.nRPab or self.nRP

    @property
    def peak_GBps(self) -> float:
        """Peak of the channel, all pseudo-channels: bytes of a burst over its time on the bus.

        DDR4-3200: 64 B / (4 x 0.625 ns) = 25.6 GB/s.
        """
        return self.pseudo_channels * 1e3 * self.burst_bytes / (self.nBL * self.tCK_ps)

    @property
    def capacity_bytes(self) -> int:
        """Bytes of one rank of the channel, all pseudo-channels."""
        return self.pseudo_channels * self.banks * self.rows * self.row_bytes

    def with_values(self, values: Mapping[str, Any]) -> DramTiming:
        """This timing with some values replaced.

        Raises:
            ScenarioErrors: with every unknown name and value out of range.
        """
        found = []
        specs = timing_fields()
        converted: dict[str, Any] = {}
        for name, value in values.items():
            if name not in specs:
                hint = did_you_mean(name, specs).strip()
                found.append(Problem(name, "no such timing", ", ".join(specs), hint))
                continue
            result, message, hint = specs[name].convert(value)
            if message:
                found.append(Problem(name, message, specs[name].allowed, hint, value=str(value)))
            converted[name] = result
        found += [] if found else problems(dataclasses.asdict(self) | converted)
        if found:
            raise ScenarioErrors(found, "--set")
        return dataclasses.replace(self, **converted)


def timing_fields() -> Mapping[str, FieldSpec]:
    """The fields of `DramTiming` with help, unit and range, by name."""
    return field_specs(DramTiming)


def problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a set of timings: ranges first, then what contradicts itself.

    Published tables round each time on its own, so sums are held against each other with a cycle
    or two to spare (DDR4-2400 prints nRC 56 and 57 for nRAS 39 + nRP 17 or 18).
    """
    found = []
    for name, spec in timing_fields().items():
        _, message, hint = spec.convert(values[name])
        if message:
            shown = str(values[name])
            found.append(Problem(name, message, spec.allowed, hint, value=shown))
    if found:
        return found
    v = {k: int(x) for k, x in values.items()}

    def need(holds: bool, name: str, message: str, allowed: str) -> None:
        if not holds:
            found.append(Problem(name, message, allowed, value=str(values[name])))

    for name in ("nCCD", "nRRD", "nWTR"):
        low = v[f"{name}_S"]
        need(v[f"{name}_L"] >= low, f"{name}_L", f"shorter than {name}_S", f"at least {low}")
    need(v["nCCD_S"] >= v["nBL"], "nCCD_S", "bursts would overlap", f"at least nBL = {v['nBL']}")
    sum_ = v["nRAS"] + v["nRP"]
    need(abs(v["nRC"] - sum_) <= 2, "nRC", "is not nRAS + nRP", f"{sum_ - 2} to {sum_ + 2}")
    need(v["nRAS"] >= v["nRCD"], "nRAS", "shorter than nRCD", f"at least {v['nRCD']}")
    need(v["nFAW"] >= v["nRRD_S"], "nFAW", "shorter than nRRD_S", f"at least {v['nRRD_S']}")
    if v["nREFI"]:
        low = v["nRFC"] + v["nRAS"] + v["nRP"] + v["nRCD"] + v["nWR"] + v["nCWL"] + v["nBL"]
        need(v["nREFI"] > low, "nREFI", "refresh would leave no time to read", f"more than {low}")
    rest = v["row_bytes"] % v["burst_bytes"]
    need(not rest, "row_bytes", "not whole bursts", f"multiples of {v['burst_bytes']}")
    return found
