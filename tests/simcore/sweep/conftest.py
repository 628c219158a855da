"""A small scenario that takes a few milliseconds, and a pool that lives as long as the tests."""

import pytest

from simcore.scenario.document import Document
from simcore.sweep.executors import LocalPool
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.store import Store

SMALL = """\
# A small machine.
version: 1
name: small
system: h2m2
model: {preset: llama2-70b, layers: 4, hidden: 256, heads: 8, kv_heads: 8, head_dim: 32, ffn: 640,
  vocab: 1000}
workload: {kind: fixed, batch: 4, prompt_tokens: 64, output_tokens: 4}
seed: 1
"""


@pytest.fixture
def document():
    return Document.from_text(SMALL)


@pytest.fixture
def make(document):
    """A sweep of the small scenario."""

    def build(*vary, **options):
        return make_spec(document, [read_vary(text) for text in vary], **options)

    return build


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "results.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def pool():
    made = LocalPool(2)
    yield made
    made.close()
