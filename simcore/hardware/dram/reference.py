"""The published simulator runs (``assets/dram/reference.csv``) beside the models."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simcore.data import asset
from simcore.errors import DataFileError
from simcore.hardware.dram.analytic import Access, Pattern, estimate
from simcore.hardware.dram.command import serve
from simcore.hardware.dram.layout import Layout, gather, stream
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming

_LAYOUTS = {
    "LIN": Layout.LINEAR,
    "BGI": Layout.BANK_GROUP,
    "MOP4": Layout.MOP4,
    "RKI": Layout.RANK,
    "BNK1": Layout.ONE_BANK,
}

_DDR5_RELAXED: Mapping[str, int | bool] = {"nFAW": 32, "nRRD_S": 8}
_DDR4_3200_INI: Mapping[str, int | bool] = {"nRFC": 560, "nCS": 1}
_DDR4_2400_INI: Mapping[str, int | bool] = {
    **{"nCL": 17, "nRCD": 17, "nRP": 17, "nRC": 56, "nRFC": 420, "nREFI": 9360, "nCS": 1}
}
# One legacy channel of 128 bits, bursts of 64 B; bursts cannot be closer than their data.
_HBM2_INI: Mapping[str, int | bool] = {
    **{"burst_bytes": 64, "row_bytes": 2048, "pseudo_channels": 1, "nCCD_S": 2, "nCCD_L": 2},
    **{"nRFC": 260, "nFAW": 30, "nRRD_L": 6, "act_slots": 2},
}
_CONFIGS: tuple[tuple[str, str, Mapping[str, int | bool]], ...] = (
    ("DDR5-4800 16Gb x8 1R subch, nFAW=32", "ddr5-4800-16gb-x8", _DDR5_RELAXED),
    ("DDR4-3200 8Gb x8", "ddr4-3200-8gb-x8", {}),
    ("DDR5-4800 16Gb x8", "ddr5-4800-16gb-x8", {}),
    ("LPDDR5-6400", "lpddr5-6400-16gb-x16", {}),
    ("HBM2-2000", "hbm2-2000-8gb", {}),
    ("HBM3-6400", "hbm3-6400-16gb-8hi", {}),
    ("DDR4_8Gb_x8_3200", "ddr4-3200-8gb-x8", _DDR4_3200_INI),
    ("DDR4_8Gb_x8_2400", "ddr4-2400-8gb-x8", _DDR4_2400_INI),
    ("HBM2_8Gb_x128", "hbm2-2000-8gb", _HBM2_INI),
)


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """One measured row.

    Attributes:
        tool, config, scheduler, policy: as in the table.
        timing: the channel.
        access: how it is accessed.
        fraction_of_peak: measured.
        latency_ns: mean latency of a read as the tool gives it.
    """

    tool: str
    config: str
    scheduler: str
    policy: str
    timing: DramTiming
    access: Access
    fraction_of_peak: float
    latency_ns: float

    @property
    def group(self) -> str:
        """What kind of row it is, for acceptance."""
        a = self.access
        if self.policy != "Open":
            return "closed rows (not modelled)"
        if a.streams > 1:
            return "several at once"
        if a.pattern is Pattern.STREAM:
            return "bank-group stream" if a.layout is Layout.BANK_GROUP else "other stream"
        if a.granule_bytes <= 64:
            return "64 B random"
        if a.layout is Layout.BANK_GROUP:
            return "256 B to 16 KiB bank-group"
        return "linear, 1 KiB and more" if a.granule_bytes >= 1024 else "linear, below 1 KiB"

    @property
    def same_controller(self) -> bool:
        """Whether the command-level model has the scheduler and queue of this row."""
        return self.tool.startswith("Ramulator") and self.policy == "Open"


def reference_rows() -> tuple[ReferenceRow, ...]:
    """Every row of the table.

    Raises:
        DataFileError: if the table is missing or damaged.
    """
    path = asset("dram/reference.csv")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(_row(record) for record in csv.DictReader(file))
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise DataFileError(f"{path}: damaged: {error}") from error


@lru_cache(maxsize=32)
def _timing(config: str) -> DramTiming:
    for begin, id, changes in _CONFIGS:
        if config.startswith(begin):
            return dram_preset(id).timing.with_values(changes)
    raise ValueError(f"unknown configuration {config!r}")


def _row(record: Mapping[str, str]) -> ReferenceRow:
    queue = record["queue"]
    access = Access(
        Pattern.STREAM if record["pattern"] == "stream" else Pattern.GATHER,
        _LAYOUTS[record["mapping"]],
        granule_bytes=max(64, int(record["granule_B"])),
        streams=int(record["streams"]),
        ranks=int(record["ranks"]),
        queue=int(queue) if queue.isdigit() else 32,
        refresh=record["refresh"] != "NoRefresh",
    )
    return ReferenceRow(
        record["tool"],
        record["config"],
        record["sched"],
        record["policy"],
        _timing(record["config"]),
        access,
        float(record["frac_peak"]),
        float(record["avg_lat_ns"] or "nan"),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """A row beside a model.

    Attributes:
        row: what was measured.
        fraction_of_peak: what the model gives.
    """

    row: ReferenceRow
    fraction_of_peak: float

    @property
    def error(self) -> float:
        """Model minus measurement, as a share of peak."""
        return self.fraction_of_peak - self.row.fraction_of_peak


def compared(rows: Iterable[ReferenceRow]) -> tuple[Compared, ...]:
    """Rows beside the estimate."""
    return tuple(Compared(row, estimate(row.timing, row.access).fraction_of_peak) for row in rows)


def served(row: ReferenceRow, bursts: int, seed: int = 1) -> Compared:
    """A row beside the command-level model, over `bursts` bursts."""
    a = row.access
    if a.pattern is Pattern.STREAM:
        asked = stream(row.timing, a.layout, a.ranks, bursts, a.streams, seed)
    else:
        asked = gather(row.timing, a.layout, a.ranks, bursts, a.granule_bytes, a.streams, seed)
    found = serve(
        row.timing,
        asked,
        ranks=a.ranks,
        queue=a.queue,
        refresh=a.refresh,
        protect_hits=row.scheduler != "FRFCFS",
    )
    return Compared(row, found.fraction_of_peak)


@dataclass(frozen=True, slots=True)
class GroupError:
    """Absolute errors of a group of rows: number, median, 90 %, largest."""

    group: str
    rows: int
    median: float
    p90: float
    largest: float


def by_group(found: Iterable[Compared]) -> tuple[GroupError, ...]:
    """Errors group by group, in order of appearance, and of all rows that are modelled."""
    groups: dict[str, list[float]] = {}
    for one in found:
        groups.setdefault(one.row.group, []).append(abs(one.error))
    modelled = [e for name, errors in groups.items() if "not modelled" not in name for e in errors]
    groups["all that are modelled"] = modelled
    return tuple(
        GroupError(
            name,
            len(errors),
            float(np.median(errors)),
            float(np.quantile(errors, 0.9)),
            max(errors),
        )
        for name, errors in groups.items()
        if errors
    )
