"""Colours, hatches and sizes of exported charts.

The paper theme is made for print: white ground, the colour-blind-safe set of Okabe and Ito, and
hatches for waits, so that nothing depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcore.registry import Registry
from simcore.results.spans import WaitReason


@dataclass(frozen=True, slots=True)
class ChartTheme:
    """How charts look.

    Attributes:
        name: id in `THEMES`.
        background, text, muted, grid: colours of the ground, the words, the captions, the lines.
        categories: colour of each category of operation.
        waits: ground of each kind of wait.
        wait_edge: hatch of waits.
        diverging: name of the colour map of deviations.
        series: colours of curves, in order.
        places: colours of places, first the one for the GPU.
        sequential: name of the colour map of heat strips.
        accent: colour of limits and marks.
    """

    name: str
    background: str
    text: str
    muted: str
    grid: str
    categories: Mapping[str, str]
    waits: Mapping[WaitReason, str]
    wait_edge: str
    diverging: str
    series: tuple[str, ...]
    places: tuple[str, ...]
    sequential: str
    accent: str


CATEGORY_TITLES: Mapping[str, str] = {
    "attention": "attention",
    "qkv": "QKV",
    "mlp": "MLP",
    "projection": "projection",
    "transfer": "transfer",
    "migration": "migration",
    "predict": "prediction",
    "merge": "merge",
    "weights": "weights",
    "other": "other",
}
"""Categories of operation, in the order of legends."""

WAIT_HATCHES: Mapping[WaitReason, str] = {
    WaitReason.DEPENDENCY: "////",
    WaitReason.LINK_BUSY: "\\\\\\\\",
    WaitReason.SYNC: "xxxx",
    WaitReason.IMBALANCE: "....",
    WaitReason.MEMORY_FULL: "++++",
    WaitReason.NO_WORK: "",
}

_OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#5B5B5B")

_CATEGORIES = {
    "attention": "#0072B2",
    "qkv": "#56B4E9",
    "mlp": "#009E73",
    "projection": "#CC79A7",
    "transfer": "#E69F00",
    "migration": "#D55E00",
    "predict": "#F0E442",
    "merge": "#5B5B5B",
    "weights": "#8C6BB1",
    "other": "#A6A6A6",
}

_PLACES = (
    "#D55E00",
    "#0072B2",
    "#009E73",
    "#56B4E9",
    "#7A5195",
    "#CC79A7",
    "#8FB339",
    "#2F4B7C",
    "#00A6A6",
)

PAPER = ChartTheme(
    name="paper",
    background="#FFFFFF",
    text="#000000",
    muted="#595959",
    grid="#D9D9D9",
    categories=_CATEGORIES,
    waits={
        WaitReason.DEPENDENCY: "#EDEDED",
        WaitReason.LINK_BUSY: "#F6E3C5",
        WaitReason.SYNC: "#D9DDE3",
        WaitReason.IMBALANCE: "#F3D3CF",
        WaitReason.MEMORY_FULL: "#E3D4EC",
        WaitReason.NO_WORK: "#FFFFFF",
    },
    wait_edge="#8A8A8A",
    diverging="PuOr_r",
    series=_OKABE_ITO,
    places=_PLACES,
    sequential="cividis",
    accent="#B00020",
)

DARK = ChartTheme(
    name="dark",
    background="#16181D",
    text="#ECEFF4",
    muted="#A3ABB8",
    grid="#343A46",
    categories={**_CATEGORIES, "attention": "#3B9BDC", "merge": "#D0D0D0", "other": "#7D8590"},
    waits={
        WaitReason.DEPENDENCY: "#2B303A",
        WaitReason.LINK_BUSY: "#4A3D22",
        WaitReason.SYNC: "#343E4F",
        WaitReason.IMBALANCE: "#53302E",
        WaitReason.MEMORY_FULL: "#43304F",
        WaitReason.NO_WORK: "#16181D",
    },
    wait_edge="#6B7483",
    diverging="PuOr_r",
    series=("#56B4E9", "#E69F00", "#2FBF8F", "#E39AC4", "#FF8A3D", "#F0E442", "#B8BFCA"),
    places=(
        "#FF8A3D",
        "#3B9BDC",
        "#2FBF8F",
        "#8FD0F5",
        "#B58BD6",
        "#E39AC4",
        "#B4D95A",
        "#6C86C9",
        "#3CD0D0",
    ),
    sequential="cividis",
    accent="#FF6B7A",
)

THEMES: Registry[ChartTheme] = Registry("theme")
for _theme in (PAPER, DARK):
    THEMES.add(_theme.name, _theme)
THEMES.add("screen", DARK)
