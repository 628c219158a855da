"""The explain panel: why the selected span is as long as it is."""

from __future__ import annotations

import html

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme.tokens import Theme
from app.viewmodels.hover import step_name
from app.widgets.sensitivity_panel import SensitivityPanel
from app.widgets.view import Context, View, register_view
from simcore.results.explain import Explanation, Term

RANK = 6

_HINT = (
    "Select a span in the timeline, or step by ops, to see what bounds it: "
    "the formula, its numbers and where each number comes from."
)


@register_view("explain", "Explain", "Why the selected span is as long as it is, with sources.")
class ExplainView(View):
    """Formula with numbers; without a selection, the op at the cursor."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.explanation: Explanation | None = None
        self._step = 0
        self._where = QLabel(self)
        self._where.setProperty("dim", True)
        self._copy = QToolButton(self)
        self._copy.setText("Copy")
        self._copy.setToolTip("Copy the explanation as text")
        self._copy.setAccessibleName("Copy explanation")
        self._text = QTextBrowser(self)
        self._text.setAccessibleName("Explanation")
        self._text.setOpenLinks(False)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self._where, 1)
        bar.addWidget(self._copy)
        page = QWidget(self)
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        inside.addLayout(bar)
        inside.addWidget(self._text, 1)
        self.sensitivity = SensitivityPanel(context, self)
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Pages of the explanation")
        self.tabs.tabBar().setAccessibleName("Pages of the explanation")
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Pages of the explanation")
        self.tabs.addTab(page, "This span")
        self.tabs.addTab(self.sensitivity, "Sensitivity")
        self.tabs.setTabToolTip(1, "What 10 % more of each parameter would do to the step")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._copy.clicked.connect(self.copy)
        self.state.selection.changed.connect(self._refresh)
        self.state.cursor.moved.connect(self._on_cursor_moved)
        self.state.playback.changed.connect(self._on_playback_changed)
        self.state.runs.replaced.connect(
            lambda _: self.state.turns.ask(self._refresh, RANK, lambda: self.on_screen)
        )
        self.state.runs.cleared.connect(self._refresh)
        self._later = QTimer(self, singleShot=True, interval=40)
        self._later.timeout.connect(self._refresh)
        self._refresh()

    def copy(self) -> None:
        """Put the explanation on the clipboard as text."""
        if self.explanation is not None:
            QApplication.clipboard().setText(self.explanation.text())

    def on_theme_changed(self) -> None:
        self._refresh()
        self.sensitivity.refresh()

    def showEvent(self, event: object) -> None:
        self._refresh()

    def on_raised(self) -> None:
        self._refresh()

    def _on_cursor_moved(self) -> None:
        chosen, playing = self.state.selection.span, self.state.playback.playing
        if chosen is None and not playing and self.on_screen:
            self._later.start()

    def _on_playback_changed(self) -> None:
        """Text that changes many times a second cannot be read: it stays, and says so."""
        self._on_cursor_moved()
        self._show_where()

    def _show_where(self) -> None:
        run, chosen, step = self.state.runs.current, self.state.selection.span, self._step
        if self.explanation is None or run is None or not step < self.state.runs.length:
            self._where.setText("")
            return
        origin = "at the cursor"
        if chosen:
            origin = "selected"
        elif self.state.playback.playing:
            origin = "until paused"
        self._where.setText(f"{step_name(run, step)}, {origin}")

    def _refresh(self) -> None:
        if not self.on_screen:
            return
        run, chosen = self.state.runs.current, self.state.selection.span
        step = chosen.step if chosen else self.state.cursor.step
        self.explanation, self._step = None, step
        if run is not None and step < self.state.runs.length:
            span = chosen.span if chosen else self.state.cursor.op()
            if span >= 0:
                self.explanation = run.explain(step, span)
        self._show_where()
        self._copy.setEnabled(self.explanation is not None)
        self._text.setHtml(
            _html(self.explanation, self.context.theme)
            if self.explanation
            else f"<p style='color:{self.context.theme.text_dim}'>{_HINT}</p>"
        )


def _html(explanation: Explanation, theme: Theme) -> str:
    mono = "font-family:'JetBrains Mono','DejaVu Sans Mono',monospace"
    dim = f"color:{theme.text_dim}"
    parts = [
        f"<p style='margin:2px 0 6px 0;font-weight:600;font-size:large'>"
        f"{html.escape(explanation.title)}</p>",
        f"<p style='margin:2px 0;{mono};{dim}'>{html.escape(explanation.formula)}</p>",
        f"<p style='margin:2px 0 6px 0;{mono}'>{html.escape(explanation.result)}</p>",
    ]
    if explanation.bound:
        bound = html.escape(explanation.bound)
        parts.append(
            f"<p style='margin:4px 0'>bound by <span style='font-weight:600'>{bound}</span></p>"
        )
    change = explanation.change()
    if change:
        parts.append(f"<p style='margin:4px 0 6px 0'>{html.escape(change)}</p>")
    if explanation.terms:
        parts.append("<table cellspacing='0' cellpadding='2' width='100%'>")
        parts.extend(_term_rows(term, mono, dim) for term in explanation.terms)
        parts.append("</table>")
    parts.extend(f"<p style='margin:4px 0'>{html.escape(note)}</p>" for note in explanation.notes)
    return "".join(parts)


def _term_rows(term: Term, mono: str, dim: str) -> str:
    source = ""
    if term.provenance is not None:
        kind, text = term.provenance.source_class.value, term.provenance.source
        source = (
            f"<br><span style='{dim};font-size:small'>{html.escape(kind)}: "
            f"{html.escape(text)}</span>"
        )
    return (
        f"<tr><td valign='bottom' style='{mono};padding-top:5px'>{html.escape(term.symbol)}</td>"
        f"<td valign='bottom' align='right' style='{mono};padding-top:5px'>"
        f"{html.escape(term.value)}</td></tr>"
        f"<tr><td colspan='2' style='{dim}'>{html.escape(term.meaning)}{source}</td></tr>"
    )
