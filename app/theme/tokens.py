"""Theme tokens: every colour of the application, as plain data without Qt.

The colours of categories, waits and places are in `simcore.colours`, which exported charts use too;
here is what only a window needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simcore import colours
from simcore.colours import (
    CATEGORY_ORDER,
    CATEGORY_TITLES,
    COLOUR_KEYS,
    WAIT_KEYS,
    ColourTable,
    blend,
    contrast,
    rgb,
)

__all__ = [
    "CATEGORY_ORDER",
    "CATEGORY_TITLES",
    "COLOUR_KEYS",
    "DARK",
    "LIGHT",
    "THEMES",
    "WAIT_KEYS",
    "Theme",
    "blend",
    "contrast",
    "place_colours",
    "rgb",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One set of tokens; values are ``#rrggbb``.

    Attributes:
        name: ``light`` or ``dark``.
        dark: whether text is lighter than its ground.
        frame: what Qt derives the frames of its controls from (it darkens it).
        table: colours of categories, waits and places, shared with exported charts.
        missed, false_alarm, moving: colours of the placement flags.
        heat: dark-to-bright stops of a sequential map.
    """

    name: str
    dark: bool
    table: ColourTable
    window: str
    frame: str
    panel: str
    canvas: str
    field: str
    border: str
    grid: str
    text: str
    text_dim: str
    accent: str
    accent_text: str
    error: str
    warning: str
    good: str
    cursor: str
    selection: str
    peak: str
    row_alt: str
    missed: str
    false_alarm: str
    moving: str
    heat: tuple[str, ...]

    @property
    def categories(self) -> Mapping[str, str]:
        """Colour key to colour."""
        return self.table.categories

    @property
    def gpu_place(self) -> str:
        """Colour of things placed on a GPU."""
        return self.table.gpu_place

    def colour(self, key: str) -> str:
        """Colour of a category or wait; unknown keys get the colour of ``other``."""
        return self.table.colour(key)


LIGHT = Theme(
    name="light",
    dark=False,
    table=colours.LIGHT,
    window="#eef0f3",
    frame="#eef0f3",
    panel="#f8f9fb",
    canvas=colours.LIGHT.ground,
    field="#ffffff",
    border="#c9ced6",
    grid="#e3e6eb",
    text="#1c2128",
    text_dim="#4f5966",
    accent="#0b62a8",
    accent_text="#ffffff",
    error="#b3261e",
    warning="#8a5300",
    good="#00734f",
    cursor="#d1242f",
    selection="#1c2128",
    peak="#7a3b00",
    row_alt="#f4f6f8",
    missed="#b3002d",
    false_alarm="#948000",
    moving="#111111",
    heat=("#f3f6fa", "#c3d9ec", "#7fb0d8", "#3a7fb8", "#0b4a82", "#06264a"),
)

DARK = Theme(
    name="dark",
    dark=True,
    table=colours.DARK,
    window="#16191e",
    frame="#5a6472",
    panel="#1d2127",
    canvas=colours.DARK.ground,
    field="#101317",
    border="#343b45",
    grid="#272c34",
    text="#e4e8ee",
    text_dim="#abb6c4",
    accent="#4da3e8",
    accent_text="#0b0d10",
    error="#ff8a80",
    warning="#f0b35a",
    good="#4cc9a0",
    cursor="#ff6b6b",
    selection="#ffffff",
    peak="#ffb27a",
    row_alt="#181c21",
    missed="#ff5c7a",
    false_alarm="#f0e442",
    moving="#ffffff",
    heat=("#14181d", "#16324b", "#1d5482", "#3180b6", "#74b4de", "#e2f1fb"),
)

THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}
"""All themes by name."""


def place_colours(theme: Theme, ids: Sequence[str]) -> tuple[str, ...]:
    """Colours of places by their ids; see `simcore.colours.place_colours`."""
    return colours.place_colours(theme.table, ids)
