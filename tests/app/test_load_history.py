"""The load over the run while another thread takes in more steps."""

from __future__ import annotations

import numpy as np

from app.viewmodels.composition import Composition
from app.viewmodels.load import load_history
from tests.fakes import fake_run


class Growing(Composition):
    """Takes in another step whenever somebody looks at how far it is."""

    @property
    def edges(self):
        found = super().edges
        self.extend(len(found))
        return found

    @property
    def steps(self):
        found = super().steps
        self.extend(found + 1)
        return found


def test_steps_taken_in_meanwhile_are_for_the_next_time():
    run = fake_run(6)
    growing = Growing(run)
    growing.extend(2)
    first = load_history(growing, [0], 10)
    assert first.shape == (1, 2)
    whole = Composition(run)
    whole.extend(6)
    assert np.allclose(first, load_history(whole, [0], 10)[:, :2])
    assert load_history(growing, [0], 10).shape == (1, 3)
