"""The panel that computes and shows what +10 % of each parameter does to the step."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.formatting import significant
from app.widgets.effect_bars import LEAST, EffectBars
from app.widgets.view import Context

_HINT = (
    "How much shorter or longer a step gets, and how tokens/s change, when each number of the "
    "hardware and the model grows by 10 %: one at a time, planned and simulated anew."
)


class SensitivityPanel(QWidget):
    """Button, progress, bars, and what has no effect or could not be tried."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.head = QLabel(_HINT, self)
        self.head.setWordWrap(True)
        self.compute = QPushButton("Compute", self)
        self.compute.setToolTip("Simulate a short stretch anew for every parameter")
        self.stop = QPushButton("Stop", self)
        self.measure = QComboBox(self)
        self.measure.addItems(["step time", "tokens/s"])
        self.measure.setAccessibleName("What is shown")
        self.copy_button = QToolButton(self)
        self.copy_button.setText("Copy")
        self.copy_button.setToolTip("Copy the list as text")
        self.copy_button.setAccessibleName("Copy sensitivity")
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Parameters tried")
        self.progress.setFixedHeight(6)
        self.bars = EffectBars(context, self)
        self.rest = QLabel(self)
        self.rest.setWordWrap(True)
        self.rest.setProperty("dim", True)
        self.rest.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 2, 4, 4)
        column.addWidget(self.bars)
        column.addWidget(self.rest)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setAccessibleName("Sensitivities, scrolled")
        area.setWidgetResizable(True)
        area.setAccessibleName("Effects of the parameters")
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inside)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.compute)
        row.addWidget(self.stop)
        row.addWidget(self.measure)
        row.addStretch(1)
        row.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 2)
        layout.setSpacing(4)
        layout.addWidget(self.head)
        layout.addLayout(row)
        layout.addWidget(self.progress)
        layout.addWidget(area, 1)
        model = self.state.sensitivities
        self.compute.clicked.connect(self.start)
        self.stop.clicked.connect(model.cancel)
        self.measure.currentIndexChanged.connect(lambda _: self.refresh())
        self.copy_button.clicked.connect(self.copy)
        model.changed.connect(self.refresh)
        self.state.cursor.step_changed.connect(lambda _: self._on_step())
        self.state.selection.changed.connect(self._on_step)
        self.state.runs.stale_changed.connect(lambda _: self._on_step())
        self.state.runs.replaced.connect(lambda _: self._on_step())
        self.state.runs.cleared.connect(self.refresh)
        self.refresh()

    @property
    def step(self) -> int:
        """The step it is about: that of the selected span, else that of the cursor."""
        chosen = self.state.selection.span
        return chosen.step if chosen else self.state.cursor.step

    def start(self) -> None:
        """Compute for the step; where requests come and go, tokens/s tells more."""
        run = self.state.runs.current
        if run is not None and run.scenario.workload.kind == "serving":
            self.measure.setCurrentIndex(1)
        self.state.sensitivities.start(self.step)

    def text(self) -> str:
        """Head and rows, separated by tabs."""
        lines = [self.head.text(), "parameter\tvalue\ttried\tstep time\ttokens/s"]
        for item in self.state.sensitivities.effects:
            shown = (
                f"{100 * item.step_time:+.3f} %\t{100 * item.tokens_per_s:+.3f} %"
                if not item.reason
                else f"not tried: {item.reason}\t"
            )
            before, after = item.parameter.value, item.value
            lines.append(f"{item.parameter.path}\t{before:g}\t{after:g}\t{shown}")
        return "\n".join(lines)

    def copy(self) -> None:
        """Put the list on the clipboard."""
        QApplication.clipboard().setText(self.text())

    def showEvent(self, event: object) -> None:
        self._on_step()

    def _on_step(self) -> None:
        if self.isVisible():
            model = self.state.sensitivities
            if model.busy or model.fits(self.step) or not model.recall(self.step):
                self.refresh()

    def refresh(self) -> None:
        """Show what the model has."""
        model, run = self.state.sensitivities, self.state.runs.current
        there = run is not None and self.step < self.state.runs.length
        fits = model.busy or model.fits(self.step)
        done, total = model.progress
        self.compute.setVisible(not model.busy)
        self.compute.setEnabled(there and not self.state.runs.stale and not fits)
        self.stop.setVisible(model.busy)
        self.progress.setVisible(model.busy)
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(done)
        self.copy_button.setEnabled(bool(model.effects))
        known = model.stretch is not None
        self.bars.setVisible(known)
        self.measure.setVisible(known)
        self.rest.setVisible(known)
        if not known or run is None:
            self.head.setText(_HINT)
            return
        assert model.stretch is not None
        head = f"+10 % of one number at a time; {model.stretch.text}"
        if model.error:
            head = f"cannot be computed: {model.error}"
        elif model.busy:
            head += f"; {done} of {total} tried"
        elif model.partial:
            head = f"Stopped after {len(model.effects)} parameters. {head}"
        elif not fits:
            head = f"Out of date: {model.why_not(self.step)}. {head}"
        self.head.setText(head)
        self.bars.show_effects(model.effects, self.measure.currentIndex() == 1, not fits)
        self.rest.setText(_rest(model.effects) if model.effects else "")


def _rest(effects: object) -> str:
    """What has no bar, in words."""
    assert isinstance(effects, tuple)
    none = [e.parameter.title for e in effects if not e.reason and abs(e.step_time) < LEAST]
    lines = []
    if none:
        lines.append(f"Less than {significant(100 * LEAST, 1)} %: {', '.join(none)}.")
    lines += [f"Not tried: {e.parameter.title}: {e.reason}." for e in effects if e.reason]
    return "\n".join(lines)
