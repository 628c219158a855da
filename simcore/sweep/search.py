"""Points chosen by a multi-objective search: NSGA-II of Optuna, a generation at a time.

A generation is simulated at once and told in its own order, so the points do not depend on who
simulates them, and a search that is run again meets the points it had before in the store.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from simcore.errors import UserError
from simcore.sweep.points import Values
from simcore.sweep.spec import Axis, Scale, SweepSpec
from simcore.sweep.table import Row

_INSTALL = 'pip install "dimmscope[sweep]"'
_WORST = 1e30
"""Excess of a constraint where the figure is missing; Optuna takes no infinity."""


def population(points: int) -> int:
    """Size of a generation: about ten generations of 8 to 50 points."""
    return max(2, min(points, max(8, min(50, points // 10))))


def check_search() -> None:
    """Find out before anything else that there is no Optuna.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise UserError(
            f"method search needs Optuna, which is not installed: {_INSTALL}; random and lhs "
            "need nothing more"
        ) from None


class Search:
    """One search."""

    def __init__(self, spec: SweepSpec) -> None:
        """Begin a search.

        Raises:
            UserError: if Optuna is not installed.
        """
        check_search()
        import optuna

        self._optuna = optuna
        self._spec = spec
        self._size = population(spec.points)
        self._asked: list[Any] = []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constraints are called experimental
            sampler = optuna.samplers.NSGAIISampler(
                population_size=self._size,
                seed=spec.seed % 2**32,
                constraints_func=_excess if spec.constraints else None,
            )
        self._study = optuna.create_study(
            directions=["maximize" if o.maximise else "minimize" for o in spec.objectives],
            sampler=sampler,
        )

    def generations(self) -> Iterator[Sequence[Values]]:
        """Points to evaluate; call `tell` with their rows before asking for the next ones."""
        left = self._spec.points
        while left > 0:
            count = min(left, self._size)
            left -= count
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._asked = [self._study.ask() for _ in range(count)]
                yield [
                    tuple(_suggest(trial, axis) for axis in self._spec.axes)
                    for trial in self._asked
                ]

    def tell(self, rows: Sequence[Row]) -> None:
        """Results of the points asked for last, in their order."""
        failed = self._optuna.trial.TrialState.FAIL
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial, row in zip(self._asked, rows, strict=True):
                values = [row.number(o.figure) for o in self._spec.objectives]
                trial.set_user_attr(
                    "excess",
                    [
                        min(_WORST, constraint.excess(row.figures.get(constraint.figure)))
                        for constraint in self._spec.constraints
                    ],
                )
                if any(value != value for value in values):
                    self._study.tell(trial, state=failed)
                else:
                    self._study.tell(trial, values)


def _suggest(trial: Any, axis: Axis) -> Any:
    if axis.range is None:
        # Choices by number: Optuna compares choices with ==, which takes 1 for true.
        return axis.values[trial.suggest_categorical(axis.path, list(range(len(axis.values))))]
    r, log = axis.range, axis.range.scale is Scale.LOG
    if axis.integer:
        return trial.suggest_int(axis.path, round(r.low), round(r.high), log=log)
    return trial.suggest_float(axis.path, r.low, r.high, log=log)


def _excess(trial: Any) -> Sequence[float]:
    found: Sequence[float] = trial.user_attrs["excess"]
    return found
