"""The simulated systems; importing this package makes all of them known to the registry.

A system's module is imported when the system is first asked for, so that a run pays for its own
alone. Installed packages are looked through when a name is not one of these, or all are listed.
"""

from __future__ import annotations

from simcore.registry import SYSTEMS
from simcore.systems.plugins import load_plugins

# Lists show systems in this order: those of papers first, with their variants.
_HOMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "hermes.system",
        (
            "hermes",
            "hermes-random",
            "hermes-oracle",
            "hermes-partition",
            "hermes-adjustment",
            "hermes-token-adjustment",
            "hermes-layer-adjustment",
        ),
    ),
    (
        "hybridserve.system",
        (
            "hybridserve",
            "hybridserve-act-only",
            "hybridserve-kv-only",
            "hybridserve-recompute",
            "hybridserve-unpacked",
        ),
    ),
    (
        "h2m2.system",
        (
            "h2m2",
            "h2m2-oracle",
            "h2m2-flexgen",
            "h2m2-naive",
            "h2m2-q-major",
            "h2m2-f-major",
            "h2m2-a-major",
            "lpddr-only",
            "hierarchical",
            "8-hbm",
        ),
    ),
    ("hermes.dense", ("hermes-base",)),
    ("hermes.host", ("hermes-host",)),
    ("hybridserve.flexgen", ("hybridserve-flexgen",)),
    ("hybridserve.resident_kv", ("deepspeed-inference", "vllm-swap")),
    (
        "l3.system",
        (
            "l3",
            "l3-fill-first",
            "l3-no-overlap",
            "l3-relayout",
            "l3-base",
            "r-pim",
            "gpu-only",
            "hbm-pim",
            "hbm-pim-ext",
            "hbm-pim-single-batch",
            "cpu-offload",
        ),
    ),
    ("offload.accelerate", ("hf",)),
    ("offload.dejavu", ("dejavu",)),
    ("offload.flexgen", ("flexgen",)),
    ("tensor_parallel.system", ("tensorrt-llm",)),
)

for _module, _names in _HOMES:
    SYSTEMS.announce(f"{__name__}.{_module}", *_names)
SYSTEMS.announce_more(load_plugins)
