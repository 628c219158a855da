"""The colour of every word that has one, for light and dark ground, as plain data.

The window and the exported charts both take their colours from here, so that a category, a wait, a
place or a kind of memory looks the same wherever it is drawn. Categories began as the Okabe-Ito
palette and were moved, within their hue, until any two of them stay apart with every common kind of
colour blindness and all of them stand out from the ground; `tools/palette_check.py` measures both.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
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


def wait_key(reason: WaitReason) -> str:
    """Colour key of a wait."""
    return f"wait.{reason.name.lower()}"


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

SERIES_KEYS = ("mlp", "transfer", "projection", "attention", "migration", "qkv", "other")
"""Categories that lend their colours to numbered curves, in order."""

MEMORY_KEYS: Mapping[str, str] = {
    "weights": "weights",
    "hot neurons": "mlp",
    "fc layers": "mlp",
    "fc weights": "mlp",
    "qkv weights": "qkv",
    "projection": "projection",
    "kv": "attention",
    "keys and values": "attention",
    "activations": "predict",
    "predictors": "predict",
    "buffers": "transfer",
    "workspace": "migration",
    "tables": "merge",
    "reserve": "other",
    "page remainders": "other",
}
"""Colour keys of what fills a memory, by its name in small letters; no system has two alike."""


def memory_key(name: str) -> str:
    """Colour key of a kind of memory use; unknown kinds get that of ``other``."""
    return MEMORY_KEYS.get(name.lower(), "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourTable:
    """Colours for one ground; values are ``#rrggbb``.

    Attributes:
        name: ``light`` or ``dark``.
        ground: what everything is drawn on.
        categories: colour key to colour, waits included.
        gpu_place: colour of things placed on a GPU.
    """

    name: str
    ground: str
    categories: Mapping[str, str]
    gpu_place: str

    def colour(self, key: str) -> str:
        """Colour of a category or wait; unknown keys get the colour of ``other``."""
        return self.categories.get(key, self.categories["other"])

    def memory(self, kind: str) -> str:
        """Colour of a kind of memory use by its name."""
        return self.categories[memory_key(kind)]

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of numbered curves."""
        return tuple(self.categories[key] for key in SERIES_KEYS)


LIGHT = ColourTable(
    name="light",
    ground="#ffffff",
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
)

DARK = ColourTable(
    name="dark",
    ground="#121519",
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
)

TABLES: Mapping[str, ColourTable] = {"light": LIGHT, "dark": DARK}
"""All tables by name."""

PLACE_CONTRASTS = (3.4, 8.0)
"""Contrast to the ground that places on the ramp have in turn."""


def place_colours(table: ColourTable, ids: Sequence[str]) -> tuple[str, ...]:
    """Colours of places: warm for GPUs, a cool ramp from teal to violet for everything else.

    Neighbours on the ramp alternate in lightness, so that they differ for everybody. Many places
    cannot all be told apart by colour; hovering and the legend name them.
    """
    return _place_colours(table.name, tuple(ids))


@cache
def _place_colours(name: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    table = TABLES[name]
    cool = [i for i, place in enumerate(ids) if not place.startswith("gpu")]
    out = [table.gpu_place] * len(ids)
    for at, index in enumerate(cool):
        share = at / max(1, len(cool) - 1)
        out[index] = _of_contrast(168 + 122 * share, table.ground, PLACE_CONTRASTS[at % 2])
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
