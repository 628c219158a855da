"""Helpers shared by the drawings; the objects of matplotlib are typed loosely on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.colours import CATEGORY_ORDER, CATEGORY_TITLES, wait_key
from simcore.export.charts.base import ChartData
from simcore.export.charts.style import WAIT_HATCHES, ChartTheme
from simcore.results.spans import Op, WaitReason

_MOST_LINES = 6
_CAPTION_PT = 5.5
DENSE = 4000
"""More marks than this become a picture inside the vector file."""


def frame(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Title above, caption and notes below."""
    figure.patch.set_facecolor(theme.background)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.05)
    figure.suptitle(
        data.title, x=0.008, ha="left", fontsize=9, fontweight="semibold", color=theme.text
    )
    lines = [*data.notes, data.caption]
    width_em = 0.97 * figure.get_figwidth() * 72 / _CAPTION_PT
    wrapped = [piece for line in lines for piece in _wrap(line, width_em)][-_MOST_LINES:]
    figure.supxlabel(
        "\n".join(wrapped), x=0.008, ha="left", fontsize=_CAPTION_PT, color=theme.muted
    )


def _wrap(text: str, width_em: float) -> list[str]:
    """Lines no wider than `width_em`, by generous widths of letters; long words are split."""
    lines, used = [""], 0.0
    for piece in re.findall(r"\s|[^\s]{1,12}", " ".join(text.split())):
        size = sum(_width_em(letter) for letter in piece)
        if used + size > width_em and lines[-1]:
            lines.append("")
            used = 0.0
        if lines[-1] or piece != " ":
            lines[-1] += piece
            used += size
    return lines


def _width_em(letter: str) -> float:
    if letter in " .,:;|!'()[]ijltfIr·":
        return 0.42
    return 1.0 if letter in "mwMW@%" or ord(letter) > 0x2E00 else 0.66


def axes(figure: Any, theme: ChartTheme, spec: Any = None, **options: Any) -> Any:
    """Axes in the colours of the theme, with a light grid along y."""
    ax = figure.add_subplot(spec if spec is not None else 111, **options)
    ax.set_facecolor(theme.background)
    ax.tick_params(colors=theme.text, labelsize=6.5, width=0.5, length=2.5)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.text)
        spine.set_linewidth(0.5)
    ax.xaxis.label.set_color(theme.text)
    ax.yaxis.label.set_color(theme.text)
    ax.grid(visible=True, axis="y", color=theme.grid, linewidth=0.4)
    ax.set_axisbelow(True)
    return ax


def labels(ax: Any, x: str = "", y: str = "") -> None:
    """Axis labels in the size of exported charts."""
    if x:
        ax.set_xlabel(x, fontsize=7)
    if y:
        ax.set_ylabel(y, fontsize=7)


def legend(figure: Any, theme: ChartTheme, handles: Sequence[Any], **options: Any) -> None:
    """A legend to the right of everything, which can hide nothing."""
    if handles:
        figure.legend(
            handles=handles,
            loc="outside right upper",
            fontsize=6,
            frameon=False,
            labelcolor=theme.text,
            handlelength=1.6,
            handleheight=1.0,
            borderaxespad=0.6,
            **options,
        )


def op_order(ops: Iterable[Op]) -> list[tuple[str, list[int]]]:
    """Keys of looks (category, or reason of a wait) with the ops that share them."""
    found: dict[str, list[int]] = {}
    for index, op in enumerate(ops):
        key = f"wait:{op.reason.value}" if op.reason else op.category
        found.setdefault(key, []).append(index)
    order = [*CATEGORY_ORDER, *(f"wait:{reason.value}" for reason in WAIT_HATCHES)]
    known = [(key, found[key]) for key in order if key in found]
    return known + [(key, ops_) for key, ops_ in found.items() if key not in order]


def look(key: str, theme: ChartTheme) -> dict[str, Any]:
    """Face, edge and hatch for a key of `op_order`."""
    if key.startswith("wait:"):
        reason = WaitReason(key[5:])
        return {
            "facecolor": theme.wait(reason),
            "edgecolor": theme.wait_edge,
            "hatch": WAIT_HATCHES[reason],
        }
    colour = theme.category(key)
    return {"facecolor": colour, "edgecolor": colour}


def patch(key: str, theme: ChartTheme) -> Any:
    """Legend entry for a key of `op_order`."""
    from matplotlib.patches import Patch

    wait = key.startswith("wait:")
    title = CATEGORY_TITLES.get(wait_key(WaitReason(key[5:])) if wait else key, key)
    return Patch(label=title, linewidth=0.4, **look(key, theme))


def boxes(left: NDArray[Any], right: NDArray[Any], bottom: NDArray[Any], top: NDArray[Any]) -> Any:
    """Corners of rectangles, shape (n, 4, 2), for a compound path."""
    out = np.empty((len(left), 4, 2))
    out[:, (0, 3), 0] = np.asarray(left)[:, None]
    out[:, (1, 2), 0] = np.asarray(right)[:, None]
    out[:, (0, 1), 1] = np.asarray(bottom)[:, None]
    out[:, (2, 3), 1] = np.asarray(top)[:, None]
    return out


def time_unit(length_ps: float) -> tuple[str, float]:
    """Unit that shows a length in handy numbers, and its picoseconds."""
    for unit, size in (("s", 1e12), ("ms", 1e9), ("µs", 1e6)):
        if length_ps >= 2 * size:
            return unit, size
    return "ns", 1e3
