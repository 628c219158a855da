"""Commands that keep a run as A and say how it is laid beside B."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState
from app.viewmodels.alignment import Align
from app.workers.baseline import offered
from simcore.registry import SYSTEMS

_MENU = "Compare"


def compare_commands(
    state: AppState, show: Callable[[], object], open_saved: Callable[[], object]
) -> tuple[Command, ...]:
    """Freezing, baselines, alignment; a baseline can be run where it can run the workload."""
    comparison, baseline, session = state.comparison, state.baseline, state.session

    def freeze() -> None:
        comparison.freeze()
        show()

    def run_baseline(system: str) -> None:
        assert session.scenario is not None
        show()
        baseline.start(session.scenario, system)

    def first_listed() -> str:
        if session.scenario is None:
            return ""
        return next((ids[0] for _, ids in offered(session.scenario)), "")

    def able(system: str) -> bool:
        scenario = session.scenario
        if scenario is None or scenario.system == system:
            return False
        return scenario.workload.kind in SYSTEMS.get(system).workloads

    def title_of_first() -> str:
        system = first_listed()
        return f"Run {SYSTEMS.get(system).name} as A" if system else "Run the first baseline as A"

    baselines = (
        Command(
            f"compare.baseline_{id}",
            f"Compare: run {system.name} as A",
            lambda id=id: run_baseline(id),  # type: ignore[misc]
            enabled=lambda id=id: able(id),  # type: ignore[misc]
        )
        for id, system in SYSTEMS.items()
    )
    return (
        Command(
            "compare.freeze",
            "Freeze the run as A",
            freeze,
            ("Ctrl+Shift+A",),
            _MENU,
            lambda: state.runs.length > 0 and state.runs.current is not comparison.frozen,
            section="a",
        ),
        Command(
            "compare.open_saved",
            "Open a saved run as A…",
            open_saved,
            ("Ctrl+Shift+O",),
            _MENU,
            section="a",
        ),
        Command(
            "compare.baseline",
            "Run the first baseline as A",
            lambda: run_baseline(first_listed()),
            ("Ctrl+B",),
            _MENU,
            lambda: bool(first_listed()),
            label=title_of_first,
            section="a",
        ),
        Command(
            "compare.cancel",
            "Stop the baseline",
            baseline.cancel,
            menu=_MENU,
            enabled=lambda: bool(baseline.system),
            section="a",
        ),
        Command(
            "compare.clear",
            "Clear A",
            comparison.clear,
            menu=_MENU,
            enabled=lambda: comparison.frozen is not None,
            section="a",
        ),
        *(
            Command(
                f"compare.align_{align.value}",
                f"Align A and B by {align.value}",
                lambda align=align: comparison.set_align(align),  # type: ignore[misc]
                menu=_MENU,
                checked=lambda align=align: comparison.align is align,  # type: ignore[misc]
                label=lambda align=align: (  # type: ignore[misc]
                    f"Align A and B by {comparison.align_title(align)}"
                ),
                section="align",
            )
            for align in Align
        ),
        *baselines,
    )
