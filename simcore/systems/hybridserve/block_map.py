"""The block map of a step: requests by blocks, each with its type, place and physical number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.placement.blocks import LIGHT, ON_GPU, BlockTable, block_table
from simcore.systems.hybridserve.caching import ACT, TOKENS, Cache, Settings

KINDS = ("kv_host", "kv_gpu", "act_host", "act_gpu", "again", "none")
TITLES = (
    "KV on the host",
    "KV on the GPU",
    "activations on the host",
    "activations on the GPU",
    "computed again",
    "not there yet",
)
AGAIN, NONE = KINDS.index("again"), KINDS.index("none")


@dataclass(frozen=True, slots=True)
class BlockMap:
    """Blocks at one step.

    Attributes:
        kind: (requests, blocks) index into KINDS; columns up to the end of the run.
        table: type, place and number behind it.
        tokens: tokens of a block.
    """

    kind: NDArray[np.uint8]
    table: BlockTable
    tokens: int

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the kinds."""
        return KINDS

    @property
    def titles(self) -> tuple[str, ...]:
        """Names of the kinds."""
        return TITLES


def block_map(cache: Cache, chosen: Settings, context: int) -> BlockMap:
    """The map while every request has so many tokens more than its prompt.

    Args:
        cache: lengths and what light blocks hold.
        chosen: the setting of the run.
        context: tokens of the longest request.
    """
    each = cache.policy.block_tokens
    longest = int(cache.prompts.max())
    table = block_table(
        cache.prompts + (context - longest),
        cache.prompts,
        float(chosen.share[0]),
        int(chosen.light_quota[0]),
        int(chosen.kv_quota[0]),
        each,
        prefix=cache.light_is == TOKENS,
        width=-(-(longest + cache.output_tokens) // each),
    )
    light = table.type == LIGHT
    kind = np.where(table.place == ON_GPU, 1, 0) + np.where(light, 2, 0)
    if cache.light_is != ACT:
        kind = np.where(light, AGAIN, kind)
    return BlockMap(np.where(table.type < 0, NONE, kind).astype(np.uint8), table, each)
