"""``./dev soak [--minutes N]``: the window in use for a long time."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Run, print the samples, write the figures if asked; 1 if something grew."""
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--edits", type=int, default=10, help="live edits of a round")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    for name in ("CONFIG", "STATE", "CACHE"):
        os.environ[f"DIMMSCOPE_{name}"] = str(folder / name.lower())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtWidgets import QApplication

    from app.bootstrap import make_window, prepare
    from app.settings.store import Settings
    from tests.app.conftest import SMALL
    from tests.app.test_h2m2 import SMALL as OTHER
    from tests.soak.run import Soak, as_json

    application = QApplication(["soak"])
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
    found = soak.run(given.minutes * 60, warm=6, edits=given.edits)
    window.close()
    for number, one in enumerate(found.samples):
        sys.stdout.write(f"{'warm-up' if number < found.warm else '':8} {one}\n")
    sys.stdout.write(as_json(found))
    if given.json:
        given.json.write_text(as_json(found), encoding="utf-8")
    return 1 if found.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
