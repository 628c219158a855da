"""The same scenario on another system, for comparisons."""

from __future__ import annotations

import dataclasses
import json

from simcore.registry import SYSTEMS
from simcore.results.summary import scenario_dict
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import Scenario


def variant_scenario(scenario: Scenario, system_id: str) -> Scenario:
    """A resolved scenario moved to another system or variant.

    Hardware, model, workload, activations and seed stay. Knobs of the policy that the user set
    stay too where the other system is a variant of the same kind, unless they are what makes the
    variant; a system of another kind starts from its own defaults.

    Raises:
        UnknownNameError: if there is no such system.
        ScenarioErrors: if the scenario cannot be used with it.
    """
    from simcore.scenario.document import Document  # reading scenarios needs the YAML parser

    target, own = SYSTEMS.get(system_id), SYSTEMS.get(scenario.system)
    plain = scenario_dict(scenario)
    kept = {}
    if type(target) is type(own):
        fixed = target.variant.policy if target.variant else {}
        kept = {
            name: value
            for name, value in plain["policy"].items()
            if name not in fixed and _set_by_user(scenario, f"policy.{name}")
        }
    plain |= {"system": system_id, "policy": kept, "compare": []}
    moved = Document.from_text(json.dumps(plain, ensure_ascii=False)).resolve()
    known = {
        path: item
        for path, item in scenario.provenance.items()
        if not path.startswith("policy.") and path in moved.provenance
    }
    return dataclasses.replace(moved, provenance={**moved.provenance, **known})


def _set_by_user(scenario: Scenario, path: str) -> bool:
    item = scenario.provenance.get(path)
    return item is not None and item.source_class is SourceClass.USER
