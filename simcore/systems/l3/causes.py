"""What a step is made of: whole numbers, linear in the step's place in its stretch.

A stretch is a run of steps between two events (a request arrives, is admitted, finishes, has to
leave, or the batch is composed anew). Inside it every context grows by one token a step and
nothing else changes, so three vectors describe any number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

FIELDS = (
    "rows0",
    "rows1",
    "chunk0",
    "chunk1",
    "pairs0",
    "pairs1",
    "longest0",
    "longest1",
    "tokens_held",
    "swap_out",
    "swap_in",
    "idle_ps",
    "queue",
    "paused",
)
"""Fixed part of a vector of causes; behind it come loads and counts.

rows: decodes of a sub-batch. chunk: prompt tokens it computes. pairs: twice the token pairs of its
prefill attention. longest: longest context decoded. tokens_held: KV in memory after the step.
swap_out, swap_in: tokens moved before the step. idle_ps: time without any request. queue, paused:
requests out of memory, and in memory but not in the batch.

loads, counts: (2, classes) tokens of context and requests of each sub-batch and place.
"""

AT = {name: index for index, name in enumerate(FIELDS)}
HEAD = len(FIELDS)


def width(classes: int) -> int:
    """Length of a vector of causes."""
    return HEAD + 4 * classes


@dataclass(frozen=True, slots=True)
class Causes:
    """Causes of n steps.

    Attributes:
        values: (n, width).
        classes: places of a request's KV.
    """

    values: Int
    classes: int

    def __len__(self) -> int:
        return len(self.values)

    def get(self, name: str) -> Int:
        """A field, (n,)."""
        column: Int = self.values[:, AT[name]]
        return column

    def half(self, name: str) -> Int:
        """A field of both sub-batches, (n, 2)."""
        pair: Int = self.values[:, AT[f"{name}0"] : AT[f"{name}0"] + 2]
        return pair

    def loads(self) -> Int:
        """Tokens of context, (n, 2, classes)."""
        part: Int = self.values[:, HEAD : HEAD + 2 * self.classes]
        return part.reshape(len(self.values), 2, self.classes)

    def counts(self) -> Int:
        """Requests, (n, 2, classes)."""
        part: Int = self.values[:, HEAD + 2 * self.classes :]
        return part.reshape(len(self.values), 2, self.classes)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Causes of a stretch.

    Attributes:
        vectors: (3, width) base, growth a step, and what only the first step has.
        steps: its length.
    """

    vectors: Int
    steps: int

    def rows(self, start: int, stop: int, classes: int) -> Causes:
        """Causes of its steps start..stop."""
        return Causes(at(self.vectors, np.arange(start, stop)), classes)


def at(vectors: Int, offsets: Int) -> Int:
    """Causes at places in a stretch, (n, width)."""
    base, growth, first = vectors
    values: Int = base + growth * offsets[:, None]
    values[offsets == 0] += first
    return values
