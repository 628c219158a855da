"""Names of steps on the ruler of the timeline."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtGui import QFont

from app.viewmodels.time_axis import TimeMap
from app.widgets.rulers import _paint_step_names
from app.widgets.texts import Texts
from tests.fakes import fake_run

GUTTER, WIDTH = 130, 900


def names(edges):
    """Texts on a ruler that shows all steps, with where each begins."""
    drawn = []
    texts = Texts(QFont("Inter", 8))
    texts.draw = lambda _, box, text: drawn.append((box.left(), text))
    axis = TimeMap(0.0, float(edges[-1]), float(GUTTER), float(WIDTH - GUTTER))
    canvas = SimpleNamespace(ruler=45, gutter=GUTTER, width=lambda: WIDTH)
    _paint_step_names(None, texts, canvas, axis, edges, fake_run(6))
    return drawn


@pytest.mark.parametrize("growth", [1.0, 1.004, 1.008])
@pytest.mark.parametrize("steps", [30, 90, 128, 400])
def test_steps_are_named_to_the_end_whatever_their_width(qapp, monkeypatch, steps, growth):
    """Steps that grow, as with the context, are wider at the end than one name needs or not."""
    monkeypatch.setattr("app.widgets.rulers.step_name", lambda run, step: f"token {step}")
    edges = np.concatenate([[0.0], np.cumsum(growth ** np.arange(steps))]) * 1e6
    drawn = names(edges)
    numbers = [int(text.removeprefix("token ")) for _, text in drawn]
    assert numbers == sorted(numbers)
    assert numbers[-1] >= 0.9 * steps - 5
    lefts = np.array([left for left, _ in drawn])
    assert (np.diff(lefts) > 15).all()
    assert np.diff(lefts).max() < 130
