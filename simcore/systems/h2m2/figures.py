"""Figures of a run: heads by side, pages, moves, translation misses, fragmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.results.run import Run
from simcore.results.terms import Term
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import SUBLAYER_TITLES, SUBLAYERS, H2M2Plan
from simcore.systems.h2m2.memory import needed_bytes, page_table_bytes
from simcore.units import PS_PER_MS


def memory_bits_pJ(plan: H2M2Plan) -> dict[int, float]:
    """Energy of a bit read or written, by lane of a memory."""
    parts = plan.parts
    out = {}
    for index, lane in enumerate(plan.lanes):
        if lane.id.startswith("hbm"):
            out[index] = parts.hbm.energy_pJ_per_bit
        elif lane.id == "lpddr":
            out[index] = parts.lpddr.energy_pJ_per_bit
    return out


def series(plan: H2M2Plan, run: Run) -> Mapping[str, tuple[str, Any]]:
    """Figures over the steps."""
    moved = run.column("out_bytes").sum(axis=1) + run.column("in_bytes").sum(axis=1)
    out: dict[str, tuple[str, Any]] = {
        "iteration": ("ms", run.column("duration_ps") / PS_PER_MS),
        "tokens in the KV cache": ("tokens", run.column("kv_tokens")),
        "requests replaced": ("requests", run.column("replaced")),
    }
    if not plan.split:
        return out
    mapping = run.column("mapping")
    for index, title in enumerate(SUBLAYER_TITLES):
        out[f"{title} on the HBM side"] = ("heads", mapping[:, index])
    used = run.column("pages")
    for side, name in enumerate(("HBM", "LPDDR")):
        for index, title in enumerate(SUBLAYER_TITLES):
            out[f"pages in {name}: {title}"] = ("pages", used[:, side, index])
    out["pages moved"] = ("pages", run.column("moved_pages").sum(axis=1))
    out["moved between sides"] = ("MB", moved / 1e6)
    misses = run.column("tlb_misses")
    out["TLB misses, HBM chip"] = ("misses", misses[:, 0])
    out["TLB misses, LPDDR chip"] = ("misses", misses[:, 1])
    out["fragmentation in HBM"] = ("MB", run.column("fragment_bytes") / 1e6)
    return out


_SPLIT = "Heads (or as many columns) of the {} sublayer that the HBM side computes."
TERMS: Mapping[str, Term] = {
    "scope": Term("simulated"),
    "gemm_unit": Term("unit for GEMM, HBM and LPDDR chip", "", "mv: dot-product trees."),
    "tile_cycles": Term("cycles of a tile, HBM and LPDDR chip"),
    "needed_bytes": Term("footprint at the end", "B", "Weights, KV and activations."),
    "memory_energy_J_per_token": Term("memory energy", "J/token", "Accesses only."),
    "requests_replaced": Term("requests ended and replaced"),
    **{
        f"{key}_heads_on_hbm_{end}": Term(f"{title} on HBM, {end}", "heads", _SPLIT.format(title))
        for key, title in (("qkv", "QKV"), ("attention", "attention"), ("fc", "FC"))
        for end in ("first", "last")
    },
    "moved_bytes": Term("moved between the memories", "B", "Whole pages, both ways."),
    "moved_pages": Term("pages moved"),
    "mapping_changes": Term("changes of the mapping"),
    "tlb_misses_per_iteration": Term("TLB misses an iteration"),
    "fragmentation_bytes_first": Term("fragmentation, first step", "B", "Unused in last pages."),
    "fragmentation_bytes_max": Term("fragmentation, most", "B", "Unused in last pages."),
    "page_table_bytes": Term("page tables", "B"),
    "hit_share_last": Term("hits in HBM at the end", "share"),
}


def summary(plan: H2M2Plan, kernels: Kernels, run: Run) -> Mapping[str, Any]:
    """The `placement` part of `run --json`."""
    last = len(run) - 1
    tokens = int(run.column("tokens").sum())
    bits = memory_bits_pJ(plan)
    moved = run.column("lane_op_bytes").sum(axis=(0, 2))
    energy = sum(8e-12 * rate * float(moved[lane]) for lane, rate in bits.items())
    out: dict[str, Any] = {
        "scope": "decoder layers, decode iterations only; no prefill",
        "gemm_unit": [cost.unit for cost in plan.costs],
        "tile_cycles": [cost.cycles for cost in plan.costs],
        "needed_bytes": needed_bytes(kernels, int(run.value("kv_tokens", last))),
        "memory_energy_J_per_token": energy / max(1, tokens),
        "requests_replaced": int(run.column("replaced").sum()),
    }
    if plan.split:
        mapping = run.column("mapping")
        for index, name in enumerate(SUBLAYERS):
            out[f"{name}_heads_on_hbm_first"] = int(mapping[0, index])
            out[f"{name}_heads_on_hbm_last"] = int(mapping[-1, index])
        out["moved_bytes"] = int(run.column("out_bytes").sum() + run.column("in_bytes").sum())
        out["moved_pages"] = int(run.column("moved_pages").sum())
        out["mapping_changes"] = int((np.diff(mapping, axis=0) != 0).any(axis=1).sum())
        out["tlb_misses_per_iteration"] = float(run.column("tlb_misses").sum(axis=1).mean())
        out["fragmentation_bytes_first"] = int(run.value("fragment_bytes", 0))
        out["fragmentation_bytes_max"] = int(run.column("fragment_bytes").max())
        out["page_table_bytes"] = page_table_bytes(plan.parts.mmu)
    elif plan.policy.machine == "hierarchical":
        out["hit_share_last"] = float(run.value("hit_share", last))
    return out
