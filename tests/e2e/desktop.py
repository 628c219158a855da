"""A real X display with the real program on it, used with real keys and a real mouse."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageGrab

TOOLS = ("Xvfb", "xdotool")
LIMIT_S = 240.0
_PAUSE_S = 0.15
_PROGRAM = """
import sys
import app.persistence.keeper as keeper
from app.main import main
keeper.WRITE_MS = 300  # the session file is how the tests see what the window shows
sys.exit(main(sys.argv[1:]))
"""


class Desktop:
    """An X server of its own; the program is started and stopped on it.

    Attributes:
        folder: where settings, state and the user's files are.
    """

    def __init__(
        self,
        folder: Path,
        size: str = "1280x800",
        program: tuple[str, ...] | None = None,
        server: tuple[str, ...] = (),
    ) -> None:
        """Start the display.

        Args:
            folder: an empty folder.
            size: of the screen.
            program: an installed program to start; without it, the one of this checkout.
            server: further options of the X server.
        """
        self.folder = folder
        self._installed = program
        read, write = os.pipe()
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(write),
                "-screen",
                "0",
                f"{size}x24",
                "-nolisten",
                "tcp",
                # Else the display starts anew when its last client leaves, such as a tool that
                # looked for a window, and refuses those that come meanwhile.
                "-noreset",
                *server,
            ],
            pass_fds=(write,),
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = f":{pipe.readline().strip()}"
        self.program: subprocess.Popen[bytes] | None = None
        self.said = folder / "stderr.txt"

    def start(self, *arguments: str) -> None:
        """Start the program and wait for its window."""
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("QT_", "DIMMSCOPE_"))},
            "DISPLAY": self.display,
            "DIMMSCOPE_CONFIG": str(self.folder / "config"),
            "DIMMSCOPE_STATE": str(self.folder / "state"),
            "OPENBLAS_NUM_THREADS": "1",
        }
        program = self._installed
        if program is None:
            environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
            program = (sys.executable, "-c", _PROGRAM)
        else:
            environment.pop("PYTHONPATH", None)
        with self.said.open("ab") as errors:
            self.program = subprocess.Popen(
                [*program, *arguments],
                cwd=self.folder,
                env=environment,
                stderr=errors,
            )
        self.wait(lambda: self.window("^DIMMscope"), "the window")
        self.focus("^DIMMscope")

    def stop(self) -> None:
        """End everything, hard if need be."""
        for process in (self.program, self._server):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _tool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "DISPLAY": self.display},
            timeout=60,
        )
        return done.stdout.strip()

    def window(self, name: str) -> str:
        """Number of the newest visible window whose title holds a name; empty for none."""
        return (self._tool("search", "--onlyvisible", "--name", name).splitlines() or [""])[-1]

    def titles(self) -> list[str]:
        """Titles of all visible windows."""
        found = self._tool("search", "--onlyvisible", "--name", ".").splitlines()
        return [self._tool("getwindowname", number) for number in found]

    def focus(self, name: str) -> None:
        """Give a window the keyboard; there is no window manager that would.

        A dialog or a list of completions that closes late takes the keyboard with it, so this
        returns when the window has kept it for a while.
        """

        def kept() -> bool:
            number = self.window(name)
            if not number:
                return False
            if self._tool("getwindowfocus", "-f") != number:
                self._tool("windowfocus", number)
                return False
            time.sleep(2 * _PAUSE_S)
            return self._tool("getwindowfocus", "-f") == number == self.window(name)

        self.wait(kept, f"the keyboard to be at {name!r}")

    def keys(self, *keys: str) -> None:
        """Press keys, such as ``ctrl+z``, one after the other."""
        for key in keys:
            self._tool("key", "--clearmodifiers", key)
            time.sleep(_PAUSE_S)

    def text(self, text: str) -> None:
        """Type a text."""
        self._tool("type", "--delay", "15", text)
        time.sleep(_PAUSE_S)

    def click(self, x: int, y: int, button: int = 1, window: str = "^DIMMscope") -> None:
        """Click at a place of a window, the main one if none is named."""
        self._tool("mousemove", "--window", self.window(window), str(x), str(y))
        time.sleep(_PAUSE_S)
        self._tool("click", str(button))
        time.sleep(_PAUSE_S)

    def command(self, title: str) -> None:
        """Run a command by its name, through the palette."""
        self.focus("^DIMMscope")
        self.keys("ctrl+shift+p")
        self.wait(lambda: self.window("^Command palette$"), "the palette")
        self.focus("^Command palette$")
        self.text(title)
        self.keys("Return")

    def answer_file(self, path: Path) -> None:
        """Type a file name into the file dialog that comes up."""
        dialog = "^(Open|Export|Save|Load)"
        self.wait(lambda: self.window(dialog), "a file dialog")
        self.focus(dialog)
        time.sleep(0.5)
        self.keys("ctrl+a")
        self.text(str(path))
        self.keys("Return")
        self.wait(lambda: not self.window(dialog), "the file dialog to be gone")

    def wait(self, done: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
        """Wait until something is true; says what was waited for, with a picture, if it is not."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            found = done()
            if found:
                return found
            if self.program is not None and self.program.poll() is not None:
                break
            time.sleep(0.1)
        said = self.said.read_text(errors="replace")[-800:] if self.said.exists() else ""
        raise AssertionError(
            f"waited for {what}; windows {self.titles()}; picture {self.picture()}; said {said}"
        )

    def complaints(self) -> list[str]:
        """What the program said on stderr, without what the bare display makes Qt say."""
        return [
            line
            for line in self.said.read_text(errors="replace").splitlines()
            if "XDG_RUNTIME_DIR" not in line and "propagateSizeHints" not in line
        ]

    def image(self) -> Image.Image:
        """What the display shows."""
        return ImageGrab.grab(xdisplay=self.display).convert("RGB")

    def picture(self) -> Path:
        """A picture of the whole display."""
        path = self.folder / f"display-{time.monotonic_ns()}.png"
        self.image().save(path)
        return path


def session(scenario: Path) -> dict[str, Any]:
    """What the program remembers of its window for a scenario; empty before the first time."""
    path = scenario.with_name(f"{scenario.stem}.view.yaml")
    if not path.is_file():
        return {}
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["session"])
    except (yaml.YAMLError, TypeError, KeyError):
        return {}
