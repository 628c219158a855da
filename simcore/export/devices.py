"""The page on memory devices (``docs/devices.md``): presets, curves, comparison, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from simcore.hardware import chips, dimm_pim, hbm_pim, links, ndp_dimm
from simcore.hardware.derivation import Derivation
from simcore.hardware.dram.analytic import Access, Pattern, Scope, estimate, fractions, usual_queue
from simcore.hardware.dram.energy import energy_per_bit
from simcore.hardware.dram.figures import SHOWN, derived
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import DramPreset, dram_presets
from simcore.hardware.dram.reference import (
    Compared,
    by_group,
    compared,
    reference_rows,
    served,
)
from simcore.hardware.gpu_curves import PLAIN, KernelModel, gemm_curve, gemv_curve
from simcore.hardware.gpu_kernels import Caps
from simcore.results.files import replacing
from simcore.scenario.presets import presets
from simcore.scenario.schema import DimmPim, Gpu, HbmPim, NdpDimms, NpuChip, Pcie

GRANULES = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""Granules of the curves, in bytes."""

_WORST = 25
_COMMAND_BURSTS = 20_000
_COMMAND_STEP = 6

SERVING = KernelModel(Caps(memory=0.85, compute=0.80, processors=108, gemv_tile=8, gemm_tile=64), 0)
"""Defaults of the serving systems' knobs; a test holds them against the policy."""


def write_page(path: str | Path) -> None:
    """Write the page; the same data give the same bytes.

    Raises:
        DataFileError: if the preset file or the reference table cannot be read.
    """
    text = "\n".join(_lines()) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _lines() -> Iterable[str]:
    yield from estimated_lines()
    yield from _comparison()


def estimated_lines() -> Iterable[str]:
    """The part of the page that needs no command-level model: fast."""
    yield "# Memory devices"
    yield ""
    yield "Written by `dimmscope dram --write-docs docs/devices.md`; do not edit."
    yield ""
    yield "How the estimate works and why: [decision 7](decisions/0007-dram-by-row-visits.md)."
    yield ""
    yield from _presets()
    yield from _papers()
    yield from _gpus()
    yield from _curves()
    yield from _energy()


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _presets() -> Iterable[str]:
    yield "## Channels"
    yield ""
    yield (
        "Estimated GB/s of one channel (DDR5: sub-channel) of two ranks (stacks: one), queue of 32 "
        "(stacks: 64). In scope *rank* a unit beside each rank reads it alone; in scope *bank* a "
        "unit in each bank does, a burst every nCCD_L."
    )
    yield ""
    header = ("preset", "scope", "peak", *(_words(name) for name, *_ in SHOWN))
    rows = []
    for id, preset in dram_presets().items():
        found = derived(preset)
        for scope in Scope:
            figures = found[scope.value]
            rows.append(
                (
                    f"`{id}`" if scope is Scope.CHANNEL else "",
                    scope.value,
                    f"{figures['peak_GBps']:.1f}",
                    *(f"{figures[name]:.1f}" for name, *_ in SHOWN),
                )
            )
    yield from _table(header, rows)
    notes = [f"`{id}`: {p.info['note']}." for id, p in dram_presets().items() if "note" in p.info]
    for note in notes:
        yield f"- {note}"
    yield ""


def _words(name: str) -> str:
    return name.removesuffix("_GBps").replace("_", " ")


def _papers() -> Iterable[str]:
    yield "## Figures of devices with their arithmetic"
    yield ""
    yield (
        "What the simulation takes its times from is marked. The window's inspector and this page "
        "show the same figures."
    )
    yield ""
    dimm = NdpDimms()
    shown = (
        ("NDP-DIMM of Hermes, one DIMM", ndp_dimm.derivations(dimm)),
        ("DIMM-PIM of L3 (CHIME)", dimm_pim.derivations(DimmPim())),
        ("HBM-PIM of L3 (CHIME), eight GPUs", hbm_pim.derivations(HbmPim(), 40 * 407.5 * 16)),
        ("Accelerator chip of H2M2", chips.derivations(NpuChip())),
        *((f"PCIe {generation}.0 x16", _pcie(generation)) for generation in (3, 4, 5)),
        ("PCIe as Hermes counts it", _pcie(4, "hermes-pcie4")),
    )
    for title, rows in shown:
        yield f"### {title}"
        yield ""
        yield from _table(
            ("figure", "arithmetic", "value", "class", "in use", "source"),
            [
                (
                    d.what,
                    d.formula or "-",
                    d.result,
                    d.source_class.value,
                    "yes" if d.used else "",
                    d.source,
                )
                for d in rows
            ],
        )


def _pcie(generation: int, id: str = "") -> tuple[Derivation, ...]:
    preset = presets("pcie")[id or f"pcie{generation}-x16"]
    latency = Pcie(**preset.values).sync_us
    return links.pcie_derivations(preset.values["bandwidth_GBps"], latency, generation)


def _gpus() -> Iterable[str]:
    yield "## What GPU kernels reach"
    yield ""
    yield (
        "Share of peak by the two kernel models in use: the plain roofline with a launch (Hermes, "
        "offloading), and the one of the serving systems, with caps and waves of thread blocks "
        "after the AttAcc simulator. GEMV: share of the memory's peak over the width of a square "
        "FP16 matrix. GEMM: share of the FP16 peak over rows, matrix 8192 x 8192."
    )
    yield ""
    gpu = Gpu(**presets("gpu")["a100-sxm-80gb"].values)
    plain = KernelModel(PLAIN, gpu.kernel_launch_us)
    widths, rows = (512, 1024, 2048, 4096, 8192, 16384), (1, 4, 16, 64, 256, 1024)
    out = []
    for name, model in (("plain, launch 1 us", plain), ("serving", SERVING)):
        memory = gemv_curve(gpu, model, widths).GBps / gpu.bandwidth_GBps
        compute = gemm_curve(gpu, model, rows, 8192).TFLOPS / gpu.fp16_TFLOPS
        out.append((name, "GEMV", *(f"{share:.3f}" for share in memory)))
        out.append((name, "GEMM", *(f"{share:.3f}" for share in compute)))
    head = (f"{w} wide / {r} rows" for w, r in zip(widths, rows, strict=True))
    yield from _table(("A100 SXM 80 GB", "kernel", *head), out)


def _curves() -> Iterable[str]:
    yield "## Bandwidth against granule"
    yield ""
    yield "Share of peak for random granules, channel of one rank, queue as above."
    yield ""
    for layout in (Layout.LINEAR, Layout.BANK_GROUP):
        yield f"Layout {layout.value}:"
        yield ""
        rows = [
            (f"`{id}`", *(f"{share:.3f}" for share in _curve(preset, layout)))
            for id, preset in dram_presets().items()
        ]
        yield from _table(("preset", *(_size(g) for g in GRANULES)), rows)


def _curve(preset: DramPreset, layout: Layout) -> list[float]:
    access = Access(Pattern.GATHER, layout, queue=usual_queue(preset.timing))
    return [float(f) for f in fractions(preset.timing, access, GRANULES)]


def _size(granule: int) -> str:
    return f"{granule} B" if granule < 1024 else f"{granule // 1024} KiB"


def _energy() -> Iterable[str]:
    yield "## Energy"
    yield ""
    yield (
        "pJ per bit of reads from a channel of one rank, parts with a sourced figure only; refresh "
        "has none. Presets without sourced figures are not listed and give null."
    )
    yield ""
    rows = []
    for id, preset in dram_presets().items():
        if preset.energy is None:
            continue
        queue = usual_queue(preset.timing)
        for name, access in (
            ("stream", Access(queue=queue)),
            ("64 B random", Access(Pattern.GATHER, queue=queue)),
        ):
            one = energy_per_bit(preset, access, estimate(preset.timing, access))
            cells = (one.activate, one.array, one.io, one.background, one.total)
            rows.append((f"`{id}`", name, *("-" if c is None else f"{c:.2f}" for c in cells)))
    yield from _table(
        ("preset", "pattern", "activate", "array", "interface", "background", "sum"), rows
    )


def _comparison() -> Iterable[str]:
    rows = reference_rows()
    estimated = compared(rows)
    yield "## Against published simulators"
    yield ""
    yield (
        "Ramulator 2.1 and DRAMsim3 (both MIT licence), 605 measured rows (`assets/dram/"
        "README.md`). Errors are shares of peak, model minus measurement, absolute in this table. "
        "`SHARPNESS` of the estimate and nCCD_R of HBM3 were tuned on these rows: for them it is "
        "a fit and not evidence. The tests also hold the estimate against the command-level model "
        "with timings, granules and queues that are not in the table."
    )
    yield ""
    header = ("kind of row", "rows", "median", "90 %", "largest")
    yield from _groups(header, estimated)
    same = [row for row in rows if row.same_controller][::_COMMAND_STEP]
    by_command = tuple(served(row, _COMMAND_BURSTS) for row in same)
    yield (
        f"The command-level model, with scheduler and queue of the row, on every "
        f"{_COMMAND_STEP}th row of Ramulator ({_COMMAND_BURSTS} bursts; where streams start is not "
        "published, which matters to several at once):"
    )
    yield ""
    yield from _groups(header, by_command)
    yield f"### Estimate, the {_WORST} worst rows first"
    yield ""
    modelled = [one for one in estimated if "not modelled" not in one.row.group]
    worst = sorted(modelled, key=lambda one: -abs(one.error))[:_WORST]
    yield from _table(
        ("configuration", "layout", "pattern", "queue", "measured", "estimate", "error"),
        [_worst_row(one) for one in worst],
    )


def _groups(header: Sequence[str], found: Sequence[Compared]) -> Iterable[str]:
    yield from _table(
        header,
        [
            (g.group, str(g.rows), f"{g.median:.3f}", f"{g.p90:.3f}", f"{g.largest:.3f}")
            for g in by_group(found)
        ],
    )


def _worst_row(one: Compared) -> tuple[str, ...]:
    row, access = one.row, one.row.access
    pattern = access.pattern.value
    if access.pattern is Pattern.GATHER:
        pattern += f" {access.granule_bytes} B"
    if access.streams > 1:
        pattern += f" x {access.streams}"
    return (
        f"{row.config} ({row.tool}, {row.scheduler}{'' if access.refresh else ', no refresh'})",
        access.layout.value,
        pattern,
        str(access.queue),
        f"{row.fraction_of_peak:.3f}",
        f"{one.fraction_of_peak:.3f}",
        f"{one.error:+.3f}",
    )
