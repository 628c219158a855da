"""Commands that move the cursor and play."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState
from app.viewmodels.grains import Grain

_MENU = "Playback"


def playback_commands(state: AppState) -> tuple[Command, ...]:
    """Stepping, playing, speed."""
    cursor, playback = state.cursor, state.playback

    def ready() -> bool:
        return state.runs.length > 0

    def step(grain: Grain, delta: int) -> Callable[[], None]:
        return lambda: cursor.move(grain, delta)

    def move(id: str, title: str, grain: Grain, delta: int, key: str) -> Command:
        return Command(
            f"playback.{id}", title, step(grain, delta), (key,), _MENU, ready, section=grain.value
        )

    return (
        Command(
            "playback.play",
            "Play or pause",
            playback.toggle,
            ("Space",),
            _MENU,
            ready,
            label=lambda: "Pause" if playback.playing else "Play",
        ),
        move("op_forward", "Forward one op", Grain.OP, 1, "Right"),
        move("op_back", "Back one op", Grain.OP, -1, "Left"),
        move("layer_forward", "Forward one layer", Grain.LAYER, 1, "Shift+Right"),
        move("layer_back", "Back one layer", Grain.LAYER, -1, "Shift+Left"),
        move("token_forward", "Forward one token", Grain.TOKEN, 1, "Ctrl+Right"),
        move("token_back", "Back one token", Grain.TOKEN, -1, "Ctrl+Left"),
        Command(
            "playback.home", "Go to the start", cursor.home, ("Home",), _MENU, ready, section="ends"
        ),
        Command(
            "playback.end", "Go to the end", cursor.end, ("End",), _MENU, ready, section="ends"
        ),
        Command(
            "playback.faster",
            "Play faster",
            lambda: playback.change_speed(1),
            (">",),
            _MENU,
            section="speed",
        ),
        Command(
            "playback.slower",
            "Play slower",
            lambda: playback.change_speed(-1),
            ("<",),
            _MENU,
            section="speed",
        ),
    )
