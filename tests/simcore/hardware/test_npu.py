"""Accelerator chip: peaks, tiles and GEMVs with numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.hardware.npu import (
    TILE_MODELS,
    attention_ps,
    gemm_ps,
    gemv_cycles,
    peak_TMACps,
    tile_cost,
    tiles,
    vector_ps,
)
from simcore.scenario.schema import NpuChip

CHIP = NpuChip()


def test_peaks() -> None:
    """4 cores x 128 x 128 and 4 x 32 x 128 multiply-accumulates at 1 GHz."""
    array, trees = peak_TMACps(CHIP)
    assert array == pytest.approx(65.536)
    assert trees == pytest.approx(16.384)


def test_gemv_of_the_public_simulator() -> None:
    """8192 x 128 on one tree: 8192 x 1 + log2(128) + 1."""
    assert gemv_cycles(CHIP, 8192, 128) == 8200
    assert gemv_cycles(CHIP, 128, 8192) == 128 * 64 + 8


@pytest.mark.parametrize(
    ("batch", "cycles", "unit"), [(32, 128, "mv"), (64, 192, "mm"), (128, 256, "mm")]
)
def test_tile_cycles(batch: int, cycles: int, unit: str) -> None:
    """min(128 + B, 4 B) when the trees do not empty between tiles."""
    cost = tile_cost(CHIP, batch, "min_mm_mv", drain=False)
    assert (cost.cycles, cost.unit) == (cycles, unit)
    assert cost.mm_cycles == 128 + batch
    assert cost.mv_cycles == 4 * batch


def test_trees_that_empty_take_eight_cycles_more() -> None:
    assert tile_cost(CHIP, 32, "min_mm_mv").cycles == 136
    assert tile_cost(CHIP, 1, "min_mm_mv").cycles == 4 + 8


def test_other_tile_models() -> None:
    found = {model: tile_cost(CHIP, 32, model).cycles for model in TILE_MODELS}
    assert found == {"min_mm_mv": 136, "mm_overlap": 160, "mm_serial": 288, "bandwidth": 32}


def test_gemm_by_hand() -> None:
    """300 inputs and 500 outputs are 3 x 4 tiles, 3 rounds on 4 cores, 136 cycles each."""
    assert tiles(CHIP, 300, 500) == 12
    assert gemm_ps(CHIP, 300, 500, tile_cost(CHIP, 32, "min_mm_mv")) == 3 * 136 * 1000
    assert gemm_ps(CHIP, 300, 0, tile_cost(CHIP, 32, "min_mm_mv")) == 0


def test_weights_pass_at_half_a_terabyte_a_second() -> None:
    """128 cycles a tile of 16 KiB on 4 cores at 1 GHz: 512 GB/s in INT8."""
    cost = tile_cost(CHIP, 32, "min_mm_mv", drain=False)
    time = int(gemm_ps(CHIP, 12288, 12288, cost))
    assert 12288 * 12288 * 1e3 / time == pytest.approx(512.0)


def test_attention_by_hand() -> None:
    """2 heads, 3 sequences of 200 tokens: logits 600, attend 3 x 2 x 128, 6 x 8 to empty."""
    each = 600 + 3 * 2 * 128 + 2 * 3 * 8
    time = attention_ps(CHIP, 2, 600, 3 * 256, 128, 3)
    assert time == -(-2 * each // 128) * 1000


def test_vector_units() -> None:
    assert vector_ps(CHIP, 513, 3) == 2 * 3 * 1000
    assert vector_ps(CHIP, 0, 3) == 0


@given(
    batch=st.integers(1, 600),
    inputs=st.integers(1, 5000),
    outputs=st.integers(0, 5000),
    model=st.sampled_from(TILE_MODELS),
)
def test_never_faster_than_the_array_peak(
    batch: int, inputs: int, outputs: int, model: str
) -> None:
    time = int(gemm_ps(CHIP, inputs, outputs, tile_cost(CHIP, batch, model)))
    macs = batch * inputs * outputs
    assert time * peak_TMACps(CHIP)[0] >= macs * (1 - 1e-9)


@given(n=st.integers(0, 200), more=st.integers(0, 50), tokens=st.integers(1, 10_000))
def test_more_heads_never_take_less_time(n: int, more: int, tokens: int) -> None:
    times = attention_ps(CHIP, np.array([n, n + more]), tokens, tokens + 127, 128, 4)
    assert times[0] <= times[1]
