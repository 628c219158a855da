"""What a step of a run is made of: mapping, lengths, moves; decided for many steps at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.errors import CapacityError
from simcore.scenario.schema import TurnoverWorkload
from simcore.systems.h2m2 import mapping as solve
from simcore.systems.h2m2 import memory
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import FC, HBM, LPDDR, QKV, SUBLAYERS, H2M2Plan
from simcore.systems.h2m2.mapping import Optimum, Problem
from simcore.units import transfer_ps

Int = NDArray[np.int64]

FEWEST, MOST = 32, 256
"""Steps decided together: few at the start of a run, to show them at once, then as many as there
are already, which hides numpy's cost of a call."""

STATIC = ("flexgen",)
"""Mappings that never change, so that nobody solves anything during the run."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Causes of some steps, one row a step.

    Attributes:
        mapping: (rows, sublayers) units on the HBM side.
        tokens, padded: (rows,) tokens attended to; the same with each sequence rounded up.
        out_bytes, in_bytes, moved_pages: (rows, sublayers) what changes sides, over all layers.
        solved: (rows,) whether the host solves the mapping of the next step in this one.
    """

    mapping: Int
    tokens: Int
    padded: Int
    out_bytes: Int
    in_bytes: Int
    moved_pages: Int
    solved: NDArray[np.bool_]

    @property
    def moved_bytes(self) -> Int:
        """Bytes that change sides, all sublayers and both directions, (rows,)."""
        return (self.out_bytes + self.in_bytes).sum(axis=1)


def problem_of(kernels: Kernels, tokens: Int, padded: Int) -> Problem:
    """Times and footprints of all options in some iterations."""
    attention = kernels.attention_all_ps(tokens, padded)
    linear = kernels.linear_ps
    return Problem(
        (linear[QKV][HBM], attention[HBM], linear[FC][HBM]),
        (linear[QKV][LPDDR], attention[LPDDR], linear[FC][LPDDR]),
        memory.footprints(kernels, tokens),
    )


def whole_sublayer_ps(kernels: Kernels, tokens: Int, padded: Int, side: int) -> Int:
    """Time of every sublayer kept whole in one memory, (rows, sublayers).

    Both chips compute half of it, the one of the other side over the link; or the one there alone.
    """
    plan = kernels.plan
    n_there = plan.units if side == HBM else 0
    both = plan.policy.naive_compute == "both"
    half = plan.units // 2
    columns = []
    for sublayer in range(len(SUBLAYERS)):
        total = np.zeros(len(tokens), np.int64)
        for kernel in kernels.of(sublayer):
            amount = kernels.traffic(kernel, n_there, side, tokens)
            time = kernels.memory_ps(amount, side)
            if both:
                for chip in (HBM, LPDDR):
                    time = np.maximum(time, kernels.chip_ps(kernel, half, chip, tokens, padded))
                remote = transfer_ps(amount // 2, plan.parts.link.bandwidth_GBps)
                time = np.maximum(time, remote)
            else:
                time = np.maximum(time, kernels.chip_ps(kernel, n_there, side, tokens, padded))
            total = total + time
        columns.append(total)
    return np.stack(columns, axis=1)


def stretch_end(start: int, total: int) -> int:
    """End of the stretch of steps that begins at `start`."""
    return min(total, start + min(MOST, max(FEWEST, start)))


class Decider:
    """Shares out heads for stretches of a run."""

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels
        self.plan: H2M2Plan = kernels.plan
        self._optimum: Optimum | None = None

    def decide(self, tokens: Int, padded: Int) -> Int:
        """The mapping of each iteration by itself, (rows, sublayers).

        Raises:
            CapacityError: if an iteration has none that fits.
        """
        policy, rows = self.plan.policy, len(tokens)
        if not self.plan.split:
            return np.zeros((rows, 3), np.int64)
        if policy.mapping == "flexgen":
            return np.broadcast_to(np.array(self._flexgen(), np.int64), (rows, 3)).copy()
        problem = problem_of(self.kernels, tokens, padded)
        if policy.mapping == "greedy":
            found = solve.greedy(problem)
            lost = found[:, 0] < 0
            if lost.any():  # whole heads of the first sublayers left too little for the others
                found[lost] = self._best(problem)[lost]
        elif policy.mapping == "exhaustive":
            found = self._best(problem)
        elif policy.mapping == "naive":
            times = [whole_sublayer_ps(self.kernels, tokens, padded, s) for s in (HBM, LPDDR)]
            found = solve.whole_sublayers(problem, *times)
        else:
            sublayer = {"q_major": 0, "a_major": 1, "f_major": 2}[policy.mapping]
            found = solve.major(problem, sublayer, fill=policy.xmajor == "fill_first")
        self._check(found, tokens)
        return found

    def _best(self, problem: Problem) -> Int:
        if self._optimum is None:
            self._optimum = Optimum(problem)
        return self._optimum.solve(problem)

    def _check(self, found: Int, tokens: Int) -> None:
        lost = np.flatnonzero(found[:, 0] < 0)
        if not len(lost):
            return
        hbm, lpddr = self.plan.capacity
        worst = int(tokens[lost].max())
        needed = memory.needed_bytes(self.kernels, worst) + 2 * memory.activation_bytes(self.plan)
        raise CapacityError(
            "HBM and LPDDR",
            needed,
            hbm + lpddr,
            f"with {worst:,} tokens no mapping of kind {self.plan.policy.mapping!r} fits both: "
            "raise hardware.lpddr.capacity_GB, lower workload.batch or the lengths, or take "
            "another policy.mapping",
        )

    def _flexgen(self) -> tuple[int, int, int]:
        """Units of QKV, attention and FC in HBM under a split that holds for the whole run.

        Raises:
            CapacityError: if the split does not fit.
        """
        plan, policy, kernels = self.plan, self.plan.policy, self.kernels
        tokens, workload = int(plan.lengths.tokens.max()), plan.scenario.workload
        longest = policy.flexgen_tokens
        if longest is None and isinstance(workload, TurnoverWorkload):
            longest = workload.max_tokens  # what may come is known, what will come is not
        if longest is not None:
            tokens = max(tokens, plan.batch * longest)
        kv = int(kernels.kv_bytes(plan.units, HBM, tokens)) * plan.model.layers
        weights = memory.needed_bytes(kernels, 0)
        room = memory.free_pages(plan)[HBM] * plan.page_bytes
        automatic = solve.static_split(plan.units, weights, kv, room, *plan.bandwidth_GBps)
        given = (policy.flexgen_weight_share, policy.flexgen_kv_share)
        w, c = (
            n if share is None else int(share * plan.units)
            for n, share in zip(automatic, given, strict=True)
        )
        at = np.array([tokens])
        zero = np.zeros((1, plan.units + 1), np.int64)
        feet = memory.footprints(kernels, at)
        fixed = (zero[0], zero, zero[0])
        while w + c > 0:  # whole pages may need a little more than the share allows
            if Problem(fixed, fixed, feet).fits(np.array([[w, c, w]])).all():
                break
            if any(share is not None for share in given):
                break
            w, c = max(0, w - 1), max(0, c - 1)
        if not Problem(fixed, fixed, feet).fits(np.array([[w, c, w]])).all():
            hbm, lpddr = plan.capacity
            raise CapacityError(
                "HBM and LPDDR",
                weights + kv,
                hbm + lpddr,
                f"{w} of {plan.units} parts of the weights and {c} of the KV cache do not fit HBM, "
                "or the others LPDDR: lower policy.flexgen_weight_share or "
                "policy.flexgen_kv_share, or leave them to be chosen",
            )
        return w, c, w

    def stretch(self, start: int, stop: int, before: Int | None) -> Causes:
        """Causes of the steps start..stop.

        Args:
            start, stop: steps.
            before: mapping of the step before `start`; None before the first step.
        """
        plan, lengths = self.plan, self.plan.lengths
        tokens, padded = lengths.tokens[start:stop], lengths.padded[start:stop]
        found = self.decide(tokens, padded)
        if plan.policy.solver_when == "on_change" and plan.policy.mapping not in STATIC:
            found = self._kept(found, tokens, padded, before)
        first = found[:1] if before is None else before[None]
        previous = np.concatenate([first, found[:-1]])
        # What there is to move is what was there after the iteration before.
        held = lengths.tokens[np.maximum(np.arange(start, stop) - 1, 0)]
        moved = memory.moves(self.kernels, previous, found, np.minimum(held, tokens))
        changes = np.ones(stop - start, np.bool_)
        if plan.policy.solver_when == "on_change":
            changes = (previous != found).any(axis=1)
        solved = changes & plan.split & (plan.policy.mapping not in STATIC)
        return Causes(
            found,
            tokens,
            padded,
            moved.out_bytes,
            moved.in_bytes,
            moved.out_pages + moved.in_pages,
            solved,
        )

    def _kept(self, found: Int, tokens: Int, padded: Int, before: Int | None) -> Int:
        """The mapping stays as it was while it fits."""
        if not self.plan.split:
            return found
        feet = memory.footprints(self.kernels, tokens)
        zero = np.zeros(self.plan.units + 1, np.int64)
        blank = (zero, np.zeros((len(tokens), len(zero)), np.int64), zero)
        problem = Problem(blank, blank, feet)
        kept = found.copy()
        last = before
        for row in range(len(found)):  # each row depends on the one before
            if last is not None and bool(problem.row(row).fits(last[None]).all()):
                kept[row] = last
            last = kept[row]
        return kept
