"""Colours, hatches and sizes of exported charts.

The colours of categories, waits, places and kinds of memory are those of the window
(`simcore.colours`). The paper theme is made for print: white ground, and hatches for waits, so that
nothing depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simcore import colours
from simcore.colours import ColourTable, wait_key
from simcore.registry import Registry
from simcore.results.spans import WaitReason


@dataclass(frozen=True, slots=True)
class ChartTheme:
    """How charts look.

    Attributes:
        name: id in `THEMES`.
        table: colours of categories, waits, places and kinds of memory, shared with the window.
        background, text, muted, grid: colours of the ground, the words, the captions, the lines.
        wait_edge: hatch of waits.
        diverging: name of the colour map of deviations.
        sequential: name of the colour map of heat strips.
        accent: colour of limits and marks.
    """

    name: str
    table: ColourTable
    background: str
    text: str
    muted: str
    grid: str
    wait_edge: str
    diverging: str
    sequential: str
    accent: str

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of numbered curves, in order."""
        return self.table.series

    def category(self, key: str) -> str:
        """Colour of a category of operations; unknown ones get that of ``other``."""
        return self.table.colour(key)

    def wait(self, reason: WaitReason) -> str:
        """Ground of a kind of wait."""
        return self.table.colour(wait_key(reason))

    def memory(self, kind: str) -> str:
        """Colour of a kind of memory use by its name."""
        return self.table.memory(kind)

    def places(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Colours of places by their ids."""
        return colours.place_colours(self.table, ids)


WAIT_HATCHES: Mapping[WaitReason, str] = {
    WaitReason.DEPENDENCY: "////",
    WaitReason.LINK_BUSY: "\\\\\\\\",
    WaitReason.SYNC: "xxxx",
    WaitReason.IMBALANCE: "....",
    WaitReason.MEMORY_FULL: "++++",
    WaitReason.NO_WORK: "",
}

PAPER = ChartTheme(
    name="paper",
    table=colours.LIGHT,
    background=colours.LIGHT.ground,
    text="#000000",
    muted="#595959",
    grid="#D9D9D9",
    wait_edge="#8A8A8A",
    diverging="PuOr_r",
    sequential="cividis",
    accent="#B00020",
)

DARK = ChartTheme(
    name="dark",
    table=colours.DARK,
    background=colours.DARK.ground,
    text="#ECEFF4",
    muted="#A3ABB8",
    grid="#343A46",
    wait_edge="#6B7483",
    diverging="PuOr_r",
    sequential="cividis",
    accent="#FF6B7A",
)

THEMES: Registry[ChartTheme] = Registry("theme")
for _theme in (PAPER, DARK):
    THEMES.add(_theme.name, _theme)
THEMES.add("screen", DARK)
