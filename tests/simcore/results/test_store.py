"""Records beyond a budget go to a file: same values, nothing left, errors that say what to do."""

import errno
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from simcore.engine.simulator import Simulator
from simcore.errors import StorageError, UserError
from simcore.registry import SYSTEMS
from simcore.results import run as run_module
from simcore.results import store as store_module
from simcore.results.io import load_run, save_run
from simcore.results.run import Run
from simcore.results.store import (
    LEAST_BUDGET_BYTES,
    MOST_BUDGET_BYTES,
    SPARE_DISK_BYTES,
    Arrays,
    Spilled,
    Store,
    default_budget,
    memory_bytes,
)
from simcore.scenario.schema import FixedWorkload
from tests.builders import hermes
from tests.fakes import fake_scenario, register

GIB = 1 << 30


def _handles() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def _run(budget_bytes: int | None) -> Run:
    register()
    system = SYSTEMS.get("fake")
    return Run(system.prepare(fake_scenario(), items=False), system, budget_bytes=budget_bytes)


def _columns(start: int, count: int) -> dict[str, np.ndarray]:
    """Steps with a bulky column of 64 KiB a step, whose values tell the step."""
    at = np.arange(start, start + count)
    bulky = np.repeat(at[:, None], 8192, axis=1) * 7 + np.arange(8192)
    return {
        "duration_ps": np.full(count, 1000, np.int64),
        "small": (at % 251).astype(np.uint8),
        "bulky": bulky.astype(np.int64),
    }


@pytest.mark.parametrize(
    ("memory", "budget"),
    [
        (256 * GIB, GIB),
        (16 * GIB, GIB),
        (8 * GIB, GIB // 2),
        (2 * GIB, 128 << 20),
        (GIB // 2, 64 << 20),
    ],
)
def test_budget_is_a_sixteenth_between_two_bounds(memory, budget):
    assert default_budget(memory) == budget
    assert LEAST_BUDGET_BYTES <= default_budget(memory) <= MOST_BUDGET_BYTES


def test_memory_is_the_containers_if_that_is_less(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(store_module, "_CGROUP", limit)
    whole = memory_bytes()
    assert whole == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit.write_text("max\n")
    assert memory_bytes() == whole
    limit.write_text("100000000\n")
    assert memory_bytes() == 100_000_000
    assert Store().budget_bytes == LEAST_BUDGET_BYTES


def test_beyond_the_budget_values_are_equal_bit_for_bit():
    kept, spilled = _run(None), _run(1 << 20)
    for start in range(0, 600, 50):
        for run in (kept, spilled):
            run.extend(_columns(start, 50))
            run.attach("table", np.full((100, 100), start, np.int64))  # 80 kB
            run.attach("row", np.full(10, start))
    assert kept.store.spilled_bytes == 0
    assert not any(isinstance(p, Spilled) for c in kept._columns.values() for p in c.blocks)
    # 64 rows of 64 KiB fill a block of 4 MiB; the last of the 10 blocks is still open.
    assert spilled.store.spilled_bytes == 9 * (4 << 20) + 12 * 80_000
    assert spilled.store.held_bytes < 2 * (4 << 20) + (1 << 20)
    assert spilled.column_names == kept.column_names
    for name in kept.column_names:
        for start, stop in ((0, 600), (63, 65), (17, 18), (100, 400)):
            one, other = kept.column(name, start, stop), spilled.column(name, start, stop)
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()
        for step in (0, 63, 64, 300, 599):
            one, other = kept.value(name, step), spilled.value(name, step)
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            assert one.tobytes() == other.tobytes()
    for name in ("table", "row"):
        pairs = zip(kept.attachments[name], spilled.attachments[name], strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)
    assert spilled.attachments["table"][-1][0, 0] == 550
    assert [a[0, 0] for a in spilled.attachments["table"][2:4]] == [100, 150]
    assert spilled.attachments["table"].nbytes == 12 * 80_000
    assert spilled.until(100).value("bulky", 99)[0] == 99 * 7
    assert spilled.step_at(599_999) == kept.step_at(599_999) == 599


def test_small_columns_stay_when_bulky_ones_have_left():
    """The last quarter of the budget is for columns that charts read whole."""
    store = Store(8 << 20)
    bulky = [store.block((64, 8192), np.dtype(np.int64)) for _ in range(2)]  # 4 MiB each
    small = store.block((4096, 64), np.dtype(np.uint8))
    assert isinstance(store.settle(bulky[0]), Spilled)
    assert store.held_bytes == (4 << 20) + (256 << 10)
    more = store.block((512, 1024), np.dtype(np.int64))  # rows of 8 KiB; 8.25 MiB in all
    assert isinstance(store.settle(more), Spilled)
    assert store.settle(small) is small
    assert store.settle(bulky[1]) is bulky[1]


def test_small_column_is_found_by_time_when_it_is_in_the_file():
    run = _run(0)
    for _ in range(9):
        run.extend({"duration_ps": np.full(1000, 10, np.int64)})
    assert isinstance(run._columns["start_ps"].blocks[0], Spilled)
    assert [run.step_at(time) for time in (0, 9, 10, 40_959, 40_960, 85_000, 10**9)] == [
        0, 0, 1, 4095, 4096, 8500, 8999,
    ]  # fmt: skip


def test_handles_are_given_back_with_the_run():
    before = _handles()
    runs = [_run(0) for _ in range(5)]
    for run in runs:
        for start in range(0, 500, 100):
            run.extend(_columns(start, 100))
        assert run.value("bulky", 3)[5] == 26
    assert _handles() == before + 5  # one a run, however many blocks
    gone = [weakref.ref(run.store) for run in runs]
    del run, runs
    assert _handles() == before
    assert not any(ref() for ref in gone)


def test_the_file_has_no_name(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    run = _run(0)
    run.extend(_columns(0, 200))
    assert run.store.spilled_bytes > 0
    assert list(tmp_path.iterdir()) == []
    assert any(
        os.readlink(f"/proc/self/fd/{name}").startswith(str(tmp_path))
        for name in os.listdir("/proc/self/fd")
        if os.path.islink(f"/proc/self/fd/{name}")
    )


def test_nothing_stays_of_a_killed_program(tmp_path):
    code = (
        "import os, signal, numpy as np\n"
        "from simcore.results.store import Store\n"
        "store = Store(0)\n"
        "piece = store.keep(np.ones(10**6))\n"
        "assert store.spilled_bytes == 8 * 10**6\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_not_in_memory_unless_the_user_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("TMPDIR", raising=False)
    if os.access("/var/tmp", os.W_OK):
        assert store_module.folder() == Path("/var/tmp")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert store_module.folder() == tmp_path


@pytest.mark.parametrize("how", ["full", "nearly full", "no folder", "half written"])
def test_a_full_disk_ends_the_run_and_keeps_its_steps(monkeypatch, tmp_path, how):
    run = _run(1 << 20)
    run.extend(_columns(0, 200))
    steps, before = len(run), run.store.spilled_bytes
    assert before

    def fail(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if how == "full":
        monkeypatch.setattr(os, "pwrite", fail)
    elif how == "half written":
        real = os.pwrite
        calls = []

        def some(handle, data, offset):
            calls.append(offset)
            return real(handle, data[:1000], offset) if len(calls) == 1 else fail()

        monkeypatch.setattr(os, "pwrite", some)
    elif how == "nearly full":
        monkeypatch.setattr(
            store_module, "_free_bytes", lambda file, where: SPARE_DISK_BYTES + 1000
        )
    else:
        run = _run(0)
        steps, before = 0, 0
        monkeypatch.setattr(store_module, "folder", lambda: tmp_path / "gone")
    with pytest.raises(StorageError, match=r"cannot grow.*steps so far stay.*TMPDIR") as caught:
        run.extend(_columns(steps, 200))
    assert isinstance(caught.value, UserError)
    assert len(run) == steps
    assert run.store.spilled_bytes == before
    for step in range(0, steps, 7):
        assert run.value("bulky", step)[1] == 7 * step + 1
    if steps:
        assert np.array_equal(run.column("bulky")[:, 0], 7 * np.arange(steps))
    monkeypatch.undo()
    run.extend(_columns(steps, 200))  # room again: goes on where it was
    assert np.array_equal(run.column("bulky")[:, 0], 7 * np.arange(steps + 200))


def test_a_disk_that_cannot_be_read_is_a_message(monkeypatch):
    run = _run(0)
    run.extend(_columns(0, 200))

    def fail(*args):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(StorageError, match=r"cannot read the temporary file.*simulate again"):
        run.value("bulky", 3)


def test_growing_while_others_read():
    run = _run(1 << 20)
    run.extend(_columns(0, 10))
    problems: list[str] = []
    looked = [0, 0, 0]
    over = threading.Event()

    def look(number: int) -> None:
        draw = np.random.default_rng(number)
        while not over.is_set():
            step = int(draw.integers(len(run)))
            if run.value("bulky", step)[8191] != 7 * step + 8191:
                problems.append(f"step {step}")
            step += 1
            first = max(0, step - 100)
            if not np.array_equal(
                run.column("bulky", first, step)[:, 0], 7 * np.arange(first, step)
            ):
                problems.append(f"steps {first} to {step}")
            looked[number] += 1

    threads = [threading.Thread(target=look, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for start in range(10, 2010, 10):
        run.extend(_columns(start, 10))
    over.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert min(looked) > 3
    assert run.store.spilled_bytes > 100e6


def test_a_run_in_the_file_is_saved_and_read_as_any(monkeypatch, tmp_path):
    """The same bytes as from memory, and the same run again."""
    monkeypatch.setattr(run_module, "_BLOCK_BYTES", 4096)
    monkeypatch.setattr(store_module, "SMALL_ARRAY_BYTES", 100)
    files = []
    for budget in (None, 0):
        simulator = Simulator(
            hermes(workload=FixedWorkload(prompt_tokens=16, output_tokens=24)), items=True
        )
        if budget is not None:
            simulator.run.store.budget_bytes = budget
        while simulator.advance(1):
            pass
        files.append(tmp_path / f"{budget}.npz")
        save_run(simulator.run, files[-1])
        assert bool(simulator.run.store.spilled_bytes) == (budget == 0)
        last = simulator.run
    assert files[0].read_bytes() == files[1].read_bytes()
    again = load_run(files[1])
    for step in (0, 7, len(last) - 1):
        one, other = again.placement(step), last.placement(step)
        assert np.array_equal(one.category, other.category)
        assert np.array_equal(one.flags, other.flags)


def test_arrays_are_a_sequence():
    arrays = Arrays(Store(0), [np.arange(3), np.arange(10_000)])
    assert len(arrays) == 2
    assert [len(array) for array in arrays] == [3, 10_000]
    assert np.array_equal(arrays[-1], np.arange(10_000))
    with pytest.raises(IndexError):
        arrays[2]
