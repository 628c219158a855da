"""What can be exported, a page of the export dialog each: its fields, its preview, its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from simcore.export.animation import AnimationOptions, frame_steps, sample_frame, write_animation
from simcore.export.chart_file import PICTURES, chart_data, export_chart, render
from simcore.export.chart_file import SUFFIXES as CHART_SUFFIXES
from simcore.export.charts import CHARTS, THEMES
from simcore.export.chrome_trace import EXACT_STEPS, TraceOptions, write_trace
from simcore.export.report import write_report
from simcore.export.run_tables import write_spans, write_steps
from simcore.results.io import save_run
from simcore.results.run import Run

Progress = Callable[[int, int], bool]
"""Told what is done and how much there is; False asks to stop."""
Preview = Callable[[int, int, float], bytes]
"""Makes a PNG that fits a width and a height in pixels of the screen, at a ratio."""
_SPAN_BYTES = 150
"""Size of a span in a trace, roughly; ten times smaller when packed."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be written.

    Attributes:
        name: proposed file name.
        suffix: ending the file must have.
        write: writes it to a path, telling how far it is.
        counted: whether it tells.
    """

    name: str
    suffix: str
    write: Callable[[Path, Progress], object]
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What is exported from.

    Attributes:
        run: the run as far as it is simulated.
        first, last: steps visible on the time axis, the last one left out.
        step: step at the cursor.
        name: stem for file names.
    """

    run: Run
    first: int
    last: int
    step: int
    name: str


class Page(QWidget):
    """Fields for one kind of file.

    Attributes:
        title: as in the list.
        changed: some field has another value.
    """

    title = ""
    help = ""
    changed = Signal()

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(parent)
        self.subject = subject
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)

    def job(self) -> Job:
        """What is written with the present fields."""
        raise NotImplementedError

    def preview(self) -> Preview | None:
        """What shows how the file will look with the present fields, or None."""
        return None

    def note(self) -> str:
        """What the user should know before saving."""
        return ""

    def _row(self, label: str, widget: QWidget) -> None:
        widget.setAccessibleName(label)
        self.form.addRow(label, widget)

    def _choice(self, label: str, values: dict[str, Any]) -> QComboBox:
        box = QComboBox(self)
        for title, value in values.items():
            box.addItem(title, value)
        box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._row(label, box)
        return box

    def _whole(self, label: str, low: int, high: int, value: int, unit: str = "") -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, max(low, high))
        box.setValue(value)
        box.setSuffix(f" {unit}" if unit else "")
        box.setGroupSeparatorShown(True)
        box.valueChanged.connect(lambda _: self.changed.emit())
        self._row(label, box)
        return box

    def _tick(self, label: str, on: bool = True) -> QCheckBox:
        box = QCheckBox(label, self)
        box.setChecked(on)
        box.setAccessibleName(label)
        box.toggled.connect(lambda _: self.changed.emit())
        self.form.addRow("", box)
        return box

    def _range(self, first: int, last: int) -> None:
        count = len(self.subject.run)
        self.start = self._whole("From step", 0, count - 1, first)
        self.stop = self._whole("Up to, not including", 1, count, last)

    def steps(self) -> tuple[int, int]:
        """(first, past the last)."""
        return self.start.value(), max(self.stop.value(), self.start.value() + 1)

    def _theme(self) -> QComboBox:
        return self._choice("Theme", {name: name for name in THEMES if name != "screen"})


class ChartPage(Page):
    """One chart as a drawing or a table."""

    title = "Chart"
    help = "A drawing for a paper or a slide, or the numbers behind it."

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(subject, parent)
        self.chart = self._choice("Chart", {chart.title: id for id, chart in CHARTS.items()})
        self.format = self._choice(
            "Format", {suffix[1:].upper(): suffix for suffix in CHART_SUFFIXES}
        )
        self.theme = self._theme()
        self._range(subject.first, subject.last)
        self.width_mm = self._whole("Width", 40, 2000, 180, "mm")
        self.height_mm = self._whole("Height", 30, 2000, 90, "mm")
        self.dpi = self._whole("Resolution", 30, 2400, 300, "dots/inch")
        self.changed.connect(self._enable)

    def _enable(self) -> None:
        drawn = self.format.currentData() in PICTURES
        for widget in (self.theme, self.width_mm, self.height_mm, self.dpi):
            widget.setEnabled(drawn)

    def choose(self, chart: str) -> None:
        """Propose a chart."""
        self.chart.setCurrentIndex(max(0, self.chart.findData(chart)))

    def settings(self) -> dict[str, Any]:
        """Arguments for `export_chart`."""
        start, stop = self.steps()
        return {
            "start": start,
            "stop": stop,
            "theme": self.theme.currentData(),
            "width_mm": float(self.width_mm.value()),
            "height_mm": float(self.height_mm.value()),
            "dpi": self.dpi.value(),
        }

    def job(self) -> Job:
        chart, suffix = str(self.chart.currentData()), str(self.format.currentData())
        settings, run = self.settings(), self.subject.run
        return Job(
            f"{self.subject.name}-{chart}{suffix}",
            suffix,
            lambda path, _: export_chart(run, chart, path, **settings),
        )

    def picture(self, kind: str) -> Callable[[], bytes]:
        """Makes the drawing as it would be saved, ``png`` or ``svg``."""
        settings, chart = self.settings(), str(self.chart.currentData())
        run, start, stop = self.subject.run, settings.pop("start"), settings.pop("stop")
        return lambda: render(chart_data(run, chart, start, stop), kind, **settings)

    def preview(self) -> Preview:
        settings, chart = self.settings(), str(self.chart.currentData())
        run, start, stop = self.subject.run, settings.pop("start"), settings.pop("stop")

        def make(width: int, height: int, ratio: float) -> bytes:
            size = min(width / settings["width_mm"], height / settings["height_mm"])
            settings["dpi"] = int(max(30, min(2400, size * ratio * 25.4)))
            return render(chart_data(run, chart, start, stop), "png", **settings)

        return make

    def note(self) -> str:
        return CHARTS.get(str(self.chart.currentData())).help


class TablePage(Page):
    """Every step, or every operation and wait, as a table."""

    title = "Table"
    help = "Every step, or every operation and wait, for a notebook."

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(subject, parent)
        self.rows = self._choice("A row is", {"a step": "steps", "an operation or a wait": "spans"})
        self.format = self._choice("Format", {"CSV": ".csv", "Parquet": ".parquet"})
        self._range(0, len(subject.run))
        self.rows.currentIndexChanged.connect(self._usual_range)

    def _usual_range(self) -> None:
        spans = self.rows.currentData() == "spans"
        self.start.setValue(self.subject.first if spans else 0)
        self.stop.setValue(self.subject.last if spans else len(self.subject.run))

    def job(self) -> Job:
        write = write_steps if self.rows.currentData() == "steps" else write_spans
        (start, stop), run = self.steps(), self.subject.run
        kind, suffix = self.rows.currentData(), self.format.currentData()
        return Job(
            f"{self.subject.name}.{kind}{suffix}",
            suffix,
            lambda path, _: write(run, path, start, stop),
        )

    def note(self) -> str:
        start, stop = self.steps()
        if self.rows.currentData() == "steps":
            return f"{stop - start:,} rows"
        return f"about {_spans(self.subject, start, stop):,} rows"


class TracePage(Page):
    """A Chrome trace."""

    title = "Trace"
    help = "Every operation and wait on one time axis, for ui.perfetto.dev."

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(subject, parent)
        self.format = self._choice("Format", {"JSON, packed": ".json.gz", "JSON": ".json"})
        self._range(subject.first, subject.last)
        self.waits = self._tick("Waits, with what they wait for")
        self.counters = self._tick("Rates and memory")
        self.flows = self._tick("Arrows of transfers")

    def job(self) -> Job:
        suffix = str(self.format.currentData())
        options = TraceOptions(
            *self.steps(),
            waits=self.waits.isChecked(),
            counters=self.counters.isChecked(),
            flows=self.flows.isChecked(),
        )
        run = self.subject.run
        return Job(
            f"{self.subject.name}{suffix}", suffix, lambda path, _: write_trace(run, path, options)
        )

    def note(self) -> str:
        start, stop = self.steps()
        spans = _spans(self.subject, start, stop)
        size = spans * _SPAN_BYTES / (10 if self.format.currentData() == ".json.gz" else 1)
        text = f"about {spans:,} operations and waits, {max(0.1, size / 1e6):,.1f} MB"
        if stop - start > EXACT_STEPS:
            text += (
                f"; more than {EXACT_STEPS} steps: rates are means of a step, arrows are left out"
            )
        return text


class ReportPage(Page):
    """A document on the run."""

    title = "Report"
    help = "Figures, charts, what bounds what, and the source of every constant, in one document."

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(subject, parent)
        self.format = self._choice(
            "Format", {"HTML, one file": ".html", "Markdown, charts beside it": ".md"}
        )
        self.theme = self._theme()

    def job(self) -> Job:
        run, suffix, theme = self.subject.run, str(self.format.currentData()), self.theme
        name = str(theme.currentData())
        return Job(
            f"{self.subject.name}{suffix}",
            suffix,
            lambda path, _: write_report(run, path, theme=name),
        )


class AnimationPage(Page):
    """Placement and load, moving."""

    title = "Animation"
    help = "Placement map, load and step time over the tokens, for slides."

    def __init__(self, subject: Subject, parent: QWidget) -> None:
        super().__init__(subject, parent)
        self.format = self._choice("Format", {"WebP": ".webp", "GIF": ".gif", "MP4": ".mp4"})
        self.theme = self._theme()
        count = len(subject.run)
        self._range(min(1, count - 1), count)
        self.every = self._whole("A frame every", 0, 1_000_000, 0, "steps")
        self.every.setSpecialValueText("automatic")
        self.fps = QDoubleSpinBox(self)
        self.fps.setRange(0.5, 60)
        self.fps.setValue(10)
        self.fps.setDecimals(1)
        self.fps.setSuffix(" frames/s")
        self.fps.valueChanged.connect(lambda _: self.changed.emit())
        self._row("Speed", self.fps)
        self.pixels = self._choice(
            "Size",
            {f"{w} × {h} pixels": (w, h) for w, h in ((1280, 720), (960, 540), (1920, 1080))},
        )

    def options(self) -> AnimationOptions:
        """The fields as they are."""
        width, height = self.pixels.currentData()
        return AnimationOptions(
            *self.steps(),
            every=self.every.value(),
            frames_per_s=self.fps.value(),
            width_px=width,
            height_px=height,
            theme=str(self.theme.currentData()),
        )

    def job(self) -> Job:
        run, options, suffix = self.subject.run, self.options(), str(self.format.currentData())
        return Job(
            f"{self.subject.name}{suffix}",
            suffix,
            lambda path, told: write_animation(run, path, options, told),
            counted=True,
        )

    def preview(self) -> Preview:
        run, options = self.subject.run, self.options()
        return lambda _width, _height, _ratio: sample_frame(run, options)

    def note(self) -> str:
        count = len(frame_steps(self.subject.run, self.options()))
        return f"{count:,} frames, {count / self.fps.value():.1f} s"


class RunPage(Page):
    """The run itself."""

    title = "Saved run"
    help = "The whole run with its scenario, to open again here, to compare, or to read with numpy."

    def job(self) -> Job:
        run = self.subject.run
        return Job(f"{self.subject.name}.npz", ".npz", lambda path, _: save_run(run, path))

    def note(self) -> str:
        return f"{len(self.subject.run):,} steps"


PAGES: tuple[type[Page], ...] = (
    ChartPage,
    TablePage,
    TracePage,
    ReportPage,
    AnimationPage,
    RunPage,
)


def _spans(subject: Subject, start: int, stop: int) -> int:
    """How many spans steps have, by the one in the middle, to two digits."""
    count = (stop - start) * len(subject.run.spans((start + stop) // 2))
    return int(float(f"{count:.2g}"))
