"""Rules about imports that import-linter cannot see."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", ["app/viewmodels", "app/state"])
def test_no_widgets_below_the_views(package):
    for path in (ROOT / package).rglob("*.py"):
        assert not [name for name in imported(path) if "QtWidgets" in name], path


def test_the_core_names_no_toolkit():
    for path in (ROOT / "simcore").rglob("*.py"):
        names = [name.partition(".")[0] for name in imported(path)]
        assert not {"PySide6", "pyqtgraph", "app"} & set(names), path


def loaded_by(code):
    script = f"import sys\n{code}\nprint(*(name for name in sys.modules if '.' not in name))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(result.stdout.split())


def test_the_window_and_the_systems_need_no_compiler():
    loaded = loaded_by(
        "import app.window, app.bootstrap, simcore.systems\n"
        "from simcore.registry import SYSTEMS\n"
        "list(SYSTEMS.items())"
    )
    assert "simcore" in loaded
    assert "numba" not in loaded


def test_a_short_run_of_a_system_without_neurons_loads_no_compiler():
    loaded = loaded_by(
        "from simcore.scenario.document import open_document\n"
        "from simcore.engine.simulator import simulate\n"
        "document = open_document('h2m2-llama2-70b').with_value('workload.output_tokens', 4)\n"
        "simulate(document.resolve())"
    )
    assert "numpy" in loaded
    assert "numba" not in loaded


def test_importing_the_front_page_loads_nothing_heavy():
    assert not {"numpy", "yaml", "matplotlib"} & loaded_by("import simcore")


def test_resolving_a_scenario_loads_no_toolkit_and_no_charts():
    loaded = loaded_by("import simcore; simcore.load_scenario('hermes-llama2-70b')")
    assert not {"PySide6", "pyqtgraph", "matplotlib", "app"} & loaded


def test_the_front_page_keeps_its_promises():
    import simcore

    for name in simcore.__all__:
        assert getattr(simcore, name) is not None
    assert set(simcore.__all__) <= set(dir(simcore))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = simcore.nothing
