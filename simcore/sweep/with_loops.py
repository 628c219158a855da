"""Imported where workers of a long sweep are forked: they find the compiled loops loaded.

To load them and fetch their code takes a second of computing; so it is done once, while the process
that runs the sweep resolves the first points.
"""

import contextlib

from simcore.engine.rows import load_loops
from simcore.scenario.document import Document
from simcore.sweep.evaluate import evaluate

_SMALL = """\
version: 1
name: two tokens through the loops of all analytic systems
system: h2m2
model: {preset: opt-13b, layers: 2}
workload: {kind: fixed, batch: 1, prompt_tokens: 8, output_tokens: 2}
"""

with contextlib.suppress(Exception):  # said by the systems that need them, where it is heard
    load_loops()
    evaluate(Document.from_text(_SMALL).resolve())
