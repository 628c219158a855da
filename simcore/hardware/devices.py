"""The machine of a run as devices and links, out of its plan: for any system, known or not.

A plan says what lanes and memories there are; this module says what they are parts of, where a
link begins and ends, which scenario component sets them and how fast they can compute. Lanes of
unknown groups become devices of their own. `simcore.hardware.device_facts` knows what they are
made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simcore.hardware import dimm_pim, ndp_dimm, npu
from simcore.results.run import Plan
from simcore.results.spans import Lane, LaneKind


class DeviceKind(StrEnum):
    """What a device is."""

    GPU = "gpu"
    MEMORY = "memory"
    NEAR = "near"  # memory that computes: a DIMM, a rankset, stacks
    CHIP = "chip"
    HOST = "host"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device, or several alike that the run does not tell apart.

    Attributes:
        id, title: stable id and name as shown.
        kind: what it is.
        component: name in `hardware:` that sets it; empty if none does.
        lanes: indices of the lanes that are its units.
        reads: indices of the lanes whose bytes come from its own memory.
        memory: index of the tracked memory in it; -1 if none.
        peak_GBps: of its memory, as the run uses it; 0 if not known.
        peak_GFLOPS: of its units; 0 if not known.
        inside: id of the device it is a part of; may be empty.
        parts: what it is made of, in words; may be empty.
    """

    id: str
    title: str
    kind: DeviceKind
    component: str = ""
    lanes: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    memory: int = -1
    peak_GBps: float = 0.0
    peak_GFLOPS: float = 0.0
    inside: str = ""
    parts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link between devices.

    Attributes:
        id, title: stable id and name as shown.
        lanes: indices of its lanes, one a direction or a wire of several.
        ends: ids of the devices at its ends; a bus has more than two, a loop one.
        peak_GBps: of one lane.
        component: name in `hardware:` that sets it; may be empty.
        internal: whether it is a device's way to its own memory.
        shared: whether its lanes share `peak_GBps` instead of each having it.
    """

    id: str
    title: str
    lanes: tuple[int, ...]
    ends: tuple[str, ...]
    peak_GBps: float
    component: str = ""
    internal: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """All devices and links of a run, in the order of its lanes."""

    devices: tuple[Device, ...]
    links: tuple[Link, ...]

    def device(self, id: str) -> Device | None:
        """The device with an id, if there is one."""
        return next((d for d in self.devices if d.id == id), None)

    def link(self, id: str) -> Link | None:
        """The link with an id, if there is one."""
        return next((one for one in self.links if one.id == id), None)

    def of_lane(self, lane: int) -> str:
        """Id of the device, or else of the link, a lane belongs to; empty if it has none."""
        for device in self.devices:
            if lane in device.lanes:
                return device.id
        return next((one.id for one in self.links if lane in one.lanes), "")


def machine(plan: Plan) -> Machine:
    """Devices and links of a plan."""
    return _Maker(plan).make()


_CHIP = re.compile(r"^(c\d+)_")


@dataclass
class _Maker:
    plan: Plan
    devices: dict[str, Device] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def make(self) -> Machine:
        for index, lane in enumerate(self.plan.lanes):
            if lane.kind is not LaneKind.LINK:
                self._unit(index, lane)
        for index, lane in enumerate(self.plan.lanes):
            if lane.kind is LaneKind.LINK:
                self._wire(index, lane)
        self._memories()
        return Machine(tuple(self.devices.values()), tuple(self.links.values()))

    # Devices.

    def _add(self, device: Device) -> None:
        known = self.devices.get(device.id)
        if known is None:
            self.devices[device.id] = device
            return
        self.devices[device.id] = replace(
            known,
            lanes=known.lanes + device.lanes,
            reads=known.reads + device.reads,
            peak_GBps=known.peak_GBps or device.peak_GBps,
            peak_GFLOPS=known.peak_GFLOPS or device.peak_GFLOPS,
            component=known.component or device.component,
        )

    def _has(self, component: str) -> str:
        return component if getattr(self.plan.scenario.hardware, component, None) else ""

    def _unit(self, index: int, lane: Lane) -> None:
        hardware = self.plan.scenario.hardware
        words = f"{lane.id} {lane.title} {lane.group}".lower()
        one = Device(
            id=lane.id,
            title=lane.title,
            kind=DeviceKind.OTHER,
            lanes=(index,),
            reads=(index,) if lane.peak_GBps else (),
            peak_GBps=lane.peak_GBps,
        )
        chip = _CHIP.match(lane.id)
        if chip is not None:
            self._chip(index, lane, chip[1])
        elif lane.id.startswith("gpu") and hardware.gpu:
            gpu = hardware.gpu
            alike = max(1, round(lane.peak_GBps / gpu.bandwidth_GBps))
            self._add(
                replace(
                    one,
                    kind=DeviceKind.GPU,
                    component="gpu",
                    peak_GFLOPS=1e3 * gpu.fp16_TFLOPS * alike,
                    parts=gpu.title,
                )
            )
        elif lane.group == "DIMM-PIM" and (pim := hardware.dimm_pim):
            rank = getattr(self.plan.scenario.policy, "units", "bank") == "rank"
            model = self.plan.scenario.model
            queries = dimm_pim.mac_per_read(pim, max(1, model.heads // max(1, model.kv_heads)))
            units = (
                f"{pim.channels} ranks, a unit beside each"
                if rank
                else f"{pim.channels} ranks x {pim.chips} chips x {dimm_pim.banks(pim)} bank units"
            )
            # A unit multiplies each FP16 value it reads with one value of every query it serves.
            rate = 0.0 if rank else lane.peak_GBps * queries
            self._add(
                replace(
                    one,
                    kind=DeviceKind.NEAR,
                    component="dimm_pim",
                    peak_GFLOPS=rate,
                    parts=units,
                )
            )
        elif lane.group == "DIMM" and (dimm := hardware.ndp_dimms):
            self._add(
                replace(
                    one,
                    kind=DeviceKind.NEAR,
                    component="ndp_dimms",
                    peak_GFLOPS=2 * ndp_dimm.gemv_GMACps(dimm),
                    parts=f"{dimm.ranks} ranks behind one NDP core",
                )
            )
        elif lane.group == "device" and (npu_chip := hardware.hbm_npu):
            self._add(
                replace(
                    one,
                    title=lane.title.capitalize(),
                    kind=DeviceKind.CHIP,
                    component="hbm_npu",
                    peak_GFLOPS=2e3 * max(npu.peak_TMACps(npu_chip)),
                    parts=f"{npu_chip.cores} cores",
                )
            )
        elif "hbm" in words and lane.kind is LaneKind.COMPUTE:
            component = self._has("hbm_pim")
            self._add(replace(one, kind=DeviceKind.NEAR, component=component, parts="bank units"))
        elif lane.kind is LaneKind.HOST or "cpu" in words:
            self._host(one, lane)
        else:
            self._add(one)

    def _host(self, one: Device, lane: Lane) -> None:
        """The processor and the software on it are one device; other controllers are their own."""
        if lane.kind is LaneKind.HOST and lane.group != "Host":
            self._add(replace(one, kind=DeviceKind.OTHER))
            return
        host = self.plan.scenario.hardware.host
        rate = 2 * host.compute_GMACps if host and lane.kind is LaneKind.COMPUTE else 0.0
        self._add(
            replace(
                one,
                id="host",
                title="Host CPU",
                kind=DeviceKind.HOST,
                component=self._has("host"),
                peak_GFLOPS=rate,
            )
        )

    def _chip(self, index: int, lane: Lane, id: str) -> None:
        side = "hbm" if id == "c0" else "lpddr"
        chip = getattr(self.plan.scenario.hardware, f"{side}_npu")
        self._add(
            Device(
                id=id,
                title=re.sub(r" (MV|MM|vector) units$", "", lane.title),
                kind=DeviceKind.CHIP,
                component=self._has(f"{side}_npu"),
                lanes=(index,),
                peak_GFLOPS=2e3 * max(npu.peak_TMACps(chip)) if chip else 0.0,
                parts=f"{chip.cores} cores" if chip else "",
            )
        )

    # Links.

    def _wire(self, index: int, lane: Lane) -> None:
        words = f"{lane.id} {lane.group}".lower()
        if lane.group == "memory":
            self._memory_bus(index, lane)
        elif lane.group == "PCIe":
            self._join("pcie", "PCIe", index, lane, (self._gpu(), self._host_side()), "pcie")
        elif lane.group == "DIMM-link":
            self._join("dimm_link", "DIMM-link", index, lane, self._near(), "dimm_link")
        elif lane.group == "Module link":
            ends = (self._gpu(), *self._near())
            self._join("modules", "NVLink to modules", index, lane, ends, "nvlink")
        elif lane.group == "chip link":
            ends = tuple(d.id for d in self.devices.values() if d.kind is DeviceKind.CHIP)
            self._join(lane.id, "Chip link", index, lane, ends, "chip_link")
        elif numbers := re.search(r"(\d+) to (\d+)$", lane.title):
            ends = tuple(self._numbered(number) for number in numbers.groups())
            self._join(lane.id, lane.title, index, lane, ends, "nvlink")
        elif "nvlink" in words:
            self._join(lane.id, lane.title, index, lane, (self._gpu(),), "nvlink")
        elif lane.peak_GBps > 0:
            # A link of a kind not known here: between the first two devices.
            ends = tuple(d.id for d in self.devices.values())[:2]
            self._join(lane.id, lane.title, index, lane, ends, "")

    def _join(
        self, id: str, title: str, index: int, lane: Lane, ends: tuple[str, ...], component: str
    ) -> None:
        known = self.links.get(id)
        lanes = (*known.lanes, index) if known else (index,)
        found = tuple(end for end in dict.fromkeys(ends) if end)
        name = self._has(component) if component else ""
        self.links[id] = Link(
            id=id, title=title, lanes=lanes, ends=found, peak_GBps=lane.peak_GBps, component=name
        )

    def _memory_bus(self, index: int, lane: Lane) -> None:
        """A memory that is a lane of its own, and the chip beside it."""
        kind = lane.id.rstrip("0123456789")
        component = self._has(kind)
        chip = self._numbered(lane.id[len(kind) :]) or ("c1" if kind == "lpddr" else "c0")
        self._add(
            Device(
                id=lane.id,
                title=lane.title,
                kind=DeviceKind.MEMORY,
                component=component,
                peak_GBps=lane.peak_GBps,
            )
        )
        known = self.devices.get(chip)
        if known is not None:
            reads = (*known.reads, index)
            self.devices[chip] = replace(known, reads=reads, peak_GBps=lane.peak_GBps)
        self.links[f"{lane.id}_bus"] = Link(
            id=f"{lane.id}_bus",
            title=f"{lane.title} bus",
            lanes=(index,),
            ends=(chip, lane.id) if known else (lane.id,),
            peak_GBps=lane.peak_GBps,
            component=component,
            internal=True,
        )

    def _numbered(self, number: str) -> str:
        """Id of the computing device that carries a number; empty if none does."""
        computing = (DeviceKind.GPU, DeviceKind.CHIP, DeviceKind.NEAR, DeviceKind.OTHER)
        for device in self.devices.values():
            if number and device.kind in computing and re.search(rf"\D{number}$", device.id):
                return device.id
        return ""

    def _gpu(self) -> str:
        return next((d.id for d in self.devices.values() if d.kind is DeviceKind.GPU), "")

    def _near(self) -> tuple[str, ...]:
        return tuple(d.id for d in self.devices.values() if d.kind is DeviceKind.NEAR)

    def _host_side(self) -> str:
        """The other end of PCIe: the host, which the DIMMs of some machines stand behind."""
        if "host" not in self.devices:
            host = Device(
                id="host", title="Host", kind=DeviceKind.HOST, component=self._has("host")
            )
            self.devices["host"] = host
        return "host"

    # Memories.

    def _memories(self) -> None:
        for index, memory in enumerate(self.plan.memory):
            owner = self.devices.get("host" if memory.id == "cpu" else memory.id)
            if owner is None:
                self._shared_memory(index, memory.id, memory.title)
            elif owner.kind in (DeviceKind.GPU, DeviceKind.HOST):
                self._own_memory(index, owner)
            else:
                self.devices[owner.id] = replace(owner, memory=index)
        near = [d for d in self.devices.values() if d.kind is DeviceKind.NEAR]
        for one in near:
            if one.reads and one.peak_GBps:
                self.links[f"{one.id}_bus"] = Link(
                    id=f"{one.id}_bus",
                    title=f"{one.title}, inside",
                    lanes=one.reads,
                    ends=(one.id,),
                    peak_GBps=one.peak_GBps,
                    component=one.component,
                    internal=True,
                )
        if near and "host" in self.devices:
            self._host_channels(near)
        for one in near:
            # Without a link of their own the stacks are those of the GPU.
            if one.component == "hbm_pim" and "modules" not in self.links:
                self.devices[one.id] = replace(one, inside=f"{self._gpu()}.memory")

    def _own_memory(self, index: int, owner: Device) -> None:
        """The memory of a GPU or a host is a box beside it, with a bus between them."""
        title = "Host memory"
        if owner.kind is DeviceKind.GPU:
            number = re.search(r" \d+$", owner.title)
            title = f"GPU{number[0] if number else ''} memory"
        self.devices[f"{owner.id}.memory"] = Device(
            id=f"{owner.id}.memory",
            title=title,
            kind=DeviceKind.MEMORY,
            component=owner.component,
            memory=index,
            peak_GBps=owner.peak_GBps,
        )
        if owner.reads:
            self.links[f"{owner.id}_bus"] = Link(
                id=f"{owner.id}_bus",
                title=f"{title} bus",
                lanes=owner.reads,
                ends=(owner.id, f"{owner.id}.memory"),
                peak_GBps=owner.peak_GBps,
                component=owner.component,
                internal=True,
            )
        elif owner.kind is DeviceKind.HOST and (host := self.plan.scenario.hardware.host):
            # What crosses PCIe is read from the host's memory or written to it.
            wires = self.links.get("pcie")
            if wires is not None:
                self.links["host_bus"] = Link(
                    id="host_bus",
                    title="Host memory bus",
                    lanes=wires.lanes,
                    ends=(owner.id, f"{owner.id}.memory"),
                    peak_GBps=host.bandwidth_GBps,
                    component="host",
                    internal=True,
                    shared=True,
                )

    def _shared_memory(self, index: int, id: str, title: str) -> None:
        """A memory that several units share, or that nothing computes in."""
        near = [d for d in self.devices.values() if d.kind is DeviceKind.NEAR]
        if near and id == "kv" and not title.lower().startswith("host"):
            if len(near) == 1:
                self.devices[near[0].id] = replace(near[0], memory=index)
                return
            for one in near:
                self.devices[one.id] = replace(self.devices[one.id], inside=id)
            self.devices[id] = Device(
                id=id,
                title=title,
                kind=DeviceKind.MEMORY,
                component=near[0].component,
                memory=index,
                peak_GBps=sum(d.peak_GBps for d in near),
            )
        elif "host" in self.devices:
            self._own_memory(index, self.devices["host"])
        else:
            self.devices[id] = Device(id=id, title=title, kind=DeviceKind.MEMORY, memory=index)

    def _host_channels(self, near: list[Device]) -> None:
        """Where memory that computes stands behind the host, its channels carry what PCIe does."""
        pcie = self.links.get("pcie")
        if pcie is None or not any(d.component in ("dimm_pim", "ndp_dimms") for d in near):
            return
        inside = {d.inside for d in near if d.inside}
        ends = tuple(inside) if inside else tuple(d.id for d in near)
        pim = self.plan.scenario.hardware.dimm_pim
        dimm = self.plan.scenario.hardware.ndp_dimms
        peak = 0.0
        if near[0].component == "dimm_pim" and pim:
            peak = dimm_pim.host_GBps(pim) / max(1, getattr(self.plan, "replicas", 1))
        elif dimm:
            peak = ndp_dimm.rank_peak_GBps(dimm) * ndp_dimm.channels(dimm)
        self.links["channels"] = Link(
            id="channels",
            title="Memory channels",
            lanes=pcie.lanes,
            ends=("host", *ends),
            peak_GBps=peak,
            component=near[0].component,
            shared=True,
        )
