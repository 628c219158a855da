"""What a GPU's kernels reach of its peaks, over rows and over size.

The two kernel models in use are one formula here: a launch, then the longer of reading and
computing, each at a share of its peak (`Caps`) that also depends on how many multiprocessors the
thread blocks of the shape keep busy. With caps of 1 and no multiprocessors it is the plain roofline
(`gpu.kernel_ps`). Nothing is fitted here; the caps are scenario fields with sources of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.hardware.derivation import Derivation
from simcore.hardware.gpu_kernels import Caps, fc_ps
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import Gpu, Scenario
from simcore.units import us_to_ps

FloatArray = NDArray[np.float64]

PLAIN = Caps(memory=1.0, compute=1.0, processors=0, gemv_tile=8, gemm_tile=64)
"""Both peaks, no grain of thread blocks."""


@dataclass(frozen=True, slots=True)
class KernelModel:
    """How a system times the kernels of its GPU.

    Attributes:
        caps: what kernels reach of the peaks.
        launch_us: fixed time of a kernel.
    """

    caps: Caps
    launch_us: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A matrix times rows, for several shapes; all arrays have shape (n,).

    Attributes:
        rows, inputs, outputs: shape of each product.
        amount_bytes, flops: what it reads (the matrix) and computes.
        time_ps: launch included.
    """

    rows: NDArray[np.int64]
    inputs: NDArray[np.int64]
    outputs: NDArray[np.int64]
    amount_bytes: FloatArray
    flops: FloatArray
    time_ps: NDArray[np.int64]

    @property
    def GBps(self) -> FloatArray:
        """Rate at which the matrix is read."""
        return np.asarray(self.amount_bytes * 1e3 / self.time_ps)

    @property
    def TFLOPS(self) -> FloatArray:
        """Rate of computing."""
        return np.asarray(self.flops / self.time_ps)

    @property
    def intensity(self) -> FloatArray:
        """Operations a byte."""
        return np.asarray(self.flops / self.amount_bytes)


def kernel_model(scenario: Scenario) -> KernelModel:
    """How the scenario's system times kernels: knobs of its policy where it has them."""
    gpu, policy = scenario.hardware.gpu, scenario.policy
    if hasattr(policy, "processors"):  # serving systems: caps and waves, no launch
        caps = Caps(
            policy.memory_efficiency,
            policy.compute_efficiency,
            policy.processors,
            policy.gemv_tile,
            policy.gemm_tile,
        )
        return KernelModel(caps, 0.0)
    launch = (gpu.kernel_launch_us if gpu else 0.0) + getattr(policy, "dispatch_us", 0.0)
    memory = getattr(policy, "memory_efficiency", 1.0)
    return KernelModel(Caps(memory, 1.0, 0, PLAIN.gemv_tile, PLAIN.gemm_tile), launch)


def curve(
    gpu: Gpu,
    model: KernelModel,
    rows: ArrayLike,
    inputs: ArrayLike,
    outputs: ArrayLike,
    bytes_each: int = 2,
) -> Curve:
    """Matrices times rows, one product after the other.

    Args:
        gpu: one GPU.
        model: how kernels are timed.
        rows: rows of the activations, at least 1.
        inputs, outputs: shape of the matrix; broadcast with `rows`.
        bytes_each: bytes of a weight.
    """
    r, k, n = np.broadcast_arrays(
        np.asarray(rows, np.int64), np.asarray(inputs, np.int64), np.asarray(outputs, np.int64)
    )
    r, k, n = (np.atleast_1d(a).reshape(-1) for a in (r, k, n))
    body = [
        fc_ps(gpu, model.caps, int(a), float(b), float(c), bytes_each) for a, b, c in zip(r, k, n)
    ]
    time = np.array(body, np.int64) + us_to_ps(model.launch_us)
    amount = k.astype(np.float64) * n * bytes_each
    return Curve(r, k, n, amount, 2.0 * r * k * n, time)


def gemv_curve(gpu: Gpu, model: KernelModel, widths: ArrayLike, bytes_each: int = 2) -> Curve:
    """A square matrix of each width times one row: what decoding one sequence does."""
    return curve(gpu, model, 1, widths, widths, bytes_each)


def gemm_curve(
    gpu: Gpu, model: KernelModel, rows: ArrayLike, width: int, bytes_each: int = 2
) -> Curve:
    """One square matrix times more and more rows: what batching and prompts do."""
    return curve(gpu, model, rows, width, width, bytes_each)


def derivations(gpu: Gpu, model: KernelModel) -> tuple[Derivation, ...]:
    """Ridge of the roofline, the size that hides a launch, and room for the model."""
    derived, formula = SourceClass.DERIVED, "time = launch + max(bytes / rate, FLOP / rate)"
    read, compute = gpu.bandwidth_GBps * model.caps.memory, gpu.fp16_TFLOPS * model.caps.compute
    return (
        Derivation(
            "memory, sustained by long kernels",
            f"{gpu.bandwidth_GBps:g} GB/s x {model.caps.memory:g}",
            read,
            "GB/s",
            derived,
            formula,
            True,
        ),
        Derivation(
            "FP16, sustained by long kernels",
            f"{gpu.fp16_TFLOPS:g} TFLOPS x {model.caps.compute:g}",
            compute,
            "TFLOPS",
            derived,
            formula,
            True,
        ),
        Derivation(
            "ridge: rows a matrix needs to be bound by compute",
            f"{compute:g} TFLOPS / {read:g} GB/s x 2 B / 2 FLOP",
            1e3 * compute / read,
            "rows",
            derived,
            "FP16 weights: a byte gives as many operations as there are rows",
        ),
        Derivation(
            "matrix that takes as long to read as to launch",
            f"{read:g} GB/s x {model.launch_us:g} us",
            read * model.launch_us / 1e3,
            "MB",
            derived,
            formula,
        ),
        Derivation(
            "room for weights, keys and values",
            f"{gpu.memory_GiB:g} GiB - {gpu.reserve_GB:g} GB",
            gpu.memory_GiB * 2**30 / 1e9 - gpu.reserve_GB,
            "GB",
            derived,
            "what is kept for buffers, context and activations is not for the model",
            True,
        ),
    )
