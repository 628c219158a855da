"""Phases of a layer on the three machines with two chips, and the work that fills them.

A kernel is a phase: the dependency controller starts it, both chips compute their parts while the
memories stream, vector units follow, outputs go to the other side, a barrier ends it. One layer is
like another, so work has one row a step here, and `rows_of_layers` makes a row a layer of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.engine.phases import Group, Phase, Template, Work
from simcore.hardware.npu import MM, TileCost
from simcore.results.spans import Lane, WaitReason
from simcore.systems.h2m2.cache import hit_share
from simcore.systems.h2m2.causes import Causes
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import HBM, LPDDR, OP, OPS, H2M2Plan, Kernel
from simcore.systems.h2m2.memory import needed_bytes, tlb_misses
from simcore.systems.h2m2.policy import H2M2Policy
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]

MOVE_KERNEL = "up"
"""Pages of the next layer move beside this kernel, the longest of most models."""
SOLVE_KERNEL = "qkv"
"""The host solves the next mapping beside this kernel of the last layer."""


def _chip_lanes(
    kernel: Kernel, costs: tuple[TileCost, TileCost], at: dict[str, int]
) -> tuple[int, int]:
    """Lane of the unit either chip uses for a kernel."""
    lanes = []
    for side in (HBM, LPDDR):
        on_array = not kernel.is_attention and costs[side].unit == MM
        lanes.append(at[f"c{side}_{'mm' if on_array else 'mv'}"])
    return lanes[0], lanes[1]


def _read(kernel: Kernel) -> int:
    return OP["read_kv" if kernel.is_attention else "read_weights"]


def _vector(kernel: Kernel) -> int:
    return OP["softmax" if kernel.is_attention else "norm"]


def make_templates(
    kernels: tuple[Kernel, ...],
    costs: tuple[TileCost, TileCost],
    expert_costs: tuple[TileCost, TileCost],
    lanes: tuple[Lane, ...],
    policy: H2M2Policy,
) -> tuple[Template, Template | None]:
    """Phases of a layer, and of the first layer's pages before it."""
    at = {lane.id: index for index, lane in enumerate(lanes)}
    build = {
        "asymmetric": _split_phases,
        "lpddr_only": _lpddr_phases,
        "hierarchical": _cached_phases,
    }[policy.machine]
    phases = tuple(
        phase
        for kernel in kernels
        for phase in build(kernel, expert_costs if kernel.experts else costs, at, policy)
    )
    layer = Template(phases, lanes, OPS)
    if policy.machine != "asymmetric" or not policy.paging:
        return layer, None
    move = Group("move", OP["move"], (at["hbm"], at["lpddr"], at["link"]))
    waiting = {at[lane]: WaitReason.MEMORY_FULL for lane in at if lane[0] == "c"}
    return layer, Template((Phase("first", (move,), waiting),), lanes, OPS)


def _exchange(name: str, link: int, policy: H2M2Policy, before: tuple[str, ...]) -> Group:
    """Outputs to the other side, as they come or after the kernel."""
    after = before if policy.activation_copy == "serial" else (f"{name}.launch",)
    return Group(f"{name}.exchange", OP["exchange"], (link,), after)


def _split_phases(
    kernel: Kernel, costs: tuple[TileCost, TileCost], at: dict[str, int], policy: H2M2Policy
) -> tuple[Phase, ...]:
    """A kernel split over both sides."""
    name, chips = kernel.id, _chip_lanes(kernel, costs, at)
    launch = (f"{name}.launch",)
    groups = [Group(f"{name}.launch", OP["launch"], (at["control"],))]
    ends: list[str] = []
    remote: tuple[str, ...] = ()
    if policy.mapping == "naive":
        groups.append(Group(f"{name}.remote", OP["remote"], (at["link"],), launch))
        remote = (f"{name}.remote",)
    for side, memory in ((HBM, at["hbm"]), (LPDDR, at["lpddr"])):
        ready = launch
        if policy.paging:
            groups.append(Group(f"{name}.walk{side}", OP["walk"], (memory,), launch))
            if policy.tlb_stall == "exposed":
                ready = (f"{name}.walk{side}",)
        groups += [
            Group(f"{name}.chip{side}", OP[kernel.id], (chips[side],), ready),
            Group(f"{name}.read{side}", _read(kernel), (memory,), launch),
        ]
        done = (f"{name}.chip{side}", f"{name}.read{side}", *remote)
        vector = at[f"c{side}_vec"]
        groups.append(Group(f"{name}.vec{side}", _vector(kernel), (vector,), done))
        ends += [f"{name}.vec{side}"]
    groups.append(_exchange(name, at["link"], policy, tuple(ends)))
    if name == MOVE_KERNEL and policy.paging:
        groups.append(Group("move", OP["move"], (at["hbm"], at["lpddr"], at["link"])))
    if name == SOLVE_KERNEL:
        groups.append(Group("solve", OP["solve"], (at["host"],)))
    return (Phase(name, tuple(groups)),)


def _lpddr_phases(
    kernel: Kernel, costs: tuple[TileCost, TileCost], at: dict[str, int], policy: H2M2Policy
) -> tuple[Phase, ...]:
    """A kernel of both chips over one memory."""
    name, chips = kernel.id, _chip_lanes(kernel, costs, at)
    launch = (f"{name}.launch",)
    groups = [
        Group(f"{name}.launch", OP["launch"], (at["control"],)),
        Group(f"{name}.chip0", OP[kernel.id], (chips[0],), launch),
        Group(f"{name}.chip1", OP[kernel.id], (chips[1],), launch),
        Group(f"{name}.read1", _read(kernel), (at["lpddr"],), launch),
    ]
    for side in (0, 1):
        done = (f"{name}.chip{side}", f"{name}.read1")
        vector = at[f"c{side}_vec"]
        groups.append(Group(f"{name}.vec{side}", _vector(kernel), (vector,), done))
    groups.append(_exchange(name, at["link"], policy, (f"{name}.vec0", f"{name}.vec1")))
    return (Phase(name, tuple(groups)),)


def _cached_phases(
    kernel: Kernel, costs: tuple[TileCost, TileCost], at: dict[str, int], policy: H2M2Policy
) -> tuple[Phase, ...]:
    """A kernel of both chips over HBM as a cache: lines that hit, then lines that miss."""
    name, chips = kernel.id, _chip_lanes(kernel, costs, at)
    launch = (f"{name}.launch",)
    hit = Phase(
        f"{name}.hit",
        (
            Group(f"{name}.launch", OP["launch"], (at["control"],)),
            Group(f"{name}.chip0", OP[kernel.id], (chips[0],), launch),
            Group(f"{name}.chip1", OP[kernel.id], (chips[1],), launch),
            Group(f"{name}.read0", _read(kernel), (at["hbm"],), launch),
        ),
        {at["lpddr"]: WaitReason.NO_WORK},
    )
    groups = [
        Group(f"{name}.fill", OP["fill"], (at["lpddr"], at["link"], at["hbm"])),
        Group(f"{name}.late0", OP[kernel.id], (chips[0],)),
        Group(f"{name}.late1", OP[kernel.id], (chips[1],)),
    ]
    for side in (0, 1):
        done = (f"{name}.late{side}", f"{name}.fill")
        vector = at[f"c{side}_vec"]
        groups.append(Group(f"{name}.vec{side}", _vector(kernel), (vector,), done))
    after = (f"{name}.vec0", f"{name}.vec1") if policy.activation_copy == "serial" else ()
    groups.append(Group(f"{name}.exchange", OP["exchange"], (at["link"],), after))
    return hit, Phase(f"{name}.miss", tuple(groups))


class Filler:
    """Fills the work of a template, one row a step."""

    def __init__(self, plan: H2M2Plan, kernels: Kernels) -> None:
        self.plan = plan
        self.kernels = kernels
        self._fill: Callable[[Work, Causes], None] = {
            "asymmetric": self._split,
            "lpddr_only": self._lpddr,
            "hierarchical": self._cached,
        }[plan.policy.machine]

    def layer(self, causes: Causes) -> Work:
        """Work of a layer that moves pages of the next one, (steps, columns)."""
        work = self.plan.layer.blank(len(causes.tokens))
        self._fill(work, causes)
        if self.plan.first is not None:
            self.move(work, self.plan.layer, causes)
        return work

    def last(self, work: Work, causes: Causes) -> Work:
        """The same for the last layer: nothing left to move, the next mapping is solved."""
        out = Work(work.time_ps.copy(), work.amount_bytes.copy(), work.flops.copy())
        if self.plan.first is not None:
            columns = self.plan.layer.slice("move")
            out.time_ps[:, columns] = 0
            out.amount_bytes[:, columns] = 0
        if self.plan.split:
            time = us_to_ps(self.plan.policy.solver_us) * causes.solved
            out.time_ps[:, self.plan.layer.slice("solve")] = time[:, None]
        return out

    def first(self, causes: Causes) -> Work | None:
        """Pages of the first layer, (steps, columns); None if nothing ever moves."""
        if self.plan.first is None:
            return None
        work = self.plan.first.blank(len(causes.tokens))
        self.move(work, self.plan.first, causes)
        return work

    # ---- single ops

    def put(
        self, work: Work, group: str, time: ArrayLike, amount: ArrayLike = 0, flops: ArrayLike = 0
    ) -> None:
        """Fill the only column of a group."""
        column = self.plan.layer.slice(group).start
        work.time_ps[:, column] = time
        work.amount_bytes[:, column] = amount
        work.flops[:, column] = flops

    def move(self, work: Work, template: Template, causes: Causes) -> None:
        """Pages of one layer change sides: read, carried, written; a walk's time for each page."""
        parts, layers = self.plan.parts, self.plan.model.layers
        amount = causes.moved_bytes // layers
        pages = causes.moved_pages.sum(axis=1) // layers
        at = template.slice("move").start
        hbm, lpddr = self.plan.bandwidth_GBps
        drop = np.ceil(pages * parts.mmu.miss_ns * 1e3).astype(np.int64)
        link = transfer_ps(amount, parts.link.bandwidth_GBps) + drop
        for column, time in enumerate((transfer_ps(amount, hbm), transfer_ps(amount, lpddr), link)):
            work.time_ps[:, at + column] = time
            work.amount_bytes[:, at + column] = amount

    def _common(self, work: Work, kernel: Kernel) -> None:
        """Launch, and outputs to the other side."""
        self.put(work, f"{kernel.id}.launch", us_to_ps(self.plan.policy.launch_us))
        link, amount = self.plan.parts.link, self.kernels.exchange_bytes(kernel)
        time = us_to_ps(link.latency_us) + transfer_ps(amount, link.bandwidth_GBps)
        self.put(work, f"{kernel.id}.exchange", time, amount)

    def _vectors(self, work: Work, kernel: Kernel, n: ArrayLike, causes: Causes) -> None:
        for side in (HBM, LPDDR):
            time = self.kernels.vector_ps(kernel, n, side, causes.tokens)
            self.put(work, f"{kernel.id}.vec{side}", time)

    def _chips(
        self,
        work: Work,
        kernel: Kernel,
        n: ArrayLike,
        causes: Causes,
        share: NDArray[np.float64] | None = None,
    ) -> None:
        """Computation of both chips, or a share of it."""
        for side in (HBM, LPDDR):
            time = self.kernels.chip_ps(kernel, n, side, causes.tokens, causes.padded)
            flops = self.kernels.flops(kernel, n, side, causes.tokens)
            if share is None:
                self.put(work, f"{kernel.id}.chip{side}", time, 0, flops)
                continue
            early = np.ceil(time * share).astype(np.int64), (flops * share).astype(np.int64)
            self.put(work, f"{kernel.id}.chip{side}", early[0], 0, early[1])
            self.put(work, f"{kernel.id}.late{side}", time - early[0], 0, flops - early[1])

    # ---- machines

    def _split(self, work: Work, causes: Causes) -> None:
        if self.plan.policy.mapping == "naive":
            self._whole(work, causes)
            return
        kernels, mmu = self.kernels, self.plan.parts.mmu
        walks = tlb_misses(kernels, causes.mapping, causes.tokens) if self.plan.paged else 0
        for index, kernel in enumerate(self.plan.kernels):
            n = causes.mapping[:, kernel.sublayer]
            self._common(work, kernel)
            self._chips(work, kernel, n, causes)
            self._vectors(work, kernel, n, causes)
            for side in (HBM, LPDDR):
                amount = kernels.traffic(kernel, n, side, causes.tokens)
                time = kernels.memory_ps(amount, side)
                self.put(work, f"{kernel.id}.read{side}", time, amount)
                if not isinstance(walks, int):
                    walk = np.ceil(walks[:, index, side] * (mmu.miss_ns * 1e3 / mmu.walkers))
                    self.put(work, f"{kernel.id}.walk{side}", walk.astype(np.int64))

    def _whole(self, work: Work, causes: Causes) -> None:
        """Whole sublayers on one side."""
        kernels, plan = self.kernels, self.plan
        both = plan.policy.naive_compute == "both"
        for kernel in plan.kernels:
            n = causes.mapping[:, kernel.sublayer]
            computed: ArrayLike = plan.units // 2 if both else n
            self._common(work, kernel)
            self._chips(work, kernel, computed, causes)
            self._vectors(work, kernel, computed, causes)
            remote = np.zeros(len(n), np.int64)
            for side in (HBM, LPDDR):
                amount = np.broadcast_to(kernels.traffic(kernel, n, side, causes.tokens), n.shape)
                time = kernels.memory_ps(amount, side)
                self.put(work, f"{kernel.id}.read{side}", time, amount)
                remote += amount // 2
            if both:
                time = transfer_ps(remote, plan.parts.link.bandwidth_GBps)
                self.put(work, f"{kernel.id}.remote", time, remote)

    def _lpddr(self, work: Work, causes: Causes) -> None:
        half = self.plan.units // 2
        for kernel in self.plan.kernels:
            self._common(work, kernel)
            self._chips(work, kernel, half, causes)
            self._vectors(work, kernel, half, causes)
            amount = self.kernels.traffic(kernel, 0, LPDDR, causes.tokens)
            time = self.kernels.memory_ps(amount, LPDDR)
            self.put(work, f"{kernel.id}.read1", time, amount)

    def _cached(self, work: Work, causes: Causes) -> None:
        plan, kernels = self.plan, self.kernels
        needed = needed_bytes(kernels, 0) + plan.model.layers * kernels.kv_bytes(
            plan.units, HBM, causes.tokens
        )
        hit = hit_share(needed / plan.capacity[HBM], plan.policy.hier_policy)
        half = plan.units // 2
        hbm, lpddr = plan.bandwidth_GBps
        latency = round(plan.parts.lpddr.latency_ns * 1e3)
        for kernel in plan.kernels:
            self._common(work, kernel)
            self._vectors(work, kernel, half, causes)
            whole = np.broadcast_to(
                kernels.traffic(kernel, plan.units, HBM, causes.tokens), hit.shape
            )
            # What is read again in the same kernel is there after the first time.
            again = kernels.reads_per_kv_head if kernel.is_attention else 1
            missed = np.ceil(whole / again * (1 - hit)).astype(np.int64)
            share = 1 - missed / np.maximum(1, whole)
            self._chips(work, kernel, half, causes, share)
            read = whole - missed
            self.put(work, f"{kernel.id}.read0", kernels.memory_ps(read, HBM), read)
            at = plan.layer.slice(f"{kernel.id}.fill").start
            times = (
                (transfer_ps(missed, lpddr) + latency) * (missed > 0),
                transfer_ps(missed, plan.parts.link.bandwidth_GBps),
                transfer_ps(missed, hbm),
            )
            for column, time in enumerate(times):
                work.time_ps[:, at + column] = time
                work.amount_bytes[:, at + column] = missed


def rows_of_layers(layer: Work, last: Work, layers: int) -> Work:
    """One row a layer from the work of a step (one row each): all alike but the last."""

    def repeat(body: Int, end: Int) -> Int:
        return np.concatenate([np.repeat(body, layers - 1, axis=0), end])

    return Work(
        repeat(layer.time_ps, last.time_ps),
        repeat(layer.amount_bytes, last.amount_bytes),
        repeat(layer.flops, last.flops),
    )
