"""Energy of a serving run by FC, attention, background and the rest (section VII).

The paper shows shares without the figures behind them. Access energies are public where there are
any; the four that are calibrated here reproduce its bars and are no evidence for them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simcore.engine.row_arrays import row_amounts
from simcore.results.energy import PJ, EnergyConstant
from simcore.results.run import Run
from simcore.scenario.fields import SourceClass
from simcore.systems.l3.causes import AT
from simcore.systems.l3.machine import OP, ServingPlan, kv_bytes
from simcore.systems.l3.steps import middles
from simcore.systems.l3.work import columns_of_layers, edge_work, layer_work, make_times
from simcore.units import PS_PER_S

_L3 = "L3 (CHIME), arXiv 2504.17584 v2, energy figure"

CONSTANTS: Mapping[str, EnergyConstant] = {
    "hbm": EnergyConstant(
        "HBM access from the GPU",
        3.97,
        "pJ/bit",
        SourceClass.PUBLIC,
        "O'Connor et al., Fine-Grained DRAM, MICRO 2017",
    ),
    "hbm_pim": EnergyConstant(
        "HBM access inside the stack",
        1.87,
        "pJ/bit",
        SourceClass.CALIBRATED,
        f"attention of HBM-PIM, {_L3}",
    ),
    "dimm_pim": EnergyConstant(
        "DDR4 access inside the chip",
        3.07,
        "pJ/bit",
        SourceClass.CALIBRATED,
        f"attention of CHIME, {_L3}",
    ),
    "ddr4": EnergyConstant(
        "DDR4 access from the host or a rank",
        5.5,
        "pJ/bit",
        SourceClass.DERIVED,
        "Micron TN-40-07 formulas with public DDR4-3200 x8 IDD currents: read and activation",
    ),
    "mac": EnergyConstant(
        "Multiply-accumulate with its operands",
        0.95,
        "pJ/MAC",
        SourceClass.CALIBRATED,
        f"FC of GPU-only against CHIME, {_L3}",
    ),
    "link": EnergyConstant(
        "PCIe transfer", 4.4, "pJ/bit", SourceClass.PUBLIC, "CENT power calculator"
    ),
    "hbm_background": EnergyConstant(
        "Background of 640 GB of HBM",
        18.5,
        "W",
        SourceClass.CALIBRATED,
        f"background of GPU-only, {_L3}",
    ),
    "dimm_background": EnergyConstant(
        "Background of 2 TB of DDR4",
        26.0,
        "W",
        SourceClass.CALIBRATED,
        f"background of CHIME, {_L3}",
    ),
}

_SIDE = {"dimm": "dimm_pim", "hbm": "hbm_pim", "ext": "hbm_pim", "cpu": "ddr4"}
_FC = ("norm", "qkv", "projection", "mlp", "lm_head")
PARTS = ("fc", "attention", "background", "other")


def energy_per_token(plan: ServingPlan, run: Run) -> dict[str, float]:
    """Joules for each output token by `PARTS`, and their sum as ``total``.

    Replicas are alike; the background of the machine is shared by them.
    """
    middle, count = middles(plan, run)
    times = make_times(plan, middle)
    turns = columns_of_layers(plan)
    layers = np.bincount(np.arange(plan.model.layers) % len(turns), minlength=len(turns))
    amount, flops = np.zeros((2, len(plan.lanes), len(plan.ops)))
    edge = edge_work(plan, middle, times)
    amount += np.tensordot(count, row_amounts(plan.edge, edge.amount_bytes), 1)
    flops += np.tensordot(count, row_amounts(plan.edge, edge.flops), 1)
    work = layer_work(plan, middle, times)
    for columns, often in zip(turns, layers.tolist(), strict=True):
        weight = count * often
        amounts, all_flops = work.amount_bytes[:, columns], work.flops[:, columns]
        amount += np.tensordot(weight, row_amounts(plan.layer, amounts), 1)
        flops += np.tensordot(weight.astype(np.float64), row_amounts(plan.layer, all_flops), 1)
    token = kv_bytes(plan.model)
    moved = sum(int(v[2, AT["swap_out"]] + v[2, AT["swap_in"]]) for v in run.attachments["stretch"])
    tokens = float(run.column("tokens").sum()) / plan.replicas
    if tokens <= 0:
        return dict.fromkeys((*PARTS, "total"), 0.0)
    value = {name: constant.value for name, constant in CONSTANTS.items()}
    gpu = plan.lane_index("gpu")
    fc, attention = [OP[name] for name in _FC], OP["attention"]
    links = [index for index, lane in enumerate(plan.lanes) if lane.kind == "link"]
    inside = [index for index in range(len(plan.lanes)) if index != gpu and index not in links]
    side = _SIDE.get(plan.side.kind, "hbm")
    if plan.side.kind == "dimm" and getattr(plan.policy, "units", "bank") == "rank":
        side = "ddr4"
    bit = 8 * PJ
    share = plan.gpus / (plan.gpu.count if plan.gpu.count else 1)
    seconds = run.end_ps / PS_PER_S
    power = value["hbm_background"]
    if plan.side.kind in ("dimm", "cpu"):
        power += value["dimm_background"]
    mac = value["mac"] * PJ / 2
    out = {
        "fc": float(amount[gpu, fc].sum()) * bit * value["hbm"] + float(flops[gpu, fc].sum()) * mac,
        "attention": float(amount[gpu, attention]) * bit * value["hbm"]
        + float(amount[inside, attention].sum()) * bit * value[side]
        + float(flops[:, [attention, OP["prefill"]]].sum()) * mac,
        "background": seconds * power * share,
        "other": (float(amount[links].sum()) + moved * token) * bit * value["link"],
    }
    out = {name: joules / tokens for name, joules in out.items()}
    out["total"] = sum(out.values())
    return out
