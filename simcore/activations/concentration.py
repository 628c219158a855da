"""From published figures to a firing probability for every neuron.

Neurons of a block are ranked by frequency; with x = rank / count the probability follows
p(x) = min(1, c * x**-s). The exponent s puts 80 % of a block's activations into the published
share of its neurons, c sets the density. Layers differ in density by a geometric ramp (later
layers denser, as PowerInfer and Voita et al. report for OPT) just steep enough that over all
layers together 80 % of activations fall into the published model-wide share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TARGET = 0.8
_MAX_DENSITY = 0.98
_LOGARITHM = 1e-9


def _tail(start: Floats, stop: Floats | float, exponent: Floats | float) -> Floats:
    """Integral of x**-exponent from `start` to `stop`; of several exponents none is 1."""
    power = 1.0 - exponent
    if isinstance(power, float) and abs(power) < _LOGARITHM:
        return np.log(stop / start)
    return (stop**power - start**power) / power


def mean_of_curve(scale: Floats, exponent: Floats | float, alive: Floats | float = 1.0) -> Floats:
    """Mean over x in (0, 1) of min(1, scale * x**-exponent), zero beyond x = alive."""
    flat = np.minimum(alive, scale ** (1.0 / exponent))
    return flat + scale * _tail(flat, alive, exponent)


def solve_scale(density: Floats, exponent: Floats | float, alive: Floats | float = 1.0) -> Floats:
    """The scale of the curve that has the given mean."""
    low, high = np.full_like(density, 1e-12), np.ones_like(density)
    for _ in range(60):
        middle = 0.5 * (low + high)
        too_small = mean_of_curve(middle, exponent, alive) < density
        low = np.where(too_small, middle, low)
        high = np.where(too_small, high, middle)
    return 0.5 * (low + high)


def _halve(
    low: float,
    high: float,
    times: int,
    at_once: int,
    too_low: Callable[[Sequence[float]], Callable[[int], object]],
) -> float:
    """The middle of what is left after bisecting `times` times.

    All middles that the next `at_once` halvings can come to are looked at together, which for
    single numbers takes as long as one: `too_low` gets them and returns what tells by index
    whether one is too low.
    """
    while times > 0:
        brackets = [(low, high)]  # a tree by rows: below bracket i are its halves, 2 i + 1 and + 2
        for index in range(2 ** (at_once - 1) - 1):
            first, last = brackets[index]
            middle = 0.5 * (first + last)
            brackets += [(first, middle), (middle, last)]
        middles = [0.5 * (first + last) for first, last in brackets]
        answer, index = too_low(middles), 0
        for _ in range(min(times, at_once)):
            if answer(index):
                low, index = middles[index], 2 * index + 2
            else:
                high, index = middles[index], 2 * index + 1
        times -= at_once
    return 0.5 * (low + high)


def _coverages(share: float, density: float, exponents: Sequence[float]) -> Floats:
    """Share of all activations made by the most active `share` of neurons, by exponent."""
    exponent = np.array(exponents)
    power = 1.0 - exponent
    scale = solve_scale(np.full(exponent.shape, density), exponent)
    flat = np.minimum(1.0, scale ** (1.0 / exponent))
    # Python's own power here and numpy's there, as for one exponent: last bits may differ.
    ends = np.array([share**one for one in power.tolist()])
    covered = (flat + scale * ((ends - flat**power) / power)) / density
    return np.where(share <= flat, share / density, covered)


def _coverage(share: float, density: float, exponent: float) -> float:
    """The same for one exponent, which may be 1."""
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

    def too_low(exponents: Sequence[float]) -> Callable[[int], object]:
        if all(abs(1.0 - one) >= _LOGARITHM for one in exponents):
            return (_coverages(share_for_80pct, density, exponents) < _TARGET).item
        return lambda index: _coverage(share_for_80pct, density, exponents[index]) < _TARGET

    return _halve(1e-3, 6.0, 50, 5, too_low)


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


def _pooled_share(scale: Floats, exponent: float) -> float:
    """Share of all layers' neurons that makes 80 % of all activations."""
    points = (np.arange(512) + 0.5) / 512
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
    sample = min(layers, 24)

    def too_even(ramps: Sequence[float]) -> Callable[[int], bool]:
        densities = np.array([_layer_densities(density, one, sample) for one in ramps])
        scales = solve_scale(densities.reshape(-1), exponent).reshape(densities.shape)
        return lambda index: _pooled_share(scales[index], exponent) > model_share

    ramp = _halve(0.0, 4.0, 24, 3, too_even) if too_even([0.0])(0) else 0.0
    densities = _layer_densities(density, ramp, layers)
    alive = alive_shares(layers, dead_max)
    return tuple(solve_scale(densities, exponent, alive).tolist()), exponent
