"""The offline placement as the paper's integer program (Hermes, IV-B), solved by HiGHS.

Neurons of one layer and block are grouped by frequency, 64 to a group (the paper does not say how
it keeps the program small; PowerInfer groups likewise). x of each group's neurons go to the GPU; a
binary a layer and block says whether the GPU is visited at all, which costs a launch and two
synchronisations. With T the time of a layer's block,

    minimise    sum T
    subject to  T >= fixed * visited + sum gpu_time * x          (equations 3 and 4)
                T >= sum dimm_time * (group - x) / DIMMs         (equations 2 and 5)
                sum x <= neurons * visited
                sum bytes * x <= room on the GPU                 (equation 6)

x may be a fraction and is cut to whole neurons at the end, at most one a layer; with x in whole
neurons the solver takes minutes for the same placement. The DIMMs are alike, so which of them gets
a cold neuron is settled afterwards by dealing, within one neuron of equal shares. Both relax the
program, so the solver's bound holds for it. Equation 7 is checked before: every DIMM holds a share
of all weights.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from simcore.activations.space import NeuronSpace
from simcore.data import cache_folder
from simcore.errors import DataFileError
from simcore.placement.partition import BlockRanking, UnitCosts
from simcore.results.arrays import ARCHIVE_ERRORS, read_array
from simcore.results.files import replacing

Int = NDArray[np.int64]

GROUP_NEURONS = 64
RELATIVE_GAP = 1e-3
TIE_BREAK = 1e-4
"""Cost of having everything on the GPU, as a share of the time of having everything on DIMMs."""
NODE_LIMIT = 2000
"""A limit on nodes and not on seconds, so that the same program has the same solution anywhere."""

_FORMAT = 1
_US = 1e-6  # program in microseconds and megabytes: coefficients near 1 keep the solver exact
_MB = 1e-6


@dataclass(frozen=True, slots=True)
class Solution:
    """What the solver found.

    Attributes:
        counts: neurons for the GPU, one array of (layers,) a block, hottest first.
        objective_ps: sum over layers and blocks of the slower side, in the grouped program.
        bound_ps: no placement of the groups is faster than this.
        variables: neuron groups and binaries of the program.
        seconds: time the solver took, on the machine that solved it.
        cached: whether it was solved before.
    """

    counts: tuple[Int, ...]
    objective_ps: float
    bound_ps: float
    variables: int
    seconds: float
    cached: bool = False

    @property
    def gap(self) -> float:
        """Share by which the solution may be slower than the best."""
        return self.objective_ps / self.bound_ps - 1.0 if self.bound_ps > 0 else 0.0


class SolverError(Exception):
    """The program has no solution to use; the message says why."""


def solve(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    room_bytes: int,
    costs: Sequence[UnitCosts],
    dimms: int,
) -> Solution:
    """Solve the program, or fetch the solution of the same program solved before.

    Args:
        space: the neurons.
        rankings: neurons by offline frequency, one entry a block.
        room_bytes: GPU memory for hot neurons.
        costs: time of an active neuron, one entry a block.
        dimms: number of DIMMs.

    Raises:
        SolverError: if the solver is not installed or found nothing.
    """
    key = _fingerprint(space, rankings, room_bytes, costs, dimms)
    known = _load(key, space)
    if known is not None:
        return known
    solution = _solve(space, rankings, room_bytes, costs, dimms)
    _store(key, solution)
    return solution


def _groups(values: NDArray[np.float64], edges: Int) -> NDArray[np.float64]:
    """Sums over groups from running sums, (layers, groups)."""
    start = np.zeros((len(values), 1))
    return np.diff(np.concatenate([start, values], axis=1)[:, edges], axis=1)


def _solve(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    room_bytes: int,
    costs: Sequence[UnitCosts],
    dimms: int,
) -> Solution:
    try:
        from scipy import sparse
        from scipy.optimize import Bounds, LinearConstraint, milp
    except ImportError as error:
        raise SolverError(f"the solver is not installed ({error.name})") from error

    started = perf_counter()
    layers = space.layers
    matrices, upper, weights, slices = [], [], [], []
    cost_of, bound_of, integer = [], [], []
    at = 0
    for block, ranking, cost in zip(space.blocks, rankings, costs, strict=True):
        edges = np.append(np.arange(0, block.neurons, GROUP_NEURONS), block.neurons)
        sizes = np.diff(edges)
        needed, active = _groups(ranking.needed, edges), _groups(ranking.active, edges)
        gpu = needed * (cost.gpu_ps * _US) / sizes
        cold = needed * cost.dimm_ps + active * (ranking.batch * cost.dimm_mac_ps)
        dimm = cold * (_US / dimms)
        each = len(sizes) + 2  # visited, time of the block, groups
        for layer in range(layers):
            rows = np.zeros((3, each))
            rows[0, 0], rows[0, 1], rows[0, 2:] = cost.gpu_fixed_ps * _US, -1.0, gpu[layer]
            rows[1, 1], rows[1, 2:] = -1.0, -dimm[layer] / sizes
            rows[2, 0], rows[2, 2:] = -float(block.neurons), 1.0
            matrices.append(sparse.csr_matrix(rows))
            upper += [0.0, -float(dimm[layer].sum()), 0.0]
        cost_of.append(np.tile(np.r_[0.0, 1.0, np.zeros(len(sizes))], layers))
        bound_of.append(np.tile(np.r_[1.0, np.inf, sizes.astype(np.float64)], layers))
        integer.append(np.tile(np.r_[1, 0, np.zeros(len(sizes))], layers))
        bytes_each = np.r_[0.0, 0.0, np.full(len(sizes), block.neuron_bytes * _MB)]
        weights.append(np.tile(bytes_each, layers))
        slices.append((at, each))
        at += each * layers
    room = np.concatenate(weights)
    matrix = sparse.vstack(
        [sparse.block_diag(matrices, format="csr"), sparse.csr_matrix(room[None])]
    )
    # Where memory is plenty many placements are equally fast, and the solver would go through them
    # for minutes; of those it should take the smallest.
    times = np.concatenate(cost_of)
    everything = float(sum(b.neurons * b.neuron_bytes for b in space.blocks)) * layers
    tie_break = room * (TIE_BREAK * -sum(upper) / (everything * _MB))
    result = milp(
        times + tie_break,
        integrality=np.concatenate(integer),
        bounds=Bounds(0.0, np.concatenate(bound_of)),
        constraints=LinearConstraint(matrix, -np.inf, np.r_[upper, room_bytes * _MB]),
        options={"mip_rel_gap": RELATIVE_GAP, "node_limit": NODE_LIMIT},
    )
    if result.x is None:
        raise SolverError(f"the solver found no placement: {result.message}")
    counts = []
    for (first, each), ranking in zip(slices, rankings, strict=True):
        values = result.x[first : first + each * layers].reshape(layers, each)[:, 2:]
        counts.append(_hottest_with(values, ranking))
    return Solution(
        tuple(_fit(space, counts, room_bytes)),
        float(times @ result.x) / _US,
        (float(result.mip_dual_bound) - float(tie_break @ result.x)) / _US,
        at - layers * len(space.blocks),
        perf_counter() - started,
    )


def _hottest_with(taken: NDArray[np.float64], ranking: BlockRanking) -> Int:
    """How many of the hottest neurons do as much work as the solver gave to the GPU.

    Where memory is plenty the solver may fill it with cold neurons; the hottest that do the same
    work take no more room, and are the same if it took the hottest.

    Args:
        taken: neurons taken of each group, (layers, groups).
        ranking: the block.
    """
    neurons = ranking.values.shape[1]
    edges = np.append(np.arange(0, neurons, GROUP_NEURONS), neurons)
    work = (_groups(ranking.needed, edges) / np.diff(edges) * taken).sum(axis=1)
    slack = 0.5 * ranking.values[:, :1]  # round to the nearer neuron, by the size of the largest
    counts = (ranking.needed <= work[:, None] + np.minimum(slack, 1e-3 * work[:, None])).sum(axis=1)
    return np.where(work > 0, counts, 0).astype(np.int64)


def _fit(space: NeuronSpace, counts: list[Int], room_bytes: int) -> list[Int]:
    """Give back what the solver's tolerance took too much: a few neurons at most."""
    sizes = [block.neuron_bytes for block in space.blocks]
    over = sum(int(c.sum()) * size for c, size in zip(counts, sizes, strict=True)) - room_bytes
    while over > 0:
        index = int(np.argmax([c.max() for c in counts]))
        counts[index][np.argmax(counts[index])] -= 1
        over -= sizes[index]
    return counts


def _fingerprint(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    room_bytes: int,
    costs: Sequence[UnitCosts],
    dimms: int,
) -> str:
    """What the solution depends on, as a name for a file."""
    digest = hashlib.blake2b(digest_size=20)
    settings = (_FORMAT, GROUP_NEURONS, RELATIVE_GAP, NODE_LIMIT, space.blocks, room_bytes)
    digest.update(repr((settings, tuple(costs), dimms)).encode())
    for ranking in rankings:
        digest.update(str((ranking.batch, ranking.values.shape)).encode())
        digest.update(np.ascontiguousarray(ranking.values).tobytes())
    return digest.hexdigest()


def _load(key: str, space: NeuronSpace) -> Solution | None:
    """A stored solution, or nothing if there is none that can be read."""
    try:
        with zipfile.ZipFile(cache_folder() / f"partition-{key}.npz") as archive:
            size = (len(space.blocks), space.layers)
            counts = read_array(archive, "counts.npy", shape=size, kinds="i")
            figures = read_array(archive, "figures.npy", shape=(4,), kinds="f")
        objective, bound, variables, seconds = figures.tolist()
        whole = int(variables)
    except ARCHIVE_ERRORS + (OSError,):  # noqa: RUF005 - mypy follows sums of tuples only
        return None
    if counts.dtype != np.int64:
        return None
    return Solution(tuple(counts), objective, bound, whole, seconds, cached=True)


def _store(key: str, solution: Solution) -> None:
    """Keep a solution; a folder that cannot be written is no reason to stop."""
    figures = [
        solution.objective_ps,
        solution.bound_ps,
        float(solution.variables),
        solution.seconds,
    ]
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"partition-{key}.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, counts=np.stack(solution.counts), figures=np.array(figures))
    except (OSError, DataFileError):
        return
