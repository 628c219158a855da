"""The repository itself: tooling, pins, licences."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import BY_FILE, FIRST

ROOT = Path(__file__).parents[1]
DEV = ROOT / "dev"


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_scripts(script):
    path = ROOT / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True)


def test_help_names_every_command():
    shown = subprocess.run([DEV, "help"], capture_output=True, text=True, check=True).stdout
    for command in re.findall(r"^command_(\w+)\(\)", DEV.read_text(), re.MULTILINE):
        assert f"./dev {command}" in shown


def test_unknown_command():
    result = subprocess.run([DEV, "tset"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "no such command: tset" in result.stderr


def test_only_one_scenario():
    result = subprocess.run([DEV, "run", "a", "b"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "one scenario at most" in result.stderr


def test_constraints_are_plain_versions_of_everything_needed():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = set()
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==[A-Za-z0-9.]+", line)
        assert match, line
        pinned.add(re.sub(r"[-_.]+", "-", match[1]).lower())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in needed:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name is not None
        assert re.sub(r"[-_.]+", "-", name[0]).lower() in pinned


def test_toolkit_pins():
    """Other versions abort the interpreter or break exporters (see CONTRIBUTING)."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "PySide6-Essentials>=6.10.3,<6.11" in dependencies
    assert "pyqtgraph==0.14.*" in dependencies


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal")
def test_toolkit_keeps_reference_counts():
    from PySide6.QtCore import QObject

    item = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        item.parent()
    assert before - sys.getrefcount(None) < 100


def test_fonts_have_their_licence_and_stay_small():
    fonts = ROOT / "assets" / "fonts"
    licence = (fonts / "OFL.txt").read_text()
    files = [*fonts.glob("*.otf"), *fonts.glob("*.ttf")]
    assert len(files) >= 4
    for file in files:
        assert file.name in licence
    assert sum(file.stat().st_size for file in files) < 3_000_000


def test_data_folders_say_what_they_hold():
    for folder in ("activations", "fonts", "traces"):
        assert (ROOT / "assets" / folder / "README.md").is_file()


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with only what the script itself uses."""
    for tool in ("bash", "cat", "cksum", "dirname", "id", "rm", "env"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    return tmp_path


@pytest.fixture
def bare_checkout(tmp_path):
    """A copy of the scripts without .venv."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("dev", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def fake(folder, name, body):
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def run_dev(checkout, path, *arguments):
    environment = {"PATH": str(path), "HOME": str(path)}
    return subprocess.run(
        [checkout / "dev", *arguments], capture_output=True, text=True, env=environment
    )


def test_old_python_is_named(bare_checkout, bare_path):
    fake(bare_path, "python3", '[ "$1" = --version ] && echo Python 3.9.2; exit 1')
    result = run_dev(bare_checkout, bare_path, "run")
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed, this is Python 3.9.2" in result.stderr


def test_missing_ensurepip_gives_the_line_that_repairs_it(bare_checkout, bare_path):
    fake(bare_path, "python3", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')
    result = run_dev(bare_checkout, bare_path, "run")
    assert result.returncode == 1
    assert "apt-get install --no-install-recommends python3-venv" in result.stderr


def test_missing_python_gives_the_line_that_repairs_it(bare_checkout, bare_path):
    result = run_dev(bare_checkout, bare_path, "run")
    assert result.returncode == 1
    assert "apt-get install --no-install-recommends python3 python3-venv" in result.stderr


def test_what_is_run_first_or_together_exists():
    """A name that is nowhere any more would put nothing in order, without a word."""
    for entry in (*FIRST, *BY_FILE):
        path, _, name = entry.partition("::")
        assert (ROOT / path).exists(), entry
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), entry
