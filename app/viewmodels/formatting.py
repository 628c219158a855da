"""Numbers as text: one place for units, digits and separators."""

from __future__ import annotations

import math

from simcore.units import PS_PER_MS, PS_PER_NS, PS_PER_S, PS_PER_US

_TIME_UNITS = ((PS_PER_S, "s"), (PS_PER_MS, "ms"), (PS_PER_US, "µs"), (PS_PER_NS, "ns"))


def time_text(time_ps: float, digits: int = 4) -> str:
    """A duration in the unit that suits it, with about `digits` significant digits."""
    size = abs(time_ps)
    if size == 0:
        return "0"
    for factor, unit in _TIME_UNITS:
        if size >= factor:
            return f"{significant(time_ps / factor, digits)} {unit}"
    return f"{time_ps:.0f} ps"


def milliseconds_text(time_ps: float) -> str:
    """A point in time in milliseconds with thousands separators and microsecond digits."""
    return f"{time_ps / PS_PER_MS:,.3f} ms"


def significant(value: float, digits: int = 4) -> str:
    """A number with about `digits` significant digits, separators and no exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 9)}f}"


def peak_text(peak_GBps: float) -> str:
    """A peak bandwidth beside the name of what has it."""
    return f"{significant(peak_GBps, 3)} GB/s"


def bytes_text(amount: float, digits: int = 4) -> str:
    """An amount in decimal units: B, kB, MB, GB, TB, PB."""
    size = abs(amount)
    for factor, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{significant(amount / factor, digits)} {unit}"
    return f"{amount:.0f} B"


def rate_text(amount_bytes: float, time_ps: float) -> str:
    """A bandwidth in GB/s."""
    return f"{significant(amount_bytes * 1e3 / time_ps, 4)} GB/s" if time_ps > 0 else "–"


def percent_text(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f} %"


def number_text(value: float) -> str:
    """A number for a table: whole numbers with separators, others with four digits."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return significant(float(value), 4)


def tick_unit(step_ps: float, reach_ps: float) -> tuple[float, str, int]:
    """Factor, unit and decimals for tick labels `step_ps` apart that reach to `reach_ps`."""
    factor, unit = _TIME_UNITS[-1]
    for candidate, name in _TIME_UNITS:
        if reach_ps >= candidate * 0.9999:
            factor, unit = candidate, name
            break
    decimals = max(0, math.ceil(-math.log10(step_ps / factor) - 1e-9)) if step_ps > 0 else 0
    return factor, unit, min(decimals, 9)


def nice_step(raw: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `raw`."""
    if raw <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 5, 10):
        if factor * power >= raw * 0.999999:
            return factor * power
    return 10 * power
