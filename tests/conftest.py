"""Settings that must hold before Qt or numpy is imported by any test."""

import atexit
import os
import shutil
import tempfile

import pytest
from hypothesis import settings

from simcore.data import cache_folder

# How long an example takes says nothing: the machine may be busy, a loop may be compiled first.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Compiled loops are found and left where the program itself does.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))
# Solved programs are kept; tests must neither find old ones nor leave any.
os.environ["DIMMSCOPE_CACHE"] = tempfile.mkdtemp(prefix="dimmscope-tests-")
atexit.register(shutil.rmtree, os.environ["DIMMSCOPE_CACHE"], ignore_errors=True)
# Sessions, unsaved edits and reports of tests must not end up in the user's folder.
os.environ["DIMMSCOPE_STATE"] = tempfile.mkdtemp(prefix="dimmscope-state-")
atexit.register(shutil.rmtree, os.environ["DIMMSCOPE_STATE"], ignore_errors=True)

PATIENCE_MS = 120_000
"""How long tests wait for what must come about: a busy machine takes its time, a fault for ever."""


def pytest_configure():
    """Wait longer than the five seconds that are pytest-qt's."""
    from pytestqt.qtbot import QtBot

    for wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals):
        wait.__kwdefaults__["timeout"] = PATIENCE_MS


ONE_SCREEN = "tests/e2e/"
"""Tests that drive a real window with a keyboard: one after the other, in one process."""
BY_FILE = ("tests/simcore/reproduce/", "tests/simcore/hardware/dram/test_analytic.py")
"""Tests whose files prepare something for many seconds: a file goes to one process."""
FIRST = (
    ONE_SCREEN,
    "tests/app/test_soak.py::test_nothing_grows",
    "tests/simcore/hardware/dram/test_analytic.py",
    "tests/soak/test_long_runs.py::test_a_few_edits_through_the_command",
    "tests/simcore/reproduce/",
    "tests/fuzz/test_fuzz.py::test_a_thousand_cases",
    "tests/simcore/sweep/test_runner.py::test_a_killed_sweep_goes_on_where_it_was",
    "tests/app/test_any_order.py",
)
"""What takes longest: begun last, it would leave the other processes without work at the end."""


def pytest_collection_modifyitems(config, items):
    """In processes side by side the longest tests come first."""
    if hasattr(config, "workerinput"):
        ranks = {item: _rank(item.nodeid) for item in items}
        items.sort(key=ranks.__getitem__)


def _rank(nodeid):
    found = (at for at, begin in enumerate(FIRST) if nodeid.startswith(begin))
    return next(found, len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With ``-n``, all tests of the screen go to one process; others to whichever is free.

    The groups of xdist's own ``--dist loadgroup`` come to nothing with pytest 9.2, without a word.
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneScreen(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            if nodeid.startswith(ONE_SCREEN):
                return ONE_SCREEN
            return nodeid.split("::")[0] if nodeid.startswith(BY_FILE) else nodeid

    config.option.loadscopereorder = False  # in the order of `FIRST`, not by numbers of tests
    return OneScreen(config, log)
