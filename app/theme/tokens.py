"""Theme tokens: every colour of the application, as plain data without Qt.

Categories follow the Okabe-Ito palette, which stays distinguishable with the common kinds of
colour blindness; a category has the same hue in every view and in both themes.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

from simcore.results.spans import WaitReason

CATEGORY_ORDER = (
    "qkv",
    "attention",
    "projection",
    "mlp",
    "weights",
    "predict",
    "merge",
    "transfer",
    "migration",
    "other",
)
"""Categories of ops in the order they are stacked and listed."""

WAIT_KEYS = tuple(f"wait.{reason.name.lower()}" for reason in WaitReason)
"""Colour keys of the waits, one a reason."""

COLOUR_KEYS = CATEGORY_ORDER + WAIT_KEYS
"""Every colour key a span can have; the index into this tuple is what view models work with."""

CATEGORY_TITLES: Mapping[str, str] = {
    "qkv": "QKV",
    "attention": "Attention",
    "projection": "Projection",
    "mlp": "MLP",
    "weights": "Weights",
    "predict": "Prediction",
    "merge": "Merge",
    "transfer": "Transfer",
    "migration": "Migration",
    "other": "Other",
    **{f"wait.{reason.name.lower()}": f"Wait: {reason.value}" for reason in WaitReason},
}
"""Titles for legends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One set of tokens; values are ``#rrggbb``.

    Attributes:
        name: ``light`` or ``dark``.
        dark: whether text is lighter than its ground.
        frame: what Qt derives the frames of its controls from (it darkens it).
        categories: colour key to colour.
        gpu_place: colour of things placed on a GPU.
        missed, false_alarm, moving: colours of the placement flags.
        heat: dark-to-bright stops of a sequential map.
    """

    name: str
    dark: bool
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
    categories: Mapping[str, str]
    gpu_place: str
    missed: str
    false_alarm: str
    moving: str
    heat: tuple[str, ...]

    def colour(self, key: str) -> str:
        """Colour of a category or wait; unknown keys get the colour of ``other``."""
        return self.categories.get(key, self.categories["other"])


LIGHT = Theme(
    name="light",
    dark=False,
    window="#eef0f3",
    frame="#eef0f3",
    panel="#f8f9fb",
    canvas="#ffffff",
    field="#ffffff",
    border="#c9ced6",
    grid="#e3e6eb",
    text="#1c2128",
    text_dim="#5c6673",
    accent="#0b62a8",
    accent_text="#ffffff",
    error="#b3261e",
    warning="#8a5300",
    good="#00734f",
    cursor="#d1242f",
    selection="#1c2128",
    peak="#7a3b00",
    row_alt="#f4f6f8",
    categories={
        "qkv": "#56b4e9",
        "attention": "#cc79a7",
        "projection": "#009e73",
        "mlp": "#0072b2",
        "weights": "#7b5ea7",
        "predict": "#d9c400",
        "merge": "#8c6d46",
        "transfer": "#e69f00",
        "migration": "#d55e00",
        "other": "#848c98",
        "wait.dependency": "#d5dae1",
        "wait.link_busy": "#efd9b4",
        "wait.sync": "#c3cbd6",
        "wait.imbalance": "#ecc9c2",
        "wait.memory_full": "#dccbe6",
        "wait.no_work": "#f1f3f6",
    },
    gpu_place="#e0701a",
    missed="#b3002d",
    false_alarm="#7a6a00",
    moving="#111111",
    heat=("#f3f6fa", "#c3d9ec", "#7fb0d8", "#3a7fb8", "#0b4a82", "#06264a"),
)

DARK = Theme(
    name="dark",
    dark=True,
    window="#16191e",
    frame="#5a6472",
    panel="#1d2127",
    canvas="#121519",
    field="#101317",
    border="#343b45",
    grid="#272c34",
    text="#e4e8ee",
    text_dim="#98a3b1",
    accent="#4da3e8",
    accent_text="#0b0d10",
    error="#ff8a80",
    warning="#f0b35a",
    good="#4cc9a0",
    cursor="#ff6b6b",
    selection="#ffffff",
    peak="#ffb27a",
    row_alt="#181c21",
    categories={
        "qkv": "#56b4e9",
        "attention": "#d78bb5",
        "projection": "#1fae85",
        "mlp": "#2f86c9",
        "weights": "#9a7fc9",
        "predict": "#f0e442",
        "merge": "#b08f63",
        "transfer": "#e69f00",
        "migration": "#e8702a",
        "other": "#8e97a4",
        "wait.dependency": "#323944",
        "wait.link_busy": "#4d4029",
        "wait.sync": "#3b4552",
        "wait.imbalance": "#55362f",
        "wait.memory_full": "#43364f",
        "wait.no_work": "#1d2127",
    },
    gpu_place="#ff9440",
    missed="#ff5c7a",
    false_alarm="#f0e442",
    moving="#ffffff",
    heat=("#14181d", "#16324b", "#1d5482", "#3180b6", "#74b4de", "#e2f1fb"),
)

THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}
"""All themes by name."""


def place_colours(theme: Theme, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Colours of places: warm for GPUs, a cool ramp from teal to violet for everything else.

    Neighbours on the ramp alternate in lightness, so that they differ without hue as well.
    """
    cool = [i for i, place in enumerate(ids) if not place.startswith("gpu")]
    out = [theme.gpu_place] * len(ids)
    for at, index in enumerate(cool):
        share = at / max(1, len(cool) - 1)
        light = (0.60, 0.70) if theme.dark else (0.38, 0.52)
        red, green, blue = colorsys.hls_to_rgb(
            (168 + 122 * share) / 360, light[at % 2], 0.62 if at % 2 else 0.72
        )
        out[index] = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
    return tuple(out)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(a: str, b: str, share: float) -> str:
    """A colour `share` of the way from `a` to `b`."""
    mixed = (round(x + (y - x) * share) for x, y in zip(rgb(a), rgb(b)))
    red, green, blue = mixed
    return f"#{red:02x}{green:02x}{blue:02x}"
