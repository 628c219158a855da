"""What the process loads from which workers are forked; imported nowhere else.

Ctrl-C is for the process that runs the sweep. The one that is forked from hears it too until it has
loaded everything.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)

import simcore.sweep.evaluate  # noqa: E402, F401
