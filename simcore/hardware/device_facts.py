"""What is known about a device or a link: the DRAM behind it, its figures with their arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from simcore.hardware import chips, dimm_link, dimm_pim, gpu_curves, hbm_pim, links, ndp_dimm
from simcore.hardware.derivation import Derivation
from simcore.hardware.devices import Device, DeviceKind, Link
from simcore.hardware.dram.analytic import Access, Pattern, Scope
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming
from simcore.scenario.presets import presets
from simcore.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Dram:
    """The DRAM behind a device, for curves over granules.

    Attributes:
        preset: id of the DRAM preset the timing starts from.
        timing: with the scenario's values in place.
        access: who reads and over how many ranks.
        scale: GB/s of the device for a share of peak of 1.
        note: what it stands for, and what it is not.
        fields: timing field to the scenario field it is taken from.
    """

    preset: str
    timing: DramTiming
    access: Access
    scale_GBps: float
    note: str
    fields: Mapping[str, str]


_GPU_DRAM = {"HBM2": "hbm2-2000-8gb", "HBM2e": "hbm2e-3600-16gb", "HBM3": "hbm3-6400-16gb-8hi"}


def dram_of(scenario: Scenario, device: Device) -> Dram | None:
    """The DRAM behind a device; None where no timing set is known (GDDR, hosts).

    Raises:
        ScenarioErrors: if the scenario's timings contradict each other.
    """
    hardware = scenario.hardware
    if device.component == "ndp_dimms" and (dimm := hardware.ndp_dimms):
        access = Access(Pattern.GATHER, Layout.LINEAR, ranks=dimm.ranks, scope=Scope.RANK)
        return Dram(
            ndp_dimm.DRAM,
            ndp_dimm.timing(dimm),
            access,
            ndp_dimm.peak_GBps(dimm),
            "The core reads all ranks of its DIMM side by side, rows in order. The simulation "
            "uses the calibrated share instead.",
            {n: f"hardware.ndp_dimms.{n}" for n in ("nBL", "nCCD_L", "bank_groups")},
        )
    if device.component == "dimm_pim" and (pim := hardware.dimm_pim):
        rank = getattr(scenario.policy, "units", "bank") == "rank"
        access = Access(
            Pattern.GATHER,
            ranks=dimm_pim.ranksets(pim),
            scope=Scope.RANK if rank else Scope.BANK,
            in_step=not rank,
        )
        units = dimm_pim.all_rank_units_GBps if rank else dimm_pim.all_bank_units_GBps
        share = 1 / dimm_pim.ranksets(pim) if device.inside else 1.0
        return Dram(
            dimm_pim.DRAM,
            dimm_pim.timing(pim),
            access,
            units(pim) * share,
            "All banks of a rank read in step; the simulation uses the calibrated share."
            if not rank
            else "A unit reads its rank; the simulation uses the calibrated share.",
            {
                n: f"hardware.dimm_pim.{n}"
                for n in ("burst_bytes", "nBL", "nCCD_S", "nCCD_L", "bank_groups")
            }
            | {"banks_per_group": "hardware.dimm_pim.banks_per_group"},
        )
    if device.component == "hbm_pim":
        return _stand_in(hbm_pim.DRAM, device, Access(Pattern.GATHER, scope=Scope.BANK))
    if device.component in ("hbm", "lpddr"):
        id = "hbm3-6400-16gb-8hi" if device.component == "hbm" else "lpddr5x-8533-16gb-x16"
        return _stand_in(id, device, Access(Pattern.GATHER))
    if device.component == "gpu" and device.kind is DeviceKind.MEMORY and hardware.gpu:
        preset = presets("gpu").get(hardware.gpu.preset)
        kind = str(preset.info.get("memory_type", "")) if preset else ""
        if kind in _GPU_DRAM:
            return _stand_in(_GPU_DRAM[kind], device, Access(Pattern.GATHER))
    return None


def _stand_in(id: str, device: Device, access: Access) -> Dram:
    """A device whose bandwidth is given as a whole: shares of peak of a channel of that kind."""
    preset = dram_preset(id)
    queued = replace(access, queue=32 * preset.timing.pseudo_channels)
    note = (
        f"{preset.title}, taken for the shape of the curve only: the simulation uses the "
        f"bandwidth of the scenario."
    )
    return Dram(id, preset.timing, queued, device.peak_GBps, note, {})


def derivations(scenario: Scenario, device: Device) -> tuple[Derivation, ...]:
    """Figures of a device with their arithmetic; empty where nothing is derived.

    Raises:
        ScenarioErrors: if the scenario's timings contradict each other.
    """
    h = scenario.hardware
    match device.component:
        case "gpu" if h.gpu:
            return gpu_curves.derivations(h.gpu, gpu_curves.kernel_model(scenario))
        case "ndp_dimms" if h.ndp_dimms:
            return ndp_dimm.derivations(h.ndp_dimms)
        case "dimm_pim" if h.dimm_pim:
            return dimm_pim.derivations(h.dimm_pim)
        case "hbm_pim" if h.hbm_pim:
            return hbm_pim.derivations(h.hbm_pim, device.peak_GBps)
        case "hbm_npu" | "lpddr_npu":
            return chips.derivations(getattr(h, device.component))
        case "hbm" | "lpddr":
            return chips.memory_derivations(getattr(h, device.component))
        case "host" if h.host:
            return chips.host_derivations(h.host)
        case _:
            return ()


def link_derivations(scenario: Scenario, link: Link) -> tuple[Derivation, ...]:
    """Figures of a link with their arithmetic."""
    h = scenario.hardware
    if link.component == "pcie" and h.pcie:
        rate = h.pcie.bandwidth_GBps
        generation = _pcie_generation(h.pcie.preset, h.pcie.title, rate)
        found = links.pcie_derivations(rate, h.pcie.sync_us, generation)
        if link.peak_GBps > rate:
            found += (links.several(rate, link.peak_GBps),)
        return found
    if link.component == "dimm_link" and h.dimm_link:
        return dimm_link.derivations(h.dimm_link, len(link.ends))
    latency = {"chip_link": "latency_us", "nvlink": "hop_us"}
    if link.component in latency:
        part = getattr(h, link.component)
        return (links.half_size(part.bandwidth_GBps, getattr(part, latency[link.component])),)
    if link.id == "channels" and h.dimm_pim and link.component == "dimm_pim":
        return dimm_pim.derivations(h.dimm_pim)[:2]
    return ()


def _pcie_generation(preset: str, title: str, bandwidth_GBps: float) -> int:
    """Generation named in the preset or its title; else the slowest that carries the rate."""
    named = re.search(r"pcie[ -]?(\d)", f"{preset} {title}".lower())
    return int(named[1]) if named else links.pcie_like(bandwidth_GBps)
