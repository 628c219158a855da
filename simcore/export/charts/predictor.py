"""How good the predictor of active neurons is, over tokens and by layer, beside trivial ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run

ALONG = ("step", "layer")
MEASURES = ("accuracy", "recall", "precision")


def data(run: Run, start: int, stop: int) -> ChartData:
    """Quality along steps and along layers, one row a predictor and place.

    Raises:
        UserError: if the system predicts no neurons.
    """
    study_of = getattr(run.system, "predictor_study", None)
    if study_of is None:
        raise UserError(
            f"{run.scenario.system} predicts no neurons; the chart predictor is one of Hermes"
        )
    study = study_of(run.plan, run, start, stop)
    along, places, who = [], [], []
    values: dict[str, list[Any]] = {name: [] for name in MEASURES}
    names = tuple(study.over_time)
    layers = np.arange(len(study.by_layer[names[0]].accuracy))
    for number, name in enumerate(names):
        for code, (at, quality) in enumerate(
            ((study.steps, study.over_time[name]), (layers, study.by_layer[name]))
        ):
            along.append(np.full(len(at), code))
            places.append(at)
            who.append(np.full(len(at), number))
            for measure in MEASURES:
                values[measure].append(getattr(quality, measure))
    return ChartData(
        "predictor",
        "Prediction of active neurons",
        (
            codes(np.concatenate(along), ALONG, "along"),
            Column("place", "", np.concatenate(places)),
            codes(np.concatenate(who), names, "predictor"),
            *(Column(name, "", np.concatenate(values[name])) for name in MEASURES),
        ),
        caption(run, start, stop),
        (
            "Accuracy counts silent neurons too, so predicting that none fires scores high. "
            "Left: all layers, token by token. Right: all tokens, layer by layer.",
        ),
        {"predictors": names},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Three measures above each other, over steps on the left and by layer on the right."""
    frame(figure, data, theme)
    names = data.meta["predictors"]
    grid = figure.add_gridspec(len(MEASURES), 2)
    looks = [
        {"color": theme.series[index], "linestyle": dashes, "linewidth": 1.1}
        for index, dashes in zip((0, 1, 4), ("-", (0, (5, 1.5)), (0, (1, 1.2))), strict=True)
    ]
    handles: list[Any] = []
    for row, measure in enumerate(MEASURES):
        for column, along in enumerate(ALONG):
            ax = axes(figure, theme, grid[row, column])
            for number, (name, look) in enumerate(zip(names, looks, strict=True)):
                mine = (data["along"] == column) & (data["predictor"] == number)
                # Without a prediction there is no precision, and the recall is 0 by definition.
                if measure != "accuracy" and name == "none fires":
                    continue
                line = ax.plot(data["place"][mine], data[measure][mine], label=name, **look)
                if row == 0 and column == 0:
                    handles += line
            ax.set_ylim(-0.03, 1.03)
            ax.margins(x=0.01)
            last = row == len(MEASURES) - 1
            labels(ax, along if last else "", f"{measure} (share)" if column == 0 else "")
            if not last:
                ax.tick_params(labelbottom=False)
            if column:
                ax.tick_params(labelleft=False)
    legend(figure, theme, handles)


CHARTS.add(
    "predictor",
    Chart(
        "predictor",
        "Prediction of active neurons",
        "step and layer",
        "share",
        "How well active neurons are predicted, beside predictors that cost nothing.",
        data,
        draw,
    ),
)
