"""Commands of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.commands.registry import Command
from app.state.app_state import AppState
from simcore.errors import SimcoreError
from simcore.sweep.files import list_sweeps

_MENU = "Run"


class SweepActions(Protocol):
    """What the window does for the commands."""

    def show_sweep(self) -> None:
        """Bring the view up."""

    def run_sweep(self) -> None:
        """Run what is set up."""

    def can_run_sweep(self) -> bool:
        """Whether something is."""

    def open_sweep_point(self) -> None:
        """Open the chosen point."""

    def can_open_sweep_point(self) -> bool:
        """Whether one is chosen."""

    def load_sweep(self, path: Path | None) -> None:
        """Load a sweep file; ask for one if none is given."""

    def save_sweep(self) -> None:
        """Save the setup as a sweep file."""

    def export_sweep(self, *, chart: bool) -> None:
        """Write the chart or the table."""


def sweep_commands(state: AppState, window: SweepActions) -> tuple[Command, ...]:
    """Running, stopping, opening a point, files."""
    runner = state.sweeps

    def command(
        id: str,
        title: str,
        run: Callable[[], object],
        enabled: Callable[[], bool] | None = None,
        keys: tuple[str, ...] = (),
    ) -> Command:
        return Command(f"sweep.{id}", title, run, keys, _MENU, enabled, section="sweep")

    def start() -> None:
        window.show_sweep()
        window.run_sweep()

    return (
        command("run", "Run the sweep", start, window.can_run_sweep, ("Ctrl+Shift+R",)),
        command("stop", "Stop the sweep", runner.stop, lambda: runner.running),
        command(
            "open_point",
            "Open the chosen point of the sweep",
            window.open_sweep_point,
            window.can_open_sweep_point,
        ),
        command("load", "Load a sweep…", lambda: window.load_sweep(None)),
        command(
            "save",
            "Save the sweep…",
            window.save_sweep,
            lambda: window.can_run_sweep() or (runner.running and runner.spec is not None),
        ),
        command(
            "export_table",
            "Export the table of the sweep…",
            lambda: window.export_sweep(chart=False),
            lambda: bool(runner.rows),
        ),
        command(
            "export_chart",
            "Export the chart of the sweep…",
            lambda: window.export_sweep(chart=True),
            lambda: bool(runner.rows),
        ),
        *(
            Command(
                f"sweep.example_{path.stem}",
                f"Sweep: {path.stem}",
                lambda path=path: window.load_sweep(path),  # type: ignore[misc]
            )
            for path in _examples()
        ),
    )


def _examples() -> tuple[Path, ...]:
    try:
        return list_sweeps()
    except SimcoreError:
        return ()
