"""The audit of packages does not take silence for good news."""

import json
import subprocess
import sys

import pytest

from tests.test_docs import ROOT

FINE = {"name": "numpy", "version": "2.3.5", "vulns": []}
BAD = {"name": "pillow", "version": "1.0", "vulns": [{"id": "CVE-1"}, {"id": "AAA-2"}]}
SKIPPED = {"name": "viztracer", "skip_reason": "Dependency not found"}


@pytest.fixture
def audit(tmp_path):
    def audit(answers):
        """Run with a tool that answers each service so; text is what it says on stderr."""
        tool = tmp_path / "pip-audit"
        tool.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"answer = {answers!r}[sys.argv[sys.argv.index('-s') + 1]]\n"
            "if isinstance(answer, str):\n    sys.exit(answer)\n"
            "print(json.dumps({'dependencies': answer}))\n",
            encoding="utf-8",
        )
        tool.chmod(0o755)
        out = tmp_path / "audit.json"
        return out, subprocess.run(
            [sys.executable, ROOT / "tools/audit.py", "--tool", tool, "--json", out],
            capture_output=True,
            text=True,
            check=False,
        )

    return audit


def test_all_judged_and_fine(audit):
    out, done = audit({"pypi": [FINE, FINE]})
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert (found["service"], found["packages"], found["vulnerable"]) == ("pypi", 2, {})


def test_a_known_vulnerability(audit):
    out, done = audit({"pypi": [FINE, SKIPPED], "osv": [FINE, BAD]})
    assert done.returncode == 1
    assert "pillow 1.0: AAA-2, CVE-1" in done.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["service"] == "osv"


@pytest.mark.parametrize("osv", ["Name or service not known", [SKIPPED], []])
def test_silence_is_not_good_news(audit, osv):
    out, done = audit({"pypi": [SKIPPED, SKIPPED], "osv": osv})
    assert done.returncode == 2
    assert "NOT DONE" in done.stderr
    assert "pypi: 2 of 2 packages not judged" in done.stderr
    assert not out.exists()


def test_without_the_tool():
    done = subprocess.run(
        [sys.executable, ROOT / "tools/audit.py", "--tool", "/nowhere/pip-audit"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
