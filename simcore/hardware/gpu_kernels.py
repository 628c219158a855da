"""GPU kernels of a served model: roofline with caps and with the grain of thread blocks.

After the public AttAcc simulator: 0.85 of the memory and 0.80 of the compute peak, times the share
of multiprocessors that thread blocks keep busy. A FC kernel makes one block of a tile of output
columns; decode attention one of each KV head of each request, without splitting long contexts.
Blocks share the memory bandwidth evenly, so the longest context of a batch can decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.scenario.schema import Gpu

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Caps:
    """What kernels reach of a GPU's peaks.

    Attributes:
        memory, compute: shares of the peaks.
        processors: multiprocessors; 0 leaves the grain of blocks out.
        gemv_tile, gemm_tile: output columns of a block for one row, and for more.
    """

    memory: float
    compute: float
    processors: int
    gemv_tile: int
    gemm_tile: int


def busy_share(blocks: float, processors: int) -> float:
    """Share of multiprocessor time that so many equal blocks use, in whole waves."""
    if processors <= 0 or blocks <= 0:
        return 1.0
    waves = -(-blocks // processors)
    return blocks / (waves * processors)


def fc_ps(
    gpu: Gpu,
    caps: Caps,
    rows: float,
    inputs: float,
    outputs: float,
    bytes_each: int,
    matrices: float = 1.0,
) -> int:
    """A matrix times `rows` rows on one GPU; 0 rows take no time.

    Several matrices with rows of their own are one kernel (grouped GEMM), as for experts.

    Args:
        gpu: one GPU.
        caps: what kernels reach.
        rows: rows of the activations, for each matrix.
        inputs, outputs: shape of this GPU's part of the matrix.
        bytes_each: bytes of a weight.
        matrices: how many; an expected number need not be whole.
    """
    if rows <= 0:
        return 0
    tile = caps.gemv_tile if rows <= 1 else caps.gemm_tile
    share = busy_share(matrices * -(-outputs // tile), caps.processors)
    rate = gpu.bandwidth_GBps * caps.memory * share
    read = matrices * inputs * outputs * bytes_each * 1e3 / rate
    compute = 2.0 * rows * matrices * inputs * outputs / (gpu.fp16_TFLOPS * caps.compute)
    return int(np.ceil(max(read, compute)))


def prefill_attention_ps(gpu: Gpu, caps: Caps, flops: float) -> int:
    """Attention of prompt tokens on one GPU: bound by compute."""
    return int(np.ceil(flops / (gpu.fp16_TFLOPS * caps.compute)))


def decode_attention_ps(
    gpu: Gpu,
    caps: Caps,
    requests: ArrayLike,
    tokens: ArrayLike,
    longest: ArrayLike,
    heads: int,
    head_bytes: int,
) -> Int:
    """Decode attention of a batch on one GPU.

    A multiprocessor gets its share of the bandwidth; the kernel ends with the longest context or
    after as many whole waves of mean ones, whichever is later.

    Args:
        gpu: one GPU.
        caps: what kernels reach.
        requests: requests in the batch, (n,).
        tokens: contexts together, (n,).
        longest: longest context, (n,).
        heads: KV heads of each request on this GPU.
        head_bytes: keys and values of one head and token.
    """
    count, total = np.asarray(requests, np.float64), np.asarray(tokens, np.float64)
    rate = gpu.bandwidth_GBps * caps.memory
    if caps.processors <= 0:
        return np.ceil(total * heads * head_bytes * 1e3 / rate).astype(np.int64)
    waves = np.ceil(count * heads / caps.processors)
    mean = total / np.maximum(count, 1.0)
    depth = np.maximum(np.asarray(longest, np.float64), waves * mean)
    time = depth * head_bytes * 1e3 * caps.processors / rate
    return np.ceil(np.where(count > 0, time, 0.0)).astype(np.int64)


def all_reduce_ps(amount_bytes: float, gpus: int, hop_us: float, bandwidth_GBps: float) -> int:
    """All-reduce over `gpus` GPUs: N - 1 hops and twice (N - 1) / N of the bytes over a link."""
    if gpus <= 1 or amount_bytes <= 0:
        return 0
    moved = 2 * (gpus - 1) / gpus * amount_bytes
    return int(np.ceil((gpus - 1) * hop_us * 1e6 + moved * 1e3 / bandwidth_GBps))


def row_passes_ps(
    gpu: Gpu, caps: Caps, rows: int, width: int, passes: float, fixed_us: float
) -> int:
    """Normalisation, activation and residual: passes over the rows, plus their launches."""
    if rows <= 0:
        return 0
    moved = (rows - 1) * width * 2 * passes
    return int(np.ceil(fixed_us * 1e6 + moved * 1e3 / (gpu.bandwidth_GBps * caps.memory)))
