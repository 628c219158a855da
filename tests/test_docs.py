"""Examples in the documentation run, and links in it lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_examples_from_a_notebook_run(tmp_path, monkeypatch, capsys):
    blocks = _BLOCK.findall((DOCS / "python.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 8
    monkeypatch.chdir(tmp_path)
    # A short run of the same scenario: the examples are about names, not about tokens.
    text = (ROOT / "scenarios" / "hermes-llama2-70b.yaml").read_text(encoding="utf-8")
    short = re.sub(r"output_tokens: \d+", "output_tokens: 24", text)
    assert short != text
    (tmp_path / "hermes-llama2-70b").write_text(short, encoding="utf-8")
    space: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), space)
    out = capsys.readouterr().out
    assert "bound by" in out
    assert "hardware.ndp_dimms.count" in out
    for name in ("run.npz", "fig1.pdf", "steps.csv", "spans.parquet", "trace.json.gz"):
        assert (tmp_path / name).stat().st_size > 0


def test_tables_load_in_one_line(tmp_path, monkeypatch):
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    from simcore.export.chart_file import export_chart
    from simcore.export.run_tables import write_spans, write_steps
    from simcore.results.io import save_run
    from tests.fakes import fake_run

    (block,) = _BLOCK.findall((DOCS / "formats.md").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    run = fake_run(6)
    write_steps(run, "steps.csv")
    write_spans(run, "spans.parquet")
    export_chart(run, "bandwidth", "bandwidth.csv")
    save_run(run, "run.npz")
    space: dict[str, object] = {"pandas": pandas, "numpy": numpy}
    exec(compile(block, "docs/formats.md", "exec"), space)
    assert len(space["steps"]) == len(run)
    assert len(space["spans"]) == sum(len(run.spans(at)) for at in range(len(run)))
    assert space["run"]["column.duration_ps"].sum() == run.end_ps
    space["run"].close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_site_builds_without_a_warning(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "site" / "reference" / "scenario" / "index.html").is_file()


def test_reference_pages_are_those_of_the_code():
    """In a process of its own: tests register systems that are not shipped."""
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_public_functions_are_documented():
    """That the sentence is there and whole; what it says is for a reader to judge."""
    import simcore

    for name in simcore.__all__:
        thing = getattr(simcore, name)
        if callable(thing):
            assert (thing.__doc__ or "").strip().endswith((".", ")", "`")), name
