"""From published figures to a firing probability for every neuron.

Neurons of a block are ranked by frequency; with x = rank / count the probability follows
p(x) = min(1, c * x**-s). The exponent s puts 80 % of a block's activations into the published
share of its neurons, c sets the density. Layers differ in density by a geometric ramp (later
layers denser, as PowerInfer and Voita et al. report for OPT) just steep enough that over all
layers together 80 % of activations fall into the published model-wide share.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TARGET = 0.8
_MAX_DENSITY = 0.98


def _tail(start: Floats, stop: Floats | float, exponent: float) -> Floats:
    """Integral of x**-exponent from `start` to `stop`."""
    power = 1.0 - exponent
    if abs(power) < 1e-9:
        return np.log(stop / start)
    return (stop**power - start**power) / power


def mean_of_curve(scale: Floats, exponent: float, alive: Floats | float = 1.0) -> Floats:
    """Mean over x in (0, 1) of min(1, scale * x**-exponent), zero beyond x = alive."""
    flat = np.minimum(alive, scale ** (1.0 / exponent))
    return flat + scale * _tail(flat, alive, exponent)


def solve_scale(density: Floats, exponent: float, alive: Floats | float = 1.0) -> Floats:
    """The scale of the curve that has the given mean."""
    low, high = np.full_like(density, 1e-12), np.ones_like(density)
    for _ in range(60):
        middle = 0.5 * (low + high)
        too_small = mean_of_curve(middle, exponent, alive) < density
        low = np.where(too_small, middle, low)
        high = np.where(too_small, high, middle)
    return 0.5 * (low + high)


def _coverage(share: float, density: float, exponent: float) -> float:
    """Share of all activations made by the most active `share` of neurons."""
    scale = solve_scale(np.array([density]), exponent)
    flat = np.minimum(1.0, scale ** (1.0 / exponent))
    if share <= flat[0]:
        return share / density
    return float((flat + scale * _tail(flat, share, exponent))[0] / density)


def solve_exponent(share_for_80pct: float, density: float) -> float:
    """Exponent for which the given share of a block's neurons makes 80 % of its activations.

    Without the cap at 1 it would be 1 - ln 0.8 / ln share; the cap flattens the head of a dense
    block, so its tail must be steeper. A block cannot be more concentrated than its density allows
    (a share below 0.8 * density would need probabilities over 1); then the steepest is returned.
    """
    low, high = 1e-3, 6.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _coverage(share_for_80pct, density, middle) < _TARGET:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _layer_densities(density: float, steepness: float, layers: int) -> Floats:
    ramp = np.exp(steepness * np.linspace(-1.0, 1.0, layers)) if layers > 1 else np.ones(1)
    values = density * ramp / ramp.mean()
    for _ in range(20):  # push what the cap cuts off into the other layers
        values = np.minimum(values, _MAX_DENSITY)
        missing = density - values.mean()
        free = values < _MAX_DENSITY
        if missing < 1e-9 or not free.any():
            break
        values[free] *= 1.0 + missing * len(values) / values[free].sum()
    return values


def _pooled_share(densities: Floats, exponent: float) -> float:
    """Share of all layers' neurons that makes 80 % of all activations."""
    points = (np.arange(512) + 0.5) / 512
    scale = solve_scale(densities, exponent)
    values = np.sort(np.minimum(1.0, scale[:, None] * points**-exponent).reshape(-1))[::-1]
    cumulative = np.cumsum(values)
    index = int(np.searchsorted(cumulative, _TARGET * cumulative[-1]))
    return (index + 1) / len(values)


def alive_shares(layers: int, dead_max: float) -> Floats:
    """Share of neurons of each layer that ever fire.

    Dead neurons are densest in the first layer and gone from the middle on (Voita et al.: over
    70 % in some layers of OPT-66B, only in the first half); a straight line between is taken.
    """
    depth = np.arange(layers) / max(1.0, layers / 2)
    return 1.0 - dead_max * np.clip(1.0 - depth, 0.0, 1.0)


@lru_cache(maxsize=64)
def layer_curves(
    layers: int, density: float, block_share: float, model_share: float, dead_max: float = 0.0
) -> tuple[tuple[float, ...], float]:
    """Scale of every layer's curve, and the common exponent.

    Args:
        layers: number of layers.
        density: mean share of active neurons.
        block_share: share of a block's neurons that makes 80 % of its activations.
        model_share: the same over all layers; layers are alike when it is not below `block_share`.
        dead_max: share of dead neurons in the first layer; the coldest ranks are the dead ones.
    """
    exponent = solve_exponent(block_share, density)
    low, high = 0.0, 4.0
    sample = min(layers, 24)
    if _pooled_share(_layer_densities(density, 0.0, sample), exponent) <= model_share:
        high = 0.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        if _pooled_share(_layer_densities(density, middle, sample), exponent) > model_share:
            low = middle
        else:
            high = middle
    densities = _layer_densities(density, 0.5 * (low + high), layers)
    alive = alive_shares(layers, dead_max)
    return tuple(solve_scale(densities, exponent, alive).tolist()), exponent
