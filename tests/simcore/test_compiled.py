"""What compiled loops are built of, against plain Python."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simcore.compiled as compiling
from simcore.compiled import compiled, set_bits, sources
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


def printed(code: str, cache: Path, root: Path = ROOT, **settings: str) -> str:
    places = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **places, **settings},
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOWEST = "import numpy as np\nfrom simcore.placement.states import lowest\n"
SIX = "print(int(lowest(np.uint64(14), 2)))\n"
HITS = "print(*lowest.stats.cache_hits.values())\n"


def test_loops_work_where_nothing_can_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    assert printed(LOWEST + SIX, blocked) == "6"


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 1, 60])
def test_what_was_cut_off_is_compiled_again(tmp_path: Path, suffix: str, left: int) -> None:
    """By a full disk, or when the power went."""
    assert printed(LOWEST + SIX, tmp_path) == "6"
    (damaged,) = tmp_path.rglob(f"*.{suffix}")
    damaged.write_bytes(damaged.read_bytes()[:left])
    assert printed(LOWEST + SIX, tmp_path) == "6"
    assert printed(LOWEST + SIX + HITS, tmp_path) == "6\n1"  # and kept


def test_loops_work_where_the_folder_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    lose = f"import shutil; shutil.rmtree({str(folder)!r}); open({str(folder)!r}, 'w').close()\n"
    assert printed(LOWEST + lose + SIX, folder) == "6"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of a process there")
def test_loops_work_where_the_disk_is_full(tmp_path: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    assert printed(LOWEST + full + SIX, tmp_path) == "6"
    assert printed(LOWEST + SIX, tmp_path) == "6"


def test_code_for_other_arguments_is_not_taken(tmp_path: Path) -> None:
    """Two processes that compile at once may give their files the same name."""
    ask = "import numpy as np\nfrom simcore.activations.firing import arrange\n"
    ask += "row, out = np.arange(4, dtype=np.uint64), np.zeros(4, np.uint64)\n"
    for kind in ("int64", "int32"):
        ask += f"arrange(row, np.array([1, 0], np.{kind}), out)\nprint(*out)\n"
    assert printed(ask, tmp_path) == "2 3 0 1\n2 3 0 1"
    one, other = sorted(tmp_path.rglob("*.nbc"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert printed(ask, tmp_path) == "2 3 0 1\n2 3 0 1"


def test_several_processes_may_make_the_folder_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def after_another(self: Path, *arguments: Any, **options: Any) -> None:
        os.makedirs(self, exist_ok=True)
        make(self, *arguments, **options)

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(Path, "mkdir", after_another)
    folder = compiling._folder.__wrapped__()
    assert folder is not None
    assert Path(folder).parent == tmp_path


def test_checked_code_is_kept_by_itself(tmp_path: Path) -> None:
    """Else who asks numba to check indices would be given code that does not."""
    beyond = "import numpy as np\nfrom simcore.activations.firing import trade\n"
    beyond += "columns = np.zeros(1, np.int64)\n"
    beyond += "try:\n    trade(np.zeros(1, np.uint16), columns, columns + 1)\n"
    beyond += "except IndexError:\n    print('checked')\n"
    assert printed(beyond, tmp_path) == ""
    assert printed(beyond, tmp_path, NUMBA_BOUNDSCHECK="1") == "checked"
    assert printed(beyond, tmp_path) == ""


@pytest.mark.parametrize(
    ("before", "settings", "said"),
    [
        ("import sys; sys.modules['numba'] = None", {}, "pip install --force-reinstall numba"),
        ("pass", {"NUMBA_DISABLE_JIT": "1"}, "NUMBA_DISABLE_JIT is set"),
    ],
)
def test_without_a_compiler_the_user_is_told(
    tmp_path: Path, before: str, settings: dict[str, str], said: str
) -> None:
    code = f"{before}\nfrom simcore.cli import main\nimport sys; sys.stderr = sys.stdout\n"
    code += "print(main(['run', 'hermes-recorded', '--no-compare']))"
    *text, result = printed(code, tmp_path, **settings).splitlines()
    assert said in "".join(text)
    assert "Traceback" not in "".join(text)
    assert result == "2"


def test_what_is_kept_belongs_to_the_text_of_its_sources(tmp_path: Path) -> None:
    """Numba would go on using a loop into which an older version of another file went."""
    copied = tmp_path / "checkout"
    shutil.copytree(ROOT / "simcore", copied / "simcore", ignore=shutil.ignore_patterns("*.pyc"))
    code, kept = LOWEST + SIX, tmp_path / "cache"
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
    (now,) = kept.iterdir()
    os.utime(now, (month_ago, month_ago))
    assert printed(code, kept, copied) == "8"
    states.write_text(states.read_text().replace("return rest", "return word ^ rest"))
    assert printed(code, kept, copied) == "6"
    assert now in kept.iterdir()  # made long ago, but in use


def test_every_loop_and_what_it_uses_is_among_the_sources() -> None:
    package = ROOT / "simcore"
    among = set(sources())
    loops = [file for file in package.rglob("*.py") if "\n@compiled\n" in file.read_text()]
    assert len(loops) > 5
    for file in loops:
        used = [
            package.parent / f"{node.module.replace('.', '/')}.py"
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simcore.")
        ]
        assert {file, *used} <= among, file
