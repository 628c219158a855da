"""Which requests are in memory and which in the batch, between two events (section VI-B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.systems.l3.machine import ServingPlan
from simcore.systems.l3.predictors import Predictors, slowest
from simcore.workload.batching import PAUSED, PREFILL, RUNNING, SWAPPED, WAITING, Batch

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the next steps do.

    Attributes:
        running: decoded requests, oldest first. half: sub-batch of each.
        prefill: requests whose prompt is computed in the next step.
        chunk, prefill_half: tokens and sub-batch of each.
        swap_out, swap_in: tokens moved before it.
    """

    running: Int
    half: Int
    prefill: Int
    chunk: Int
    prefill_half: Int
    swap_out: int
    swap_in: int


class Scheduler:
    """Admission, preemption and batching over one replica's memory."""

    def __init__(self, plan: ServingPlan, batch: Batch, predictors: Predictors | None) -> None:
        self.plan = plan
        self.batch = batch
        self.predictors = predictors
        policy = plan.policy
        grouped = plan.model.kv_heads < plan.model.heads
        self._decodes = 1
        # Operators know the usual context of a running request from serving before.
        self._typical = round(plan.requests.steady_context())
        self._half_of: dict[int, int] = {}
        self.unit = policy.decodes_per_prefill or (16 if grouped else 1)

    def decide(self) -> Decision:
        """Compose the batch of the next stretch."""
        out = self._make_room()
        if self.predictors is None:
            came = self._admit(limit=None)
        else:
            came = self._align()
        batch = self.batch
        running = batch.members(RUNNING)
        half = self._halves(running)
        prefill = batch.members(PREFILL)
        chunk, prefill_half = self._chunks(prefill, running, half)
        some = chunk > 0
        return Decision(running, half, prefill[some], chunk[some], prefill_half[some], out, came)

    def _loads(self) -> Int:
        """Tokens in memory by place, each request counted with what it will grow to as well.

        A short request is as much work to come as any other: places with equally many tokens and
        unequally many requests would be unequal soon.
        """
        batch = self.batch
        inside = batch.members(PREFILL, RUNNING, PAUSED)
        weight = batch.context[inside] + self._typical
        return np.bincount(batch.place[inside], weight, self.plan.side.classes).astype(np.int64)

    def _make_room(self) -> int:
        """Send the youngest out until the next step's tokens fit; tokens moved out."""
        batch, plan = self.batch, self.plan
        inside = batch.members(PREFILL, RUNNING, PAUSED)
        decoding = batch.state[inside] == RUNNING
        used, growth = int(batch.context[inside].sum()), int(decoding.sum())
        moved = 0
        loads = self._loads() if used + growth > plan.capacity_tokens else None
        while loads is not None and used + growth > plan.capacity_tokens:
            held = np.isin(batch.state[inside], (RUNNING, PAUSED))
            paused = inside[batch.state[inside] == PAUSED]
            pool = paused if len(paused) else inside[held]
            if len(pool) == 0:
                break
            # The youngest at the fullest place, so that ranks stay balanced.
            place = batch.place[pool]
            fullest = np.bincount(place, batch.context[pool], len(loads)).argmax()
            victim = int(pool[place == fullest][-1])
            size = int(batch.context[victim])
            growth -= int(batch.state[victim] == RUNNING)
            used -= size
            inside = inside[inside != victim]
            if plan.policy.preemption == "swap":
                batch.state[victim] = SWAPPED
                moved += size
            else:
                batch.state[victim] = WAITING
                batch.done_prefill[victim] = 0
        return moved

    def _admit(self, limit: int | None) -> int:
        """Let requests in, oldest first, while memory is free; tokens moved back in."""
        batch, plan = self.batch, self.plan
        queue = batch.queue()
        if len(queue) == 0:
            return 0
        inside = batch.members(PREFILL, RUNNING, PAUSED)
        reserve = plan.policy.admission == "reserve"
        held = batch.context[inside] + (batch.left[inside] if reserve else 1)
        used, loads, came = int(held.sum()), None, 0
        for number, request in enumerate(queue.tolist()):
            if limit is not None and number >= limit:
                break
            size = int(batch.context[request])
            need = size + (int(batch.left[request]) if reserve else 1)
            if used + need > plan.capacity_tokens:
                break
            if loads is None:
                loads = self._loads()
            used += need
            place = int(loads.argmin())
            batch.place[request] = place
            loads[place] += size + self._typical
            if batch.state[request] == SWAPPED:
                batch.state[request] = RUNNING
                came += size
            else:
                batch.state[request] = PREFILL
                batch.done_prefill[request] = 0
        return came

    def _align(self) -> int:
        """Take decodes in, oldest first and rank-balanced, until both sides take equally long.

        Every place has a bin for each sub-batch, as deep as the GPU's time allows. A request goes
        to the emptier bin of its place; one that does not fit waits for a later stretch. The
        oldest of a place must get on whatever their length, so they deepen all bins where they
        need to: the slowest rank sets the pace, and the others may as well be as full. Where the
        bins do not get nearly full, further requests are admitted.

        Returns:
            Tokens moved back in.
        """
        batch, plan = self.batch, self.plan
        ready = batch.members(RUNNING, PAUSED)
        batch.state[ready] = PAUSED
        bins = np.zeros((0, 0))
        taken: list[tuple[int, int]] = []
        depth, decodes = 0.0, self._decodes
        for _ in range(2):  # the GPU's time depends on how many are taken
            depth = max(self._depth(-(-decodes // plan.halves)), self._longest_first(ready))
            taken, bins = self._fill(ready, depth)
            decodes = max(1, len(taken))
        self._decodes = decodes
        self._half_of = dict(taken)
        chosen = np.array([request for request, _ in taken], np.int64)
        batch.state[chosen] = RUNNING
        # A place asks for more when its bins are not full and it has little to fill them with.
        room = np.minimum(bins, depth).mean(axis=1) < plan.policy.admit_below * depth
        stock = np.bincount(batch.place[ready], batch.context[ready], len(bins))
        little = stock < plan.policy.admit_stock * plan.halves * depth
        if len(batch.members(PREFILL)) or not (room & little).any():
            return 0
        return self._admit(limit=plan.halves * self.unit)

    def _depth(self, decodes: int) -> float:
        """Tokens a place may have in a sub-batch for both sides to take equally long."""
        plan, predictors = self.plan, self.predictors
        assert predictors is not None
        target = predictors.gpu_ps(decodes, 0, 0)
        token, each, _, fixed = predictors.side
        slots = int(plan.side.slots.sum(axis=0).max())
        return max(1.0, (target - each * decodes - fixed) / (token * slots))

    def _longest_first(self, ready: Int) -> float:
        """Longest context of those that come first at their place and sub-batch."""
        batch = self.batch
        place, longest = batch.place[ready], 0
        for index in range(self.plan.side.classes):
            first = ready[place == index][: self.plan.halves]
            longest = max(longest, int(batch.context[first].max(initial=0)))
        return float(longest)

    def _fill(self, ready: Int, depth: float) -> tuple[list[tuple[int, int]], NDArray[np.float64]]:
        """Requests put into bins, oldest first: (request, sub-batch), and loads of the bins."""
        batch, plan = self.batch, self.plan
        halves = plan.halves
        bins = [[0] * halves for _ in range(plan.side.classes)]
        taken: list[tuple[int, int]] = []
        rows = zip(ready.tolist(), batch.place[ready].tolist(), batch.context[ready].tolist())
        for request, place, context in rows:
            mine = bins[place]
            half = 0 if halves == 1 or mine[0] <= mine[1] else 1
            if mine[half] == 0 or mine[half] + context <= depth:
                mine[half] += context
                taken.append((request, half))
        return taken, np.array(bins, np.float64)

    def _halves(self, running: Int) -> Int:
        """Sub-batch of each decode: those of one place take turns, in order of length."""
        if self.predictors is not None:
            return np.array([self._half_of.get(r, 0) for r in running.tolist()], np.int64)
        half = np.zeros(len(running), np.int64)
        if self.plan.halves == 2 and len(running):
            batch = self.batch
            order = np.lexsort((-batch.context[running], batch.place[running]))
            half[order] = np.arange(len(running)) % 2
        return half

    def _chunks(self, prefill: Int, running: Int, half: Int) -> tuple[Int, Int]:
        """Prompt tokens of each request in the next step, and its sub-batch."""
        batch, plan = self.batch, self.plan
        chunk, own = np.zeros(len(prefill), np.int64), np.zeros(len(prefill), np.int64)
        if not len(prefill):
            return chunk, own
        room = [self._budget(running[half == h], running[half != h]) for h in range(plan.halves)]
        for index, request in enumerate(prefill.tolist()):
            side = int(np.argmax(room))
            take = min(room[side], int(batch.context[request] - batch.done_prefill[request]))
            if take <= 0:
                break
            chunk[index], own[index] = take, side
            room[side] -= take
        return chunk, own

    def _full(self) -> bool:
        """Whether the next request in the queue finds no room."""
        batch, queue = self.batch, self.batch.queue()
        held = int(batch.context[batch.members(PREFILL, RUNNING, PAUSED)].sum())
        return len(queue) > 0 and held + int(batch.context[queue[0]]) >= self.plan.capacity_tokens

    def _budget(self, mine: Int, others: Int) -> int:
        """Most prompt tokens of a sub-batch: as set, and with memory full what the others hide."""
        plan, predictors, batch = self.plan, self.predictors, self.batch
        most = plan.policy.prefill_chunk_tokens
        if predictors is None or not len(others) or not self._full():
            return most
        loads = np.bincount(batch.place[others], batch.context[others], plan.side.classes)
        limit = predictors.side_ps(float(slowest(plan, loads.astype(np.int64))), len(others), 0)
        limit = max(limit, predictors.gpu_ps(len(mine), 0, 0))
        low, high = min(plan.policy.least_chunk_tokens, most), most
        while low < high:
            middle = (low + high + 1) // 2
            fits = predictors.gpu_ps(len(mine), middle, 0) <= limit
            low, high = (middle, high) if fits else (low, middle - 1)
        return low
