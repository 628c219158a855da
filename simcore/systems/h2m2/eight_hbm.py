"""The 8-HBM machine: a part of every layer at each of eight devices, joined in a ring.

Heads and FFN columns are dealt over the devices; after the output projection and after the FFN the
partial sums go round the ring twice. The chips of two sides are cut into eight (iso-compute), or
every device has a chip of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.engine.phases import Group, Phase, Template, Work
from simcore.errors import CapacityError
from simcore.hardware.npu import MM, TileCost, attention_ps, gemm_ps, vector_ps
from simcore.results.run import MemoryDevice
from simcore.results.spans import Lane, LaneKind, WaitReason
from simcore.systems.h2m2.causes import Causes
from simcore.systems.h2m2.kernels import NORM_PASSES, SOFTMAX_PASSES, Kernels
from simcore.systems.h2m2.machine import (
    HBM,
    MEMORY_KINDS,
    OP,
    OPS,
    H2M2Plan,
    Kernel,
    Parts,
    capacity_bytes,
)
from simcore.systems.h2m2.memory import activation_bytes
from simcore.systems.h2m2.policy import H2M2Policy
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]

DEVICES = 8
"""HBM devices (H2M2, arXiv 2504.14893: 8 x 96 GB = 768 GB)."""
REDUCED = ("projection", "down")
"""Kernels whose outputs are partial sums."""

COMPUTE, MEMORY, RING, CONTROL = (0, DEVICES, 2 * DEVICES, 3 * DEVICES)
"""First lane of each kind."""


def deal(items: int) -> Int:
    """Items dealt as evenly as possible, the first devices get the rest."""
    return np.array([items // DEVICES + (j < items % DEVICES) for j in range(DEVICES)], np.int64)


def chip_share(policy: H2M2Policy) -> float:
    """Chips at each device."""
    return 2 / DEVICES if policy.hbm8_compute == "iso" else 1.0


def make_lanes(parts: Parts, policy: H2M2Policy) -> tuple[Lane, ...]:
    """Units and memory of every device, the ring, the dependency controller."""
    every = range(DEVICES)
    rate = parts.hbm.bandwidth_GBps
    return (
        *(Lane(f"device{j}", f"Device {j}", "device", LaneKind.COMPUTE) for j in every),
        *(Lane(f"hbm{j}", f"HBM {j}", "memory", LaneKind.LINK, rate) for j in every),
        *(
            Lane(f"ring{j}", f"Ring {j} to {(j + 1) % DEVICES}", "ring", LaneKind.LINK, link)
            for j, link in ((j, policy.hbm8_link_GBps) for j in every)
        ),
        Lane("control", "Dependency controller", "controller", LaneKind.HOST),
    )


def make_memory(parts: Parts, policy: H2M2Policy) -> tuple[MemoryDevice, ...]:
    """The memory of every device."""
    size = capacity_bytes(parts.hbm, policy)
    return tuple(MemoryDevice(f"hbm{j}", f"HBM {j}", size) for j in range(DEVICES))


def make_template(kernels: tuple[Kernel, ...], lanes: tuple[Lane, ...]) -> Template:
    """Phases of a layer."""
    devices, memories, ring = (
        tuple(range(first, first + DEVICES)) for first in (COMPUTE, MEMORY, RING)
    )
    phases = []
    for kernel in kernels:
        name, launch = kernel.id, (f"{kernel.id}.launch",)
        read = OP["read_kv" if kernel.is_attention else "read_weights"]
        vector = OP["softmax" if kernel.is_attention else "norm"]
        phases.append(
            Phase(
                name,
                (
                    Group(f"{name}.launch", OP["launch"], (CONTROL,)),
                    Group(f"{name}.chip", OP[name], devices, launch),
                    Group(f"{name}.read", read, memories, launch),
                    Group(f"{name}.vec", vector, devices, (f"{name}.chip", f"{name}.read")),
                ),
            )
        )
        if name in REDUCED:
            waiting = dict.fromkeys((*devices, *memories), WaitReason.DEPENDENCY)
            group = Group(f"{name}.reduce", OP["all_reduce"], ring)
            phases.append(Phase(f"{name}.reduce", (group,), waiting))
    return Template(tuple(phases), lanes, OPS)


class EightFiller:
    """Fills the work of a layer, one row a step."""

    def __init__(self, plan: H2M2Plan, kernels: Kernels) -> None:
        self.plan = plan
        self.kernels = kernels
        self.heads = deal(plan.model.heads)
        self.kv_heads = -(-self.heads * plan.model.kv_heads // plan.model.heads)
        self.columns = deal(plan.model.ffn)

    def outputs(self, kernel: Kernel) -> tuple[Int, int]:
        """Columns of a kernel's weights at every device, and their rows there."""
        model = self.plan.model
        if kernel.id == "qkv":
            return (self.heads + 2 * self.kv_heads) * model.head_dim, kernel.inputs
        if kernel.id == "up":
            return self.columns * (model.ffn_matrices - 1), kernel.inputs
        # Partial sums: every device has some rows and all columns.
        rows = self.heads * model.head_dim if kernel.id == "projection" else self.columns
        return np.full(DEVICES, kernel.outputs), int(rows.max())

    def weight_bytes(self, kernel: Kernel) -> Int:
        """Weights of one layer at every device, of all experts."""
        model = self.plan.model
        count = self.kernels.stored(kernel)
        if kernel.id in ("qkv", "up"):
            outputs, inputs = self.outputs(kernel)
            return outputs * (inputs * model.bytes_per_weight * count)
        rows = self.heads * model.head_dim if kernel.id == "projection" else self.columns
        return rows * (kernel.outputs * model.bytes_per_weight * count)

    def kv_bytes(self, tokens: ArrayLike) -> Int:
        """Keys and values of one layer at every device, (..., devices)."""
        model = self.plan.model
        each = 2 * model.head_dim * model.bytes_per_kv
        result: Int = np.asarray(tokens, np.int64)[..., None] * (self.kv_heads * each)
        return result

    def layer(self, causes: Causes) -> Work:
        """Work of a layer, (steps, columns)."""
        plan, kernels, model = self.plan, self.kernels, self.plan.model
        work = plan.layer.blank(len(causes.tokens))
        chip, share = plan.parts.hbm_npu, chip_share(plan.policy)
        tokens, padded = causes.tokens[:, None], causes.padded[:, None]
        for kernel in plan.kernels:
            self._put(work, f"{kernel.id}.launch", us_to_ps(plan.policy.launch_us))
            if kernel.is_attention:
                time = attention_ps(chip, self.heads, tokens, padded, model.head_dim, plan.batch)
                each = 2 * model.head_dim * model.bytes_per_kv
                if kernels.reads_per_kv_head > 1:
                    amount = self.heads * each * tokens
                else:
                    amount = self.kv_bytes(causes.tokens)
                amount = amount + self.kv_heads * each * plan.batch
                flops = 4 * model.head_dim * self.heads * tokens
                vector = vector_ps(chip, self.heads * tokens, SOFTMAX_PASSES)
            else:
                outputs, inputs = self.outputs(kernel)
                read, used = kernels.read(kernel), kernels.used(kernel)
                time = gemm_ps(chip, inputs, outputs, plan.costs_of(kernel)[HBM], read)
                whole = amount = self.weight_bytes(kernel)
                if kernel.experts:
                    amount = np.rint(whole * (read / model.experts)).astype(np.int64)
                one = whole // (model.bytes_per_weight * kernels.stored(kernel))
                flops = 2 * plan.batch * used * one
                elements = outputs * (plan.batch * used)
                if kernel.id in ("qkv", "up"):
                    elements = elements + NORM_PASSES * plan.batch * kernel.inputs
                vector = vector_ps(chip, elements, 1)
            self._put(work, f"{kernel.id}.chip", np.ceil(time / share), 0, flops)
            self._put(work, f"{kernel.id}.read", kernels.memory_ps(amount, HBM), amount)
            self._put(work, f"{kernel.id}.vec", np.ceil(vector / share))
            if kernel.id in REDUCED:
                part = -(-plan.batch * kernel.outputs * model.bytes_per_kv // DEVICES)
                steps = 2 * (DEVICES - 1)
                moved = transfer_ps(steps * part, plan.policy.hbm8_link_GBps)
                hops = steps * us_to_ps(plan.policy.hbm8_hop_us)
                self._put(work, f"{kernel.id}.reduce", hops + moved, steps * part)
        return work

    def _put(
        self, work: Work, group: str, time: ArrayLike, amount: ArrayLike = 0, flops: ArrayLike = 0
    ) -> None:
        columns = self.plan.layer.slice(group)
        work.time_ps[:, columns] = time
        work.amount_bytes[:, columns] = amount
        work.flops[:, columns] = flops

    def used_bytes(self, tokens: Int) -> Int:
        """Bytes in use by device and kind, (steps, devices, kinds)."""
        plan = self.plan
        used = np.zeros((len(tokens), DEVICES, len(MEMORY_KINDS)), np.int64)
        for kernel in plan.kernels:
            if not kernel.is_attention:
                kind = 0 if kernel.id == "qkv" else 1
                used[:, :, kind] += plan.model.layers * self.weight_bytes(kernel)
        used[:, :, 2] = plan.model.layers * self.kv_bytes(tokens)
        used[:, :, 3] = activation_bytes(plan)
        return used

    def check(self) -> None:
        """Check that the fullest device holds its part at the longest lengths.

        Raises:
            CapacityError: if it does not.
        """
        used = self.used_bytes(self.plan.lengths.tokens.max(keepdims=True)).sum(axis=2)[0]
        fullest = int(used.argmax())
        capacity = self.plan.memory[fullest].capacity_bytes
        if used[fullest] > capacity:
            raise CapacityError(
                self.plan.memory[fullest].title,
                int(used[fullest]),
                capacity,
                "every device holds its part of weights and KV cache: raise "
                "hardware.hbm.capacity_GB, or lower workload.batch or the lengths",
            )


def unit_of(cost: TileCost) -> str:
    """The unit of a device that runs GEMMs, in words."""
    return "array" if cost.unit == MM else "dot-product trees"
