"""Token blocks of two types in two places: how many of each a request has, and a block table.

A request of n tokens has ceil(n / block) blocks, the last one partly filled. Every r-th of them is
*light* (activations, or tokens to compute again), the others hold keys and values; new blocks keep
the ratio. Block j of request i is light when floor(r j + o_i) grows there, o_i being an offset that
differs from request to request so that shares finer than a block are met over all of them. A
request's first blocks of a type lie on the GPU, as many as its quota says.

A block has its type and place from when it is made to the end, so a block table at one time is the
beginning of every later one. Vectorised over any leading axes (steps, candidates) and requests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]

KV, LIGHT = 0, 1
"""Types of a block."""
ON_HOST, ON_GPU = 0, 1
"""Places of a block."""


def offsets(requests: int) -> Float:
    """Offset of each request inside a block, evenly spread below 1; 0.5 for a single one."""
    return (np.arange(requests) + 0.5) / requests


def light_blocks(share: ArrayLike, blocks: ArrayLike, requests: int) -> Int:
    """Light blocks among the first `blocks` of each request.

    Args:
        share: from 0 to 1; shape (..., 1) against (..., requests).
        blocks: (..., requests).
        requests: how many there are.
    """
    grown = np.asarray(share, np.float64) * np.asarray(blocks) + offsets(requests)
    # A share such as 3/64 of 64 blocks must not lose one to rounding.
    found = np.floor(grown + 1e-9).astype(np.int64)
    return np.minimum(found, np.asarray(blocks, np.int64))


def even_quota(blocks: ArrayLike, room: ArrayLike) -> Int:
    """The largest number of blocks every request may place where there is room for so many.

    Args:
        blocks: (rows, requests) blocks each request has in the end.
        room: (rows,) blocks there is room for, zero or more.

    Returns:
        (rows,) quota q with sum(min(blocks, q)) <= room, at most the largest number of blocks.
    """
    counts, free = np.asarray(blocks, np.int64), np.asarray(room, np.int64)
    low = np.zeros(len(counts), np.int64)
    high = counts.max(axis=1)
    while (low < high).any():  # bisection, all rows together
        middle = (low + high + 1) // 2
        fits = np.minimum(counts, middle[:, None]).sum(axis=1) <= free
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    return low


@dataclass(frozen=True, slots=True)
class BlockTokens:
    """Tokens of each request by type and place, all (..., requests).

    Attributes:
        kv_host, kv_gpu: as keys and values.
        light_host, light_gpu: as something smaller that keys and values are made of.
        newest_light, newest_host: whether the block of the newest token is light, is on the host.
    """

    kv_host: Int
    kv_gpu: Int
    light_host: Int
    light_gpu: Int
    newest_light: NDArray[np.bool_]
    newest_host: NDArray[np.bool_]

    @property
    def light(self) -> Int:
        """Light tokens in both places."""
        return self.light_host + self.light_gpu


def block_tokens(
    contexts: ArrayLike,
    share: ArrayLike,
    light_quota: ArrayLike,
    kv_quota: ArrayLike,
    block: int,
    *,
    prefix: bool = False,
) -> BlockTokens:
    """Count tokens by type and place.

    Args:
        contexts: (..., requests) tokens of each request, at least one.
        share: (..., 1) share of light blocks.
        light_quota, kv_quota: (..., 1) or (..., requests) blocks of a type each may have on the
            GPU.
        block: tokens of a block.
        prefix: light blocks are the first of each request, not evenly spread.
    """
    n = np.asarray(contexts, np.int64)
    requests = n.shape[-1]
    blocks = -(-n // block)
    tail = n - (blocks - 1) * block
    full_light = light_blocks(share, blocks - 1, requests)
    is_light = light_blocks(share, blocks, requests) > full_light
    if prefix:
        full_light = full_light + is_light
        is_light = full_light == blocks
        full_light = full_light - is_light
    full_kv = blocks - 1 - full_light

    def split(full: Int, newest: NDArray[np.bool_], quota: ArrayLike) -> tuple[Int, Int]:
        """Tokens of a type on the host and on the GPU."""
        room = np.asarray(quota, np.int64)
        on_gpu = np.minimum(full, room) * block + np.where(newest & (full < room), tail, 0)
        return full * block + np.where(newest, tail, 0) - on_gpu, on_gpu

    kv_host, kv_gpu = split(full_kv, ~is_light, kv_quota)
    light_host, light_gpu = split(full_light, is_light, light_quota)
    light_room, kv_room = np.asarray(light_quota, np.int64), np.asarray(kv_quota, np.int64)
    on_host = np.where(is_light, full_light >= light_room, full_kv >= kv_room)
    return BlockTokens(kv_host, kv_gpu, light_host, light_gpu, is_light, on_host)


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Every block of every request, all (requests, blocks).

    Attributes:
        type: KV or LIGHT; -1 for blocks that are not there yet.
        place: ON_HOST or ON_GPU; -1 likewise.
        number: physical number inside its pool (one a type and place), in order of making.
    """

    type: NDArray[np.int8]
    place: NDArray[np.int8]
    number: NDArray[np.int32]


def block_table(
    contexts: ArrayLike,
    prompts: ArrayLike,
    share: float,
    light_quota: ArrayLike,
    kv_quota: ArrayLike,
    block: int,
    *,
    prefix: bool = False,
    width: int = 0,
) -> BlockTable:
    """The block table of requests of some lengths.

    Args:
        contexts, prompts: (requests,) tokens now and at the beginning; prompts' blocks are made
            request by request, later ones token by token.
        share, light_quota, kv_quota, block: as in `block_tokens`.
        prefix: light blocks come first instead of evenly spread (they are then chosen anew as the
            request grows, which costs nothing where light blocks hold nothing).
        width: columns; 0 for as many as the longest request has blocks.
    """
    n, first = np.asarray(contexts, np.int64), np.asarray(prompts, np.int64)
    requests = len(n)
    blocks = -(-n // block)
    columns = width or int(blocks.max())
    j = np.arange(columns)
    there = j[None, :] < blocks[:, None]
    upto = light_blocks(share, np.broadcast_to(j[:, None] + 1, (columns, requests)), requests).T
    before = np.concatenate([np.zeros((requests, 1), np.int64), upto[:, :-1]], axis=1)
    if prefix:
        light = j[None, :] < light_blocks(share, blocks, requests)[:, None]
        rank = np.asarray(np.cumsum(light, axis=1) - light, np.int64)
    else:
        light, rank = upto > before, np.asarray(before, np.int64)
    light_room, kv_room = (
        np.broadcast_to(np.asarray(q, np.int64), (requests,)) for q in (light_quota, kv_quota)
    )
    on_gpu = np.where(light, rank < light_room[:, None], (j[None, :] - rank) < kv_room[:, None])
    born = np.maximum(j[None, :] * block + 1 - first[:, None], 0)  # step that makes it
    request = np.broadcast_to(np.arange(requests)[:, None], there.shape)
    order = np.lexsort((np.broadcast_to(j, there.shape).ravel(), request.ravel(), born.ravel()))
    pool = (2 * light + on_gpu).ravel()[order]
    known = there.ravel()[order]
    number = np.full(there.size, -1, np.int64)
    for which in range(4):
        mine = order[known & (pool == which)]
        number[mine] = np.arange(len(mine))
    return BlockTable(
        np.where(there, light, -1).astype(np.int8),
        np.where(there, on_gpu, -1).astype(np.int8),
        number.reshape(there.shape).astype(np.int32),
    )
