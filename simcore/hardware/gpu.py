"""Kernel times of a GPU."""

from __future__ import annotations

from numpy.typing import ArrayLike

from simcore.hardware.roofline import roofline_ps
from simcore.scenario.schema import Gpu
from simcore.units import Int64Array, us_to_ps


def kernel_ps(gpu: Gpu, amount_bytes: ArrayLike, flops: ArrayLike) -> Int64Array:
    """Time of one kernel: a launch, then the longer of reading and computing.

    Args:
        gpu: the GPU.
        amount_bytes: bytes read from GPU memory; any shape.
        flops: floating-point operations; same shape.
    """
    body = roofline_ps(amount_bytes, flops, gpu.bandwidth_GBps, gpu.fp16_TFLOPS * 1e3)
    total: Int64Array = body + us_to_ps(gpu.kernel_launch_us)
    return total


def memory_bytes(gpu: Gpu) -> int:
    """Capacity of one GPU in bytes."""
    return int(gpu.memory_GiB * 2**30)
