"""The memory of the process, where the system tells."""

import subprocess
import sys

import numpy as np

from simcore.engine.memory import peak_rss_bytes


def test_it_is_what_was_used():
    before = peak_rss_bytes()
    assert 10e6 < before < 100e9
    del before
    ballast = np.ones(10_000_000)
    assert peak_rss_bytes() >= ballast.nbytes


def test_simulations_need_no_module_that_some_systems_lack():
    program = (
        "import sys\n"
        "sys.modules['resource'] = None\n"
        "sys.modules['fcntl'] = None\n"
        "import simcore.remote.child, simcore.remote.parent, simcore.engine.simulator\n"
        "import simcore.systems\n"
        "from simcore.engine.memory import peak_rss_bytes\n"
        "print(peak_rss_bytes())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
