"""What a span of a serving step belongs to: its sub-batch, and the name of a bubble."""

from __future__ import annotations

import numpy as np

from simcore.results.spans import Spans, WaitReason
from simcore.systems.l3.machine import OP, ServingPlan

_SIDES = ("DIMM-PIM", "HBM-PIM", "Host CPU")
_LINKS_OF_SIDE = ("pcie_in", "pcie_out", "in", "out")


def sub_batch(plan: ServingPlan, spans: Spans, span: int) -> int:
    """Sub-batch a span works for; -1 outside of layers or where there is only one.

    A layer has two halves: the GPUs compute one sub-batch while the other attends, then they
    change. The second half begins with the second normalisation.
    """
    layer = int(spans.layer[span])
    if plan.halves != 2 or layer < 0:
        return -1
    begins = spans.start_ps[
        (spans.layer == layer) & (spans.lane == plan.lane_index("gpu")) & (spans.op == OP["norm"])
    ]
    if len(begins) < 2:
        return -1
    half = int(spans.start_ps[span] >= np.sort(begins)[1])
    lane = plan.lanes[int(spans.lane[span])]
    other = lane.group in _SIDES or lane.id in _LINKS_OF_SIDE
    return 1 - half if other else half


def note(plan: ServingPlan, spans: Spans, span: int) -> str:
    """``sub-batch 1``, ``bubble: GPUs wait for the ranksets``, or nothing."""
    lane, op = plan.lanes[int(spans.lane[span])], plan.ops[int(spans.op[span])]
    if op.reason is None:
        half = sub_batch(plan, spans, span)
        return f"sub-batch {half}" if half >= 0 else ""
    if op.reason is WaitReason.MEMORY_FULL or op.reason is WaitReason.NO_WORK:
        return ""
    side = {"dimm": "ranksets", "cpu": "host CPU"}.get(plan.side.kind, "stacks")
    if lane.group in _SIDES:
        if op.reason is WaitReason.IMBALANCE:
            return f"bubble: waits for the busiest of the {side}"
        return f"bubble: {side} wait for the GPUs"
    if lane.id == "gpu" and op.reason in (WaitReason.SYNC, WaitReason.IMBALANCE):
        cause = int(spans.cause[span])
        if cause >= 0 and plan.lanes[int(spans.lane[cause])].group in _SIDES:
            return f"bubble: GPUs wait for the {side}"
    return ""
