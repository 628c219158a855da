"""Weights, neurons and KV of a decoder-only transformer, in bytes and operations."""

from __future__ import annotations

from simcore.scenario.schema import Model


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


def layer_bytes(model: Model) -> int:
    """Matrix weights of one layer."""
    return (
        model.hidden * attention_neuron_bytes(model)
        + projection_bytes(model)
        + model.ffn * mlp_neuron_bytes(model)
    )


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
