"""What a link's rate is made of: lanes, coding, headers; and what short transfers reach.

Sources: PCI Express Base Specification 3.0 to 6.0 (rates, coding, packet headers), NVIDIA
datasheets (NVLink). The simulation takes `bandwidth_GBps` of the scenario as it is; this module
says how that value stands to the wires. Both directions of a link are lanes of their own: they do
not slow each other down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.errors import UnknownNameError
from simcore.hardware.derivation import Derivation
from simcore.scenario.fields import SourceClass

_PCIE = "PCI Express Base Specification"


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of PCIe.

    Attributes:
        GTps: transfers a second of a lane, in 10**9.
        coded, raw: bits carried of bits sent: 128 of 130, 8 of 10.
    """

    GTps: float
    coded: int
    raw: int


PCIE: dict[int, Generation] = {
    1: Generation(2.5, 8, 10),
    2: Generation(5.0, 8, 10),
    3: Generation(8.0, 128, 130),
    4: Generation(16.0, 128, 130),
    5: Generation(32.0, 128, 130),
    6: Generation(64.0, 236, 256),
}
"""By number (public). Generation 6 sends frames of 256 B of which 236 are packets."""

PACKET_BYTES = 256
"""Largest payload most hosts and GPUs agree on (public: common maximum payload size)."""

HEADER_BYTES = 24
"""Framing 4, header with a 64-bit address 16, check sum 4 (public: PCIe, memory write)."""


def pcie_raw_GBps(generation: int, lanes: int) -> float:
    """Bits on the wires of one direction (PCIe 4.0 x16: 16 x 16 / 8 = 32 GB/s).

    Raises:
        UnknownNameError: for a generation that is not in `PCIE`.
    """
    return _generation(generation).GTps * lanes / 8


def pcie_coded_GBps(generation: int, lanes: int) -> float:
    """What is left after line coding (PCIe 4.0 x16: 32 x 128 / 130 = 31.51 GB/s)."""
    one = _generation(generation)
    return pcie_raw_GBps(generation, lanes) * one.coded / one.raw


def payload_share(payload_bytes: int = PACKET_BYTES, header_bytes: int = HEADER_BYTES) -> float:
    """Payload of a packet over all of it (256 / 280 = 0.914)."""
    return payload_bytes / (payload_bytes + header_bytes)


def pcie_payload_GBps(generation: int, lanes: int, payload_bytes: int = PACKET_BYTES) -> float:
    """Most that packets of a size can carry; acknowledgements and flow control take some more."""
    return pcie_coded_GBps(generation, lanes) * payload_share(payload_bytes)


def _generation(generation: int) -> Generation:
    if generation not in PCIE:
        raise UnknownNameError("PCIe generation", str(generation), map(str, PCIE))
    return PCIE[generation]


def pcie_like(bandwidth_GBps: float) -> int:
    """Generation whose 16 lanes carry a bandwidth in one direction; the newest if none does."""
    return next((g for g in PCIE if pcie_raw_GBps(g, 16) >= bandwidth_GBps), max(PCIE))


def pcie_derivations(
    bandwidth_GBps: float, latency_us: float, generation: int, lanes: int = 16
) -> tuple[Derivation, ...]:
    """From the wires to the rate in use, step by step.

    Args:
        bandwidth_GBps, latency_us: of a transfer, as in the scenario.
        generation, lanes: the link it is held against.
    """
    one = _generation(generation)
    raw, coded = pcie_raw_GBps(generation, lanes), pcie_coded_GBps(generation, lanes)
    payload = pcie_payload_GBps(generation, lanes)
    public, derived = SourceClass.PUBLIC, SourceClass.DERIVED
    spec = f"{_PCIE} {generation}.0"
    return (
        Derivation(
            f"PCIe {generation}.0 x{lanes}, wires of one direction",
            f"{one.GTps:g} GT/s x {lanes} lanes / 8",
            raw,
            "GB/s",
            public,
            spec,
        ),
        Derivation(
            "after line coding", f"{raw:g} x {one.coded}/{one.raw}", coded, "GB/s", public, spec
        ),
        Derivation(
            f"payload in packets of {PACKET_BYTES} B",
            f"{coded:.4g} x {PACKET_BYTES}/({PACKET_BYTES} + {HEADER_BYTES})",
            payload,
            "GB/s",
            derived,
            f"{spec}: packet headers",
        ),
        Derivation(
            "in use over one direction's wires",
            f"{bandwidth_GBps:g} / {raw:g}",
            bandwidth_GBps / raw,
            "",
            derived,
            "above 1 the scenario counts both directions together",
        ),
        half_size(bandwidth_GBps, latency_us),
    )


def several(one_GBps: float, together_GBps: float) -> Derivation:
    """Links of GPUs that are counted as one."""
    return Derivation(
        "links of all GPUs of the replica",
        f"{together_GBps / one_GBps:g} x {one_GBps:g} GB/s",
        together_GBps,
        "GB/s",
        SourceClass.DERIVED,
        "each GPU has a link of its own",
        True,
    )


def half_size(bandwidth_GBps: float, latency_us: float) -> Derivation:
    """Size at which a transfer reaches half the bandwidth: what is moved in one latency."""
    return Derivation(
        "transfer that reaches half of it",
        f"{bandwidth_GBps:g} GB/s x {latency_us:g} us",
        bandwidth_GBps * latency_us,
        "kB",
        SourceClass.DERIVED,
        "time = latency + bytes / bandwidth",
    )


def reached_GBps(
    amount_bytes: ArrayLike, bandwidth_GBps: float, latency_us: float
) -> NDArray[np.float64]:
    """Rate transfers of some sizes reach: bytes / (latency + bytes / bandwidth); any shape."""
    amount = np.asarray(amount_bytes, dtype=np.float64)
    return np.asarray(amount / (1e3 * latency_us + amount / bandwidth_GBps))
