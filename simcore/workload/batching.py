"""Continuous batching over one paged KV memory: who waits, who is decoded, who had to leave.

All amounts are tokens of KV. Time does not pass here; a scheduler calls these functions between
stretches of equal steps. Requests are served in order of arrival; when memory is full the
youngest leave first, so the oldest always get on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simcore.workload.requests import Requests

Int = NDArray[np.int64]

WAITING = 0  # not in memory, never was
PREFILL = 1  # memory taken, prompt not finished
RUNNING = 2  # decoded in every step
PAUSED = 3  # in memory, left out of the batch
SWAPPED = 4  # keys and values moved out
DONE = 5
STATES = ("waiting", "prefill", "decode", "paused", "swapped out", "finished")


@dataclass(slots=True)
class Batch:
    """Every request of a run, in order of arrival.

    Attributes:
        requests: what they are.
        state: one of the constants above, (n,).
        context: tokens of KV held, or to be held again, (n,).
        done_prefill: prompt tokens already computed, (n,).
        left: output tokens to come, (n,).
        place: class of the place of its KV, (n,).
        arrived: how many have arrived.
        first: all before this one are finished.
    """

    requests: Requests
    state: NDArray[np.int8] = field(init=False)
    context: Int = field(init=False)
    done_prefill: Int = field(init=False)
    left: Int = field(init=False)
    place: Int = field(init=False)
    arrived: int = 0
    first: int = 0

    def __post_init__(self) -> None:
        count = len(self.requests)
        self.state = np.zeros(count, np.int8)
        self.context = self.requests.prompt.copy()
        self.done_prefill = np.zeros(count, np.int64)
        self.left = self.requests.output.copy()
        self.place = np.zeros(count, np.int64)

    def members(self, *states: int) -> Int:
        """Requests in one of these states, oldest first."""
        view = self.state[self.first : self.arrived]
        mask = view == states[0]
        for state in states[1:]:
            mask |= view == state
        return np.flatnonzero(mask) + self.first

    def arrive(self, now_ps: int) -> None:
        """Let in what has arrived by a time."""
        self.arrived = int(np.searchsorted(self.requests.arrival_ps, now_ps, side="right"))

    def next_arrival_ps(self) -> int | None:
        """When the next request comes; None if all have."""
        if self.arrived >= len(self.requests):
            return None
        return int(self.requests.arrival_ps[self.arrived])

    def queue(self) -> Int:
        """Who is out of memory and wants in, oldest first."""
        return self.members(WAITING, SWAPPED)

    def advance(self, running: Int, steps: int) -> Int:
        """Decode `steps` tokens of each running request; the ones that finished with it."""
        self.context[running] += steps
        self.left[running] -= steps
        finished = running[self.left[running] == 0]
        self.state[finished] = DONE
        while self.first < len(self.state) and self.state[self.first] == DONE:
            self.first += 1
        return finished

    @property
    def over(self) -> bool:
        """Whether every request is finished."""
        return self.first >= len(self.state)
