"""Commands that run to conditions and loop over a range."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState
from app.viewmodels.conditions import CONDITIONS

_MENU = "Playback"


def stop_commands(state: AppState) -> tuple[Command, ...]:
    """Next and previous place of each condition, of any active one, and the loop."""
    stops, playback = state.stops, state.playback

    def ready() -> bool:
        return state.runs.length > 0

    def go(id: str, direction: int) -> Callable[[], object]:
        return lambda: stops.go(id, direction)

    def able(id: str) -> Callable[[], bool]:
        return lambda: ready() and stops.applies(id)

    def label(id: str, word: str) -> Callable[[], str]:
        return lambda: f"Run to {word}: {stops.text(id)}"

    each = (
        Command(
            f"stops.{word}_{item.id}",
            f"Run to {word}: {item.title}",
            go(item.id, direction),
            enabled=able(item.id),
            label=label(item.id, word),
        )
        for item in CONDITIONS
        for word, direction in (("next", 1), ("previous", -1))
    )
    return (
        Command(
            "stops.next",
            "Run to the next stop",
            lambda: stops.go_any(1),
            ("N",),
            _MENU,
            ready,
            section="stops",
        ),
        Command(
            "stops.previous",
            "Run to the previous stop",
            lambda: stops.go_any(-1),
            ("Shift+N",),
            _MENU,
            ready,
            section="stops",
        ),
        Command(
            "stops.loop_visible",
            "Loop the visible range",
            lambda: loop_visible(state),
            ("L",),
            _MENU,
            ready,
            section="loop",
        ),
        Command(
            "stops.loop_off",
            "Do not loop",
            lambda: playback.set_loop(None),
            ("Shift+L",),
            _MENU,
            lambda: playback.loop is not None,
            section="loop",
        ),
        *each,
    )


def loop_visible(state: AppState) -> None:
    """Loop over the steps that begin in the visible range, or the one it lies in."""
    run, window, length = state.runs.current, state.window, state.runs.length
    if run is None or not length:
        return
    first = min(run.step_at(int(max(window.start_ps, 0.0))), length - 1)
    last = min(run.step_at(int(max(window.end_ps, 0.0))), length - 1)
    if window.start_ps > run.start_ps(first) + 0.5 * int(run.value("duration_ps", first)):
        first = min(first + 1, last)
    if last > first and window.end_ps < run.start_ps(last) + 0.5 * int(
        run.value("duration_ps", last)
    ):
        last -= 1
    state.playback.set_loop((first, last + 1))
