"""Commands that change what part of the time axis is visible and which span is selected."""

from __future__ import annotations

from app.commands.registry import Command
from app.state.app_state import AppState
from app.state.messages import Severity
from app.state.selection import SpanRef
from app.viewmodels.exact import neighbour
from app.viewmodels.flows import cause_of, effect_of
from app.viewmodels.grains import is_wait_table
from simcore.results.run import Run

_MENU = "Timeline"
ZOOM = 0.7
PAN = 0.2


def timeline_commands(state: AppState) -> tuple[Command, ...]:
    """Zoom, pan, fit, next and previous span."""
    window = state.window

    def zoom(factor: float) -> None:
        at = float(state.cursor.absolute_ps)
        inside = window.start_ps <= at <= window.end_ps
        window.zoom(factor, at if inside else (window.start_ps + window.end_ps) / 2)

    def ready() -> bool:
        return state.runs.length > 0

    def toggle_follow() -> None:
        window.follow = not window.follow

    def add(id: str, title: str, run: object, key: str, section: str) -> Command:
        assert callable(run)
        keys = (key,) if key else ()
        return Command(f"timeline.{id}", title, run, keys, _MENU, ready, section=section)

    return (
        add("zoom_in", "Zoom in", lambda: zoom(ZOOM), "W", "zoom"),
        add("zoom_out", "Zoom out", lambda: zoom(1 / ZOOM), "S", "zoom"),
        add("pan_left", "Pan left", lambda: window.pan(-PAN * window.span_ps), "A", "pan"),
        add("pan_right", "Pan right", lambda: window.pan(PAN * window.span_ps), "D", "pan"),
        add("fit", "Fit the selection or the step", lambda: fit(state), "F", "fit"),
        add("fit_layer", "Fit the layer at the cursor", lambda: fit_layer(state), "Shift+F", "fit"),
        add("all", "Show the whole run", window.all, "0", "fit"),
        add("next", "Next span in the lane", lambda: select_neighbour(state, 1), ".", "span"),
        add(
            "previous",
            "Previous span in the lane",
            lambda: select_neighbour(state, -1),
            ",",
            "span",
        ),
        add("cause", "Go to what the span needed", lambda: follow(state, -1), "[", "span"),
        add("effect", "Go to what needed the span", lambda: follow(state, 1), "]", "span"),
        add("deselect", "Select nothing", state.selection.clear, "Esc", "span"),
        Command(
            "timeline.follow",
            "Follow the cursor",
            toggle_follow,
            menu=_MENU,
            checked=lambda: window.follow,
            section="follow",
        ),
        Command(
            "timeline.scale_to_peak",
            "Scale bandwidth to the peak",
            lambda: window.set_scale_to_peak(not window.scale_to_peak),
            menu=_MENU,
            checked=lambda: window.scale_to_peak,
            section="follow",
        ),
    )


def fit(state: AppState) -> None:
    """Fit the selected span with its surroundings, else the step at the cursor."""
    run, chosen = state.runs.current, state.selection.span
    if run is None or chosen is None:
        state.window.show_step(state.cursor.step)
        return
    spans = run.spans(chosen.step)
    start = run.start_ps(chosen.step)
    begin = start + int(spans.start_ps[chosen.span])
    end = start + int(spans.end_ps[chosen.span])
    margin = 0.6 * (end - begin)
    state.window.set(begin - margin, end + margin)


def fit_layer(state: AppState) -> None:
    """Fit the spans of the layer at the cursor."""
    run, layer = state.runs.current, state.cursor.layer
    if run is None or layer < 0:
        state.window.show_step(state.cursor.step)
        return
    spans = run.spans(state.cursor.step)
    use = (spans.layer == layer) & ~is_wait_table(run)[spans.op]
    start = run.start_ps(state.cursor.step)
    begin, end = int(spans.start_ps[use].min()), int(spans.end_ps[use].max())
    margin = 0.05 * (end - begin)
    state.window.set(start + begin - margin, start + end + margin)


def follow(state: AppState, direction: int) -> None:
    """Select the op the span needed (-1), or the first that needed it (1); the cursor goes along.

    Without a selection it starts from the op at the cursor.
    """
    run, chosen = state.runs.current, state.selection.span
    if run is None or not state.runs.length:
        return
    step = chosen.step if chosen else state.cursor.step
    span = chosen.span if chosen else state.cursor.op()
    if span < 0:
        return
    spans = run.spans(step)
    found = cause_of(run, spans, span) if direction < 0 else effect_of(run, spans, span)
    if found < 0:
        where = "needs nothing before it" if direction < 0 else "is needed by nothing after it"
        title = run.ops[int(spans.op[span])].title
        state.messages.show(f"{title} {where} in this step", Severity.INFO)
        return
    _select(state, run, step, found)


def _select(state: AppState, run: Run, step: int, span: int) -> None:
    """Select a span, move the cursor to it, and bring it in sight."""
    spans = run.spans(step)
    state.selection.select_span(SpanRef(step, span, int(spans.lane[span])))
    state.cursor.seek(step, int(spans.start_ps[span]))
    start = run.start_ps(step)
    begin, end = start + int(spans.start_ps[span]), start + int(spans.end_ps[span])
    window = state.window
    if end < window.start_ps or begin > window.end_ps:
        middle = (begin + end) / 2
        window.set(middle - window.span_ps / 2, middle + window.span_ps / 2)


def select_neighbour(state: AppState, direction: int) -> None:
    """Select the next or previous op in the lane, also across steps; the cursor goes along."""
    run, chosen = state.runs.current, state.selection.span
    if run is None or not state.runs.length:
        return
    step = chosen.step if chosen else state.cursor.step
    spans = run.spans(step)
    if chosen is None:
        span = state.cursor.op()
        if span < 0:
            return
        lane = int(spans.lane[span])
    else:
        lane = chosen.lane
        span = neighbour(spans, len(run.lanes), chosen.span, direction, is_wait_table(run))
        if span < 0:
            step += direction
            if not 0 <= step < state.runs.length:
                return
            spans = run.spans(step)
            work = (spans.lane == lane) & ~is_wait_table(run)[spans.op]
            found = work.nonzero()[0]
            if not len(found):
                return
            span = int(found[0 if direction > 0 else -1])
    _select(state, run, step, span)
