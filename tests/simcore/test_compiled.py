"""What compiled loops are built of, against plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations.firing import arrange, fire, trade
from simcore.compiled import compiled, set_bits
from simcore.placement.states import first_bits
from tests.simcore.activations.test_bitplanes import flags

ROOT = Path(__file__).resolve().parents[2]
SEEDS = st.integers(0, 2**32 - 1)


@compiled
def counted(words: np.ndarray) -> int:
    found = 0
    for word in range(words.size):
        found += set_bits(words[word])
    return found


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_set_bits(words: list[int]) -> None:
    assert counted(np.array(words, np.uint64)) == sum(word.bit_count() for word in words)


@given(SEEDS, st.integers(0, 65535), st.integers(0, 2), st.integers(0, 2))
def test_a_neuron_fires_below_its_threshold(seed: int, lead: int, shared: int, own: int) -> None:
    """With the extremes of draws and thresholds among them."""
    rng = np.random.default_rng(seed)
    edges = np.array([0, 1, lead, 65534, 65535])

    def some(*shape: int) -> np.ndarray:
        values = rng.integers(0, 65536, shape)
        return np.where(rng.random(shape) < 0.3, rng.choice(edges, shape), values).astype(np.uint16)

    layers, columns = 3, 64 * (shared + own)
    common, mine, rise = some(64 * shared), some(layers, 64 * own), some(layers, columns)
    before = rng.random((layers, columns)) < 0.5
    fired = np.zeros((layers, shared + own), np.uint64)
    packed = np.packbits(before, axis=-1, bitorder="little").view(np.uint64)
    fire(common, mine, rise, np.uint16(lead), packed.reshape(fired.shape), fired)
    drawn = np.hstack([np.tile(common, (layers, 1)), mine]).astype(int)
    limit = rise + np.where(before & (rise > 0), lead, 0).astype(int)
    bits = np.unpackbits(fired.view(np.uint8).reshape(layers, -1), axis=-1, bitorder="little")
    assert np.array_equal(bits[:, :columns].astype(bool), drawn < limit)


@given(SEEDS)
def test_thresholds_are_traded_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rise = rng.integers(0, 65536, (3, 64)).astype(np.uint16)
    columns = rng.permutation(64)[: rng.integers(0, 30)]
    partners = np.roll(columns, 1)
    expected = rise.copy()
    expected[:, columns] = rise[:, partners]
    trade(rise, columns, partners)
    assert np.array_equal(rise, expected)


@given(SEEDS)
def test_groups_are_arranged(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane, order = rng.integers(0, 2**63, (3, 8)).astype(np.uint64), rng.permutation(4)
    expected = plane.reshape(3, 4, 2)[:, order].reshape(3, 8)
    assert np.array_equal(arrange(plane, order), expected)


@given(SEEDS, st.floats(0, 1))
def test_first_bits_takes_the_lowest(seed: int, density: float) -> None:
    values = flags(seed, density)
    limit = np.random.default_rng(seed + 1).integers(0, 260, len(values))
    plane = np.packbits(values, axis=-1, bitorder="little").view(np.uint64)
    kept = np.zeros_like(plane)
    first_bits(plane, limit, 0, plane.shape[1], kept)
    expected = values & (np.cumsum(values, axis=1) <= limit[:, None])
    bits = np.unpackbits(kept.view(np.uint8), axis=-1, bitorder="little")
    assert np.array_equal(bits.astype(bool), expected)


def test_loading_the_compiler_leaves_linear_algebra_alone() -> None:
    code = "import simcore.compiled, scipy.linalg; print(scipy.linalg.det([[2.0]]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "2.0", done.stderr


def printed(code: str, cache: Path, root: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root)},
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOWEST = "import numpy as np\nfrom simcore.placement.states import lowest\n"


def test_loops_work_where_nothing_can_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    assert printed(LOWEST + "print(int(lowest(np.uint64(14), 2)))", blocked) == "6"


def test_what_is_kept_belongs_to_the_text_of_all_sources(tmp_path: Path) -> None:
    """Numba would go on using a loop into which an older version of another file went."""
    copied = tmp_path / "checkout"
    shutil.copytree(ROOT / "simcore", copied / "simcore", ignore=shutil.ignore_patterns("*.pyc"))
    code, kept = LOWEST + "print(int(lowest(np.uint64(14), 2)))", tmp_path / "cache"
    assert printed(code, kept, copied) == "6"
    (first,) = kept.iterdir()
    assert list(first.rglob("*.nbc"))
    assert printed(code, kept, copied) == "6"
    assert list(kept.iterdir()) == [first]
    month_ago = time.time() - 40 * 86400
    os.utime(first, (month_ago, month_ago))
    states = copied / "simcore/placement/states.py"
    states.write_text(states.read_text().replace("return word ^ rest", "return rest"))
    assert printed(code, kept, copied) == "8"
    assert first not in kept.iterdir()  # unused for too long
