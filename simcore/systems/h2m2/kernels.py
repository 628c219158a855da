"""Work of the kernels by number of heads on a side: outputs, bytes, time of chip and memory.

`n` is always the number of units (query heads, or as many columns of FC) on the HBM side, of any
shape; the LPDDR side has the others. Where query heads share keys and values, a group that is cut
in two has its keys and values on both sides.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.hardware.npu import attention_ps, gemm_ps, vector_ps
from simcore.model.shapes import distinct_experts
from simcore.systems.h2m2.machine import FC, HBM, LPDDR, H2M2Plan, Kernel
from simcore.units import Int64Array, transfer_ps

Int = NDArray[np.int64]

NORM_PASSES = 3
"""Passes over the residual stream of a normalisation: mean, variance, scale (derived)."""
SOFTMAX_PASSES = 3
"""Passes over the scores of a softmax: maximum, sum of exponentials, division (derived)."""


class Kernels:
    """Amounts and times of a plan's kernels."""

    def __init__(self, plan: H2M2Plan) -> None:
        self.plan = plan
        self.model = plan.model
        self.batch = plan.batch
        self.units = plan.units
        self.experts_read = float(distinct_experts(plan.model, plan.batch))

    # ---- what lies and is computed where

    def kv_heads(self, n: ArrayLike, side: int) -> Int:
        """Key/value heads present on a side."""
        count, all_heads = np.asarray(n, np.int64), self.model.kv_heads
        if side == HBM:
            up: Int = -(-count * all_heads // self.units)
            return up
        return np.asarray(all_heads - count * all_heads // self.units)

    def outputs(self, kernel: Kernel, n: ArrayLike, side: int) -> Int:
        """Columns of a kernel's weights on a side; the two sides add up to all of them."""
        count = np.asarray(n, np.int64)
        if kernel.id == "qkv":
            model = self.model
            mine = (count + 2 * self.kv_heads(count, HBM)) * model.head_dim
        else:
            mine = kernel.outputs * count // self.units
        return mine if side == HBM else kernel.outputs - mine

    def heads(self, n: ArrayLike, side: int) -> Int:
        """Query heads on a side."""
        count = np.asarray(n, np.int64)
        return count if side == HBM else self.units - count

    def weight_bytes(self, kernel: Kernel, n: ArrayLike, side: int) -> Int:
        """Weights of one layer on a side, of all experts."""
        each = kernel.inputs * self.model.bytes_per_weight * self.stored(kernel)
        return self.outputs(kernel, n, side) * each

    def stored(self, kernel: Kernel) -> int:
        """Matrices of a kernel: one for each expert."""
        return self.model.experts if kernel.experts else 1

    def used(self, kernel: Kernel) -> int:
        """Matrices of a kernel that one token is multiplied with."""
        return self.model.experts_per_token if kernel.experts else 1

    def read(self, kernel: Kernel) -> float:
        """Matrices of a kernel that the batch reads, as expected."""
        return self.experts_read if kernel.experts else 1.0

    def kv_bytes(self, n: ArrayLike, side: int, tokens: ArrayLike) -> Int:
        """Keys and values of one layer on a side; `tokens` of all sequences together."""
        each = 2 * self.model.head_dim * self.model.bytes_per_kv
        result: Int = self.kv_heads(n, side) * np.asarray(tokens, np.int64) * each
        return result

    @property
    def reads_per_kv_head(self) -> int:
        """How often every key and value is read in one iteration."""
        if self.plan.policy.gqa_traffic == "shared":
            return 1
        return self.model.heads // self.model.kv_heads

    def kv_traffic(self, n: ArrayLike, side: int, tokens: ArrayLike) -> Int:
        """Bytes of keys and values read from a side by its heads, and written for new tokens."""
        each = 2 * self.model.head_dim * self.model.bytes_per_kv
        new: Int = self.kv_heads(n, side) * (self.batch * each)
        if self.plan.policy.gqa_traffic == "shared":
            return self.kv_bytes(n, side, tokens) + new
        count = np.asarray(tokens, np.int64)
        return self.heads(n, side) * count * each + new * (self.heads(n, side) > 0)

    def flops(self, kernel: Kernel, n: ArrayLike, side: int, tokens: ArrayLike) -> Int:
        """Operations of one layer on a side, two a multiply-accumulate."""
        if kernel.is_attention:
            each = 4 * self.model.head_dim * np.asarray(tokens, np.int64)
            return np.asarray(self.heads(n, side) * each)
        per_column = 2 * self.batch * kernel.inputs * self.used(kernel)
        return self.outputs(kernel, n, side) * per_column

    # ---- times

    def chip_ps(
        self, kernel: Kernel, n: ArrayLike, side: int, tokens: ArrayLike, padded: ArrayLike
    ) -> Int64Array:
        """Time of a chip's array or trees for its part of one layer."""
        chip = self.plan.parts.chips[side]
        if kernel.is_attention:
            heads, dim = self.heads(n, side), self.model.head_dim
            time = attention_ps(chip, heads, tokens, padded, dim, self.batch)
            return np.asarray(time * (heads > 0))
        cost, mine = self.plan.costs_of(kernel)[side], self.outputs(kernel, n, side)
        return gemm_ps(chip, kernel.inputs, mine, cost, self.read(kernel))

    def traffic(self, kernel: Kernel, n: ArrayLike, side: int, tokens: ArrayLike) -> Int:
        """Bytes a kernel moves between a side's memory and chip."""
        if kernel.is_attention:
            return self.kv_traffic(n, side, tokens)
        whole = self.weight_bytes(kernel, n, side)
        if not kernel.experts:
            return whole
        return np.rint(whole * (self.experts_read / self.model.experts)).astype(np.int64)

    def memory_ps(self, amount: ArrayLike, side: int) -> Int64Array:
        """Time of reading bytes from a memory: latency once, then bandwidth."""
        memory = self.plan.parts.memories[side]
        latency = round(memory.latency_ns * 1e3)
        size = np.asarray(amount, np.int64)
        return np.asarray(
            (transfer_ps(size, self.plan.bandwidth_GBps[side]) + latency) * (size > 0)
        )

    def side_ps(
        self, kernel: Kernel, n: ArrayLike, side: int, tokens: ArrayLike, padded: ArrayLike
    ) -> Int64Array:
        """Time of a side for its part of a kernel: chip or memory, whichever takes longer."""
        chip = self.chip_ps(kernel, n, side, tokens, padded)
        return np.maximum(chip, self.memory_ps(self.traffic(kernel, n, side, tokens), side))

    def sublayer_ps(
        self, sublayer: int, n: ArrayLike, side: int, tokens: ArrayLike, padded: ArrayLike
    ) -> Int64Array:
        """Time of a side for its part of a sublayer, kernel after kernel."""
        total = np.zeros((), np.int64)
        for kernel in self.of(sublayer):
            total = total + self.side_ps(kernel, n, side, tokens, padded)
        return np.asarray(total)

    def of(self, sublayer: int) -> tuple[Kernel, ...]:
        """Kernels of a sublayer."""
        return tuple(k for k in self.plan.kernels if k.sublayer == sublayer)

    def vector_ps(self, kernel: Kernel, n: ArrayLike, side: int, tokens: ArrayLike) -> Int64Array:
        """Time of softmax, or of normalisation, activation function and residual."""
        chip = self.plan.parts.chips[side]
        if kernel.is_attention:
            scores = self.heads(n, side) * np.asarray(tokens, np.int64)
            return vector_ps(chip, scores, SOFTMAX_PASSES)
        mine = self.outputs(kernel, n, side)
        elements = mine * (self.batch * self.used(kernel))
        if kernel.id in ("qkv", "up"):  # normalised by both sides, each has a copy of the input
            elements = elements + NORM_PASSES * self.batch * kernel.inputs * (mine > 0)
        return vector_ps(chip, elements, 1)

    def exchange_bytes(self, kernel: Kernel) -> int:
        """Outputs of a kernel that go to the side that did not compute them, both ways added.

        What the experts of a token make of it is added up before.
        """
        each = 1 if kernel.id == "down" else self.used(kernel)
        return kernel.outputs * self.batch * self.model.bytes_per_kv * each

    # ---- the whole mapping space

    @cached_property
    def every(self) -> Int:
        """0 to N."""
        return np.arange(self.units + 1, dtype=np.int64)

    @cached_property
    def linear_ps(self) -> dict[int, tuple[Int64Array, Int64Array]]:
        """Times of QKV and FC on either side for every n, which no sequence length changes."""
        zero = np.zeros((), np.int64)
        return {
            sublayer: (
                self.sublayer_ps(sublayer, self.every, HBM, zero, zero),
                self.sublayer_ps(sublayer, self.every, LPDDR, zero, zero),
            )
            for sublayer in (0, FC)
        }

    def attention_all_ps(self, tokens: Int, padded: Int) -> tuple[Int64Array, Int64Array]:
        """Times of attention on either side for every n, (steps, N + 1)."""
        args = (tokens[:, None], padded[:, None])
        return (
            self.sublayer_ps(1, self.every, HBM, *args),
            self.sublayer_ps(1, self.every, LPDDR, *args),
        )
