"""Tasks for tests; working processes import them by name, as they share the path."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np

from simcore.engine.pauses import pause
from simcore.errors import CapacityError, UserError
from simcore.remote.simulate import Simulate
from simcore.systems.hermes.system import Hermes


@dataclass(frozen=True)
class Echo:
    """Says what it was given, twice."""

    what: object

    def work(self, say):
        say(self.what)
        say(self.what)


@dataclass(frozen=True)
class Where:
    """Says its process, its folder and the variables of a name."""

    def work(self, say):
        own = {name: value for name, value in os.environ.items() if name.startswith("DIMMSCOPE_T")}
        say((os.getpid(), os.getcwd(), own))


@dataclass(frozen=True)
class Endless:
    """Says that it has begun and then works for ever, with pauses."""

    def work(self, say):
        say("begun")
        while True:
            time.sleep(0.001)
            pause()


@dataclass(frozen=True)
class Mute:
    """Works for ever, with pauses, and says nothing."""

    ballast: bytes = b""

    def work(self, say):
        while True:
            time.sleep(0.001)
            pause()


@dataclass(frozen=True)
class Silent:
    """Says that it has begun and then neither works nor listens."""

    def work(self, say):
        say("begun")
        os.kill(os.getpid(), signal.SIGSTOP)


@dataclass(frozen=True)
class Talkative:
    """Says more than a pipe holds, for ever."""

    def work(self, say):
        while True:
            say(np.zeros(1_000_000))


class Odd(Exception):
    """An error that cannot be sent: it needs two arguments and keeps one."""

    def __init__(self, one, two):
        super().__init__(one)


class OddForUsers(UserError):
    """An error for users that cannot be sent."""

    def __init__(self, one, two):
        super().__init__(one)


@dataclass(frozen=True)
class Fails:
    """Fails in a way."""

    how: str

    def work(self, say):
        say("begun")
        os.write(1, b"printed by a task\n")  # must not end up among the messages
        if self.how == "user":
            raise CapacityError("GPU", 2_000_000_000, 1_000_000_000, "take a larger one")
        if self.how == "odd":
            raise Odd("an odd thing", 2)
        if self.how == "odd for users":
            raise OddForUsers("take another", 2)
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "exits":
            os._exit(3)
        raise ZeroDivisionError("a bug in a task")


@dataclass(frozen=True, slots=True)
class FailsInTheMiddle(Simulate):
    """A simulation of Hermes that fails after four steps."""

    def work(self, say):
        real = Hermes.advance_many

        def broken(self, plan, state, run, limit):
            if len(run) >= 4:
                raise RuntimeError("broken on purpose")
            return real(self, plan, state, run, 2)

        Hermes.advance_many = broken
        try:
            Simulate.work(self, say)
        finally:
            Hermes.advance_many = real


@dataclass(frozen=True, slots=True)
class DiesInTheMiddle(Simulate):
    """A simulation of Hermes whose process is killed after four steps."""

    def work(self, say):
        def killed(message):
            say(message)
            if len(getattr(message, "columns", ())) and message.columns["start_ps"][-1] > 0:
                os.kill(os.getpid(), signal.SIGKILL)

        Simulate.work(self, killed)


@dataclass(frozen=True, slots=True)
class HasNoRoom(Simulate):
    """A simulation that does not fit."""

    def work(self, say):
        raise UserError("there is no room")
