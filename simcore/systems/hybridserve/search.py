"""Which share of the blocks holds activations, and how many mini-batches: tried, not guessed.

Every candidate is laid out as it would be simulated: prefill, and decode steps at some lengths
(all of them in short runs). The fastest that fits both memories is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import CapacityError
from simcore.results.spans import Lane
from simcore.systems.hybridserve import steps
from simcore.systems.hybridserve.caching import ACT, Cache, Settings
from simcore.systems.hybridserve.machine import Int, free_bytes, host_room
from simcore.systems.hybridserve.plan import Templates
from simcore.systems.hybridserve.stretch import Stretch

GRID = 64
"""Shares are tried in steps of one in so many."""
EXACT, SAMPLES = 16, 5
"""Runs of up to so many tokens are tried out whole, longer ones at so many lengths."""
FEW = 4
"""Candidates laid out before the others."""
MOST_PARTS = 64
"""Most mini-batches tried."""


def make_templates(cache: Cache, lanes: tuple[Lane, ...], mini_batches: int) -> Templates:
    """The phases of the segments of a step."""
    again = "regenerate" if cache.light_is == ACT else "recompute"
    return Templates(
        steps.decode_layer(lanes, mini_batches, again),
        steps.prefill_layer(lanes, cache.chunks),
        steps.first_weights(lanes),
        steps.output_table(lanes),
    )


def decode_stretch(
    cache: Cache,
    templates: Templates,
    parts: Any,
    next_load: tuple[Int, Int],
    more: NDArray[np.bool_],
) -> Stretch:
    """Work of decode steps.

    Args:
        cache, templates: the run.
        parts: `caching.Parts`, one row a step.
        next_load: host tokens of KV and light ones that the next step's first mini-batch needs.
        more: whether another step follows.
    """
    costs, bins = cache.costs, parts.requests.shape[1]
    layer = templates.layer
    steady = cache.fill(layer, parts, (parts.kv_host[:, 0], parts.light_host[:, 0]))
    cache.fill_weights(layer, steady, bins, cache.streamed_bytes)
    last = cache.fill(layer, parts, next_load)
    cache.fill_weights(layer, last, bins, np.where(more, cache.streamed_bytes, 0))
    tail = templates.tail.blank(len(more))
    costs.fill_head(templates.tail, tail, parts.requests.sum(axis=1))
    return Stretch(layer, steady, last, after=((templates.tail, tail),))


def prefill_stretch(
    cache: Cache, templates: Templates, settings: Settings, next_load: tuple[Int, Int]
) -> Stretch:
    """Work of the prefill, one setting a row."""
    rows, layer = len(settings.share), templates.prefill
    first = templates.first.blank(rows)
    cache.costs.fill_copy(templates.first, first, "weights", cache.streamed_bytes)
    zero = np.zeros(rows, np.int64)
    steady = cache.prefill(layer, settings, (zero, zero))
    last = cache.prefill(layer, settings, next_load)
    for work in (steady, last):
        cache.fill_weights(layer, work, cache.chunks, cache.streamed_bytes)
    before = ((templates.first, first),) if cache.streamed_bytes else ()
    return Stretch(layer, steady, last, before=before)


def sampled_steps(output_tokens: int) -> tuple[Int, NDArray[np.float64]]:
    """Decode steps (from 1) that stand for all, and how many each stands for."""
    if output_tokens <= EXACT:
        return np.arange(1, output_tokens + 1), np.ones(output_tokens)
    at = np.unique(np.linspace(1, output_tokens, SAMPLES).round().astype(np.int64))
    gap = np.diff(at).astype(np.float64)
    weight = np.zeros(len(at))  # the trapezoid through them, both ends counted whole
    weight[:-1] += gap / 2
    weight[1:] += gap / 2
    weight[[0, -1]] += 0.5
    return at, weight


def decode_rows(
    cache: Cache, templates: Templates, settings: Settings, step: Int, *, whole: bool = False
) -> tuple[Stretch, tuple[Int, Int]]:
    """Work of decode steps, one setting and step a row, and what the first of them loads."""
    requests = len(cache.prompts)
    cached = np.broadcast_to(cache.prompts, (len(step), requests)) + step[:, None] - 1
    there, after = cache.tokens(cached, settings), cache.tokens(cached + 1, settings)
    parts = cache.parts_of(cached, there, after, 1 if whole else settings.mini_batches)
    more = step < cache.output_tokens
    zero = np.zeros(len(step), np.int64)
    load = (zero, zero)
    if not whole:  # packing may put fewer tokens first in the next step: they stay out of a bound
        kv, light = cache.first_load(after, settings.mini_batches)
        load = (np.where(more, kv, 0), np.where(more, light, 0))
    stretch = decode_stretch(cache, templates, parts, load, more)
    return stretch, (parts.kv_host[:, 0], parts.light_host[:, 0])


def run_ps(
    cache: Cache, templates: Templates, settings: Settings, *, bound: bool = False
) -> NDArray[np.float64]:
    """Estimated time of the whole run of each setting, (settings,).

    Args:
        cache, settings: the run and the candidates.
        templates: phases for their number of mini-batches; for one if only a bound is wanted.
        bound: nothing is laid out; the time is that of the busiest lane of each layer with the
            whole batch as one mini-batch, which no number of mini-batches can beat.
    """
    at, weight = sampled_steps(cache.output_tokens)
    count, times = len(settings.share), len(at)
    step = np.tile(at, count)
    decode, load = decode_rows(cache, templates, settings.spread(times), step, whole=bound)
    first = tuple(side.reshape(count, times)[:, 0] for side in load)
    zero = np.zeros(count, np.int64)
    # The first mini-batch's data are less than the batch's, by how much depends on the packing.
    ready = (zero, zero) if bound else (first[0], first[1])
    before = prefill_stretch(cache, templates, settings, ready)
    lengths = [
        part.busiest_ps(cache.layers) if bound else part.durations_ps(cache.layers)
        for part in (decode, before)
    ]
    return lengths[0].reshape(count, times) @ weight + lengths[1]


def fits(cache: Cache, settings: Settings) -> NDArray[np.bool_]:
    """Whether each setting fits both memories."""
    room = free_bytes(cache.costs.parts.gpu) + int(cache.costs.parts.gpu.reserve_GB * 1e9)
    return (settings.gpu_needed <= room) & (settings.host_needed <= host_room(cache.costs))


def shares_of(cache: Cache) -> NDArray[np.float64]:
    """The shares that are tried."""
    fixed = {"act": 1.0, "kv": 0.0}.get(cache.policy.cache, cache.policy.act_share)
    if fixed is not None:
        return np.array([fixed])
    return np.arange(GRID + 1) / GRID


def parts_of(cache: Cache) -> list[int]:
    """The numbers of mini-batches that are tried."""
    requests = len(cache.prompts)
    if cache.policy.mini_batches is not None:
        return [min(requests, cache.policy.mini_batches)]
    return doublings(min(requests, MOST_PARTS))


def doublings(most: int) -> list[int]:
    """1, 2, 4 ... and `most`."""
    return sorted({most, *(1 << k for k in range(most.bit_length()))})


def choose(cache: Cache, lanes: tuple[Lane, ...]) -> tuple[Settings, Templates]:
    """The fastest setting; of equal ones that with fewer mini-batches, then the smaller share.

    What cannot be faster than the best so far by a bound is not laid out.

    Raises:
        CapacityError: if none fits.
    """
    tried = {count: cache.settings(shares_of(cache), count) for count in parts_of(cache)}
    single = make_templates(cache, lanes, 1)
    bounds = {}
    for count, settings in tried.items():
        good = np.flatnonzero(fits(cache, settings))
        if len(good):
            found = np.full(len(settings.share), np.inf)
            found[good] = run_ps(cache, single, settings.rows(good), bound=True)
            bounds[count] = found
    if not bounds:
        raise _nothing_fits(cache, list(tried.values()))
    best = (np.inf, 0, 0)
    templates: dict[int, Templates] = {}
    for count in sorted(bounds, key=lambda count: (float(bounds[count].min()), count)):
        templates[count] = make_templates(cache, lanes, count)
        order = np.argsort(bounds[count], kind="stable")
        # A few near the bound first: with their times nearly all others are out.
        for some in (order[:FEW], order[FEW:]):
            near = np.sort(some[bounds[count][some] <= best[0]])
            near = near[np.isfinite(bounds[count][near])]
            if len(near):
                times = run_ps(cache, templates[count], tried[count].rows(near))
                at = int(times.argmin())
                best = min(best, (float(times[at]), count, int(near[at])))
    _, count, at = best
    return tried[count].rows(np.array([at])), templates[count]


def _nothing_fits(cache: Cache, tried: list[Settings]) -> CapacityError:
    """What is missing for the candidate that needs least."""
    gpu = cache.costs.parts.gpu
    room = free_bytes(gpu) + int(gpu.reserve_GB * 1e9)
    least = min(int(s.gpu_needed.min()) for s in tried)
    if least > room:
        return CapacityError(
            gpu.title,
            least,
            room,
            "two layers of weights, buffers for a mini-batch and the activations of the prompts "
            "must fit the GPU: lower workload.batch or workload.prompt_tokens, raise "
            "policy.mini_batches or hardware.gpu.memory_GiB",
        )
    host = min(int(s.host_needed[s.gpu_needed <= room].min(initial=2**62)) for s in tried)
    return CapacityError(
        "host memory for caches",
        host,
        host_room(cache.costs),
        "raise hardware.host.memory_GiB or policy.host_cache_GB, lower workload.batch or the "
        "lengths, or cache more as activations (policy.act_share)",
    )
