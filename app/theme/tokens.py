"""Theme tokens: every colour of the application, as plain data without Qt.

Categories began as the Okabe-Ito palette and were moved, within their hue, until any two of them
stay apart with every common kind of colour blindness and all of them stand out from the canvas;
`tools/palette_check.py` measures both. A category has the same hue in every view and in both
themes.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

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
    categories={
        "qkv": "#199bde",
        "attention": "#b8629f",
        "projection": "#1a8c62",
        "mlp": "#1565c8",
        "weights": "#5b2c92",
        "predict": "#6d6808",
        "merge": "#593806",
        "transfer": "#cc8407",
        "migration": "#d54240",
        "other": "#666d6f",
        "wait.dependency": "#d5dae1",
        "wait.link_busy": "#efd9b4",
        "wait.sync": "#cbd2dc",
        "wait.imbalance": "#ecc9c2",
        "wait.memory_full": "#dccbe6",
        "wait.no_work": "#f1f3f6",
    },
    gpu_place="#e0701a",
    missed="#b3002d",
    false_alarm="#948000",
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
    categories={
        "qkv": "#60c4ff",
        "attention": "#cc7aa3",
        "projection": "#2eb28a",
        "mlp": "#3474a8",
        "weights": "#9d83d3",
        "predict": "#f3e454",
        "merge": "#a48a5c",
        "transfer": "#e9a21c",
        "migration": "#dc650f",
        "other": "#b7c0cd",
        "wait.dependency": "#323944",
        "wait.link_busy": "#4d4029",
        "wait.sync": "#394350",
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

PLACE_CONTRASTS = (3.4, 8.0)
"""Contrast to the canvas that places on the ramp have in turn."""

THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}
"""All themes by name."""


def place_colours(theme: Theme, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Colours of places: warm for GPUs, a cool ramp from teal to violet for everything else.

    Neighbours on the ramp alternate in lightness, so that they differ for everybody. Many places
    cannot all be told apart by colour; hovering and the legend name them.
    """
    return _place_colours(theme.name, ids)


@cache
def _place_colours(theme_name: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    theme = THEMES[theme_name]
    cool = [i for i, place in enumerate(ids) if not place.startswith("gpu")]
    out = [theme.gpu_place] * len(ids)
    for at, index in enumerate(cool):
        share = at / max(1, len(cool) - 1)
        out[index] = _of_contrast(168 + 122 * share, theme.canvas, PLACE_CONTRASTS[at % 2])
    return tuple(out)


def _of_contrast(hue: float, ground: str, ratio: float) -> str:
    """The colour of a hue in degrees whose contrast to the ground is a given ratio."""
    dark = contrast(ground, "#ffffff") > contrast(ground, "#000000")
    low, high = 0.0, 1.0
    colour = ground
    for _ in range(20):
        light = (low + high) / 2
        parts = colorsys.hls_to_rgb(hue / 360, light, 0.62)
        colour = "#" + "".join(f"{round(part * 255):02x}" for part in parts)
        enough = contrast(colour, ground) > ratio
        low, high = (low, light) if enough is dark else (light, high)
    return colour


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours after WCAG 2.1, 1 to 21."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = []
    for value in rgb(colour):
        part = value / 255
        parts.append(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(a: str, b: str, share: float) -> str:
    """A colour `share` of the way from `a` to `b`."""
    mixed = (round(x + (y - x) * share) for x, y in zip(rgb(a), rgb(b)))
    red, green, blue = mixed
    return f"#{red:02x}{green:02x}{blue:02x}"
