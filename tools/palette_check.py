"""Measure the colours of the window and of charts: distances for every vision, and contrasts.

Usage: python tools/palette_check.py [--worst N]

Prints, for each theme of the window and of exported charts and each kind of vision, the closest
pairs of colours that are used together (CIEDE2000), then the lowest contrasts (WCAG 2.1).
Returns 1 if something is below its limit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Print the table; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description="distances and contrasts of both themes")
    parser.add_argument("--worst", type=int, default=4, help="pairs and contrasts to print")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from app.theme.palette import chart_contrasts, contrasts, distances, table_distances
    from app.theme.tokens import THEMES
    from simcore.export.charts.style import DARK, PAPER

    missed = 0
    looks = [(f"{t.name} window", [*distances(t)], contrasts(t)) for t in THEMES.values()]
    looks += [
        (f"{t.name} chart", [*table_distances(t.table)], chart_contrasts(t)) for t in (PAPER, DARK)
    ]
    for name, groups, found in looks:
        for group, vision, limit, pairs in groups:
            worst = sorted(pairs)[: arguments.worst]
            missed += sum(value < limit for value, _, _ in pairs)
            text = ", ".join(f"{a} {b} {value:.1f}" for value, a, b in worst)
            sys.stdout.write(f"{name:12} {group:12} {vision:13} at least {limit:g}: {text}\n")
        found.sort(key=lambda item: item.ratio / item.least)
        missed += sum(item.ratio < item.least for item in found)
        for item in found[: arguments.worst]:
            sys.stdout.write(
                f"{name:12} {item.front} on {item.ground}: {item.ratio:.2f}, "
                f"at least {item.least:g}\n"
            )
    sys.stdout.write(f"{missed} below the limit\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
