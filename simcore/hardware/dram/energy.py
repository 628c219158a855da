"""Energy per bit of an access pattern, part by part; None where no sourced figure is known."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.hardware.dram.analytic import Access, Estimate, Scope
from simcore.hardware.dram.presets import DramPreset


@dataclass(frozen=True, slots=True)
class EnergyPerBit:
    """Energy per bit in pJ; a part is None where no sourced figure is known.

    Attributes:
        activate: opening and closing rows, shared by the bits read from a row.
        array: the array and the way to the pins.
        io: the interface of the devices.
        background: standby power over the bandwidth.
        refresh: refresh commands.
        total: the known parts; None if the array's energy is not known.
        missing: names of parts that are not in the total.
    """

    activate: float | None
    array: float | None
    io: float | None
    background: float | None
    refresh: float | None
    total: float | None
    missing: tuple[str, ...]


def energy_per_bit(preset: DramPreset, access: Access, estimate: Estimate) -> EnergyPerBit:
    """Energy per bit of a pattern.

    A rank activates a row for the bursts a visit reads from it, so small granules pay the whole
    activate for few bits. Refresh has no sourced figure and is always missing.
    """
    known = preset.energy
    if known is None:
        nothing = ("activate", "array", "io", "background", "refresh")
        return EnergyPerBit(None, None, None, None, None, None, nothing)
    t, write = preset.timing, access.write_share
    if access.scope is Scope.BANK:
        array = known.bank_pJ_per_bit
        parts = {"activate": None, "array": array, "io": None, "background": None, "refresh": None}
        # What is published for a unit in the bank holds the activate and needs no interface.
        missing = ("background", "refresh") if array is not None else tuple(parts)
        return EnergyPerBit(None, array, None, None, None, array, missing)
    bits = 8 * t.burst_bytes * estimate.row_bursts
    activate = known.activate_pJ_per_bit
    if known.activate_nJ is not None:
        activate = 1e3 * known.activate_nJ / bits
    array = None
    if known.read_pJ_per_bit is not None and known.write_pJ_per_bit is not None:
        array = (1 - write) * known.read_pJ_per_bit + write * known.write_pJ_per_bit
    background = None
    if known.background_W_per_rank is not None and estimate.bandwidth_GBps > 0:
        # W / (GB/s) = nJ per byte; over 8 bits, in pJ.
        watts = known.background_W_per_rank * access.ranks
        background = 1e3 * watts / estimate.bandwidth_GBps / 8
    found = {
        "activate": activate,
        "array": array,
        "io": known.io_pJ_per_bit,
        "background": background,
        "refresh": None,
    }
    total = None if array is None else sum(v for v in found.values() if v is not None)
    missing = tuple(name for name, value in found.items() if value is None)
    return EnergyPerBit(activate, array, known.io_pJ_per_bit, background, None, total, missing)
