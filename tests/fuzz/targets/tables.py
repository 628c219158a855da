"""Tables of requests: traces and histograms."""

import random
from pathlib import Path

from simcore.scenario.document import Document
from simcore.workload.requests import make_requests
from tests.fuzz import mangle
from tests.fuzz.targets.common import HUGE, Target


def table(draw: random.Random, source: str) -> bytes:
    """A CSV file with cells, columns or rows spoilt."""
    rows = [line.split(",") for line in source.strip("\n").split("\n")]
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        row = draw.choice(rows)
        if not row:
            continue
        kind, at = draw.random(), draw.randrange(len(row))
        if kind < 0.6:
            row[at] = draw.choice((mangle.word(draw), '"', '""', "nan", "inf", "-inf", "1e19", "x"))
        elif kind < 0.75:
            del row[at]
        elif kind < 0.9:
            row.insert(at, mangle.word(draw))
        else:
            rows.insert(draw.randrange(len(rows) + 1), list(row))
    text = draw.choice(("\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows)
    data = text.encode("utf-8", "surrogatepass")
    return data if draw.random() < 0.8 else mangle.raw(draw, data)


def _make_trace(draw: random.Random, folder: Path) -> None:
    rows = "\n".join(
        f"{draw.choice((n, n * 10.5, -n))},{draw.randint(1, 900)},{draw.randint(1, 300)}"
        for n in range(draw.randint(0, 30))
    )
    path = folder / "trace.csv"
    path.write_bytes(table(draw, f"arrival_s,prompt_tokens,output_tokens\n{rows}\n"))
    if draw.random() < 0.0025:
        with path.open("ab") as file:
            file.truncate(HUGE)
    (folder / "arrivals").write_text(draw.choice(("trace", "offline", "poisson")))


def _make_histogram(draw: random.Random, folder: Path) -> None:
    shares = (0.25, 3, 1e-300, 1e300)
    rows = [
        f"{field},{low},{low + draw.choice((1, 50, 100000))},{draw.choice(shares)},"
        + draw.choice(("", str(low), str(low + 20)))
        for field in ("prompt_tokens", "output_tokens")
        for low in range(0, draw.choice((1, 200, 400)), 100)
    ]
    source = "field,bin_low,bin_high,probability,mean_in_bin\n" + "\n".join(rows) + "\n"
    (folder / "histogram.csv").write_bytes(table(draw, source))


def _served(source: str, file: Path, arrivals: str) -> None:
    document = Document.from_text(
        "system: l3\nmodel: opt-66b\nworkload: {kind: serving, requests: 20}\n"
    )
    document = document.with_value("workload.source", source)
    document = document.with_value(f"workload.{source}", str(file))
    document = document.with_value("workload.arrivals", arrivals)
    made = make_requests(document.resolve())
    if len(made) and min(made.prompt.min(), made.output.min(), 1 + made.arrival_ps.min()) < 1:
        raise AssertionError(f"{made}")


def _read_trace(folder: Path) -> None:
    _served("trace", folder / "trace.csv", (folder / "arrivals").read_text())


def _read_histogram(folder: Path) -> None:
    _served("histogram", folder / "histogram.csv", "offline")


TARGETS = {
    "trace": Target(_make_trace, _read_trace),
    "histogram": Target(_make_histogram, _read_histogram),
}
