"""CSV tables, reports, and the choice of an exporter by file name."""

import csv
import html.parser
import re

import pytest

from simcore.errors import UserError
from simcore.export.ranges import parse_range
from simcore.export.registry import EXPORTERS, ExportOptions, chart_of, exporter_for
from simcore.export.report import write_comparison, write_report
from simcore.export.run_tables import write_spans, write_steps
from tests.fakes import fake_run
from tests.simcore.export.rendering import check_drawn, pixels


@pytest.fixture(scope="module")
def run():
    return fake_run()


@pytest.fixture(scope="module")
def markdown(run, tmp_path_factory):
    """The report as markdown, with what was written; to be read only."""
    path = tmp_path_factory.mktemp("report") / "r.md"
    return path, write_report(run, path)


def _read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_steps_agree_with_the_columns(run, tmp_path):
    write_steps(run, tmp_path / "s.csv")
    rows = _read(tmp_path / "s.csv")
    assert len(rows) == len(run)
    assert rows[0]["kind"] == "prefill"
    row = rows[5]
    assert float(row["duration_ms"]) * 1e9 == pytest.approx(run.value("duration_ps", 5), abs=0.5)
    parts = [float(v) for k, v in row.items() if k.startswith("gpu.") and k.endswith("_ms")]
    assert sum(parts) == pytest.approx(float(row["duration_ms"]))
    assert int(row["memory.dimms.kv_bytes"]) == run.value("memory_bytes", 5)[1, 1]
    assert int(row["cold (B)"]) == run.value("cold_bytes", 5).sum()


def test_spans_agree_with_the_run(run, tmp_path):
    write_spans(run, tmp_path / "s.csv", 3, 5)
    rows = _read(tmp_path / "s.csv")
    assert len(rows) == len(run.spans(3)) + len(run.spans(4))
    assert {row["step"] for row in rows} == {"3", "4"}
    assert round(float(rows[0]["start_us"]) * 1e6) == run.start_ps(3)
    assert {row["wait_reason"] for row in rows} == {
        "",
        "dependency",
        "sync",
        "imbalance",
        "no work",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3:7", (3, 7)), (":7", (None, 7)), ("3:", (3, None)), ("5", (5, 6)), (":", (None, None))],
)
def test_ranges(text, expected):
    assert parse_range(text) == expected


@pytest.mark.parametrize("text", ["", "a:b", "7:3", "3:3", "-1:4", "1:2:3", "1.5", "²"])
def test_wrong_ranges(text):
    with pytest.raises(UserError):
        parse_range(text)


@pytest.mark.parametrize(
    ("name", "exporter"),
    [
        ("a.json", "trace"),
        ("a.json.gz", "trace"),
        ("a.csv", "steps"),
        ("a.steps.csv", "steps"),
        ("a.spans.csv", "spans"),
        ("a.npz", "run"),
        ("a.html", "report"),
        ("A.MD", "report"),
        ("timeline.svg", "chart"),
        ("fig3-step_time.pdf", "chart"),
    ],
)
def test_exporter_by_name(run, tmp_path, name, exporter):
    found = exporter_for(tmp_path / name)
    assert found.id == exporter
    found.write(run, tmp_path / name, ExportOptions(2, 5))
    assert (tmp_path / name).stat().st_size > 100


def test_names_without_meaning():
    with pytest.raises(UserError, match=r"\.npz"):
        exporter_for("a.xyz")
    with pytest.raises(UserError, match="timeline"):
        exporter_for("a.svg")
    with pytest.raises(UserError, match="did you mean 'timeline'"):
        chart_of(__import__("pathlib").Path("timelin.svg"))
    assert len(EXPORTERS) == 6


class _Page(html.parser.HTMLParser):
    void = frozenset(
        ["meta", "path", "use", "rect", "image", "stop", "circle", "line", "polygon", "polyline"]
    )

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if "id" in named:
            self.ids.append(named["id"])
        self.links += [named[k] for k in ("href", "src", "xlink:href") if k in named]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.void:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.open.pop() == tag


def test_html_report_stands_alone(run, tmp_path):
    path = tmp_path / "r.html"
    compare = {
        "fake-slow": {"tokens_per_s": 5.0, "speedup": 2.0},
        "other": {"tokens_per_s": None, "speedup": None, "error": "does <not> fit"},
    }
    assert write_report(run, path, compare=compare) == [path]
    text = path.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert not page.open
    assert len(page.ids) == len(set(page.ids)), "an id twice in one page"
    assert all(link.startswith(("#", "data:image/")) for link in page.links)
    for target in re.findall(r"url\(#([^)]+)\)", text):
        assert target in page.ids
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert text.count("<svg") == 9 + 1  # every chart, and the bars of the systems
    assert "What bounds what" in text
    assert "fake &lt;machine&gt; &amp; co" in text
    assert "does &lt;not&gt; fit" in text
    assert "GDDR6X" in text
    assert "wall" not in text
    write_report(fake_run(), tmp_path / "again.html", compare=compare)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_markdown_report_has_its_charts_beside_it(markdown):
    path, written = markdown
    text = path.read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 9
    assert sorted(p.name for p in written) == sorted([*pictures, "r.md"])
    check_drawn(pixels(path.parent / pictures[0]))
    assert "fake \\<machine\\>" in text
    width = {line.count("|") for line in text.splitlines() if line.startswith("| path")}
    assert width == {5}


def test_charts_inside_the_page_are_drawn(run, tmp_path):
    write_report(run, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(drawings) == 9
    for drawing in drawings:
        path = tmp_path / "chart.svg"
        path.write_text(drawing, encoding="utf-8")
        check_drawn(pixels(path))


def test_what_bounds_what_tells_alike_lanes_once(markdown):
    text = markdown[0].read_text(encoding="utf-8")
    table = text.split("## What bounds what")[1].split("##")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len({(row[0], row[1]) for row in rows}) == len(rows) > 2
    assert "(2 lanes)" in table
    assert "memory bandwidth" in table
    shares = [float(row[4].rstrip(" %")) for row in rows if row[4] != "–"]
    assert shares == sorted(shares, reverse=True)
    assert 0 < shares[0] <= 100


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_report_of_two_runs(run, tmp_path, suffix):
    other = fake_run(8)
    path = tmp_path / f"c.{suffix}"
    written = write_comparison(run, other, path)
    text = path.read_text(encoding="utf-8")
    assert "workload.output_tokens" in text.replace("\\_", "_")
    assert "Settings that differ" in text
    if suffix == "html":
        page = _Page()
        page.feed(text)
        assert len(page.ids) == len(set(page.ids))
        assert text.count("<svg") == 2 * 9 + 1
        assert written == [path]
    else:
        assert len(written) == 2 * 9 + 2


def test_report_of_a_run_with_itself_says_so(run, tmp_path):
    write_comparison(run, fake_run(), tmp_path / "c.md")
    text = (tmp_path / "c.md").read_text(encoding="utf-8")
    assert "The scenarios are the same." in text
    assert "Every figure is the same." in text
