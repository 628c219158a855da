"""``./dev soak``: the window in use for a long time, many live edits, or very long runs.

``--minutes N`` uses the window in every way, ``--edits N`` makes that many live edits one after the
other, ``--long-runs`` simulates LLaMA2-70B for 10,000 tokens and, with each neuron kept, for 3,000,
and L3 for 300,000 iterations.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.soak import results
from tests.soak.long_runs import STORIES, in_a_process


def main() -> int:
    """Run, print the samples, write the figures if asked; 1 if something grew."""
    parser = argparse.ArgumentParser(
        prog="./dev soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, help="of the window in use; 30 if nothing is said")
    parser.add_argument("--round-edits", type=int, default=10, help="live edits of a round of it")
    parser.add_argument("--edits", type=int, help="live edits one after the other")
    parser.add_argument("--long-runs", action="store_true", help="all long runs, or those named")
    for name, story in STORIES.items():
        parser.add_argument(f"--{name}", type=int, help=f"this long run only: {story.title}")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    given = parser.parse_args()
    sizes = {name: getattr(given, name) for name in STORIES if getattr(given, name)}
    if given.long_runs and not sizes:
        sizes = {name: story.steps for name, story in STORIES.items()}
    found: dict[str, Any] = {}
    if given.edits:
        found["edits"] = _window(edits=given.edits)
    if given.minutes or not (sizes or given.edits):
        minutes = given.minutes or 30.0
        found["window"] = _window(minutes=minutes, round_edits=given.round_edits)
    if sizes:
        found["long runs"] = {name: in_a_process(name, steps) for name, steps in sizes.items()}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    if given.json:
        results.put(given.json, found)
    parts = [found[name] for name in ("window", "edits") if name in found]
    return (
        1 if any(one["problems"] for one in [*parts, *found.get("long runs", {}).values()]) else 0
    )


def _window(*, minutes: float = 0.0, round_edits: int = 0, edits: int = 0) -> dict[str, Any]:
    """Use a window for a while, or for so many edits; prints the samples and returns figures."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    for name in ("CONFIG", "STATE", "CACHE"):
        os.environ[f"DIMMSCOPE_{name}"] = str(folder / name.lower())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtWidgets import QApplication

    from app.bootstrap import make_window, prepare
    from app.settings.store import Settings
    from simcore.remote.heap import keep_freed_memory
    from simcore.remote.priority import raise_thread
    from tests.app.conftest import SMALL
    from tests.app.test_h2m2 import SMALL as OTHER
    from tests.soak.run import Soak, figures

    keep_freed_memory()  # as the program does
    raise_thread()
    application = QApplication.instance() or QApplication(["soak"])
    prepare(application)
    paths = [folder / "one.yaml", folder / "two.yaml"]
    for path, text in zip(paths, (SMALL, OTHER.format(system="h2m2", kind="fixed")), strict=True):
        path.write_text(text, encoding="utf-8")
    window = make_window(Settings())
    window.files.may_discard = lambda: True
    window.show()

    def wait(done) -> None:
        limit = time.monotonic() + 60
        while not done():
            application.processEvents()
            time.sleep(0.002)
            if time.monotonic() > limit:
                said = [one.text for one in window.state.messages.entries][-3:]
                raise TimeoutError(f"nothing happened for a minute; last messages: {said}")

    soak = Soak(window, paths, wait)
    done = soak.edit_only(edits) if edits else soak.run(minutes * 60, warm=6, edits=round_edits)
    window.close()
    for number, one in enumerate(done.samples):
        sys.stdout.write(f"{'warm-up' if number < done.warm else '':8} {one}\n")
    return figures(done)


if __name__ == "__main__":
    sys.exit(main())
