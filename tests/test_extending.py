"""The worked example of a new system: the page is the file, and the file keeps every promise."""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/cxl_attention"
PAGE = ROOT / "docs/extending.md"
CONTRACTS = "tests/simcore/systems/test_contracts.py"
IDS = ("cxl-attention", "cxl-attention-all", "cxl-expander")


@pytest.fixture
def installed(tmp_path):
    """The environment of a process that has the example installed."""
    shutil.copy(EXAMPLE / "cxl_attention.py", tmp_path)
    info = tmp_path / "dimmscope_cxl_attention-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: dimmscope-cxl-attention\nVersion: 0.1.0\n", encoding="utf-8"
    )
    said = re.search(r'entry-points\."([^"]+)"\]\n(.+)\n', _text("pyproject.toml"))
    assert said
    points = f"[{said[1]}]\n{said[2]}\n".replace('"', "")
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "PYTEST_ADDOPTS": ""}


def _text(name):
    return (EXAMPLE / name).read_text(encoding="utf-8")


def _program(environment, *words):
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_of_the_page_is_that_of_the_file():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    page = re.sub(r"\n{3,}", "\n\n", "\n\n".join(blocks)).strip().splitlines()
    file = re.sub(r"\n{3,}", "\n\n", _text("cxl_attention.py")).strip().splitlines()
    different = difflib.unified_diff(file, page, "cxl_attention.py", "extending.md", lineterm="")
    assert "\n".join(different) == ""


def test_files_of_the_page_are_those_of_the_folder():
    page = PAGE.read_text(encoding="utf-8")
    assert _text("cxl-attention.yaml") in page
    assert '[project.entry-points."dimmscope.systems"]\ncxl-attention = "cxl_attention"' in page
    assert 'cxl-attention = "cxl_attention"' in _text("pyproject.toml")


def test_it_keeps_what_all_systems_promise(installed):
    done = _program(installed, "-m", "pytest", "-p", "no:cacheprovider", CONTRACTS, "-k", "cxl")
    assert done.returncode == 0, done.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed == _contracts() * len(IDS)


def _contracts():
    """Contract tests of one system, counted for one that ships."""
    done = _program(
        {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        *("-m", "pytest", "--collect-only", CONTRACTS, "-k", "tensorrt"),
    )
    return done.stdout.count("::test_")


def test_near_attention_wins_by_the_link(installed):
    """The figures of the page; and that a link as fast as GPU memory takes most of it away."""
    words = ("-m", "app", "run", str(EXAMPLE / "cxl-attention.yaml"), "--json", "-")
    done = _program(installed, *words)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    speed = {name: run["compare"][name]["tokens_per_s"] for name in IDS[1:]}
    page = PAGE.read_text(encoding="utf-8")
    assert (
        f"| `cxl-attention` | {run['placement']['far_heads']} | {run['tokens_per_s']:.1f} |" in page
    )
    for name, value in speed.items():
        assert re.search(rf"\| `{name}` \| \d+ \| {value:.1f} \|", page), (name, value)
    assert run["tokens_per_s"] > 3 * speed["cxl-expander"]
    fast = ("--set", "policy.link_GBps=2000", "--set", "policy.memory_GBps=2000")
    fast = json.loads(_program(installed, *words, *fast).stdout)
    ratio = fast["tokens_per_s"] / fast["compare"]["cxl-expander"]["tokens_per_s"]
    assert 1.0 <= ratio < 1.3


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.bootstrap import make_window, prepare
app = QApplication([])
prepare(app)
window = make_window()
window.show()
window.files.open_path(Path(sys.argv[1]))
state = window.state
def ready():
    run = state.runs.current
    return run is not None and run.status.finished
import time
end = time.monotonic() + 60
while not ready() and time.monotonic() < end:
    app.processEvents()
    time.sleep(0.01)
assert ready()
from simcore.hardware.devices import machine
found = machine(state.runs.current.plan)
print([device.id for device in found.devices], [link.ends for link in found.links])
for id in window.docks:
    window.show_view(id)
    app.processEvents()
window.files.may_discard = lambda: True
window.close()
"""


def test_it_opens_in_the_window(installed, tmp_path):
    installed |= {"DIMMSCOPE_CONFIG": str(tmp_path / "c"), "DIMMSCOPE_STATE": str(tmp_path / "s")}
    shutil.copy(EXAMPLE / "cxl-attention.yaml", tmp_path)
    done = _program(installed, "-c", WINDOW, str(tmp_path / "cxl-attention.yaml"))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "['gpu', 'expander', 'gpu.memory']" in done.stdout
    assert "('gpu', 'expander')" in done.stdout
