"""Totals of a step from all its spans and waits: what the compiled pass must give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simcore.engine.layout import lay_out
from simcore.engine.phases import Template, Work


@dataclass(frozen=True)
class Totals:
    """Length of a step, and sums by lane and op."""

    duration_ps: int
    time_ps: np.ndarray
    amount_bytes: np.ndarray
    flops: np.ndarray


def totals(segments: Sequence[tuple[Template, Work]]) -> Totals:
    """Totals of a step made of segments one after the other."""
    lanes, ops = len(segments[0][0].lanes), len(segments[0][0].ops)
    time_ps, amount, flops = (np.zeros((lanes, ops), np.int64) for _ in range(3))
    duration = 0
    for template, work in segments:
        laid = lay_out(template, work)
        where = (template.column_lane, template.column_op)
        np.add.at(time_ps, where, work.time_ps.sum(axis=0))
        np.add.at(amount, where, work.amount_bytes.sum(axis=0))
        np.add.at(flops, where, work.flops.sum(axis=0))
        gap = laid.gap_end_ps - laid.gap_start_ps
        lane = np.broadcast_to(laid.gap_lane, gap.shape)
        np.add.at(time_ps, (lane, template.first_wait + laid.gap_reason), gap)
        duration += laid.duration_ps
    return Totals(duration, time_ps, amount, flops)
