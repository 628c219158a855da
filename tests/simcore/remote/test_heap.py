"""Memory that was freed is kept for the next array of its size."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")

CODE = """
import resource, sys
import numpy as np
from simcore.remote.heap import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def turn():
    for _ in range(4):
        blocks = [np.ones(1 << 20, np.uint8) for _ in range(16)]
        del blocks

turn()
before = faults()
turn()
print(faults() - before)
"""


def pages_fetched(how):
    done = subprocess.run(
        [sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_the_next_arrays_get_the_pages_of_those_before():
    assert pages_fetched("keep") < 100  # of 16,384 that are written
    assert pages_fetched("leave") > 1000  # else there would be nothing to do
