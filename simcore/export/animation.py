"""Placement and load over the tokens as a moving picture for slides: GIF, WebP or MP4.

What stays is drawn once; a frame redraws the map, the bars and the marks on top of it. Equal runs
give equal frames, and with the same Pillow equal GIF and WebP files.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.colours import CATEGORY_TITLES
from simcore.errors import DataFileError, UserError
from simcore.export.chart_file import drawing
from simcore.export.charts import THEMES, ChartTheme
from simcore.export.charts.base import caption
from simcore.export.charts.drawing import axes, labels, op_order, time_unit
from simcore.export.charts.placement import (
    Cells,
    cells_of,
    full_strength,
    picture_of,
    place_colours,
    place_handles,
)
from simcore.export.ranges import step_range
from simcore.results.files import replacing
from simcore.results.placement import FLAG_MOVING, FLAGS, PlacementGrid
from simcore.results.run import KIND_PREFILL, Run
from simcore.units import PS_PER_S

SUFFIXES = (".gif", ".webp", ".mp4")
MOST_FRAMES = 1200
USUAL_FRAMES = 160
"""Frames made when no number of steps a frame is asked for, at most."""
_MOST_LANES = 28
_FEWEST_ROWS = 8
"""Bars are not thicker than an eighth of the height."""
_CURVE_POINTS = 1000
_DPI = 100
_MAP_WIDTH = 0.6

Frame = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AnimationOptions:
    """What is shown, and how large.

    Attributes:
        start, stop: steps; None for the first decode step and past the last.
        every: steps a frame moves on; 0 takes as many as make `USUAL_FRAMES` frames or fewer.
        frames_per_s: frames shown in a second.
        width_px, height_px: size of a frame, even numbers (video asks for it).
        theme: a chart theme.
    """

    start: int | None = None
    stop: int | None = None
    every: int = 0
    frames_per_s: float = 10.0
    width_px: int = 1280
    height_px: int = 720
    theme: str = "paper"

    def __post_init__(self) -> None:
        if self.every < 0:
            raise UserError(f"every {self.every} steps is not possible; use 1 or more, or 0")
        if not 0.5 <= self.frames_per_s <= 60:
            raise UserError(f"{self.frames_per_s:g} frames a second; use 0.5 to 60")
        for name, size, low in (("wide", self.width_px, 480), ("high", self.height_px, 320)):
            if not low <= size <= 4096 or size % 2:
                raise UserError(f"{size} pixels {name}; use an even number from {low} to 4096")


def frame_steps(run: Run, options: AnimationOptions) -> NDArray[np.int64]:
    """The steps that are shown, one a frame.

    The prefill is left out unless it is all there is: its map is of one instant among hundreds.

    Raises:
        UserError: if the run has no such steps, or they are too many.
    """
    if not len(run):
        raise UserError("the run has no steps yet; there is nothing to show")
    start, stop = step_range(run, options.start, options.stop)
    steps = np.arange(start, stop, dtype=np.int64)
    decode = steps[run.column("kind", start, stop) != KIND_PREFILL]
    steps = decode if len(decode) else steps
    every = options.every or -(-len(steps) // USUAL_FRAMES)
    steps = steps[::every]
    if len(steps) > MOST_FRAMES:
        least = -(-len(steps) * every // MOST_FRAMES)
        raise UserError(
            f"{len(steps)} frames are too many (at most {MOST_FRAMES}); choose fewer steps or "
            f"every {least} of them"
        )
    return steps


def frames(run: Run, options: AnimationOptions) -> Iterator[Frame]:
    """Pictures of (height, width, 3) red, green, blue; one for each of `frame_steps`.

    Raises:
        UserError: if the run did not record single items.
    """
    scene = _Scene(run, frame_steps(run, options), options)
    for index in scene.steps.tolist():
        yield scene.frame(index)


def sample_frame(run: Run, options: AnimationOptions) -> bytes:
    """The frame in the middle as a PNG file.

    Raises:
        UserError: if the run has no such steps or did not record single items.
    """
    import io

    from PIL import Image

    steps = frame_steps(run, options)
    picture = _Scene(run, steps, options).frame(int(steps[len(steps) // 2]))
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="PNG", compress_level=1)
    return out.getvalue()


def write_animation(
    run: Run,
    path: str | Path,
    options: AnimationOptions | None = None,
    progress: Callable[[int, int], bool] | None = None,
) -> int:
    """Write a ``.gif``, ``.webp`` or ``.mp4`` file; returns the number of frames.

    Args:
        run: the run.
        path: the file.
        options: what is shown.
        progress: told the frames done and their number; stops the work by returning False.

    Raises:
        UserError: if the kind of file, range or size is not possible, or ffmpeg is missing.
        DataFileError: if the file cannot be written.
    """
    options = options or AnimationOptions()
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write an animation as {suffix or path!r}; use one of {', '.join(SUFFIXES)}"
        )
    if suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise UserError("MP4 needs the program ffmpeg, which is not here; use .webp or .gif")
    scene = _Scene(run, frame_steps(run, options), options)
    count = len(scene.steps)

    def told() -> Iterator[Frame]:
        for done, index in enumerate(scene.steps.tolist(), 1):
            yield scene.frame(index)
            if progress is not None and not progress(done, count):
                raise UserError("the animation was stopped; no file is written")

    with replacing(path) as temporary:
        if suffix == ".mp4":
            _ffmpeg(temporary, told(), options)
        elif suffix == ".webp":
            _webp(temporary, told(), options)
        else:
            few = [scene.frame(int(scene.steps[at])) for at in sorted({0, count // 2, count - 1})]
            _gif(temporary, told(), options, _palette(np.concatenate(few), scene))
    return count


def _webp(path: Path, pictures: Iterator[Frame], options: AnimationOptions) -> None:
    from PIL import Image

    images = (Image.fromarray(picture) for picture in pictures)
    next(images).save(
        path,
        format="WEBP",
        save_all=True,
        append_images=images,
        duration=round(1000 / options.frames_per_s),
        loop=0,
        quality=80,
        method=2,
    )


def _gif(path: Path, pictures: Iterator[Frame], options: AnimationOptions, palette: Any) -> None:
    """One palette for all frames: colours mean places, so they must not change on the way."""
    from PIL import Image

    images = (
        Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE)
        for picture in pictures
    )
    next(images).save(
        path,
        format="GIF",
        save_all=True,
        append_images=images,
        duration=round(1000 / options.frames_per_s),
        loop=0,
        optimize=False,
    )


def _palette(shown: Frame, scene: _Scene) -> Any:
    """The colours of the theme as they are, and the best others for what frames show."""
    from matplotlib.colors import to_rgb
    from PIL import Image

    theme = scene.theme
    exact = [theme.background, theme.text, theme.muted, theme.grid, theme.accent]
    exact += theme.table.categories.values()
    parts = [*map(to_rgb, exact), *scene.colours.tolist()]
    own = list(dict.fromkeys(tuple(round(255 * part) for part in c) for c in parts))
    found = Image.fromarray(shown).quantize(colors=256 - len(own)).getpalette()
    others = np.array(found or [], int).reshape(-1, 3)
    # Pillow compares colours in steps of four, so a neighbour that close would be taken instead.
    apart = np.abs(others[:, None] - np.array(own)[None]).max(axis=2).min(axis=1) > 8
    palette = Image.new("P", (1, 1))
    palette.putpalette([*np.array(own).ravel().tolist(), *others[apart].ravel().tolist()])
    return palette


def _ffmpeg(path: Path, pictures: Iterator[Frame], options: AnimationOptions) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{options.width_px}x{options.height_px}", "-r", f"{options.frames_per_s:g}"]
    command += ["-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18"]
    command += ["-movflags", "+faststart", "-fflags", "+bitexact", "-f", "mp4", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            for picture in pictures:
                process.stdin.write(picture.tobytes())
        except BrokenPipeError:
            pass  # ffmpeg gave up; what it says follows
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise DataFileError(f"cannot write {path.name}: ffmpeg says: {said[-300:]}")


def _word(run: Run) -> str:
    """What a step is called: token, iteration."""
    return str(getattr(run.system, "step_word", "token"))


class _Scene:
    """A figure whose moving parts are drawn over a background made once."""

    def __init__(self, run: Run, steps: NDArray[np.int64], options: AnimationOptions) -> None:
        with drawing():
            self._build(run, steps, options)

    def _build(self, run: Run, steps: NDArray[np.int64], options: AnimationOptions) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.run = run
        self.steps = steps
        self.theme: ChartTheme = THEMES.get(options.theme)
        self.scale = options.height_px / 720
        self.figure: Any = Figure(
            figsize=(options.width_px / _DPI, options.height_px / _DPI),
            dpi=_DPI,
            facecolor=self.theme.background,
        )
        canvas: Any = FigureCanvasAgg(self.figure)
        self.canvas = canvas
        self.moving: list[Any] = []
        middle_step = int(steps[len(steps) // 2])
        columns = run.placement(middle_step, 1).columns
        self.items_per_cell = max(1, int(columns / (_MAP_WIDTH * self.figure.bbox.width)))
        grid, middle = cells_of(run, middle_step, self.items_per_cell)
        self.full = full_strength(middle)
        self._words()
        self._map(grid, middle)
        self._bars()
        self._curve()
        self.canvas.draw()
        self._fit_labels()
        self.canvas.draw()
        self.ground = self.canvas.copy_from_bbox(self.figure.bbox)

    def _size(self, points: float) -> float:
        return points * self.scale

    def _words(self) -> None:
        scenario = self.run.scenario
        self.figure.text(
            0.02,
            0.955,
            scenario.name,
            fontsize=self._size(15),
            fontweight="semibold",
            color=self.theme.text,
            va="center",
        )
        self.title = self.figure.text(
            0.98,
            0.955,
            "",
            fontsize=self._size(15),
            color=self.theme.text,
            ha="right",
            va="center",
            animated=True,
        )
        self.moving.append(self.title)
        every = int(self.steps[1] - self.steps[0]) if len(self.steps) > 1 else 1
        note = caption(self.run, int(self.steps[0]), int(self.steps[-1]) + 1)
        if every > 1:
            note += f" · a frame is {every} {_word(self.run)}s"
        self.figure.text(
            0.02, 0.018, note, fontsize=self._size(7.5), color=self.theme.muted, va="center"
        )

    def _map(self, grid: PlacementGrid, cells: Cells) -> None:
        self.colours = place_colours(self.theme, grid)
        ax = self._axes((0.06, 0.33, _MAP_WIDTH, 0.54))
        ax.grid(visible=False)
        picture = picture_of(cells, self.theme, self.colours, self.full)
        extent = (0, picture.shape[1] * cells.size, grid.rows - 0.5, -0.5)
        self.image = ax.imshow(
            picture, aspect="auto", interpolation="nearest", extent=extent, animated=True
        )
        ax.set_xlim(0, grid.columns)
        for section in grid.sections:
            if section.start:
                line = ax.axvline(section.start, color=self.theme.text, linewidth=0.8)
                line.set_animated(True)
                self.moving.append(line)
            ax.annotate(
                section.title,
                ((section.start + section.stop) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=self._size(9),
                color=self.theme.text,
            )
        self._label(ax, grid.column_title, grid.row_title)
        self.moving.insert(1, self.image)
        self.map = ax
        handles = place_handles(grid, cells, self.colours)
        self._legend(handles, (0.05, 0.255), "upper left", columns=7 if len(handles) < 8 else 6)

    def _bars(self) -> None:
        from matplotlib.patches import Patch, Rectangle

        run = self.run
        works = [(key, ops) for key, ops in op_order(run.ops) if not key.startswith("wait:")]
        first, last = int(self.steps[0]), int(self.steps[-1]) + 1
        some = run.column("lane_op_ps", first, min(last, first + 4096))
        work = [op for _, ops in works for op in ops]
        lanes = np.flatnonzero(some[:, :, work].sum(axis=(0, 2)) > 0)[:_MOST_LANES]
        used = [(key, ops) for key, ops in works if some[:, lanes][:, :, ops].any()]
        self.lanes, self.works = lanes, used
        ax = self._axes((0.8, 0.33, 0.175, 0.54))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x", color=self.theme.grid, linewidth=0.4)
        ax.set_xlim(0, 100)
        ax.set_ylim(max(len(lanes), _FEWEST_ROWS) - 0.5, -0.5)
        ax.set_yticks(range(len(lanes)), [run.lanes[lane].title for lane in lanes])
        size = min(10.0, 190.0 / max(1, len(lanes)))
        ax.tick_params(axis="y", labelsize=self._size(size), length=0)
        self._label(ax, "busy share of the step (%)", "")
        self.patches = []
        for key, _ in used:
            colour = self.theme.category(key)
            row = [Rectangle((0, at - 0.36), 0, 0.72, facecolor=colour) for at in range(len(lanes))]
            for patch in row:
                patch.set_animated(True)
                ax.add_patch(patch)
            self.patches.append(row)
            self.moving += row
        self.bars = ax
        handles = [
            Patch(
                facecolor=self.theme.category(key),
                label=CATEGORY_TITLES.get(key, key),
            )
            for key, _ in used
        ]
        self._legend(handles, (0.985, 0.255), "upper right", columns=2)

    def _curve(self) -> None:
        run = self.run
        first, last = int(self.steps[0]), int(self.steps[-1]) + 1
        length = run.column("duration_ps", first, last).astype(np.float64)
        decode = run.column("kind", first, last) != KIND_PREFILL
        length[~decode & decode.any()] = np.nan
        size = -(-len(length) // _CURVE_POINTS)
        starts = np.arange(0, len(length), size)
        filled = np.nan_to_num(length)
        count = np.add.reduceat(~np.isnan(length), starts)
        mean = np.divide(
            np.add.reduceat(filled, starts),
            count,
            out=np.full(len(starts), np.nan),
            where=count > 0,
        )
        unit, picoseconds = time_unit(float(np.nanmax(mean)))
        ax = self._axes((0.06, 0.07, _MAP_WIDTH, 0.1))
        ax.plot(first + starts, mean / picoseconds, color=self.theme.series[0], linewidth=1.2)
        ax.set_xlim(first, max(last - 1, first + 1))
        ax.set_ylim(0, 1.15 * float(np.nanmax(mean)) / picoseconds)
        ax.locator_params(axis="y", nbins=3)
        self._label(ax, "", f"{_word(run)} ({unit})")
        self.mark = ax.axvline(first, color=self.theme.accent, linewidth=1.6, animated=True)
        self.moving.append(self.mark)

    def _axes(self, box: tuple[float, float, float, float]) -> Any:
        ax = axes(self.figure, self.theme)
        ax.set_position(box)
        ax.tick_params(labelsize=self._size(8.5))
        return ax

    def _label(self, ax: Any, x: str, y: str) -> None:
        labels(ax, x, y)
        ax.xaxis.label.set_size(self._size(9.5))
        ax.yaxis.label.set_size(self._size(9.5))

    def _legend(
        self, handles: list[Any], at: tuple[float, float], corner: str, columns: int
    ) -> None:
        self.figure.legend(
            handles=handles,
            loc=corner,
            bbox_to_anchor=at,
            bbox_transform=self.figure.transFigure,
            ncols=columns,
            fontsize=self._size(8.5),
            frameon=False,
            labelcolor=self.theme.text,
            handlelength=1.2,
            handleheight=1.0,
            columnspacing=1.2,
            borderaxespad=0.2,
        )

    def _fit_labels(self) -> None:
        """Make room for the longest lane name, up to a third of the width."""
        texts = [text.get_window_extent() for text in self.bars.get_yticklabels()]
        widest = max((box.width for box in texts), default=0.0)
        start = min(0.81, 0.69 + (widest + 10 * self.scale) / self.figure.bbox.width)
        self.bars.set_position((start, 0.33, 0.985 - start, 0.54))

    def frame(self, index: int) -> Frame:
        """The picture of a step; other charts may be drawn between two of them."""
        run = self.run
        _, cells = cells_of(run, index, self.items_per_cell)
        self.image.set_data(picture_of(cells, self.theme, self.colours, self.full))
        length_ps = max(1, int(run.value("duration_ps", index)))
        share = 100.0 * run.value("lane_op_ps", index)[self.lanes] / length_ps
        left = np.zeros(len(self.lanes))
        for (_, ops), row in zip(self.works, self.patches, strict=True):
            width = share[:, ops].sum(axis=1)
            for patch, x, w in zip(row, left.tolist(), width.tolist(), strict=True):
                patch.set_x(x)
                patch.set_width(w)
            left += width
        unit, size = time_unit(length_ps)
        moving = int(cells.flagged[FLAGS.index(FLAG_MOVING)].sum())
        self.title.set_text(
            f"{_word(run)} {index:,} · {length_ps / size:.4g} {unit}"
            + (f" · {moving:,} moving" if moving else "")
            + f" · at {run.start_ps(index) / PS_PER_S:.2f} s"
        )
        self.mark.set_xdata([index, index])
        with drawing():
            self.canvas.restore_region(self.ground)
            for artist in self.moving:
                (artist.axes or self.figure).draw_artist(artist)
        return np.array(self.canvas.buffer_rgba(), copy=True)[..., :3].copy()
