"""Commands that hide, pin, fold and move the lane of the selected span."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState
from simcore.results.spans import Lane

_MENU = "Timeline"


def lane_commands(state: AppState) -> tuple[Command, ...]:
    """What the context menu of a lane's title offers, for the lane of the selected span."""
    lanes = state.lanes

    def lane() -> Lane | None:
        run, chosen = state.runs.current, state.selection.span
        if run is None or chosen is None or chosen.lane >= len(run.lanes):
            return None  # a span chosen in a run with more lanes, until the selection follows
        return run.lanes[chosen.lane]

    def with_lane(act: Callable[[Lane], object]) -> Callable[[], None]:
        def run() -> None:
            found = lane()
            if found is not None:
                act(found)

        return run

    def chosen() -> bool:
        return lane() is not None

    def label(verb: str) -> Callable[[], str]:
        def text() -> str:
            found = lane()
            return f"{verb} {found.title}" if found else f"{verb} the selected lane"

        return text

    def shift(delta: int) -> Callable[[Lane], object]:
        def act(found: Lane) -> None:
            if state.runs.current is not None:
                lanes.shift(state.runs.current, found.id, delta)

        return act

    def fold_label() -> str:
        found = lane()
        if found is None:
            return "Fold the group of the selected lane"
        verb = "Unfold" if found.group in lanes.arrangement.folded else "Fold"
        return f"{verb} {found.group}"

    def pinned() -> bool:
        found = lane()
        return found is not None and found.id in lanes.arrangement.pinned

    def add(
        id: str,
        act: Callable[[Lane], object],
        key: str,
        shown: Callable[[], str],
        title: str,
        checked: Callable[[], bool] | None = None,
    ) -> Command:
        return Command(
            f"lanes.{id}",
            title,
            with_lane(act),
            (key,),
            _MENU,
            chosen,
            checked,
            label=shown,
            section="lanes",
        )

    return (
        add(
            "hide",
            lambda found: lanes.hide([found.id]),
            "H",
            label("Hide"),
            "Hide the selected lane",
        ),
        add(
            "pin",
            lambda found: lanes.toggle_pin(found.id),
            "P",
            label("Pin"),
            "Pin the selected lane to the top",
            pinned,
        ),
        add(
            "fold",
            lambda found: lanes.toggle_fold(found.group),
            "G",
            fold_label,
            "Fold the group of the selected lane",
        ),
        add("up", shift(-1), "Alt+Up", label("Move up"), "Move the selected lane up"),
        add("down", shift(1), "Alt+Down", label("Move down"), "Move the selected lane down"),
        Command(
            "lanes.show_all",
            "Show all lanes",
            lanes.show_all,
            ("Shift+H",),
            _MENU,
            lambda: state.runs.current is not None and lanes.hidden_count(state.runs.current) > 0,
            section="lanes",
        ),
        Command("lanes.reset", "Reset the lanes", lanes.reset, menu=_MENU, section="lanes"),
    )
