"""Targets made by hand."""

from typing import Any

from simcore.reproduce.cases import Case, Outcome
from simcore.reproduce.targets import Target
from simcore.reproduce.tolerance import Tolerance


def target(
    id: str,
    value: float | str = 1.0,
    *,
    tolerance: str = "rel 0.1",
    system: str = "hermes",
    quantity: str = "quantity",
    source: str = "Sec. V",
    **config: Any,
) -> Target:
    parsed = Tolerance.parse(tolerance)
    assert parsed is not None
    return Target(id, system, quantity, "x", config, value, "paper", source, parsed)


def speeds(*cells: tuple[str, int, str], source: str = "Fig. 9") -> list[Target]:
    """Published speeds: (model, batch, variant)."""
    return [
        target(
            f"hermes.{model}.b{batch}.{variant}.tokps",
            source=source,
            model=model,
            batch=batch,
            variant=variant,
        )
        for model, batch, variant in cells
    ]


def measured(monkeypatch: Any, figures: Any) -> list[Case]:
    """Replace simulation by a function of the case to figures; returns the cases asked for."""
    seen: list[Case] = []

    def fake(cases, **_):
        seen.extend(cases)
        out = {}
        for case in cases:
            found = figures(case)
            out[case] = Outcome({}, found) if isinstance(found, str) else Outcome(found)
        return out

    monkeypatch.setattr("simcore.reproduce.table.measure_all", fake)
    return seen
