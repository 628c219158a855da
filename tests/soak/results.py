"""Results of soaks, each kind under its name, so that one can be made anew without the others."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "results.json"


def read(path: Path = FILE) -> dict[str, Any]:
    """All results there are."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def put(path: Path, found: dict[str, Any]) -> None:
    """Write results beside those of other kinds."""
    merged = read(path)
    for name, value in found.items():
        known = merged.get(name)
        merged[name] = {**known, **value} if name == "long runs" and known else value
    path.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
