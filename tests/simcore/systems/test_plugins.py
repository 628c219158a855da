"""Systems of other packages: found where they are installed, and harmless where they are broken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simcore.systems.plugins import GROUP

ROOT = Path(__file__).resolve().parents[3]
START = "from simcore.systems.base import *\nfrom simcore.systems.base import register_system\n"
HALF = START + (
    "from simcore.systems.tensor_parallel.system import TensorRtLlm\n"
    "register_system('half')(type('Half', (TensorRtLlm,), {'variants': {}}))\n"
)
GOOD = HALF.replace("half", "whole")
BROKEN = {
    "syntax": ("def (:\n", "SyntaxError"),
    "import": ("import no_such_module\n", "ModuleNotFoundError"),
    "raises": (HALF + "1 / 0\n", "ZeroDivisionError"),
    "exits": (HALF + "raise SystemExit(3)\n", "SystemExit"),
    "twice": (HALF.replace("'half'", "'hermes'"), "registered twice"),
    "abstract": (START + "@register_system('half')\nclass A(System):\n    pass\n", "abstract"),
    "component": (HALF.replace("'variants': {}", "'components': ('gpus',)"), "'gpus'"),
    "no system": ("from simcore.registry import SYSTEMS\nSYSTEMS.add('half', 3)\n", "not a"),
    "bare knob": (
        "import dataclasses\n"
        + HALF.replace(
            "'variants': {}",
            "'variants': {}, 'policy_type': dataclasses.make_dataclass('P', [('n', int, 1)])",
        ),
        "knob",
    ),
}


@pytest.fixture
def install(tmp_path):
    def install(text, name="mine"):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        info = tmp_path / f"{name}-0.5.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.5\n"
        (info / "METADATA").write_text(head, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}\n", encoding="utf-8")
        return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}

    return install


def program(environment, *words):
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_package_gives_a_message_and_nothing_else(install, kind):
    text, said = BROKEN[kind]
    done = program(install(text), "-m", "app", "list", "systems")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("installed systems: mine 0.5: its systems are left out: ")
    assert said in line
    assert line.endswith("pip uninstall mine")
    assert "hermes-host" in done.stdout
    assert "half" not in done.stdout


def test_good_packages_are_loaded_beside_broken_ones(install):
    install("1 / 0\n", "bad")
    done = program(install(GOOD, "good"), "-m", "app", "list", "systems")
    assert "bad 0.5" in done.stderr
    assert "whole " in done.stdout


def test_a_scenario_that_needs_it_says_why_it_is_not_there(install, tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("version: 1\nsystem: half\nmodel: opt-13b\n", encoding="utf-8")
    done = program(install(BROKEN["raises"][0]), "-m", "app", "run", str(file))
    assert done.returncode == 2
    assert "no such system" in done.stderr
    assert "pip uninstall mine" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_window_tells_of_a_broken_package(install, tmp_path):
    environment = install("1 / 0\n")
    environment |= {"DIMMSCOPE_CONFIG": str(tmp_path / "c"), "DIMMSCOPE_STATE": str(tmp_path / "s")}
    script = (
        "from PySide6.QtWidgets import QApplication\n"
        "from app.bootstrap import make_window, prepare\n"
        "app = QApplication([]); prepare(app); window = make_window()\n"
        "print([notice.text for notice in window.state.notices.waiting])\n"
        "window.close()\n"
    )
    done = program(environment, "-c", script)
    assert done.returncode == 0, done.stderr
    assert "Installed systems: mine 0.5" in done.stdout


def test_a_safe_start_loads_none(install):
    environment = install(HALF) | {"DIMMSCOPE_PLUGINS": "off"}
    assert "half" not in program(environment, "-m", "app", "list", "systems").stdout
    script = (
        "import os, app.main as m, app.bootstrap\n"
        "app.bootstrap.run = lambda *a, **k: print(os.environ['DIMMSCOPE_PLUGINS']) or 0\n"
        "m.main(['--safe'])\n"
    )
    assert program(environment | {"DIMMSCOPE_PLUGINS": ""}, "-c", script).stdout.strip() == "off"


def test_importing_the_module_itself_registers_once(install):
    script = "import mine, simcore; print(list(simcore.SYSTEMS).count('whole'))"
    done = program(install(GOOD), "-c", script)
    assert done.stdout.strip() == "1", done.stderr


def test_results_of_sweeps_depend_on_its_code(install):
    script = "from simcore.sweep.resolve import code_version; print(code_version())"
    environment = install(GOOD)
    first = program(environment, "-c", script).stdout
    assert first
    (Path(environment["PYTHONPATH"].split(os.pathsep)[1]) / "mine.py").write_text(GOOD + "# x\n")
    assert program(environment, "-c", script).stdout != first
