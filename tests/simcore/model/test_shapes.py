"""Weights and neurons by hand."""

from __future__ import annotations

from simcore.activations.space import neuron_space
from simcore.model import shapes
from tests.builders import LLAMA2_70B, TINY_MODEL


def test_bytes_of_a_neuron() -> None:
    """LLaMA2-70B: 3 x 8192 x 2 = 49,152 B; (8192 + 1024 + 1024) x 2 = 20,480 B."""
    assert shapes.mlp_neuron_bytes(LLAMA2_70B) == 49_152
    assert shapes.attention_neuron_bytes(LLAMA2_70B) == 20_480


def test_weights_of_llama2_70b() -> None:
    """138.0 GB in FP16, of which 80 x 8192^2 x 2 = 10.7 GB are projections."""
    assert round(shapes.weight_bytes(LLAMA2_70B) / 1e9, 1) == 138.0
    assert 80 * shapes.projection_bytes(LLAMA2_70B) == 10_737_418_240


def test_kv_of_a_token() -> None:
    """2 x 8 heads x 128 x 2 B = 4,096 B a layer."""
    assert shapes.kv_token_bytes(LLAMA2_70B) == 4096


def test_neurons_of_llama2_70b() -> None:
    """80 x (8,192 + 28,672) = 2,949,120."""
    space = neuron_space(LLAMA2_70B)
    assert space.neurons == 2_949_120
    assert space.columns == 36_864


def test_blocks_are_padded_to_pairs_of_words() -> None:
    space = neuron_space(TINY_MODEL)
    assert [(b.start, b.stop, b.neurons) for b in space.blocks] == [(0, 4, 192), (4, 16, 768)]
