"""Figures of accelerator chips, the memories beside them, and hosts, with their arithmetic."""

from __future__ import annotations

from simcore.hardware.derivation import Derivation
from simcore.hardware.npu import peak_TMACps
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import Host, NpuChip, SideMemory

_H2M2 = "H2M2, arXiv 2504.14893, Table 2"
_DERIVED = SourceClass.DERIVED


def derivations(chip: NpuChip) -> tuple[Derivation, ...]:
    """Peaks of the chip's units."""
    array, trees = peak_TMACps(chip)
    lanes = chip.vector_lanes * chip.cores * chip.clock_GHz
    clock = f"{chip.clock_GHz:g} GHz"
    return (
        Derivation(
            "systolic arrays (MM), peak",
            f"{chip.cores} cores x {chip.array_rows} x {chip.array_columns} x {clock}",
            array,
            "TMAC/s",
            _DERIVED,
            _H2M2,
            True,
        ),
        Derivation(
            "dot-product trees (MV), peak",
            f"{chip.cores} cores x {chip.mv_units} x {chip.mv_width} x {clock}",
            trees,
            "TMAC/s",
            _DERIVED,
            _H2M2,
            True,
        ),
        Derivation(
            "memory that keeps the trees busy, INT8 weights used once",
            f"{trees:.4g} TMAC/s x 1 B",
            trees * 1e3,
            "GB/s",
            _DERIVED,
            _H2M2,
        ),
        Derivation(
            "vector units, peak",
            f"{chip.cores} cores x {chip.vector_lanes} lanes x {clock}",
            lanes,
            "Gop/s",
            _DERIVED,
            _H2M2,
            True,
        ),
    )


def memory_derivations(memory: SideMemory) -> tuple[Derivation, ...]:
    """Sustained bandwidth, and what one latency costs."""
    rate = memory.bandwidth_GBps * memory.efficiency
    return (
        Derivation(
            "sustained",
            f"{memory.bandwidth_GBps:g} GB/s x {memory.efficiency:g}",
            rate,
            "GB/s",
            _DERIVED,
            _H2M2,
            True,
        ),
        Derivation(
            "bytes that could move in one latency",
            f"{rate:g} GB/s x {memory.latency_ns:g} ns",
            rate * memory.latency_ns / 1e3,
            "kB",
            _DERIVED,
            _H2M2,
        ),
        Derivation(
            "time to read all of it",
            f"{memory.capacity_GB:g} GB / {rate:g} GB/s",
            1e3 * memory.capacity_GB / rate,
            "ms",
            _DERIVED,
            _H2M2,
        ),
    )


def host_derivations(host: Host) -> tuple[Derivation, ...]:
    """What the processor reads when rows are scattered, and computes."""
    rate = host.bandwidth_GBps * host.gather_efficiency
    return (
        Derivation(
            "gathered rows",
            f"{host.bandwidth_GBps:g} GB/s x {host.gather_efficiency:g}",
            rate,
            "GB/s",
            SourceClass.CALIBRATED,
            "Hermes-host on all models, Hermes, arXiv 2502.16963",
        ),
        Derivation(
            "operations a byte at which it is bound by computing",
            f"2 x {host.compute_GMACps:g} GMAC/s / {host.bandwidth_GBps:g} GB/s",
            2 * host.compute_GMACps / host.bandwidth_GBps,
            "FLOP/B",
            _DERIVED,
            "peak over peak",
        ),
    )
