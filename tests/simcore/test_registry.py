"""A system's module is imported when the system is asked for, and not before."""

import subprocess
import sys

import pytest

from simcore.errors import UnknownNameError
from simcore.registry import LazyRegistry


def test_modules_register_what_is_announced_of_them():
    program = (
        "import sys, simcore.systems\n"
        "from simcore.registry import SYSTEMS\n"
        "listed = list(SYSTEMS)\n"
        "print(sum(name.endswith(('.system', '.dense')) for name in sys.modules))\n"
        "for name, system in SYSTEMS.items(): print(name, system.id)\n"
        "assert listed == list(SYSTEMS)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded, *lines = done.stdout.splitlines()
    assert loaded == "0"
    rows = [line.split() for line in lines]
    assert len(rows) > 30
    assert all(name == id for name, id in rows)


def test_one_system_loads_no_other():
    program = (
        "import sys, simcore\n"
        "simcore.load_scenario('hermes-llama2-70b')\n"
        "found = [name for name in sys.modules if name.startswith('simcore.systems.')]\n"
        "print(*found, 'importlib.metadata' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    *found, metadata = done.stdout.split()
    assert "simcore.systems.hermes.system" in found
    assert not [name for name in found if "l3" in name or "h2m2" in name or "hybrid" in name]
    assert metadata == "False"  # nor is there a look at what is installed


class Thing:
    pass


def test_announced_names_are_there_in_order_and_belong_to_their_module():
    registry: LazyRegistry[object] = LazyRegistry("thing")
    registry.announce(__name__, "a", "b")
    registry.announce("elsewhere", "c")
    assert list(registry) == ["a", "b", "c"]
    assert "c" in registry
    b, a = Thing(), Thing()
    registry.add("b", b)
    registry.add("a", a)
    registry.add("d", 1)
    assert list(registry) == ["a", "b", "c", "d"]
    assert registry.get("a") is a
    for name in ("a", "c", "d"):
        with pytest.raises(ValueError, match="twice"):
            registry.add(name, Thing())
    with pytest.raises(ModuleNotFoundError):
        registry.get("c")
    registry.forget(["d"])
    with pytest.raises(UnknownNameError, match="c"):
        registry.get("d")


def test_more_is_looked_for_where_a_name_is_unknown():
    registry: LazyRegistry[object] = LazyRegistry("thing")
    calls = []

    def more():
        if not calls:
            calls.append(1)
            registry.add("late", 2)

    registry.announce_more(more)
    registry.add("early", 1)
    assert registry.get("early") == 1
    assert "early" in registry
    assert not calls
    assert registry.get("late") == 2
    assert len(registry) == 2
