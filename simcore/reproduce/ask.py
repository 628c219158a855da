"""One target being answered: its config read, the cells it covers chosen, figures fetched.

An answer is computed twice. First `Figures` only notes which cases are needed and hands out ones;
after these were simulated it hands out what was measured. So a rule is written once, as if every
figure were there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simcore.reproduce.cases import ActivityCase, Case, Outcome, RunCase
from simcore.reproduce.names import (
    Unresolved,
    batches,
    is_unnamed,
    model_preset,
    system_and_dimms,
    system_id,
    versus,
    whole,
)
from simcore.reproduce.targets import Target
from simcore.reproduce.tolerance import Verdict

SPEED_METRIC = "tokps"
_FIGURE = re.compile(r"\(?(Fig\. ?\d+)( models)?\)?", re.IGNORECASE)

SETTINGS: Mapping[str, str] = {
    "dimms": "hardware.ndp_dimms.count",
    "multipliers": "hardware.ndp_dimms.multipliers",
    "gpu": "hardware.gpu",
    "window": "policy.window_tokens",
    "seed": "seed",
}
"""Keys of a config that change the scenario, and what they set."""

READ = {
    *("model", "models", "figure_models", "batch", "variant", "baseline", "input_len"),
    *("output_len", "metric", "aggregate", "path", "distance", "hot_fraction"),
    *("grid", "mean", "shortest", "page", "parameters", "prompts", "attention"),
    *SETTINGS,
}
"""Keys of a config that mean something here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A simulated value and how it came about.

    Attributes:
        value: the value; text for an order.
        reason: one or more sentences.
        verdict: set when the tolerance must not decide.
    """

    value: float | str
    reason: str
    verdict: Verdict | None = None


@dataclass(slots=True)
class Figures:
    """Where figures come from.

    Attributes:
        outcomes: what was measured; None while it is found out what is needed.
        needed: the cases asked for, and the names of the figures wanted of each.
    """

    outcomes: Mapping[Case, Outcome] | None = None
    needed: dict[Case, set[str]] = field(default_factory=dict)

    def get(self, case: Case, name: str) -> float:
        """A figure of a case.

        Raises:
            Unresolved: if the case could not be simulated or has no such figure.
        """
        self.needed.setdefault(case, set()).add(name)
        if self.outcomes is None:
            return 1.0
        outcome = self.outcomes[case]
        if outcome.error:
            raise Unresolved(f"It was not possible to simulate {case}: {outcome.error}.")
        if name not in outcome.figures:
            raise Unresolved(f"The run of {case} has no figure {name!r}.")
        return outcome.figures[name]


@dataclass(frozen=True, slots=True)
class Cells:
    """Values of several cases, those that could be simulated.

    Attributes:
        values: the values.
        note: which cells they are, and which are missing.
    """

    values: tuple[float, ...]
    note: str


class Ask:
    """A target with what is needed to answer it.

    Attributes:
        target: the target.
        main: registry id of the paper's own system.
    """

    def __init__(
        self, target: Target, main: str, figures: Figures, known: Sequence[Sequence[Target]]
    ) -> None:
        """Prepare.

        Args:
            target: the target.
            main: registry id of the paper's own system.
            figures: where figures come from.
            known: lists of targets to take models and batches from where the target names none,
                in order of preference.
        """
        self.target = target
        self.main = main
        self._figures = figures
        self._known = known
        for key in target.config:
            if key not in READ:
                raise Unresolved(f"The setting {key!r} of its config means nothing here.")

    def get(self, key: str) -> Any:
        """A value of the config; None if it is not given or names nothing."""
        value = self.target.config.get(key)
        return None if is_unnamed(value) else value

    def text(self, key: str) -> str:
        """A value of the config as text; empty if it is not given."""
        value = self.get(key)
        return "" if value is None else str(value)

    def variant(self, default: str = "") -> str:
        """Registry id of the system measured."""
        given = self.text("variant")
        if given:
            return system_id(given)
        pair = versus(self.target.parts)
        return system_id(pair[0] if pair else default or self.main)

    def baseline(self) -> tuple[str, int | None]:
        """Registry id of the system divided by, and its number of DIMMs if that is named."""
        given = self.text("baseline")
        if given:
            return system_and_dimms(given)
        pair = versus(self.target.parts)
        if pair is None:
            raise Unresolved("The target names no baseline to divide by.")
        return system_id(pair[1]), None

    def case(self, system: str, model: str, batch: int, dimms: int | None = None) -> RunCase:
        """A run with the settings of the config; a number of DIMMs given here wins."""
        merged = {key: self.get(key) for key in SETTINGS}
        if dimms is not None:
            merged["dimms"] = dimms
        settings = {SETTINGS[key]: value for key, value in merged.items() if value is not None}
        prompt, output = self.get("input_len"), self.get("output_len")
        return RunCase(
            system,
            model,
            batch,
            128 if prompt is None else whole(prompt, "input length"),
            128 if output is None else whole(output, "output length"),
            tuple(sorted(settings.items())),
        )

    def figure(self, case: Case, name: str) -> float:
        """A figure of a case."""
        return self._figures.get(case, name)

    def activity(self, model: str, quantity: str, argument: float) -> float:
        """A property of a model's drawn activations."""
        return self.figure(ActivityCase(model, quantity, argument), quantity)

    def each(self, cases: Iterable[Any], value: Callable[[Any], float]) -> Cells:
        """The value of every cell that can be simulated.

        Raises:
            Unresolved: with the first reason, if none can.
        """
        values, shown, failed = [], [], []
        for cell in cases:
            try:
                values.append(value(cell))
                shown.append(f"{_name(cell)} {values[-1]:.4g}")
            except Unresolved as error:
                failed.append((_name(cell), str(error)))
        if not values:
            raise Unresolved(failed[0][1] if failed else "No model or batch is left to simulate.")
        note = ", ".join(shown)
        if failed:
            note += f"; left out: {', '.join(name for name, _ in failed)}, since: {failed[0][1]}"
        return Cells(tuple(values), note.rstrip("."))

    def models(self, *systems: str, every: bool = False) -> list[tuple[str, int]]:
        """The (model preset, batch) cells the target covers.

        A config that names models covers these at its batches (1 if none are given). One that
        names a group (``OPT``, ``Fig. 11 models``) covers the models of that group with a
        published speed of one of `systems`. One that names nothing covers the cells with published
        speeds of all of them.

        Args:
            systems: registry ids, or ids of systems this version does not have.
            every: take cells that have a speed of any of the systems, also if nothing is named.
        """
        wanted = batches(self.get("batch"))
        model = self.text("model")
        if model:
            return [(model_preset(model), batch) for batch in wanted or (1,)]
        words = self.text("models") or self.text("figure_models")
        figure = _FIGURE.search(words)
        names = [w.strip() for w in _FIGURE.sub("", words).split(",") if w.strip()]
        named = [(name, self._preset(name)) for name in names]
        if named and all(preset for _, preset in named):
            return [(str(preset), batch) for _, preset in named for batch in wanted or (1,)]
        source = figure[1] if figure else ""
        for targets in self._known:
            cells = self._cells(targets, systems, every or bool(words), wanted)
            if source:
                inside = _models_of(targets, source)
                cells = [cell for cell in cells if cell[0] in inside]
            if names:
                cells = [cell for cell in cells if self._in_group(targets, cell[0], named)]
            if len(wanted) > 1:
                presets = dict.fromkeys(model for model, _ in cells)
                return [(model, batch) for model in presets for batch in wanted]
            if cells:
                return cells
        raise Unresolved(
            "The target names no model, and no published speed in its file says which are meant."
        )

    @staticmethod
    def _preset(name: str) -> str | None:
        try:
            return model_preset(name)
        except Unresolved:
            return None

    @staticmethod
    def _in_group(
        targets: Sequence[Target], preset: str, named: Sequence[tuple[str, str | None]]
    ) -> bool:
        """Whether a model is one of the names, or begins like one of the groups."""
        for name, exact in named:
            if exact is not None:
                if exact == preset:
                    return True
                continue
            for target in targets:
                model = str(target.config.get("model", ""))
                if model.lower().startswith(name.lower()) and Ask._preset(model) == preset:
                    return True
        return False

    def _cells(
        self,
        targets: Sequence[Target],
        systems: Sequence[str],
        some: bool,
        wanted: Sequence[int],
    ) -> list[tuple[str, int]]:
        """Cells of published speeds of these systems at the wanted batches (any if none)."""
        found: dict[tuple[str, int], set[str]] = {}
        for target in targets:
            config = target.config
            if target.system != self.target.system or target.parts[-1] != SPEED_METRIC:
                continue
            preset, batch = self._preset(str(config.get("model", ""))), config.get("batch", 1)
            if preset is None or not isinstance(batch, int) or (wanted and batch not in wanted):
                continue
            if not wanted and batch != 1:
                continue
            found.setdefault((preset, batch), set()).add(str(config.get("variant", self.main)))
        return [
            cell
            for cell, have in found.items()
            if not systems or (have & set(systems) if some else have >= set(systems))
        ]


def _models_of(targets: Sequence[Target], figure: str) -> set[str]:
    """Presets of the models with a published speed in a figure."""
    pattern = re.compile(rf"{re.escape(figure)}\b", re.IGNORECASE)
    found = set()
    for target in targets:
        if target.parts[-1] == SPEED_METRIC and pattern.search(target.source):
            preset = Ask._preset(str(target.config.get("model", "")))
            if preset:
                found.add(preset)
    return found


def _name(cell: Any) -> str:
    return f"{cell[0]} b{cell[1]}" if isinstance(cell, tuple) else str(cell)
