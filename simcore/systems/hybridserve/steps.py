"""Phases of HybridServe: copies, regeneration and computation of mini-batches side by side.

Templates are kept: a search tries many numbers of mini-batches, and the next edit the same ones.
"""

from __future__ import annotations

from functools import lru_cache

from simcore.engine.phases import Group, Phase, Template
from simcore.results.spans import Lane, WaitReason
from simcore.systems.hybridserve.machine import DOWN, GPU, OP, OPS, UP

_FULL, _NEEDED = WaitReason.MEMORY_FULL, WaitReason.DEPENDENCY


@lru_cache(maxsize=64)
def decode_layer(lanes: tuple[Lane, ...], parts: int, again: str) -> Template:
    """A layer at decoding, `parts` mini-batches one after the other.

    While mini-batch k is computed, a part of the next layer's weights and the data of mini-batch
    k + 1 come in, after the last those of the next layer's first. There are two buffers for data:
    what comes for k + 1 lies where k - 1 was, and waits until its attention has been computed. The
    first mini-batch finds its data there at the start of the layer.

    Args:
        lanes: of the machine.
        parts: mini-batches.
        again: op that makes keys and values of what is cached, ``regenerate`` or ``recompute``.
    """
    groups: list[Group] = []
    for k in range(parts):
        groups.append(Group(f"weights.{k}", OP["stream"], (UP,)))
        ahead = (k + 1) % parts
        # Of three mini-batches and more, the one that used this buffer is still to be waited for.
        free = (f"attention.{k - 1}",) if k >= 1 else ()
        groups += [
            Group(f"load_act.{ahead}", OP["load_act"], (UP,), free, dict.fromkeys(free, _FULL)),
            Group(f"load_kv.{ahead}", OP["load_kv"], (UP,)),
        ]
        # The first mini-batch's data came during the layer before; ids of loads repeat with it.
        here = (f"load_act.{k}",) if k else ()
        there = (f"load_kv.{k}",) if k else ()
        groups += [
            Group(f"resident.{k}", OP[again], (GPU,)),
            Group(f"again.{k}", OP[again], (GPU,), here),
            Group(f"qkv.{k}", OP["qkv"], (GPU,)),
            Group(f"attention.{k}", OP["attention"], (GPU,), there),
            Group(f"projection.{k}", OP["projection"], (GPU,)),
            Group(f"mlp.{k}", OP["mlp"], (GPU,)),
            Group(f"store_kv.{k}", OP["store_kv"], (DOWN,), (f"qkv.{k}",)),
            Group(f"store_act.{k}", OP["store_act"], (DOWN,)),
        ]
    return Template((Phase("layer", tuple(groups), {UP: _NEEDED}),), lanes, OPS)


@lru_cache(maxsize=64)
def prefill_layer(lanes: tuple[Lane, ...], parts: int) -> Template:
    """A layer of prefill: chunks of prompts, the next layer's weights and the write-back beside.

    The last layer also brings what the first mini-batch of the first token needs, once the last
    chunk is stored.
    """
    groups: list[Group] = []
    for k in range(parts):
        groups += [
            Group(f"weights.{k}", OP["stream"], (UP,)),
            Group(f"run.{k}", OP["prefill"], (GPU,)),
            Group(f"store_kv.{k}", OP["store_kv"], (DOWN,), (f"run.{k}",)),
            Group(f"store_act.{k}", OP["store_act"], (DOWN,), (f"run.{k}",)),
        ]
    stored = (f"store_kv.{parts - 1}", f"store_act.{parts - 1}")
    groups += [
        Group("load_act", OP["load_act"], (UP,), stored),
        Group("load_kv", OP["load_kv"], (UP,), stored),
    ]
    return Template((Phase("layer", tuple(groups), {UP: _NEEDED}),), lanes, OPS)


@lru_cache(maxsize=64)
def first_weights(lanes: tuple[Lane, ...]) -> Template:
    """The first layer's weights, before anything can be computed."""
    stream = Group("weights", OP["stream"], (UP,))
    return Template((Phase("first", (stream,), {GPU: _NEEDED}),), lanes, OPS)


@lru_cache(maxsize=64)
def output_table(lanes: tuple[Lane, ...]) -> Template:
    """The next-token scores; the buffers hold the first layer's data already."""
    groups = (
        Group("head.run", OP["lm_head"], (GPU,)),
        Group("head.tokens", OP["tokens"], (DOWN,), ("head.run",)),
    )
    return Template((Phase("head", groups, {UP: _FULL}),), lanes, OPS)
