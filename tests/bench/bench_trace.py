"""How fast a trace of a million spans is written, and with how much memory."""

from __future__ import annotations

from tests.bench.measure import alone, elsewhere, record, tell

_PROGRAM = """
import json, tempfile, time
from pathlib import Path
import simcore
from simcore.engine.simulator import simulate
from simcore.export.chrome_trace import write_trace
document = simcore.open_document("hermes-llama2-70b").with_value("workload.output_tokens", 96)
run = simulate(document.resolve(), items=False)
before = peak_MB()
out = Path(tempfile.mkdtemp()) / "trace.json"
begin = time.perf_counter()
write_trace(run, out)
seconds = time.perf_counter() - begin
after = peak_MB()
spans = sum(len(run.spans(i).start_ps) for i in range(len(run)))
print(json.dumps({"seconds": seconds * 1e6 / spans, "spans": spans, "MB": after - before}))
"""


@elsewhere
def bench_trace(benchmark) -> None:
    """Seconds are those for a million spans."""
    found = alone(_PROGRAM)
    tell(benchmark, [found["seconds"]])
    record(benchmark, "trace", **found)
