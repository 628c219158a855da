"""Mixtures of experts by hand: what is stored, what a batch reads, what a token multiplies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.hardware.gpu_kernels import Caps, fc_ps
from simcore.model import shapes
from simcore.scenario.presets import preset
from simcore.scenario.schema import Gpu, Model
from tests.builders import LLAMA2_70B

EXPERT = 352_321_536
"""3 matrices of 4096 x 14336 in FP16."""
ROUTER = 65_536
"""4096 x 8 in FP16."""


def mixtral() -> Model:
    values = {k: v for k, v in preset("model", "mixtral-8x7b").values.items() if k != "stats"}
    return Model(**values)


def test_every_expert_is_stored() -> None:
    """8 x 352,321,536 + 65,536 B a layer beside 83,886,080 B of attention; 46.70 G weights."""
    model = mixtral()
    assert shapes.expert_bytes(model) == EXPERT
    assert shapes.router_bytes(model) == ROUTER
    assert shapes.mlp_bytes(model) == 2_818_572_288 + ROUTER
    assert shapes.layer_bytes(model) == 2_818_637_824 + 83_886_080
    assert shapes.weight_bytes(model) == 32 * 2_902_523_904 + 2 * 32_000 * 4096 * 2
    assert round(shapes.parameters(model) / 1e9, 2) == 46.70


def test_a_token_meets_two_of_them() -> None:
    """2 x 352,321,536 + 65,536 B a layer; 12.88 G weights."""
    model = mixtral()
    assert shapes.mlp_token_bytes(model) == 704_708_608
    assert shapes.layer_token_bytes(model) == 704_708_608 + 83_886_080
    assert round(shapes.active_parameters(model) / 1e9, 2) == 12.88


@pytest.mark.parametrize(
    ("tokens", "experts", "read"),
    [
        # 8 x (1 - 0.75) = 2
        (1, 2.0, 704_708_608),
        # 8 x (1 - 0.75^2) = 3.5: the second token shares half an expert with the first
        (2, 3.5, 1_233_125_376 + ROUTER),
        # 8 x (1 - 0.75^4) = 5.46875
        (4, 5.46875, 1_926_758_400 + ROUTER),
        # 0.75^32 = 1.004524e-4, so 7.999196381 of 8: 2,818,572,288 - 283,132 B
        (32, 7.999196381, 2_818_289_156 + ROUTER),
        (0, 0.0, 0),
    ],
)
def test_experts_a_batch_reads(tokens: int, experts: float, read: int) -> None:
    model = mixtral()
    assert shapes.distinct_experts(model, tokens) == pytest.approx(experts, rel=1e-9)
    assert int(shapes.mlp_read_bytes(model, tokens)) == pytest.approx(read, abs=1)
    many = shapes.mlp_read_bytes(model, np.array([[tokens, 1]]))
    assert many.shape == (1, 2)
    assert many[0, 1] == 704_708_608
    attention = 83_886_080
    assert int(shapes.layer_read_bytes(model, tokens)) == pytest.approx(read + attention, abs=1)


_MIXTURES = st.tuples(st.integers(2, 512), st.integers(1, 512), st.integers(1, 4000)).map(
    lambda t: replace(mixtral(), experts=t[0], experts_per_token=min(t[1], t[0]), ffn=t[2])
)


@given(_MIXTURES, st.integers(1, 10_000))
def test_between_one_tokens_and_all(model: Model, tokens: int) -> None:
    read = int(shapes.mlp_read_bytes(model, tokens))
    assert shapes.mlp_token_bytes(model) <= read <= shapes.mlp_bytes(model)
    assert read <= int(shapes.mlp_read_bytes(model, tokens + 1))
    # No more than every token its own experts.
    assert read - shapes.router_bytes(model) <= tokens * (
        shapes.mlp_token_bytes(model) - shapes.router_bytes(model)
    )


@given(_MIXTURES)
def test_a_large_batch_reads_all(model: Model) -> None:
    assert int(shapes.mlp_read_bytes(model, 10**6)) == shapes.mlp_bytes(model)


@given(_MIXTURES, st.integers(1, 1000))
def test_all_experts_for_every_token_is_one_wide_mlp(model: Model, tokens: int) -> None:
    every = replace(model, experts_per_token=model.experts)
    wide = replace(model, experts=1, experts_per_token=1, ffn=model.ffn * model.experts)
    router = shapes.router_bytes(every)
    assert int(shapes.mlp_read_bytes(every, tokens)) == shapes.mlp_bytes(wide) + router
    assert shapes.mlp_token_bytes(every) == shapes.mlp_token_bytes(wide) + router
    assert shapes.mlp_activation_width(every) == shapes.mlp_activation_width(wide)


def test_one_expert_is_a_dense_model() -> None:
    model = LLAMA2_70B
    assert model.experts == model.experts_per_token == 1
    dense = model.ffn * shapes.mlp_neuron_bytes(model)
    assert shapes.mlp_bytes(model) == shapes.mlp_token_bytes(model) == dense
    assert shapes.mlp_read_bytes(model, np.array([1, 7])) == dense
    assert type(shapes.mlp_read_bytes(model, 3)) is int
    assert (shapes.distinct_experts(model, [1, 2, 1000]) == 1.0).all()
    assert shapes.mlp_kernels(model, 5) == 5


@given(st.integers(1, 5000), st.integers(1, 30_000), st.integers(1, 30_000))
def test_kernel_of_one_matrix_is_that_of_a_dense_layer(
    rows: int, inputs: int, outputs: int
) -> None:
    """Bit for bit: rows * 1 / 1.0 in one matrix, as the mixture's call has it with one expert."""
    gpu, caps = Gpu(), Caps(0.85, 0.8, 108, 32, 128)
    dense = fc_ps(gpu, caps, rows, inputs, outputs, 2)
    assert fc_ps(gpu, caps, rows * 1 / 1.0, inputs, outputs, 2, 1.0) == dense


def test_kernel_of_several_matrices() -> None:
    """1000 GB/s, 100 TFLOPS, no grain: 3 matrices of 1000 x 2000 in FP16 are read in 12 us;
    with 400 rows each 3 x 2 x 400 x 2e6 = 4.8 GFLOP take 48 us."""
    gpu = Gpu(bandwidth_GBps=1000, fp16_TFLOPS=100)
    caps = Caps(1.0, 1.0, 0, 1, 1)
    assert fc_ps(gpu, caps, 1, 1000, 2000, 2, 3.0) == 12_000_000
    assert fc_ps(gpu, caps, 400, 1000, 2000, 2, 3.0) == 48_000_000
    # 100 processors, a block of 20 columns: 1 x 50 blocks keep half of them busy, 2 x 50 all.
    grained = Caps(1.0, 1.0, 100, 20, 20)
    assert fc_ps(gpu, grained, 1, 1000, 1000, 2, 1.0) == 4_000_000
    assert fc_ps(gpu, grained, 1, 1000, 1000, 2, 2.0) == 4_000_000
