"""Presets as rows for `dimmscope list`."""

from __future__ import annotations

import dataclasses
from typing import Any

from simcore.scenario.fields import knob_of
from simcore.scenario.presets import PRESET_KINDS, presets
from simcore.scenario.schema import COMPONENTS

_FIGURES = 4


def model_rows() -> list[dict[str, Any]]:
    """Every model with its shape."""
    from simcore.model.shapes import weight_bytes
    from simcore.scenario.schema import ActivationStats, Model

    rows = []
    for name, item in presets("model").items():
        values = dict(item.values)
        stats = values.pop("stats", None)
        if isinstance(stats, dict):
            values["stats"] = ActivationStats(**stats)
        model = Model(**{**values, "preset": name, "title": item.title})
        rows.append(
            {
                "id": name,
                "title": item.title,
                **{key: value for key, value in item.values.items() if key != "stats"},
                "weights_GB": weight_bytes(model) / 1e9,
                "source": _source(item),
            }
        )
    return rows


def hardware_rows() -> list[dict[str, Any]]:
    """Every hardware preset, component by component."""
    rows = []
    for component in PRESET_KINDS:
        if component not in COMPONENTS:
            continue
        units = {
            field.name: knob_of(field).unit
            for field in dataclasses.fields(COMPONENTS[component])
            if "knob" in field.metadata
        }
        for name, item in presets(component).items():
            shown = [
                f"{_words(key, units.get(key, ''))} {value:g} {units.get(key, '')}".strip()
                for key, value in item.values.items()
                if isinstance(value, (int, float)) and not isinstance(value, bool)
            ]
            rows.append(
                {
                    "component": component,
                    "id": name,
                    "title": item.title,
                    "figures": ", ".join(shown[:_FIGURES]),
                    "values": dict(item.values),
                    "source": _source(item),
                }
            )
    return rows + _dram_rows()


def _dram_rows() -> list[dict[str, Any]]:
    """Every DRAM channel with the bandwidths that follow from its timing."""
    from simcore.hardware.dram.figures import derived
    from simcore.hardware.dram.presets import dram_presets

    rows = []
    for name, item in dram_presets().items():
        figures = derived(item)
        channel = figures["channel"]
        rows.append(
            {
                "component": "dram",
                "id": name,
                "title": item.title,
                "figures": f"peak {channel['peak_GBps']:.4g} GB/s, stream "
                f"{channel['stream_bank_group_GBps']:.4g} GB/s, 64 B random "
                f"{channel['gather_64B_GBps']:.4g} GB/s ({figures['ranks']} ranks)",
                "values": dataclasses.asdict(item.timing),
                "derived": figures,
                "source": _source(item),
            }
        )
    return rows


def _words(key: str, unit: str) -> str:
    """A field's name without the unit at its end."""
    end = "_" + unit.replace("/", "p")
    return (key[: -len(end)] if key.endswith(end) else key).replace("_", " ")


def _source(item: Any) -> str:
    return "; ".join(dict.fromkeys(p.source for p in item.provenance.values()))
