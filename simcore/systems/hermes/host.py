"""Hermes-host: the host processor in the place of the NDP-DIMMs (Hermes, V-A).

The same hot and cold split as Hermes, made for the NDP-DIMMs, with cold neurons and attention on
the CPU. The split is fixed, as in PowerInfer, after which the paper configured it.
"""

from __future__ import annotations

from simcore.scenario.schema import Scenario
from simcore.systems.base import Variant, register_system
from simcore.systems.hermes.plan import HermesPlan, prepare
from simcore.systems.hermes.system import Hermes

_FIXED = Variant("Hermes-host", {"online_adjustment": False, "window_remap": False})


@register_system("hermes-host")
class HermesHost(Hermes):
    """One GPU and a host CPU."""

    title = "Hermes-host"
    components = ("gpu", "pcie", "host")
    presets = {
        "gpu": "hermes-rtx-4090",
        "pcie": "hermes-pcie4",
        "host": "i9-13900k-ddr5-5600",
    }
    variants = {}

    def __init__(self, id: str, variant: Variant | None = None) -> None:
        super().__init__(id, variant or _FIXED)

    def prepare(self, scenario: Scenario, *, items: bool = True) -> HermesPlan:
        return prepare(scenario, items=items, on_host=True)
