"""Colour keys of ops: which of the common categories an op or wait belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import CATEGORY_ORDER, COLOUR_KEYS, WAIT_KEYS
from simcore.results.run import Run

OP_KEYS = len(CATEGORY_ORDER)
"""Keys below this index are ops, the rest are waits."""


def key_of_op(run: Run) -> NDArray[np.int64]:
    """For each op of a run, the index of its colour key in `COLOUR_KEYS`."""
    other = COLOUR_KEYS.index("other")
    keys = []
    for op in run.ops:
        name = op.id if op.is_wait and op.id in WAIT_KEYS else op.category
        keys.append(COLOUR_KEYS.index(name) if name in COLOUR_KEYS else other)
    return np.array(keys, dtype=np.int64)


def fold(values: NDArray[Any], keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum the last axis (ops) into colour keys."""
    if values.ndim == 2 and values.dtype.kind in "iu":  # one step: a dozen sums would cost more
        matrix = np.zeros((len(keys), len(COLOUR_KEYS)), np.int64)
        matrix[np.arange(len(keys)), keys] = 1
        return np.asarray(values @ matrix, np.float64)
    folded: NDArray[np.float64] = np.zeros((*values.shape[:-1], len(COLOUR_KEYS)))
    for key in np.unique(keys):
        folded[..., key] = values[..., keys == key].sum(axis=-1)
    return folded
