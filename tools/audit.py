"""Ask for known vulnerabilities of the pinned packages, and say so where nobody answered.

Usage: python tools/audit.py [--tool PATH] [--json FILE]     (./dev audit installs the tool)

`pip-audit` counts a package its service does not know as skipped, and ends well even if that are
all of them, as behind a mirror without the service. Here a package that was not judged is not fine.
Exit code: 0 all were judged and none has a known vulnerability, 1 some have, 2 not all were judged.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "constraints.txt"
SERVICES = ("pypi", "osv")
LIMIT_S = 600


def main() -> int:
    """Ask one service after the other until one has judged every package."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tool", default="pip-audit")
    parser.add_argument("--json", type=Path, help="write what came of it to this file")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    why = []
    for service in SERVICES:
        found, problem = asked(arguments.tool, service)
        if not problem:
            break
        why.append(f"{service}: {problem}")
    else:
        sys.stderr.write(
            "audit: NOT DONE, no service judged all packages:\n  " + "\n  ".join(why) + "\n"
        )
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, ids in found["vulnerable"].items():
        sys.stdout.write(f"{name}: {', '.join(ids)}\n")
    sys.stdout.write(
        f"{found['packages']} packages judged by {found['service']}, "
        f"{len(found['vulnerable'])} with a known vulnerability\n"
    )
    return int(bool(found["vulnerable"]))


def asked(tool: str, service: str) -> tuple[dict[str, Any], str]:
    """What a service says of the pins, and what kept it from judging them all."""
    words = [tool, "-r", str(PINS), "--no-deps", "--disable-pip", "-s", service, "-f", "json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, f"{error}"
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip() or "no answer").splitlines()[-1]
        return {}, last[-200:]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped or not packages:
        return {}, f"{len(skipped)} of {len(packages)} packages not judged"
    vulnerable = {
        f"{one['name']} {one['version']}": sorted(vuln["id"] for vuln in one["vulns"])
        for one in packages
        if one["vulns"]
    }
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    found = {"date": today, "service": service, "packages": len(packages), "vulnerable": vulnerable}
    return found, ""


if __name__ == "__main__":
    raise SystemExit(main())
