"""Commands for the two markers and the range between them."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState

_MENU = "Timeline"


def marker_commands(
    state: AppState, show: Callable[[], object], export: Callable[[], object]
) -> tuple[Command, ...]:
    """Setting, visiting and clearing markers; statistics, zoom, loop and export of the range."""
    markers = state.markers

    def ready() -> bool:
        return state.runs.length > 0

    def has_range() -> bool:
        return markers.range_ps() is not None

    def set_marker(index: int) -> Callable[[], None]:
        return lambda: markers.set(index, float(state.cursor.absolute_ps))

    def go(index: int) -> Callable[[], None]:
        def run() -> None:
            time = markers.time_ps(index)
            if time is not None:
                reveal(state, time)

        return run

    def there(index: int) -> Callable[[], bool]:
        return lambda: markers.time_ps(index) is not None

    def add(
        id: str,
        title: str,
        run: Callable[[], object],
        key: str,
        enabled: Callable[[], bool],
        section: str = "range",
    ) -> Command:
        return Command(
            f"range.{id}", title, run, (key,) if key else (), _MENU, enabled, section=section
        )

    return (
        add("set_1", "Set marker 1 at the cursor", set_marker(0), "M", ready, "markers"),
        add("set_2", "Set marker 2 at the cursor", set_marker(1), "Shift+M", ready, "markers"),
        add("go_1", "Go to marker 1", go(0), "1", there(0), "markers"),
        add("go_2", "Go to marker 2", go(1), "2", there(1), "markers"),
        add(
            "clear",
            "Clear the markers",
            markers.clear,
            "Del",
            lambda: any(place is not None for place in markers.places),
            "markers",
        ),
        add("select", "Mark the selected span or the step", lambda: mark(state), "R", ready),
        add("show", "Statistics of the range", show, "Shift+R", ready),
        add("zoom", "Zoom to the range", lambda: zoom(state), "Z", has_range),
        add("loop", "Loop the range", lambda: loop(state), "Ctrl+L", has_range),
        add("export", "Export the range as a chart…", export, "", has_range),
    )


def mark(state: AppState) -> None:
    """Put the markers around the selected span, else around the step at the cursor."""
    run, chosen = state.runs.current, state.selection.span
    if run is None:
        return
    step = chosen.step if chosen else state.cursor.step
    start = run.start_ps(step)
    if chosen is None:
        state.markers.set_range(start, start + int(run.value("duration_ps", step)))
        return
    spans = run.spans(step)
    state.markers.set_range(
        start + int(spans.start_ps[chosen.span]), start + int(spans.end_ps[chosen.span])
    )


def zoom(state: AppState) -> None:
    """Show the range with a little around it."""
    found = state.markers.range_ps()
    if found is not None:
        margin = 0.03 * (found[1] - found[0])
        state.window.set(found[0] - margin, found[1] + margin)


def loop(state: AppState) -> None:
    """Play the steps of the range again and again."""
    steps = state.markers.steps()
    if steps is not None:
        state.playback.set_loop(steps)


def reveal(state: AppState, time_ps: float) -> None:
    """Move the cursor to a time, and the visible range where it is not in sight."""
    state.cursor.seek_time(time_ps)
    window = state.window
    if not window.start_ps <= time_ps <= window.end_ps:
        window.set(time_ps - window.span_ps / 2, time_ps + window.span_ps / 2)
