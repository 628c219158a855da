"""Who is served when, for systems that decode over a KV cache on the GPU alone.

A schedule does not depend on times, since all requests are there from the start: it is made before
the run, one row an iteration.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simcore.results.run import KIND_DECODE, KIND_PREFILL
from simcore.systems.hybridserve.machine import Int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Iterations of a run, arrays of shape (iterations,).

    Attributes:
        kind: prefill or decode.
        requests: requests prefilled or decoded.
        tokens: tokens computed at prefill; tokens attended to at decoding, new ones included.
        squares: sum of squared prompt lengths at prefill.
        longest: longest context among them.
        out_tokens, in_tokens: tokens whose keys and values leave the GPU, come back, before it.
        gpu_tokens, host_tokens: tokens held after it.
    """

    kind: Int
    requests: Int
    tokens: Int
    squares: Int
    longest: Int
    out_tokens: Int
    in_tokens: Int
    gpu_tokens: Int
    host_tokens: Int

    def __len__(self) -> int:
        return len(self.kind)


class _Rows:
    """Rows being collected, some iterations at a time."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Int]] = {field.name: [] for field in fields(Schedule)}

    def add(self, rows: int, **values: Int | int) -> None:
        for name, parts in self._parts.items():
            parts.append(np.broadcast_to(np.asarray(values.get(name, 0), np.int64), (rows,)))

    def schedule(self) -> Schedule:
        return Schedule(**{name: np.concatenate(parts) for name, parts in self._parts.items()})


def in_groups(prompts: Int, output_tokens: int, group: int) -> Schedule:
    """Groups of requests one after the other, each from its prompts to its last token."""
    rows = _Rows()
    for start in range(0, len(prompts), group):
        mine = prompts[start : start + group]
        count, total, longest = len(mine), int(mine.sum()), int(mine.max())
        rows.add(
            1,
            kind=KIND_PREFILL,
            requests=count,
            tokens=total,
            squares=int((mine**2).sum()),
            longest=longest,
            gpu_tokens=total,
        )
        step = np.arange(1, output_tokens + 1)
        held = total + step * count
        rows.add(
            output_tokens,
            kind=KIND_DECODE,
            requests=count,
            tokens=held,
            longest=longest + step,
            gpu_tokens=held,
        )
    return rows.schedule()


def swapping(
    prompts: Int,
    output_tokens: int,
    blocks: int,
    block: int,
    *,
    watermark: float,
    prefill_tokens: int,
) -> Schedule | None:
    """Continuous batching as vLLM's first scheduler does it, with preemption by swapping.

    Swapped requests come back before new ones are let in; new ones are let in, oldest first, while
    their prompts fit and some blocks stay free; prefill goes before decoding. When a token finds no
    block, the youngest request leaves with its keys and values.

    Args:
        prompts: (requests,) prompt lengths.
        output_tokens: tokens to come.
        blocks, block: blocks on the GPU, tokens of one.
        watermark: share of the blocks that stays free when a request comes in.
        prefill_tokens: most prompt tokens of an iteration, at least one prompt.

    Returns:
        The schedule; None if a request alone does not fit.
    """
    requests = len(prompts)
    if -(-(int(prompts.max()) + output_tokens) // block) > blocks:
        return None
    room = blocks - int(watermark * blocks)
    context, left = prompts.copy(), np.full(requests, output_tokens, np.int64)
    running: list[int] = []
    swapped: list[int] = []
    waiting = list(range(requests))
    rows = _Rows()

    def used(which: list[int], more: int = 0) -> int:
        return int((-(-(context[which] + more) // block)).sum()) if which else 0

    def held(which: list[int]) -> int:
        return int(context[which].sum()) if which else 0

    while running or swapped or waiting:
        came = gone = 0
        while swapped and _comes(used(running), used(swapped[:1]), room, not running):
            came += int(context[swapped[0]])
            running = sorted([*running, swapped.pop(0)])
        if waiting and not swapped:
            taken: list[int] = []
            while waiting and _comes(
                used(running + taken), used(waiting[:1]), room, not running + taken
            ):
                if taken and int(prompts[taken].sum() + prompts[waiting[0]]) > prefill_tokens:
                    break
                taken.append(waiting.pop(0))
            if taken:
                mine = prompts[taken]
                running = sorted(running + taken)
                rows.add(
                    1,
                    kind=KIND_PREFILL,
                    requests=len(taken),
                    tokens=int(mine.sum()),
                    squares=int((mine**2).sum()),
                    longest=int(mine.max()),
                    in_tokens=came,
                    gpu_tokens=held(running),
                    host_tokens=held(swapped),
                )
                continue
        while used(running, 1) > blocks:
            youngest = running.pop()
            gone += int(context[youngest])
            swapped = sorted([*swapped, youngest])
        # Nothing comes in before a request ends, since those that run only grow.
        steps = _until(context[running], left[running], blocks, block)
        grown = held(running) + np.arange(1, steps + 1) * len(running)
        first = np.arange(steps) == 0
        rows.add(
            steps,
            kind=KIND_DECODE,
            requests=len(running),
            tokens=grown,
            longest=int(context[running].max()) + np.arange(1, steps + 1),
            out_tokens=np.where(first, gone, 0),
            in_tokens=np.where(first, came, 0),
            gpu_tokens=grown,
            host_tokens=held(swapped),
        )
        context[running] += steps
        left[running] -= steps
        running = [request for request in running if left[request] > 0]
    return rows.schedule()


def _comes(used: int, needed: int, room: int, alone: bool) -> bool:
    """Whether a request comes in; one that is alone may use what is kept free."""
    return alone or used + needed <= room


def _until(context: Int, left: Int, blocks: int, block: int) -> int:
    """Steps until a request ends or the blocks do, at least one."""
    most = int(left.min())
    step = np.arange(1, most + 1)
    needed = (-(-(context[:, None] + step) // block)).sum(axis=0)
    return max(1, int((needed <= blocks).sum()))
