"""The scenario as immutable data: what a file may say, with units, ranges and sources.

Nothing here computes; hardware models live in `simcore.hardware`, shapes in `simcore.model`.
Every value that can be set carries a `Knob`, and values from presets or files carry a
`Provenance` in `Scenario.provenance` under their dotted path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simcore.scenario.fields import Provenance, knob
from simcore.scenario.schema.activations import (
    ACTIVATIONS,
    LiveActivations,
    RecordedActivations,
    StatisticalActivations,
)
from simcore.scenario.schema.asymmetric import ChipLink, Mmu, NpuChip, SideMemory
from simcore.scenario.schema.dimm_pim import DimmPim
from simcore.scenario.schema.hardware import (
    COMPONENTS,
    DimmLink,
    Gpu,
    Hardware,
    Host,
    NdpDimms,
    Pcie,
)
from simcore.scenario.schema.hbm_pim import HbmPim, Nvlink
from simcore.scenario.schema.model import ActivationStats, Model
from simcore.scenario.schema.serving import ServingWorkload
from simcore.scenario.schema.turnover import TurnoverWorkload
from simcore.scenario.schema.uneven import UnevenWorkload
from simcore.scenario.schema.workload import WORKLOADS, FixedWorkload

SCHEMA_VERSION = 1

__all__ = [
    "ACTIVATIONS",
    "COMPONENTS",
    "SCHEMA_VERSION",
    "WORKLOADS",
    "ActivationStats",
    "ChipLink",
    "DimmLink",
    "DimmPim",
    "FixedWorkload",
    "Gpu",
    "Hardware",
    "HbmPim",
    "Host",
    "Mmu",
    "Model",
    "NdpDimms",
    "NpuChip",
    "Nvlink",
    "Pcie",
    "LiveActivations",
    "RecordedActivations",
    "Scenario",
    "ServingWorkload",
    "SideMemory",
    "StatisticalActivations",
    "TurnoverWorkload",
    "UnevenWorkload",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A resolved scenario: presets expanded, defaults filled in, every value checked.

    Attributes:
        workload: an instance of one of `WORKLOADS`; a system says which kinds it takes.
        policy: the knobs of the system, an instance of the system's policy dataclass.
        provenance: dotted path to class and citation, for every value that has one.
    """

    version: int = SCHEMA_VERSION
    name: str = knob("unnamed", live=False, help="What the scenario shows, in one line.")
    system: str = knob("hermes", live=False, help="System or variant to simulate.")
    hardware: Hardware = field(default_factory=Hardware)
    model: Model
    workload: Any = field(default_factory=FixedWorkload)
    activations: StatisticalActivations | RecordedActivations | LiveActivations = field(
        default_factory=StatisticalActivations
    )
    policy: Any = None
    compare: tuple[str, ...] = ()
    seed: int = knob(1, ge=0, le=2**63 - 1, step=1, help="Seed of every random stream.")
    provenance: Mapping[str, Provenance] = field(default_factory=dict, compare=False, repr=False)
