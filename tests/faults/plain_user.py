"""Processes to which permission bits apply, also where the tests run as root."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_PAST_PERMISSIONS = "-dac_override,-dac_read_search,-fowner,-chown"


@cache
def prefix() -> tuple[str, ...]:
    """What to put before a command; for root, a start without the power to pass permissions by."""
    if os.geteuid() or not (tool := shutil.which("setpriv")):
        return ()
    return (tool, f"--bounding-set={_PAST_PERMISSIONS}", "--inh-caps=-all")


def bound_by_permissions(folder: Path) -> bool:
    """Whether such a process fails to write into a folder that nobody may write into."""
    place = folder / "probe"
    place.mkdir()
    place.chmod(0o555)
    words = [*prefix(), sys.executable, "-c", f"open({str(place / 'x')!r}, 'w')"]
    done = subprocess.run(words, capture_output=True, check=False)
    place.chmod(0o755)
    return done.returncode != 0 and b"PermissionError" in done.stderr
