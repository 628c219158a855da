"""The scenario editor: the generated form, and the YAML beside it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.widgets.parameter_form import ParameterForm
from app.widgets.view import Context, View, register_view
from app.widgets.yaml_editor import YamlEditor
from simcore.errors import ScenarioErrors
from simcore.scenario.document import Document
from simcore.scenario.listing import scenario_fields

YAML_DEBOUNCE_MS = 150
RANK = 6


@register_view(
    "scenario",
    "Scenario",
    "Hardware, model, workload and policy. Changes start a new run; hover a field for its source.",
)
class ScenarioView(View):
    """Two tabs over one document."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.form = ParameterForm(self)
        self.yaml = YamlEditor(context.theme, self)
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Form or YAML")
        self.tabs.tabBar().setAccessibleName("Form or YAML")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.form, "Form")
        self.tabs.addTab(self.yaml, "YAML")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.addWidget(self.tabs)
        self._yaml_timer = QTimer(self, singleShot=True, interval=YAML_DEBOUNCE_MS)
        self._yaml_timer.timeout.connect(self._apply_yaml)
        self._typing = False
        session = self.state.session
        self.form.edited.connect(self._on_edited)
        self.form.reset_asked.connect(self._on_reset)
        self.yaml.edited.connect(lambda _: self._yaml_timer.start())
        session.document_changed.connect(self._on_document_changed)
        session.file_changed.connect(self._show_changes)
        session.resolved.connect(self._on_resolved)
        session.problems_changed.connect(self._on_problems_changed)
        self.setMinimumWidth(250)

    def reveal(self, what: str) -> None:
        """Scroll the form to a field, by its path."""
        self.tabs.setCurrentWidget(self.form)
        self.form.reveal(what)

    def on_theme_changed(self) -> None:
        self.yaml.set_theme(self.context.theme)

    def _on_edited(self, path: str, value: Any) -> None:
        try:
            self.state.session.set_value(path, value)
        except ScenarioErrors as errors:
            self.state.messages.show(str(errors))

    def _on_reset(self, path: str) -> None:
        try:
            self.state.session.reset_value(path)
        except ScenarioErrors as errors:
            self.state.messages.show(str(errors))

    def _on_document_changed(self) -> None:
        document = self.state.session.document
        if document is not None and not self._typing:
            self.yaml.put(document.text())
        self._show_changes()

    def _on_resolved(self) -> None:
        """Fill the form in its turn: a run that is there already comes up first."""
        self.state.turns.ask(self._show_resolved, RANK)

    def _show_resolved(self) -> None:
        scenario = self.state.session.scenario
        if scenario is not None:
            self.form.show_fields(scenario_fields(scenario))
            self._show_changes()

    def _on_problems_changed(self) -> None:
        problems = self.state.session.problems
        self.form.show_problems(problems)
        self.yaml.show_problems(problems)
        self.tabs.setTabText(1, f"YAML ({len(problems)})" if problems else "YAML")
        if problems and self.state.session.scenario is None:
            self.tabs.setCurrentIndex(1)  # there is no form yet to repair it in

    def _show_changes(self) -> None:
        session = self.state.session
        document, saved = session.document, session.saved
        if document is None or saved is None:
            return
        if document.text() == saved.text():
            changed: set[str] = set()
        else:
            paths = self.form.paths
            changed = {p for p in paths if _said(document, p) != _said(saved, p)}
        self.form.show_changes(changed)

    def _apply_yaml(self) -> None:
        session = self.state.session
        if session.document is None:
            return
        document = Document.from_text(self.yaml.text.toPlainText(), session.path)
        self._typing = True
        session.bus.do("edit YAML", document, merge_key="yaml")
        self._typing = False


def _said(document: Document, path: str) -> Any:
    """What a document says about a field; of a component, the preset it names."""
    value = document.get(path)
    return value.get("preset") if isinstance(value, dict) else value
