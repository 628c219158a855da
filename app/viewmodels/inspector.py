"""What the inspector shows of a device: parameters, figures, curves, roofline; data without Qt."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.formatting import bytes_text, significant
from simcore.errors import ScenarioErrors
from simcore.hardware import gpu_curves, links
from simcore.hardware.derivation import Derivation
from simcore.hardware.device_facts import Dram, derivations, dram_of, link_derivations
from simcore.hardware.devices import Device, DeviceKind, Link, Machine
from simcore.hardware.dram.analytic import Access, Scope, fractions_and_limit
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming, timing_fields
from simcore.hardware.kernel_points import KernelPoint, kernel_points, roof_GFLOPS
from simcore.results.run import Run
from simcore.scenario.binding import field_specs
from simcore.scenario.document import Document
from simcore.scenario.fields import Provenance, SourceClass
from simcore.scenario.listing import FieldInfo, scenario_fields
from simcore.scenario.presets import presets
from simcore.scenario.schema import Scenario

Floats = NDArray[np.float64]

GRANULES = 2 ** np.arange(6, 16.01, 0.25)
"""Granules of a curve: 64 B to 64 KiB, four an octave."""

SIZES = 2 ** np.arange(10, 30.01, 0.5)
"""Sizes of transfers and of matrices: 1 KiB to 1 GiB."""

_WIDTH = 8192  # of the matrix in the GEMM curve: a layer of a 70B model


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a device.

    Attributes:
        field: description, value and source; its path is the scenario's, or ``dram.`` and a name.
        what_if: whether an edit stays in the inspector because the scenario has no such field.
        changed: whether a what-if edit is in force.
    """

    field: FieldInfo
    what_if: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Something over size.

    Attributes:
        title: what it shows, in words.
        x, y: the curve; x in bytes.
        x_title, y_unit: axes.
        before: the curve without what-if edits; None where there are none.
        lines: levels to compare with: name and value.
        marker: x of the marked point; 0 for none.
        marked: y there.
        note: what it stands for.
    """

    title: str
    x: Floats
    y: Floats
    x_title: str
    y_unit: str
    before: Floats | None
    lines: tuple[tuple[str, float], ...]
    marker: float
    marked: float
    note: str


@dataclass(frozen=True, slots=True)
class Roofline:
    """A device's roof and the kernels of a step under it.

    Attributes:
        points: the kernels, longest first.
        x, roof: intensity and the roof in GFLOP/s.
        reach: rows of a matrix and what kernels of that many rows reach; None where not modelled.
    """

    points: tuple[KernelPoint, ...]
    x: Floats
    roof: Floats
    reach: tuple[Floats, Floats] | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything about one device or link.

    Attributes:
        id, title, parts: which.
        parameters: those of the scenario, then those of the DRAM behind it.
        headline: the derived bandwidth in words.
        GBps: the derived bandwidth as a number; 0 where there is none.
        curve: over granules or sizes; None where there is none.
        dram: the DRAM behind it, what-if edits left out.
        problem: why something could not be derived; empty if all could.
    """

    id: str
    title: str
    parts: str
    parameters: tuple[Parameter, ...]
    headline: str
    GBps: float
    curve: Curve | None
    dram: Dram | None
    problem: str


def pending(scenario: Scenario, document: Document | None, component: str) -> Scenario:
    """The scenario with what the document says of a component, before it has been resolved.

    Only plain values in range are taken over: presets and mistakes wait for the resolution.
    """
    part = getattr(scenario.hardware, component, None) if component else None
    if part is None or document is None:
        return scenario
    preset = presets(component).get(str(document.get(f"hardware.{component}.preset", part.preset)))
    given = preset.values if preset is not None else {}
    found: dict[str, Any] = {}
    for name, spec in field_specs(type(part)).items():
        path = f"hardware.{component}.{name}"
        if spec.knob is None:
            continue
        said = document.get(path)
        if said is None:
            known = scenario.provenance.get(path)
            if known is None or known.source_class is not SourceClass.USER:
                continue
            # The value was set and no longer is: back to the preset's, or the default.
            said = given.get(name, spec.default)
        value, message, _ = spec.convert(said)
        if not message and value != getattr(part, name):
            found[name] = value
    if not found:
        return scenario
    hardware = dataclasses.replace(
        scenario.hardware, **{component: dataclasses.replace(part, **found)}
    )
    return dataclasses.replace(scenario, hardware=hardware)


def inspect(
    scenario: Scenario,
    machine: Machine,
    id: str,
    what_if: Mapping[str, int],
    granule: float,
) -> Inspected | None:
    """A device or link of a machine; None if there is none of that id.

    Args:
        scenario: with the values in force.
        machine: of the run on screen.
        id: of a device or link.
        what_if: DRAM timings changed in the inspector only.
        granule: bytes the curve of a DRAM is marked at.
    """
    device, link = machine.device(id), machine.link(id)
    what = device or link
    if what is None:
        return None
    fields = _scenario_parameters(scenario, what.component)
    dram, problem, curve = None, "", None
    try:
        if device is not None:
            dram = dram_of(scenario, device)
            if dram is not None:
                curve = _granules(dram, what_if, granule, device)
            elif device.kind is DeviceKind.GPU or device.component == "gpu":
                curve = _matrices(scenario)
        elif link is not None:
            curve = _transfers(scenario, link)
    except ScenarioErrors as errors:
        problem = "; ".join(one.text() for one in errors.problems)
    headline, rate = _headline(scenario, what, dram, what_if, granule, problem)
    timings = _timing_parameters(dram, what_if)
    parts = device.parts if device is not None else ""
    return Inspected(id, what.title, parts, fields + timings, headline, rate, curve, dram, problem)


def _scenario_parameters(scenario: Scenario, component: str) -> tuple[Parameter, ...]:
    prefix = f"hardware.{component}."
    if not component:
        return ()
    return tuple(Parameter(f) for f in scenario_fields(scenario) if f.path.startswith(prefix))


def _timing_parameters(dram: Dram | None, what_if: Mapping[str, int]) -> tuple[Parameter, ...]:
    """Timings of the DRAM that are no fields of the scenario: edits are what-ifs."""
    if dram is None:
        return ()
    preset = dram_preset(dram.preset)
    found = []
    for name, spec in timing_fields().items():
        if name in dram.fields or spec.knob is None or spec.type is bool:
            continue
        value = what_if.get(name, getattr(dram.timing, name))
        source = preset.provenance.get(name)
        if getattr(dram.timing, name) != getattr(preset.timing, name):
            source = Provenance(SourceClass.DERIVED, "follows from the scenario")
        field = FieldInfo(f"dram.{name}", spec.knob, spec.type, value, source, "DRAM timing")
        found.append(Parameter(field, what_if=True, changed=name in what_if))
    return tuple(found)


# Bandwidth of a DRAM.


def changed_timing(dram: Dram, what_if: Mapping[str, int]) -> DramTiming:
    """The DRAM's timing with what-if edits.

    Raises:
        ScenarioErrors: if they contradict each other or the rest.
    """
    return dram.timing.with_values(what_if) if what_if else dram.timing


@lru_cache(maxsize=64)
def _shares(timing: DramTiming, access: Access, granule: float) -> tuple[Floats, str]:
    """Share of peak at a granule, then at all of the curve; and what limits the first."""
    return fractions_and_limit(timing, access, [granule, *GRANULES])


def device_peak(dram: Dram, timing: DramTiming) -> float:
    """GB/s of the device at a share of 1, with changed timings."""
    return dram.scale_GBps * _unit_rate(dram.access, timing) / _unit_rate(dram.access, dram.timing)


def _unit_rate(access: Access, timing: DramTiming) -> float:
    """Rate of one unit of the scope, of which the device has many."""
    if access.scope is Scope.BANK:
        return timing.banks * timing.burst_bytes / (timing.nCCD_L * timing.tCK_ps)
    return timing.peak_GBps


def _granules(dram: Dram, what_if: Mapping[str, int], granule: float, device: Device) -> Curve:
    timing = changed_timing(dram, what_if)
    peak = device_peak(dram, timing)
    shares, _ = _shares(timing, dram.access, granule)
    before = None
    if what_if:
        before = _shares(dram.timing, dram.access, granule)[0][1:] * dram.scale_GBps
    levels = [("peak", peak)]
    if device.peak_GBps and abs(device.peak_GBps / peak - 1) > 0.01 and device.reads:
        levels.append(("run", device.peak_GBps))
    return Curve(
        "Bandwidth over granule, random places",
        GRANULES,
        shares[1:] * peak,
        "bytes read from one place",
        "GB/s",
        before,
        tuple(levels),
        granule,
        float(shares[0]) * peak,
        dram.note,
    )


def _transfers(scenario: Scenario, link: Link) -> Curve | None:
    """What transfers of a size reach, where a latency is known."""
    part = getattr(scenario.hardware, link.component, None) if link.component else None
    names = {"pcie": "sync_us", "dimm_link": "latency_us", "chip_link": "latency_us"}
    if part is None or link.component not in names or link.internal:
        return None
    latency = getattr(part, names[link.component])
    reached = links.reached_GBps(SIZES, part.bandwidth_GBps, latency)
    return Curve(
        "Rate over size of a transfer",
        SIZES,
        reached,
        "bytes of a transfer",
        "GB/s",
        None,
        (("peak", part.bandwidth_GBps),),
        0.0,
        0.0,
        f"bytes / (latency + bytes / bandwidth), latency {latency:g} µs",
    )


def _matrices(scenario: Scenario) -> Curve | None:
    """What reading a matrix for one row reaches, launch included."""
    gpu = scenario.hardware.gpu
    if gpu is None:
        return None
    model = gpu_curves.kernel_model(scenario)
    widths = np.maximum(8, np.round(np.sqrt(SIZES / 2) / 8) * 8).astype(np.int64)
    found = gpu_curves.gemv_curve(gpu, model, widths)
    return Curve(
        "GEMV of one GPU over size of the matrix",
        found.amount_bytes,
        found.GBps,
        "bytes of a square FP16 matrix",
        "GB/s",
        None,
        (("peak", gpu.bandwidth_GBps),),
        0.0,
        0.0,
        "launch, then reading at the share of the peak the run's kernels reach",
    )


def figures(scenario: Scenario, what: Device | Link) -> tuple[Derivation, ...]:
    """Figures of a device or link with their arithmetic; none where timings contradict."""
    try:
        if isinstance(what, Link):
            return link_derivations(scenario, what)
        return derivations(scenario, what)
    except ScenarioErrors:
        return ()


def _headline(
    scenario: Scenario,
    what: Device | Link,
    dram: Dram | None,
    what_if: Mapping[str, int],
    granule: float,
    problem: str,
) -> tuple[str, float]:
    if problem:
        return f"Not derived: {problem}", 0.0
    if dram is not None:
        timing = changed_timing(dram, what_if)
        shares, limit = _shares(timing, dram.access, granule)
        peak = device_peak(dram, timing)
        rate = float(shares[0]) * peak
        return (
            f"{significant(rate)} GB/s of {significant(peak)} by timing, "
            f"{bytes_size(granule)} at a time: limited by {limit}",
            rate,
        )
    found = figures(scenario, what)
    used = [d for d in found if d.used] or list(found)
    if used:
        return used[0].text(), used[0].value if used[0].unit == "GB/s" else 0.0
    return (
        f"{significant(what.peak_GBps)} GB/s in the run" if what.peak_GBps else "no bandwidth"
    ), what.peak_GBps


def bytes_size(size: float) -> str:
    """``512 B``, ``8 KiB``: sizes on an axis of powers of two."""
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size:.4g} B"


# Roofline.


def roofline(run: Run, scenario: Scenario, device: Device, step: int) -> Roofline | None:
    """The kernels of a step on a device's roofline; None for a device without units."""
    if not device.lanes or not device.reads or device.peak_GBps <= 0:
        return None
    points = kernel_points(
        run.plan,
        device,
        run.value("lane_op_ps", step),
        run.value("lane_op_bytes", step),
        run.value("lane_op_flops", step),
    )
    ridge = device.peak_GFLOPS / device.peak_GBps if device.peak_GFLOPS else 4.0
    used = [point.intensity for point in points] or [1.0]
    low = 10 ** np.floor(np.log10(min(*used, ridge, 1.0)) - 0.3)
    high = 10 ** np.ceil(np.log10(max(*used, ridge, 1.0)) + 0.3)
    x = np.geomspace(low, high, 121)
    reach = None
    gpu = scenario.hardware.gpu
    if device.kind is DeviceKind.GPU and gpu is not None:
        alike = device.peak_GBps / gpu.bandwidth_GBps
        rows = 2 ** np.arange(0, 13)
        found = gpu_curves.gemm_curve(gpu, gpu_curves.kernel_model(scenario), rows, _WIDTH)
        reach = (found.intensity, found.TFLOPS * 1e3 * alike)
    return Roofline(points, x, roof_GFLOPS(device, x), reach)


def point_text(point: KernelPoint) -> str:
    """A kernel in one line."""
    return (
        f"{point.title}: {significant(point.intensity, 3)} FLOP/B, "
        f"{significant(point.GFLOPS, 3)} GFLOP/s, {significant(point.GBps, 3)} GB/s, "
        f"{bytes_text(point.amount_bytes, 3)} read"
    )
