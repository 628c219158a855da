"""The bytes a Hermes step must move, against what a live simulation does and by hand."""

import numpy as np
import pytest

from simcore.activations.space import neuron_space
from simcore.engine.simulator import Simulator
from simcore.scenario.schema import FixedWorkload
from tests.bench.byte_limit import UNTOUCHED, Touched, compared, held, touched
from tests.builders import SMALL_MODEL, hermes

PLANE = 6 * 14 * 8
"""Bytes of a plane of the small model: 6 layers of 256 + 640 neurons, 14 words of 8 bytes."""
NEURONS = 6 * (256 + 640)


def started():
    workload = FixedWorkload(prompt_tokens=16, output_tokens=100)
    simulator = Simulator(hermes(workload=workload), items=False)
    simulator.advance(8)
    return simulator


@pytest.fixture
def simulator():
    return started()


def test_the_planes_of_a_small_machine_by_hand(simulator):
    assert neuron_space(SMALL_MODEL).shape == (6, 14)
    found = {part.what: part for part in touched(simulator)}
    one = (PLANE, PLANE, NEURONS, NEURONS)
    by_hand = {
        "what the source drew": one,
        "activity": one,
        "states": (4 * PLANE, 4 * PLANE, NEURONS, NEURONS),
        "firings in the window": (3 * PLANE, 3 * PLANE, NEURONS, NEURONS),
        "copies on the GPU": one,
        "who comes to the GPU and who goes": tuple(2 * value for value in one),
        "prediction": one,
        "activity, read by the step itself": (PLANE, 0, NEURONS, 0),
    }
    for what, sizes in by_hand.items():
        part = found[what]
        assert (part.read, part.written, part.plain_read, part.plain_written) == sizes, what
    assert found["thresholds of firing"].read == 2 * NEURONS
    assert found["home DIMMs"].read == 4 * PLANE
    assert found["home DIMMs"].plain_read == NEURONS
    # 7 groups of 128 neurons to find, 3 numbers of 2 blocks, 14 words; 4 segments to drift.
    assert found["small tables"].read == 8 * (7 + 6 + 14 + 2 * 4)
    step = simulator.run.record(len(simulator.run) - 1)
    assert found["records"].written == sum(np.asarray(value).nbytes for value in step.values())
    assert not [part.what for part in found.values() if part.plain < 0 or part.moved <= 0]


def test_no_array_of_a_run_is_left_out(simulator):
    counted = {name for part in touched(simulator) for name in part.arrays}
    assert counted | set(UNTOUCHED) == set(held(simulator._state))
    assert counted.isdisjoint(UNTOUCHED)


def test_arrays_that_are_written_are_those_that_change(simulator):
    """Over some windows, each step by itself: what is only read stays as it is."""
    parts = [part for part in touched(simulator) if part.lasting or part.written]
    writes = {name for part in parts if part.written for name in part.arrays}
    changed = set()
    for _ in range(20):
        before = {name: array.copy() for name, array in held(simulator._state).items()}
        simulator.advance(1)
        for name, array in held(simulator._state).items():
            if array.shape != before[name].shape or not np.array_equal(array, before[name]):
                changed.add(name)
    after_windows = {"_remapped", "home_bytes"}
    assert changed - after_windows == writes


READ = (
    "source._table.rise",
    "source._previous",
    "source._taken",
    "source._streams",
    "source._drift",
    "_active",
    "states",
    "_window",
    "gpu",
    "_swaps.0",
    "_swaps.1",
    "_swapped",
    "dimms",
    "valid",
)


def records_differ(name):
    """Whether a run goes on in another way with other contents of an array."""
    runs = []
    for spoilt in (False, True):
        simulator = started()
        array = held(simulator._state)[name]
        if spoilt:
            array[...] = np.roll(array, 1, axis=-1) if name == "source._taken" else array // 2
        simulator.advance(12)
        runs.append(simulator.run)
    one, other = runs
    return any(not np.array_equal(one.column(c), other.column(c)) for c in one.column_names)


@pytest.mark.parametrize("name", READ)
def test_arrays_that_are_read_decide_what_comes(name, simulator):
    (part,) = (part for part in touched(simulator) if name in part.arrays and part.lasting)
    assert part.read > 0
    assert records_differ(name)


def test_what_does_not_last_decides_nothing(simulator):
    (part,) = (part for part in touched(simulator) if "_predicted" in part.arrays)
    assert not part.lasting
    assert not records_differ("_predicted")


def test_neurons_that_move_between_dimms_are_counted(simulator):
    before = simulator._state.dimms.copy()
    start = len(simulator.run)
    found = next(part for part in touched(simulator) if part.what == "home DIMMs")
    moved = simulator.run.column("remap", start).sum()
    assert moved > 0
    assert not np.array_equal(before, simulator._state.dimms)
    assert found.plain_written == moved / (len(simulator.run) - start)
    # A move touches a word of either plane; several may share it.
    assert 0 < found.written <= 2 * 8 * found.plain_written


@pytest.mark.parametrize("left_out", ["batch", "adjustment", "remapping", "items", "begun"])
def test_other_runs_are_refused(left_out):
    batch = 2 if left_out == "batch" else 1
    workload = FixedWorkload(prompt_tokens=16, output_tokens=30, batch=batch)
    policy = {
        "online_adjustment": left_out != "adjustment",
        "window_remap": left_out != "remapping",
    }
    scenario = hermes(workload=workload, policy=policy)
    simulator = Simulator(scenario, items=left_out == "items")
    simulator.advance(1 if left_out == "begun" else 3)
    with pytest.raises(ValueError, match="bytes are counted"):
        touched(simulator)


def test_the_limit_by_hand():
    parts = [
        Touched("a", (), 3e6, 1e6, 12e6, 8e6),
        Touched("b", (), 6e6, 0.0, 6e6, 0.0),
        Touched("c", (), 1e6, 1e6, 1e6, 1e6, lasting=False),
    ]
    found = compared(parts, 20.0, 1.5)
    assert (found["MB"], found["all_MB"], found["plain_MB"]) == (10.0, 12.0, 26.0)
    assert found["limit_ms"] == pytest.approx(0.5)
    assert found["times"] == pytest.approx(3.0)
    assert found["all_times"] == pytest.approx(2.5)
    assert found["plain_limit_ms"] == pytest.approx(1.3)
    assert (found["read_MB a"], found["written_MB a"], found["plain_MB a"]) == (3.0, 1.0, 20.0)
    assert "read_MB c" not in found
