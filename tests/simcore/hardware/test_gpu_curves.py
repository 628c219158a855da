"""Achieved rates of GPU kernels over rows and size."""

import numpy as np
import pytest

from simcore.hardware import gpu as gpu_model
from simcore.hardware.gpu_curves import (
    PLAIN,
    KernelModel,
    curve,
    derivations,
    gemm_curve,
    gemv_curve,
    kernel_model,
)
from simcore.hardware.gpu_kernels import Caps
from simcore.scenario.schema import Gpu
from tests.builders import LLAMA2_70B, hermes

GPU = Gpu(bandwidth_GBps=1000, fp16_TFLOPS=100)
MODEL = KernelModel(PLAIN, 10.0)


def test_a_gemv_by_hand():
    # 4096 x 4096 x 2 B = 33.55 MB at 1 TB/s: 33.55 us, and a launch of 10 us.
    found = gemv_curve(GPU, MODEL, [4096])
    assert found.time_ps[0] == pytest.approx(43.554e6, abs=1e3)
    assert found.GBps[0] == pytest.approx(33.554 / 43.554 * 1000, rel=1e-4)
    assert found.intensity[0] == 1.0


def test_it_is_the_kernel_of_the_plain_systems():
    gpu = Gpu(kernel_launch_us=2.5)
    found = curve(gpu, KernelModel(PLAIN, gpu.kernel_launch_us), [1, 7, 900], 5120, [13824] * 3)
    plain = gpu_model.kernel_ps(gpu, found.amount_bytes, found.flops)
    assert np.abs(found.time_ps - plain).max() <= 1


def test_gemv_approaches_the_memory_and_gemm_the_compute_peak():
    gemv = gemv_curve(GPU, MODEL, 2 ** np.arange(6, 16))
    assert (np.diff(gemv.GBps) > 0).all()
    assert gemv.GBps[0] < 1
    assert 990 < gemv.GBps[-1] < 1000
    gemm = gemm_curve(GPU, MODEL, 2 ** np.arange(0, 13), 8192)
    assert (np.diff(gemm.TFLOPS) >= 0).all()
    assert 99 < gemm.TFLOPS[-1] <= 100
    # Below the ridge of 100 rows it reads all the time.
    below = gemm.rows < 100
    assert gemm.GBps[below].min() > 900
    assert gemm.GBps[~below].max() < 800


def test_half_a_wave_reaches_half_the_memory():
    # 54 tiles of 8 columns on 108 multiprocessors.
    caps = Caps(0.85, 0.8, 108, 8, 64)
    found = curve(GPU, KernelModel(caps, 0.0), 1, 65536, 54 * 8)
    assert found.GBps[0] == pytest.approx(850 / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("system", "memory", "launch"),
    [("hermes", 1.0, 1.0), ("l3", 0.85, 0.0), ("flexgen", 1.0, 61.0), ("tensorrt-llm", 0.9, 1.0)],
)
def test_each_system_has_the_model_it_simulates_with(system, memory, launch):
    scenario = hermes(system=system, model=LLAMA2_70B)
    found = kernel_model(scenario)
    assert found.launch_us == pytest.approx(launch)
    wanted = getattr(scenario.policy, "memory_efficiency", memory)
    assert found.caps.memory == wanted


def test_derivations_by_hand():
    values = {d.what.split(":")[0]: d.value for d in derivations(GPU, MODEL)}
    assert values["ridge"] == pytest.approx(100)
    assert values["matrix that takes as long to read as to launch"] == pytest.approx(10.0)
    assert values["room for weights, keys and values"] == pytest.approx(24 * 1.073741824 - 2)
