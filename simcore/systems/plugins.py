"""Systems of installed packages: entry points of the group ``dimmscope.systems``.

An entry point names a module, whose import registers systems with `register_system`. A package
that cannot be imported, or whose systems cannot be used, is left out whole, with a message: it
must not keep the program from starting. Scenario files cannot load anything. Looking for packages
takes longer than most commands need otherwise, so nobody looks before a system is asked for that
does not come with the program, or all of them are.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simcore.registry import SYSTEMS
from simcore.scenario.schema import COMPONENTS, WORKLOADS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "dimmscope.systems"
SWITCH = "DIMMSCOPE_PLUGINS"
"""Environment variable; ``off`` loads nothing, as `dimmscope --safe` does."""

_problems: list[str] = []
_modules: dict[str, str] = {}
_loading = threading.RLock()
_begun = False


def load_plugins() -> None:
    """Import what installed packages announce, once; problems are kept for `plugin_problems`."""
    global _begun
    with _loading:  # other threads wait until they are there; a package that lists systems does not
        if _begun:
            return
        _begun = True
        if os.environ.get(SWITCH) != "off":
            _load()


def _load() -> None:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if point.module in sys.modules:  # it is this module that imports us, or was imported before
            _modules[point.module] = point.name
            continue
        before = set(SYSTEMS)
        try:
            point.load()
            _check({name: SYSTEMS.get(name) for name in SYSTEMS if name not in before})
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may raise anything, SystemExit too
            SYSTEMS.forget([name for name in SYSTEMS if name not in before])
            _problems.append(_message(point, error))
        else:
            _modules[point.module] = point.name


def plugin_problems() -> tuple[str, ...]:
    """What is wrong with installed systems, each with the repair; often empty."""
    load_plugins()
    return tuple(_problems)


def plugin_files() -> Iterator[Path]:
    """Files of the loaded modules, packages with all their modules; they decide results too."""
    load_plugins()
    for name in sorted(_modules):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:
            path = Path(file)
            yield from sorted(path.parent.rglob("*.py")) if path.stem == "__init__" else (path,)


def _check(added: dict[str, Any]) -> None:
    """What would fail only later, in a list or a form.

    Raises:
        TypeError, ValueError: in words for the author of the package.
    """
    from simcore.systems.base import System

    for name, system in added.items():
        if not isinstance(system, System):
            raise TypeError(f"{name} is not a simcore.systems.base.System")
        for attribute in ("title", "paper", "policy_type", "components", "presets"):
            if not hasattr(system, attribute):
                raise TypeError(f"{name} has no {attribute}")
        if not dataclasses.is_dataclass(system.policy_type):
            raise TypeError(f"{name}: policy_type is not a dataclass")
        bare = [f.name for f in dataclasses.fields(system.policy_type) if "knob" not in f.metadata]
        if bare:
            raise TypeError(f"{name}: {bare[0]} of its policy is not made with knob(...)")
        for kind, given, known in (
            ("component", {*system.components, *system.presets}, COMPONENTS),
            ("workload", system.workloads, WORKLOADS),
            (
                "policy value",
                system.variant.policy if system.variant else (),
                {f.name for f in dataclasses.fields(system.policy_type)},
            ),
        ):
            for word in given:
                if word not in known:
                    raise ValueError(f"{name}: no {kind} {word!r}; there are: {', '.join(known)}")


def _message(point: EntryPoint, error: BaseException) -> str:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    remove = f"; repair it, or remove it: pip uninstall {point.dist.name}" if point.dist else ""
    text = " ".join(str(error).split())
    return f"{package}: its systems are left out: {type(error).__name__}: {text}{remove}"
