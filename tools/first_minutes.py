"""The first minutes with the program, from a wheel, with real keys and a real mouse.

Usage: python tools/first_minutes.py [--out FOLDER] [--size 1280x800]

Builds the wheel, installs it into an empty virtual environment, starts the installed program in an
empty folder on a display of its own, and does what somebody does who has just installed it: welcome
page, tour of Hermes, the scenario with a live model, a prompt. There is a picture of each stage.
The exit code is 1 if something does not come up or anything is said on stderr.

What the package needs may come from the environment this runs in; the package itself cannot: it is
checked that the program's files are those of the wheel.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
STOPS = 12
PROMPT = "The whale went down and "
OUTLINE = (0x8A, 0x53, 0x00)
"""Colour of a tour's frame in the light theme."""
LONG_LINE_PX = 150
TOUR_BUTTON = (265, 75)
LIVE_CARD = (645, 200)
"""Places of the welcome page: the first tour, the third card."""
LIVE_TITLE = "^DIMMscope — Live text: tiny"
TOKENS_Y = 103
FROM_RIGHT_PX = 48
WIDEST_PX = 1600
"""Place of the line of tokens in the main window, of the button at its end; its first width."""
LAST_STEP = (18, 84)
"""Place of the last step's bar in the main window, from its right edge."""
LAST_STEP_BLUE = 40


class StageError(Exception):
    """A stage that did not come about."""


def main() -> int:
    """Run all stages; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "first-minutes")
    parser.add_argument("--size", default="1280x800")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="first-minutes-") as work:
        try:
            program = installed(Path(work))
            pictures = walk(program, Path(work) / "empty", arguments.out, arguments.size)
        except (StageError, AssertionError) as error:
            sys.stderr.write(f"first_minutes: {error}\n")
            return 1
    for picture in pictures:
        sys.stdout.write(f"{picture}\n")
    return 0


def _run(what: str, *command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StageError(f"{what}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout.strip()


def _built(work: Path) -> Path:
    alone = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    build = (sys.executable, "-m", "build", "--wheel", *alone, "--outdir", work, ROOT)
    _run("building the wheel", *build, cwd=work)
    (wheel,) = work.glob("*.whl")
    return wheel


def installed(work: Path) -> Path:
    """Install the wheel alone into a new environment; the program's path.

    The wheel is the one that ``DIMMSCOPE_WHEEL`` names, which `./dev test` has just built and
    checked, or is built here.

    Raises:
        StageError: if that cannot be done, or the program found is not the wheel's.
    """
    wheel = os.environ.get("DIMMSCOPE_WHEEL") or _built(work)
    venv = work / "venv"
    _run("making an environment", sys.executable, "-m", "venv", "--without-pip", venv, cwd=work)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index")
    _run("installing the wheel", *pip, "--no-deps", wheel, cwd=work)
    here = _run(
        "finding the environment's packages",
        *(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"),
        cwd=work,
    )
    # Paths in a .pth file come after the environment's own, and .pth files there are not read, so
    # that an editable installation of this checkout stays out.
    needed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (Path(here) / "needed.pth").write_text("\n".join(needed) + "\n", encoding="utf-8")
    script = "import app, simcore; print(app.__file__, simcore.__file__)"
    found = _run("importing the package", python, "-c", script, cwd=work)
    if found.count(str(venv)) != 2:
        raise StageError(f"the program is not the wheel's: {found}")
    return venv / "bin" / "dimmscope"


def walk(program: Path, folder: Path, out: Path, size: str = "1280x800") -> list[Path]:
    """Go through the stages in an empty folder; the pictures.

    Raises:
        AssertionError: with a picture and the windows there are, if a stage does not come about.
        StageError: if two stages look the same, or something was said on stderr.
    """
    sys.path.insert(0, str(ROOT))
    from tests.e2e.desktop import Desktop

    folder.mkdir()
    desktop = Desktop(folder, size, (str(program),))
    try:
        stages = Stages(desktop, out)
        desktop.start()
        stages.welcome()
        stages.tour()
        stages.live()
        stages.leave()
    except BaseException:
        desktop.image().save(out / "failed.png")
        raise
    finally:
        desktop.stop()
    return stages.pictures


class Stages:
    """What is done, stage by stage.

    Attributes:
        pictures: files written so far.
    """

    def __init__(self, desktop: Any, out: Path) -> None:
        self.desktop = desktop
        self.out = out
        self.pictures: list[Path] = []
        self._last: Any = None

    def keep(self, name: str) -> None:
        """A picture once nothing moves any more; it must differ from the one before.

        Raises:
            StageError: if it does not.
        """
        image = self._still()
        if self._last is not None and image.tobytes() == self._last.tobytes():
            raise StageError(f"{name}: looks just like the stage before")
        self._last = image
        path = self.out / f"{len(self.pictures) + 1:02}-{name}.png"
        image.save(path)
        self.pictures.append(path)

    def _still(self, limit_s: float = 20.0) -> Any:
        end = time.monotonic() + limit_s
        before = self.desktop.image()
        while time.monotonic() < end:
            time.sleep(0.7)
            now = self.desktop.image()
            if now.tobytes() == before.tobytes():
                break
            before = now
        return before

    def _until(self, done: Callable[[], Any], what: str) -> None:
        self.desktop.wait(done, what)

    def welcome(self) -> None:
        """The page is there by itself."""
        self._until(lambda: self.desktop.window("Welcome"), "the welcome page")
        self.keep("welcome")

    def tour(self) -> None:
        """The tour of Hermes; its button is clicked, → goes on, twelve times.

        Raises:
            StageError: if a stop has no outline, or the last one leaves it there.
        """
        desktop = self.desktop
        desktop.click(*TOUR_BUTTON, window="Welcome")
        self._until(lambda: not desktop.window("Welcome"), "the welcome page to be gone")
        desktop.focus("^DIMMscope")
        self._until(self._outlined, "the outline of the first stop")
        for stop in range(STOPS):
            self.keep(f"tour-{stop + 1:02}")
            if not self._outlined():
                raise StageError(f"stop {stop + 1} of the tour has no outline")
            desktop.keys("Right")
        self.keep("tour-over")
        if self._outlined():
            raise StageError("the tour does not end")

    def _outlined(self) -> bool:
        """Whether there is a frame in the colour of the tour, two long lines across at least."""
        pixels = np.asarray(self.desktop.image())
        same = (pixels == np.array(OUTLINE)).all(axis=2).sum(axis=1)
        return int((same > LONG_LINE_PX).sum()) >= 2

    def live(self) -> None:
        """The live scenario from the welcome page, then a prompt over its tokens."""
        desktop = self.desktop
        desktop.command("Welcome and examples")
        self._until(lambda: desktop.window("Welcome"), "the welcome page")
        self.keep("welcome-again")
        desktop.click(*LIVE_CARD, window="Welcome")
        self._until(lambda: desktop.window(LIVE_TITLE), "the live scenario")
        desktop.focus("^DIMMscope")
        self._until(self._has_run, "the run")
        self._still()
        desktop.keys("Home")
        self.keep("live")
        before = self._tokens()
        width = min(self.desktop.image().size[0], WIDEST_PX)
        desktop.click(width - FROM_RIGHT_PX, TOKENS_Y)
        desktop.keys("ctrl+a")
        desktop.text(PROMPT)
        self.keep("prompt")
        desktop.keys("Return")
        self._until(lambda: desktop.window(r"^DIMMscope .*\*$"), "the mark of an edit")
        self._until(
            lambda: self._has_run() and self._tokens() != before,
            "other tokens after another prompt",
        )
        self.keep("tokens")
        desktop.keys("Home", *["ctrl+Right"] * 20)
        self.keep("token-20")
        desktop.keys("ctrl+z")
        self._until(lambda: not desktop.window(r"^DIMMscope .*\*$"), "the edit to be taken back")
        self.keep("prompt-undone")
        desktop.keys("Home")
        self._until(lambda: self._tokens() == before, "undo to bring the tokens back")

    def _has_run(self) -> bool:
        """Whether all steps are there: the last one has its bar, which is blue."""
        image = self.desktop.image()
        right, y = LAST_STEP
        red, _, blue = image.getpixel((min(image.size[0], WIDEST_PX) - right, y))
        return bool(blue > red + LAST_STEP_BLUE)

    def _tokens(self) -> bytes:
        """The line of tokens as it looks."""
        image = self.desktop.image()
        width = min(image.size[0], WIDEST_PX)
        box = (0, TOKENS_Y - 10, width - 2 * FROM_RIGHT_PX, TOKENS_Y + 11)
        return bytes(image.crop(box).tobytes())

    def leave(self) -> None:
        """Close the window like a user; what was said on the way.

        Raises:
            StageError: if it does not end well or said anything.
        """
        desktop = self.desktop
        desktop.keys("ctrl+q")
        desktop.program.wait(60)
        if desktop.program.returncode or desktop.complaints():
            raise StageError(f"ended with {desktop.program.returncode}: {desktop.complaints()}")


if __name__ == "__main__":
    raise SystemExit(main())
