"""The working process: does one task after the other until the other end is gone."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from typing import Any, BinaryIO

from simcore.engine.pauses import at_pauses
from simcore.errors import Cancelled, SimcoreError
from simcore.remote.heap import keep_freed_memory
from simcore.remote.priority import lower_process
from simcore.remote.ready import get_loops_ready, get_ready
from simcore.remote.task import Begin, Ended, GiveUp, Outcome
from simcore.remote.wire import receive, send


class _Inbox:
    """What the other process wants, read in a thread so that it can be given up at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._given_up = 0
        self.tasks: queue.SimpleQueue[Begin] = queue.SimpleQueue()

    def read(self) -> None:
        """Read for ever; the process ends with the one that started it."""
        try:
            while True:
                message = receive(self._file)
                if isinstance(message, GiveUp):
                    self._given_up = max(self._given_up, message.number)
                else:
                    self.tasks.put(message)
        except (EOFError, OSError):
            # Whatever is under way is for nobody. Nothing is written here that could be half done.
            os._exit(0)
        except Exception:  # a process that hears nothing any more is of no use
            traceback.print_exc()
            os._exit(1)

    def wanted(self, number: int) -> bool:
        """Whether a task has not been given up."""
        return number > self._given_up


def main(beside: bool = False) -> None:
    """Serve through stdin and stdout; what is printed goes to stderr.

    Args:
        beside: as in `Worker`.
    """
    if beside:
        gc.set_threshold(100_000, 50, 100)  # as the process beside which it works
    else:
        lower_process()
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window, which closes this
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox = _Inbox(os.fdopen(os.dup(0), "rb"))
    # Not the stdin of anything that runs here.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=inbox.read, daemon=True).start()
    with contextlib.suppress(Exception):  # a task fails of the same, and can say so
        if beside:
            get_loops_ready()
        else:
            get_ready()
    while True:
        begin = inbox.tasks.get()
        try:
            send(out, _done(begin, inbox, out))
        except OSError:
            sys.exit(0)


def _done(begin: Begin, inbox: _Inbox, out: BinaryIO) -> Ended:
    def check() -> None:
        if not inbox.wanted(begin.number):
            raise Cancelled

    def say(message: Any) -> None:
        check()
        send(out, message)

    try:
        check()
        begin.surroundings.enter()
        with at_pauses(check):
            begin.task().work(say)
    except Cancelled:
        return Ended(Outcome.CANCELLED)
    except SimcoreError as error:
        return Ended(Outcome.FAILED, _portable(error))
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # the border of the process: a bug becomes a report
        return Ended(Outcome.FAILED, _portable(error), traceback.format_exc())
    return Ended(Outcome.DONE)


def _portable(error: Exception) -> Exception:
    """The error itself if it survives the way, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a class of somebody else raises
        if isinstance(error, SimcoreError):  # of an installed system; its text is for the user
            return SimcoreError(str(error))
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
