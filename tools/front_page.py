"""Fill in the generated parts of README.md and docs/index.md.

Usage: python tools/front_page.py [--check]
With --check nothing is written; the exit code is 1 if a page is out of date.

Two parts: scenarios, by the first sentence of their files; and every number that a paper's abstract
or headline states, beside the simulated one of docs/fidelity.md, met or not.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "index.md")
FIDELITY = ROOT / "docs" / "fidelity.md"
TARGETS = ROOT / "assets" / "papers" / "targets.yaml"

SCENARIOS = (
    *("hermes-llama2-70b", "hermes-opt-66b", "hermes-live", "hermes-recorded", "l3-gpt-175b"),
    *("l3-mooncake", "l3-azure-conversation", "h2m2-gpt3-175b", "h2m2-turnover"),
    "hybridserve-opt-30b",
)

_HEADLINE = re.compile(r"\babstract\b|headline", re.IGNORECASE)
_ROW = re.compile(
    r"^\| `(?P<id>[^`]+)` \| (?P<paper>[^|]+) \| (?P<simulated>[^|]+) \| (?P<error>[^|]+) \| [^|]+ "
    r"\| (?P<use>[^|]+) \| [^|]+ \| (?P<verdict>[^|]+) \|$",
    re.MULTILINE,
)
WORDS = {
    "hermes.avg.hermes-vs-hf.speedup": "Hermes over HF Accelerate, OPT, batch 1",
    "hermes.avg.hermes-vs-flexgen.speedup": "Hermes over FlexGen, OPT, batch 1",
    "hermes.avg-batches.hermes-vs-flexgen.speedup": "Hermes over FlexGen, batch 1 to 16",
    "hermes.avg-batches.hermes-vs-dejavu.speedup": "Hermes over Deja Vu, batch 1 to 16",
    "hermes.avg-batches.hermes-vs-host.speedup": "Hermes over Hermes-host, batch 1 to 16",
    "hermes.avg.hermes-vs-base.speedup": "Hermes over Hermes-base, batch 1",
    "l3.v2.max.chime-vs-hbm-pim.speedup": "CHIME over HBM-PIM, most",
    "l3.v2.max.chime-vs-hbm-pim-ext.speedup": "CHIME over HBM-PIM with more stacks, most",
    "l3.v2.max.chime-vs-gpu-only.speedup": "CHIME over GPUs alone, most",
    "l3.v2.max.chime-vs-r-pim.speedup": "CHIME over rank-level PIM, most",
    "l3.v2.headline.batch.gain": "batch of CHIME over that of GPUs alone",
    "l3.v2.headline.latency-per-batch": "its step over that of GPUs alone",
    "l3.v1.max.l3-vs-hbm-pim.speedup": "L3 over HBM-PIM, most (first version)",
    "h2m2.gpt3-175b.b32.h2m2.speedup": "H2M2 over LPDDR alone, GPT3-175B",
    "h2m2.chinchilla-70b.b64.h2m2.speedup": "H2M2 over LPDDR alone, Chinchilla-70B",
    "h2m2.llama2-70b.b128.h2m2.speedup": "H2M2 over LPDDR alone, Llama2-70B",
    "hybridserve.overall.hybrid-vs-flexgen.speedup": "HybridServe over FlexGen, OPT",
    "hybridserve.act-kv.bytes.ratio": "bytes of an activation over those of keys and values",
}
"""What each of these numbers is; a target of an abstract that is missing here is an error."""


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    parts = {"scenarios": scenarios(), "headline numbers": headline_numbers()}
    stale = 0
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        new = filled(old, parts)
        if new == old:
            continue
        stale += 1
        if check:
            sys.stderr.write(f"{page.name} is out of date: python tools/front_page.py\n")
        else:
            page.write_text(new, encoding="utf-8", newline="\n")
    return int(bool(check and stale))


def filled(page: str, parts: dict[str, str]) -> str:
    """A page with what stands between ``<!-- NAME -->`` and ``<!-- end -->`` made anew."""
    for name, text in parts.items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = part.sub(lambda match, text=text: f"{match[1]}{text}{match[2]}", page)
    return page


def scenarios() -> str:
    """A command and a sentence each."""
    from app.viewmodels.gallery import examples

    about = {example.path.stem: example.sentence for example in examples()}
    rows = [f"| `./dev run {name}` | {about[name]} |" for name in SCENARIOS]
    return "\n".join(["| | |", "|---|---|", *rows]) + "\n"


def headline_ids() -> list[str]:
    """Targets that stand in an abstract or are called a headline, in the order of the file."""
    import yaml

    targets = yaml.safe_load(TARGETS.read_text(encoding="utf-8"))
    targets = targets["targets"] if isinstance(targets, dict) else targets
    return [t["id"] for t in targets if _HEADLINE.search(f"{t['source']} {t['id']}")]


def headline_numbers() -> str:
    """Published, simulated, error and verdict of each."""
    from simcore.reproduce.targets import FAMILIES

    rows = {found["id"]: found for found in _ROW.finditer(FIDELITY.read_text(encoding="utf-8"))}
    lines = [
        "| paper | number | published | simulated | error | |",
        "|---|---|---:|---:|---:|---|",
    ]
    for id in headline_ids():
        row = rows[id]
        verdict = row["verdict"] if row["use"] == "checked" else f"{row['verdict']}, fitted"
        lines.append(
            f"| {FAMILIES[id.split('.')[0]]} | {WORDS[id]} | {row['paper']} | {row['simulated']} | "
            f"{row['error']} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main())
