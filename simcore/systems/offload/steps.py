"""Phases of the offloading systems: what runs side by side, and what waits for what."""

from __future__ import annotations

from typing import TypedDict

from simcore.engine.phases import Group, Phase, Template
from simcore.results.spans import Lane, WaitReason
from simcore.systems.offload.machine import BLOCKS, DOWN, GPU, HOST, OP, OPS, UP


class Schedule(TypedDict):
    """Templates of the segments of a step, by field of the plan."""

    layer: Template
    tail: Template
    first: Template
    body: Template


def _waits(*lanes: int) -> dict[int, WaitReason]:
    return dict.fromkeys(lanes, WaitReason.DEPENDENCY)


def _streamed(name: str) -> tuple[Group, Group]:
    """A long copy, staged by the host as it goes."""
    return (
        Group(f"{name}.stage", OP["stage"], (HOST,)),
        Group(f"{name}.stream", OP["stream"], (UP,)),
    )


def _head(*before: Group, after: tuple[str, ...] = ()) -> Phase:
    """The output table on the GPU, then the new tokens to the host."""
    return Phase(
        "head",
        (
            *before,
            Group("head.run", OP["lm_head"], (GPU,), after),
            Group("head.tokens", OP["tokens"], (DOWN,), ("head.run",)),
        ),
    )


def _prefill(lanes: tuple[Lane, ...]) -> tuple[Template, Template]:
    """First layer's weights alone, then every layer beside the next one's weights."""
    first = Phase("first", _streamed("first"), _waits(GPU))
    body = Phase(
        "body",
        (
            *_streamed("body"),
            Group("body.run", OP["prefill"], (GPU,)),
            Group("body.store", OP["store_kv"], (DOWN,), ("body.run",)),
        ),
    )
    return Template((first,), lanes, OPS), Template((body,), lanes, OPS)


def flexgen(lanes: tuple[Lane, ...]) -> Schedule:
    """A layer is computed while the next one's weights and KV come in."""
    layer = Phase(
        "layer",
        (
            *_streamed("next"),
            Group("next.kv", OP["load_kv"], (UP,)),
            Group("qkv.run", OP["qkv"], (GPU,)),
            Group("attention.run", OP["attention"], (GPU,)),
            Group("projection.run", OP["projection"], (GPU,)),
            Group("mlp.run", OP["mlp"], (GPU,)),
            Group("new.kv", OP["store_kv"], (DOWN,), ("qkv.run",)),
        ),
    )
    first, body = _prefill(lanes)
    tail = Template((_head(*_streamed("next")),), lanes, OPS)
    return Schedule(layer=Template((layer,), lanes, OPS), tail=tail, first=first, body=body)


def _brought(name: str) -> tuple[Group, ...]:
    """Hooks, then a copy that takes host and link until it is done."""
    return (
        Group(f"{name}.hooks", OP["hooks"], (HOST,)),
        Group(f"{name}.stage", OP["stage"], (HOST,)),
        Group(f"{name}.stream", OP["stream"], (UP,), (f"{name}.hooks",)),
    )


def _in_turn(name: str, op: str) -> Phase:
    """Hooks, copy, compute, one after the other."""
    return Phase(
        name,
        (
            *_brought(name),
            Group(f"{name}.run", OP[op], (GPU,), (f"{name}.stream",)),
        ),
    )


def _attention(*beside: Group) -> Phase:
    return Phase(
        "attention",
        (Group("attention.run", OP["attention"], (GPU,)), *beside),
        _waits(UP, HOST),
    )


def accelerate(lanes: tuple[Lane, ...]) -> Schedule:
    """Every module is brought, computed and dropped in turn."""
    qkv, projection, mlp = (_in_turn(name, name) for name in BLOCKS)
    head = _head(
        *_brought("head"),
        after=("head.stream",),
    )
    body = Template((_in_turn("body", "prefill"),), lanes, OPS)
    layer = Template((qkv, _attention(), projection, mlp), lanes, OPS)
    return Schedule(layer=layer, tail=Template((head,), lanes, OPS), first=body, body=body)


def _sparse(name: str) -> Phase:
    """Predict, tell the host what is missing, fetch it or the whole block, compute."""
    return Phase(
        name,
        (
            Group(f"{name}.predict", OP["predict"], (GPU,)),
            Group(f"{name}.ask", OP["ask"], (DOWN,), (f"{name}.predict",)),
            Group(f"{name}.issue", OP["issue"], (HOST,), (f"{name}.ask",)),
            Group(f"{name}.stage", OP["stage"], (HOST,), (f"{name}.ask",)),
            Group(f"{name}.fetch", OP["fetch"], (UP,), (f"{name}.ask",)),
            Group(f"{name}.stream", OP["stream"], (UP,), (f"{name}.ask",)),
            Group(f"{name}.run", OP[name], (GPU,), (f"{name}.fetch", f"{name}.stream")),
        ),
    )


def dejavu(lanes: tuple[Lane, ...]) -> Schedule:
    """Sparse QKV and MLP with fetched neurons; a projection that did not fit comes beside."""
    projection = Phase(
        "projection",
        (Group("projection.run", OP["projection"], (GPU,)),),
        _waits(UP, HOST),
    )
    layer = (_sparse("qkv"), _attention(*_streamed("projection")), projection, _sparse("mlp"))
    first, body = _prefill(lanes)
    tail = Template((_head(),), lanes, OPS)
    return Schedule(layer=Template(layer, lanes, OPS), tail=tail, first=first, body=body)
