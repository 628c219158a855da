"""Runs a row of cases in this process and writes one line of JSON for each to standard output.

A case fails if reading raises anything but a `UserError`, takes too long or too much memory,
leaves a file behind, writes outside its folder, starts a program, connects to anything or loads
code out of a pickle. What cannot be caught here (a crash, a loop in C) the parent notices.
"""

import contextlib
import fnmatch
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

SECONDS = 5.0
"""Longest time of a case, of this process' own work: a busy machine is no finding."""
MEGABYTES = 500
"""Most memory of a case over that of the process before it."""
_CEILING_BYTES = 4 << 30
_FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen",
              "pickle.find_class", "socket.connect", "socket.bind", "socket.getaddrinfo",
              "ctypes.dlopen", "webbrowser.open")  # fmt: skip


class Overtime(BaseException):
    """A case ran too long; not an Exception, so that no reader takes it for its own."""


def _fetches_a_loop(event: str) -> bool:
    """Whether this is numba at work on code it keeps, which is its own and no input."""
    if event not in ("pickle.find_class", "open", "os.mkdir", "os.rename", "os.remove"):
        return False
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "numba.core.caching":
            return True
        frame = frame.f_back
    return False


class Watch:
    """What a case does to the world outside its folder, through the interpreter's audit events."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple) -> None:
        if self.folder is None:
            return
        if _fetches_a_loop(event):
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event} {arguments[:1]}"[:200])
        elif event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            mode, flags = arguments[1], arguments[2]
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if flags else 0
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                self._wrote("open", arguments[0])
        elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil.rmtree"):
            self._wrote(event, arguments[0])

    def _wrote(self, event: str, name: str | bytes | os.PathLike) -> None:
        path = os.path.realpath(os.fsdecode(name))
        cache = os.environ["DIMMSCOPE_CACHE"]  # solved placements may be kept
        if not path.startswith((self.folder or "", os.path.realpath(cache), "/dev/null")):
            self.seen.append(f"{event} {path}"[:200])


def listing(folder: Path) -> dict[str, int]:
    """Every file of a folder, with its size."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


def peak_kb(*, reset: bool = False) -> int:
    """Most resident memory since the last reset, in KiB."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def case(seed: int, number: int, targets, watch: Watch, only: str = "") -> dict:
    """Make and read one case; what came of it."""
    from simcore.errors import UserError

    draw = random.Random(f"{seed}/{number}")
    names = [only] if only else list(targets)
    name = draw.choices(names, [targets[n].weight for n in names])[0]
    target = targets[name]
    folder = Path(tempfile.mkdtemp(prefix="case-"))
    out = {"case": number, "target": name, "outcome": "read", "problem": ""}
    here = Path.cwd()
    try:
        target.make(draw, folder)
        before = listing(folder)
        os.chdir(folder)
        sys.stdout.flush()
        base = peak_kb(reset=True)
        begin = time.process_time()
        watch.seen.clear()
        watch.folder = os.path.realpath(folder)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            target.read(folder)
        except UserError as error:
            out["outcome"] = "refused"
            if not str(error).strip():
                out["problem"] = "an error without a message"
        except Overtime:
            out["problem"] = f"longer than {SECONDS:g} s"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            out["problem"] = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
            out["trace"] = traceback.format_exc()[-3000:]
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            watch.folder = None
            os.chdir(here)
        out["seconds"] = round(time.process_time() - begin, 4)
        out["megabytes"] = round((peak_kb() - base) / 1024, 1)
        if out["megabytes"] > MEGABYTES:
            out["problem"] = out["problem"] or f"{out['megabytes']} MB"
        new = set(listing(folder)) - set(before)
        new = {n for n in new if not any(fnmatch.fnmatch(n, p) for p in target.allowed)}
        if watch.seen:
            out["problem"] = out["problem"] or "; ".join(watch.seen[:3])
        elif new:
            out["problem"] = out["problem"] or f"left {sorted(new)[:3]}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return out


def main(arguments: list[str]) -> int:
    """``worker SEED FIRST COUNT FOLDER [TARGET]``."""
    seed, first, count = (int(word) for word in arguments[:3])
    only = arguments[4] if len(arguments) > 4 else ""
    tempfile.tempdir = arguments[3]
    os.environ["DIMMSCOPE_STATE"] = os.path.join(arguments[3], "state")
    from simcore.data import cache_folder

    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))  # nothing is compiled anew
    os.environ["DIMMSCOPE_CACHE"] = os.path.join(arguments[3], "cache")
    os.environ["DIMMSCOPE_CONFIG"] = os.path.join(arguments[3], "config")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from tests.fuzz import targets

    def late(*_) -> None:
        raise Overtime

    signal.signal(signal.SIGVTALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (_CEILING_BYTES, _CEILING_BYTES))
    targets.warm_up()
    warnings.simplefilter("error")
    # Unclosed files show only where their objects are freed, which is not where the fault is.
    warnings.simplefilter("default", ResourceWarning)
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    watch = Watch()
    for number in range(first, first + count):
        report.write(json.dumps({"begin": number}) + "\n")
        report.flush()
        report.write(json.dumps(case(seed, number, targets.TARGETS, watch, only)) + "\n")
        report.flush()
    report.close()
    sys.stdout.flush()
    os._exit(0)  # Qt needs no orderly end here


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
