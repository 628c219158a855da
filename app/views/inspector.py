"""The inspector: one device or link with parameters, derived figures, curve and roofline."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme.tokens import Theme
from app.viewmodels.hover import step_name
from app.viewmodels.inspector import (
    Inspected,
    changed_timing,
    figures,
    inspect,
    pending,
    roofline,
)
from app.viewmodels.machine import machine_of
from app.widgets.field_editors import ChoiceBox
from app.widgets.parameter_tree import ParameterTree
from app.widgets.roofline_canvas import RooflineCanvas
from app.widgets.size_canvas import SizeCanvas
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.errors import ScenarioErrors
from simcore.hardware.derivation import Derivation
from simcore.hardware.devices import Machine
from simcore.hardware.dram.presets import dram_presets
from simcore.scenario.schema import Scenario

RANK = 6

PARAMETERS, FIGURES, CURVE, ROOFLINE = range(4)


@register_view(
    "inspector",
    "Inspector",
    "One device or link: parameters with their sources, figures with their arithmetic, bandwidth "
    "over granule, roofline. Parameters can be changed: in the scenario, or as a what-if.",
)
class InspectorView(View):
    """The choice of the device and the derived bandwidth stay in sight above the tabs."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._machine: Machine | None = None
        self.inspected: Inspected | None = None
        self.what_if: dict[str, int] = {}
        self._what_if_of = ""
        self._granule = 8192.0
        self._build()
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_figures)
        self._loader.request(None, dram_presets)  # reads the file before it is needed
        state = self.state
        state.runs.replaced.connect(self._on_replaced)
        state.runs.cleared.connect(lambda: self._on_replaced(None))
        state.session.document_changed.connect(self.refresh)
        state.session.resolved.connect(self.refresh)
        state.selection.device_changed.connect(self._on_selected)
        state.cursor.step_changed.connect(lambda _: self._show_roofline())
        state.runs.grew.connect(self._on_grew)
        if state.runs.current is not None:
            self._on_replaced(None)
        self._show()

    def _build(self) -> None:
        self.choice = ChoiceBox(self)
        self.choice.setAccessibleName("Device or link")
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.setMinimumContentsLength(12)
        self.choice.activated.connect(self._on_choice)
        self.headline = QLabel(self)
        self.headline.setWordWrap(True)
        self.headline.setAccessibleName("Derived bandwidth")
        self.headline.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.headline.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.badge = QLabel(self)
        self.badge.setObjectName("staleBadge")
        self.badge.setWordWrap(True)
        self.badge.setAccessibleName("What-if")
        self.reset = QToolButton(self)
        self.reset.setText("Reset")
        self.reset.setToolTip("Drop the what-if values")
        self.reset.setAccessibleName("Reset what-if")
        self.reset.clicked.connect(self.reset_what_if)
        self.problem = QLabel(self)
        self.problem.setProperty("problem", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.parameters = ParameterTree(self)
        self.parameters.edited.connect(self._on_edited)
        self.parameters.wrong.connect(self._on_wrong)
        self.figures = QTextBrowser(self)
        self.figures.setAccessibleName("Figures with their arithmetic")
        self.figures.setOpenLinks(False)
        self.curve = SizeCanvas(self.context, self)
        self.curve.marked.connect(self._on_marked)
        self.note = QLabel(self)
        self.note.setProperty("dim", True)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(8, 2, 8, 6)
        self.roof = RooflineCanvas(self.context, self)
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Pages of the inspector")
        self.tabs.tabBar().setAccessibleName("Pages of the inspector")
        self.tabs.setDocumentMode(True)
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.curve, 1)
        column.addWidget(self.note)
        self.detail = QLabel(self)
        self.detail.setProperty("dim", True)
        self.detail.setWordWrap(True)
        self.detail.setAccessibleName("Source of the parameter")
        self.detail.setContentsMargins(8, 3, 8, 6)
        values = QWidget(self)
        rows = QVBoxLayout(values)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.parameters, 1)
        rows.addWidget(self.detail)
        self.parameters.currentItemChanged.connect(lambda *_: self._show_detail())
        area = QScrollArea(self)
        area.setAccessibleName("Roofline, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.roof)
        for widget, title in (
            (values, "Values"),
            (self.figures, "Figures"),
            (page, "Curve"),
            (area, "Roof"),
        ):
            self.tabs.addTab(widget, title)
        self.tabs.currentChanged.connect(lambda _: self._show())
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.badge, 1)
        row.addWidget(self.reset)
        top = QVBoxLayout()
        top.setContentsMargins(8, 6, 8, 4)
        top.setSpacing(5)
        top.addWidget(self.choice)
        top.addWidget(self.headline)
        top.addLayout(row)
        top.addWidget(self.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)

    # What is inspected.

    @property
    def machine(self) -> Machine | None:
        """The machine of the run on screen."""
        self._catch_up()
        return self._machine

    @property
    def device(self) -> str:
        """Id of the device or link shown."""
        self._catch_up()
        return str(self.choice.currentData() or "")

    def _on_replaced(self, _: object) -> None:
        if self.state.runs.current is None:
            self._take()
        else:
            self.state.turns.ask(self._take, RANK, lambda: self.on_screen)

    def _catch_up(self) -> None:
        self.state.turns.now(self._take)

    def _take(self) -> None:
        """Take over another run."""
        self.state.turns.drop(self._take)
        run = self.state.runs.current
        self._machine = machine_of(run) if run is not None else None
        wanted = self.state.selection.device or str(self.choice.currentData() or "")
        self.choice.clear()
        if self._machine is not None:
            for device in self._machine.devices:
                self.choice.addItem(device.title, device.id)
            links = [one for one in self._machine.links if len(one.ends) > 1 or not one.internal]
            self.choice.insertSeparator(self.choice.count())
            for link in links:
                self.choice.addItem(link.title, link.id)
        at = self.choice.findData(wanted)
        self.choice.setCurrentIndex(at if at >= 0 else self._first())
        self._forget_what_if()
        self.refresh()

    def _first(self) -> int:
        """A memory that computes where there is one: it has most to show."""
        if self.machine is None:
            return -1
        for index, device in enumerate(self.machine.devices):
            if device.component in ("ndp_dimms", "dimm_pim", "hbm"):
                return index
        return 0

    def _on_grew(self, _: int) -> None:
        if self.inspected is not None and self.roof.roofline is None:
            self._show_roofline()

    def _on_choice(self, _: int) -> None:
        self.state.selection.select_device(self.device)
        self._forget_what_if()
        self.refresh()

    def _on_selected(self, id: str) -> None:
        self._catch_up()
        at = self.choice.findData(id)
        if at < 0 and id.endswith("_bus"):
            at = self.choice.findData(id.removesuffix("_bus"))
        if at >= 0 and at != self.choice.currentIndex():
            self.choice.setCurrentIndex(at)
            self._forget_what_if()
            self.refresh()

    # Edits.

    def _on_edited(self, path: str, value: Any) -> None:
        self.problem.hide()
        if path.startswith("dram."):
            self.set_what_if(path.removeprefix("dram."), int(value))
            return
        try:
            self.state.session.set_value(path, value)
        except ScenarioErrors as errors:
            self._on_wrong(str(errors))

    def set_what_if(self, name: str, value: int) -> None:
        """Change a timing here only; the value of the scenario's DRAM takes the edit back."""
        if self.inspected is None or self.inspected.dram is None:
            return
        wanted = {**self.what_if, name: value}
        if getattr(self.inspected.dram.timing, name) == value:
            del wanted[name]
        try:
            changed_timing(self.inspected.dram, wanted)
        except ScenarioErrors as errors:
            self._on_wrong("; ".join(problem.text() for problem in errors.problems))
            return
        self.what_if = wanted
        self._what_if_of = self.device
        self.refresh()

    def reset_what_if(self) -> None:
        """Drop all what-if values."""
        self.what_if = {}
        self.problem.hide()
        self.refresh()

    def _forget_what_if(self) -> None:
        if self._what_if_of != self.device:
            self.what_if = {}
        self.problem.hide()

    def _on_wrong(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def _on_marked(self, granule: float) -> None:
        self._granule = granule
        self.refresh()

    # Showing.

    def scenario(self) -> Scenario | None:
        """The scenario with edits that are not resolved yet."""
        run, session = self.state.runs.current, self.state.session
        if run is None:
            return None
        known = session.scenario
        base = known if known is not None and known.system == run.scenario.system else run.scenario
        what = self._what()
        return pending(base, session.document, what.component if what is not None else "")

    def _what(self) -> Any:
        if self.machine is None:
            return None
        return self.machine.device(self.device) or self.machine.link(self.device)

    def refresh(self) -> None:
        """Derive everything anew; nothing is done while the view is hidden."""
        if not self.on_screen:
            return
        scenario = self.scenario()
        self.inspected = None
        if scenario is not None and self.machine is not None and self.device:
            try:
                self.inspected = inspect(
                    scenario, self.machine, self.device, self.what_if, self._granule
                )
            except ScenarioErrors as errors:  # a what-if that no longer fits the scenario
                self.what_if = {}
                self._on_wrong(f"what-if dropped: {errors}")
                self.inspected = inspect(scenario, self.machine, self.device, {}, self._granule)
        self._show()

    def showEvent(self, _: object) -> None:
        self.refresh()

    def on_raised(self) -> None:
        self.refresh()

    def on_theme_changed(self) -> None:
        self._show()

    def _show(self) -> None:
        found, theme = self.inspected, self.context.theme
        self.reset.setVisible(bool(self.what_if))
        self.badge.setVisible(bool(self.what_if))
        if found is None:
            self.headline.setText("No run yet.")
            self.parameters.show_parameters((), theme)
            self.figures.setHtml("")
            self.curve.show_curve(None)
            self.note.setText("")
            self.roof.show_roofline(None, ())
            return
        self.headline.setText(found.headline)
        if self.what_if and found.dram is not None:
            changes = ", ".join(
                f"{name} {getattr(found.dram.timing, name)} → {value}"
                for name, value in self.what_if.items()
            )
            self.badge.setText(f"What if {changes}? Not in the scenario, not in the run.")
        tab = self.tabs.currentIndex()
        self.tabs.setTabEnabled(CURVE, found.curve is not None)
        if tab == PARAMETERS:
            self.parameters.show_parameters(found.parameters, theme)
            self._show_detail()
        elif tab == FIGURES:
            self._start_figures()
        elif tab == CURVE:
            self.curve.show_curve(found.curve)
            self.note.setText(found.curve.note if found.curve is not None else "")
        self._show_roofline()

    def _show_detail(self) -> None:
        """Help, class and source of the parameter the table stands at."""
        parameter = self.parameters.current()
        if parameter is None:
            self.detail.setText("Enter or a double click edits a value.")
            return
        field = parameter.field
        known = field.provenance
        source = f"\n{known.source_class.value}: {known.source}" if known is not None else ""
        self.detail.setText(f"{field.knob.help}{source}")

    def _start_figures(self) -> None:
        """Figures take some estimates: they are made in the background."""
        scenario, what = self.scenario(), self._what()
        if scenario is None or what is None:
            return
        note = self.inspected.dram.note if self.inspected and self.inspected.dram else ""
        key = (getattr(what, "parts", ""), note)
        self._loader.request(key, lambda: figures(scenario, what))

    def _on_figures(self, key: tuple[str, str] | None, found: object) -> None:
        if key is not None and isinstance(found, tuple):
            self.figures.setHtml(figures_html(found, *key, self.context.theme))

    def shut_down(self) -> None:
        self._loader.shut_down()

    def _show_roofline(self) -> None:
        run, step, what = self.state.runs.current, self.state.cursor.step, self._what()
        if self.tabs.currentIndex() != ROOFLINE or not self.on_screen or run is None:
            return
        scenario = self.scenario()
        found = None
        is_device = self.machine is not None and self.machine.device(self.device) is not None
        if is_device and scenario is not None and step < self.state.runs.length:
            found = roofline(run, scenario, what, step)
            self.roof.setToolTip("")
            self.roof.setAccessibleName(f"Roofline, {step_name(run, step)}")
        self.roof.show_roofline(found, tuple(op.category for op in run.ops))


def figures_html(found: tuple[Derivation, ...], parts: str, note: str, theme: Theme) -> str:
    """Figures as text: what, arithmetic, result, class and source."""
    mono = "font-family:'JetBrains Mono','DejaVu Sans Mono',monospace"
    dim = f"color:{theme.text_dim}"
    out = [f"<p style='margin:2px 0 6px 0;{dim}'>{html.escape(parts)}</p>"] if parts else []
    for one in found:
        used = (
            f" <span style='color:{theme.good};font-weight:600'>in use</span>" if one.used else ""
        )
        arithmetic = f"{html.escape(one.formula)} = " if one.formula else ""
        out.append(
            f"<p style='margin:7px 0 0 0'>{html.escape(one.what)}{used}</p>"
            f"<p style='margin:1px 0;{mono}'>{arithmetic}<b>{html.escape(one.result)}</b></p>"
            f"<p style='margin:0;{dim};font-size:small'>{one.source_class.value}: "
            f"{html.escape(one.source)}</p>"
        )
    if not found:
        out.append(f"<p style='{dim}'>No figure is derived for this one.</p>")
    if note:
        out.append(f"<p style='margin:9px 0 0 0;{dim}'>{html.escape(note)}</p>")
    return "".join(out)
