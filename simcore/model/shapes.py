"""Weights, neurons and KV of a decoder-only transformer, in bytes and operations.

Where an MLP is a mixture of experts, every expert is stored, a token multiplies those the router
picks for it, and a batch reads each expert once that any of its tokens needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.fields import Provenance, SourceClass
from simcore.scenario.schema import Model

EXPERTS_SOURCE = Provenance(
    SourceClass.DERIVED,
    "every token picks k of E experts independently of other tokens, each set alike: an expert is "
    "left out by T tokens with probability (1 - k/E)^T, so E * (1 - (1 - k/E)^T) are read. It is "
    "what training asks of a router (Switch Transformer, arXiv 2101.03961, 2.2), yet neighbouring "
    "tokens favour the same experts (Mixtral, arXiv 2401.04088, 5), so a real batch reads fewer",
)
"""How many experts a batch reads."""
ROUTER_KERNELS = 2
"""Kernels a mixture adds to an MLP: the router's product; choosing experts and sorting tokens."""


def qkv_width(model: Model) -> int:
    """Outputs of the QKV projection: queries, keys and values."""
    return (model.heads + 2 * model.kv_heads) * model.head_dim


def attention_width(model: Model) -> int:
    """Width of the concatenated heads, the input of the output projection."""
    return model.heads * model.head_dim


def attention_neuron_bytes(model: Model) -> int:
    """Weights of one attention neuron: one input channel of Q, K and V."""
    return qkv_width(model) * model.bytes_per_weight


def mlp_neuron_bytes(model: Model) -> int:
    """Weights of one MLP neuron: its column in every MLP matrix."""
    return model.ffn_matrices * model.hidden * model.bytes_per_weight


def projection_bytes(model: Model) -> int:
    """Weights of the attention output projection of one layer."""
    return attention_width(model) * model.hidden * model.bytes_per_weight


def attention_weight_bytes(model: Model) -> int:
    """Weights of QKV and output projection of one layer."""
    return model.hidden * attention_neuron_bytes(model) + projection_bytes(model)


def expert_bytes(model: Model) -> int:
    """Weights of one expert; of the whole MLP where there is one."""
    return model.ffn * mlp_neuron_bytes(model)


def router_bytes(model: Model) -> int:
    """Weights that pick the experts of a token; none in a dense model."""
    return 0 if model.experts == 1 else model.hidden * model.experts * model.bytes_per_weight


def mlp_bytes(model: Model) -> int:
    """All MLP weights of one layer: every expert, and the router."""
    return model.experts * expert_bytes(model) + router_bytes(model)


def mlp_token_bytes(model: Model) -> int:
    """MLP weights of one layer that one token is multiplied with."""
    return model.experts_per_token * expert_bytes(model) + router_bytes(model)


def distinct_experts(model: Model, tokens: Any) -> NDArray[np.float64]:
    """Expected number of experts of one layer that so many tokens need (`EXPERTS_SOURCE`).

    Args:
        model: the model.
        tokens: tokens computed together, any shape.
    """
    count = np.asarray(tokens, np.float64)
    unused = (1.0 - model.experts_per_token / model.experts) ** count
    return model.experts * (1.0 - unused)


def mlp_read_bytes(model: Model, tokens: Any) -> Any:
    """MLP weights of one layer that are read for so many tokens together.

    A dense model reads all of them; an int. Else whole bytes in the shape of `tokens`.
    """
    if model.experts == 1:
        return expert_bytes(model)
    count = np.asarray(tokens)
    read = np.rint(distinct_experts(model, count) * expert_bytes(model)).astype(np.int64)
    return read + router_bytes(model) * (count > 0)


def mlp_activation_width(model: Model) -> int:
    """Values of one token between the matrices of its MLP, gate included, all its experts."""
    return (model.ffn_matrices - 1) * model.ffn * model.experts_per_token


def mlp_kernels(model: Model, dense: int) -> int:
    """Kernels of an MLP that takes so many in a dense model."""
    return dense if model.experts == 1 else dense + ROUTER_KERNELS


def layer_bytes(model: Model) -> int:
    """Matrix weights of one layer."""
    return attention_weight_bytes(model) + mlp_bytes(model)


def layer_token_bytes(model: Model) -> int:
    """Matrix weights of one layer that one token is multiplied with."""
    return attention_weight_bytes(model) + mlp_token_bytes(model)


def layer_read_bytes(model: Model, tokens: Any) -> Any:
    """Matrix weights of one layer that are read for so many tokens together."""
    return attention_weight_bytes(model) + mlp_read_bytes(model, tokens)


def table_bytes(model: Model) -> int:
    """Embedding and output tables (one when tied)."""
    tables = 1 if model.tied_embeddings else 2
    return tables * model.vocab * model.hidden * model.bytes_per_weight


def lm_head_bytes(model: Model) -> int:
    """The output table, read once a step."""
    return model.vocab * model.hidden * model.bytes_per_weight


def weight_bytes(model: Model) -> int:
    """All matrix weights and tables."""
    return model.layers * layer_bytes(model) + table_bytes(model)


def kv_token_bytes(model: Model) -> int:
    """Keys and values of one token in one layer."""
    return 2 * model.kv_heads * model.head_dim * model.bytes_per_kv


def queries_per_kv_head(model: Model) -> int:
    """Query heads that share one key/value head."""
    return model.heads // model.kv_heads


def parameters(model: Model) -> int:
    """Weights of the model, tables once each; norms, biases and position tables left out."""
    return weight_bytes(model) // model.bytes_per_weight


def active_parameters(model: Model) -> int:
    """Weights one token meets, tables as in `parameters`."""
    active = model.layers * layer_token_bytes(model) + table_bytes(model)
    return active // model.bytes_per_weight
