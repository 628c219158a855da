"""Which colours are used together, and what they must keep: distances and contrasts.

Where colours cannot be apart, something else carries the difference: waits among each other are
told apart by their text and tip (an op and a wait by lightness), many places by position, legend
and tip, marks of the placement map also by shape (cross, dot, frame).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from app.theme.tokens import CATEGORY_ORDER, WAIT_KEYS, Theme, blend, contrast
from app.theme.vision import VISIONS, distance
from simcore.colours import ColourTable, place_colours
from simcore.export.charts.style import ChartTheme

OPS_APART = 10.0
"""Least CIEDE2000 between two categories of ops, for every vision."""
OP_AND_WAIT_APART = 15.0
PLACES_APART = 10.0
"""Least CIEDE2000 between neighbours in the row of places, and of any place to a GPU."""
MARKS_APART = 10.0
TEXT_CONTRAST = 4.5
GRAPHICS_CONTRAST = 3.0
PLACES = (1, 2, 4, 8, 16)

Pairs = list[tuple[float, str, str]]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A colour in front of another, its contrast ratio, and the least it may be."""

    front: str
    ground: str
    ratio: float
    least: float


def distances(theme: Theme) -> Iterator[tuple[str, str, float, Pairs]]:
    """(group, vision, limit, pairs with their distances) of all colours used together."""
    yield from table_distances(theme.table)
    marks = [("missed", "false_alarm")]
    for vision in VISIONS:
        yield (
            "marks",
            vision,
            MARKS_APART,
            [(distance(getattr(theme, a), getattr(theme, b), vision), a, b) for a, b in marks],
        )


def table_distances(table: ColourTable) -> Iterator[tuple[str, str, float, Pairs]]:
    """The same of what the window and the exported charts share.

    Kinds of memory and numbered curves borrow the colours of the categories, so they are apart.
    """
    colours = table.categories
    ops = list(itertools.combinations(CATEGORY_ORDER, 2))
    waits = list(itertools.product(CATEGORY_ORDER, WAIT_KEYS))
    for vision in VISIONS:
        yield (
            "ops",
            vision,
            OPS_APART,
            [(distance(colours[a], colours[b], vision), a, b) for a, b in ops],
        )
        yield (
            "ops, waits",
            vision,
            OP_AND_WAIT_APART,
            [(distance(colours[a], colours[b], vision), a, b) for a, b in waits],
        )
        yield "places", vision, PLACES_APART, _places(table, vision)


def _places(table: ColourTable, vision: str) -> Pairs:
    found: Pairs = []
    for count in PLACES:
        ids = ("gpu0", *(f"dimm{number}" for number in range(count)))
        shown = place_colours(table, ids)
        pairs = [(i, i + 1) for i in range(1, count)] + [(0, i) for i in range(1, count + 1)]
        found += [
            (distance(shown[a], shown[b], vision), f"{ids[a]} of {count}", ids[b]) for a, b in pairs
        ]
    return found


def contrasts(theme: Theme) -> list[Contrast]:
    """Texts on everything they stand on, and graphics on their canvas."""
    grounds = {name: str(getattr(theme, name)) for name in _GROUNDS}
    strips = {
        "error strip": blend(theme.window, theme.error, 0.20),
        "warning strip": blend(theme.window, theme.warning, 0.20),
        "info strip": blend(theme.window, theme.accent, 0.16),
        "stale badge": blend(theme.window, theme.warning, 0.30),
        "invalid field": blend(theme.field, theme.error, 0.28),
        "added line": blend(theme.field, theme.good, 0.22),
        "removed line": blend(theme.field, theme.error, 0.22),
    }
    pairs = [
        *((name, ground, TEXT_CONTRAST) for name in _TEXTS for ground in grounds),
        *(("text", ground, TEXT_CONTRAST) for ground in strips),
        ("accent_text", "accent", TEXT_CONTRAST),
        *(("text_dim", key, TEXT_CONTRAST) for key in WAIT_KEYS),
        *((key, "canvas", GRAPHICS_CONTRAST) for key in CATEGORY_ORDER),
        *((name, "canvas", GRAPHICS_CONTRAST) for name in _GRAPHICS),
        *(("accent", ground, GRAPHICS_CONTRAST) for ground in grounds),
    ]
    named = {**grounds, **strips, **theme.categories, "accent": theme.accent}
    found = []
    for front, ground, least in pairs:
        colour = theme.categories.get(front) or str(getattr(theme, front))
        found.append(Contrast(front, ground, contrast(colour, named[ground]), least))
    for key in CATEGORY_ORDER:  # what is written on ops is black or white
        colour = theme.categories[key]
        best = max(contrast(colour, "#000000"), contrast(colour, "#ffffff"))
        found.append(Contrast("label", key, best, TEXT_CONTRAST))
    return found + _place_contrasts(theme.table, "canvas")


def chart_contrasts(theme: ChartTheme) -> list[Contrast]:
    """The same of an exported chart: its words, and everything that is drawn on its ground."""
    pairs = [
        *((name, TEXT_CONTRAST) for name in ("text", "muted")),
        ("accent", GRAPHICS_CONTRAST),
        ("wait_edge", GRAPHICS_CONTRAST),
    ]
    found = [
        Contrast(name, "ground", contrast(str(getattr(theme, name)), theme.background), least)
        for name, least in pairs
    ]
    found += [
        Contrast(key, "ground", contrast(theme.category(key), theme.background), GRAPHICS_CONTRAST)
        for key in CATEGORY_ORDER
    ]
    return found + _place_contrasts(theme.table, "ground")


def _place_contrasts(table: ColourTable, ground: str) -> list[Contrast]:
    found = []
    for count in PLACES:
        ids = ("gpu0", *(f"dimm{number}" for number in range(count)))
        found += [
            Contrast(f"{id} of {count}", ground, contrast(colour, table.ground), GRAPHICS_CONTRAST)
            for id, colour in zip(ids, place_colours(table, ids), strict=True)
        ]
    return found


_GROUNDS = ("window", "panel", "canvas", "field", "row_alt")
_TEXTS = ("text", "text_dim", "error", "warning", "good")
_GRAPHICS = ("cursor", "selection", "peak", "gpu_place", "missed", "false_alarm", "moving")
