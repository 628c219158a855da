"""Where the second bound of a span takes over, worked out by hand."""

import math

import pytest

from simcore.results.explain import Explanation, Part, total_ps, turning_point

READ = Part("memory bandwidth", 80e6, "bandwidth", 936.0, "GB/s")
COMPUTE = Part("compute", 20e6, "rate", 330.0, "TFLOPS")
LAUNCH = Part("kernel launch", 5e6, "launch", 5.0, "µs", competes=False, shrinks=False)


def said(*parts):
    return Explanation("x", "", "", "", parts=parts).change()


def test_overlapping_parts_turn_where_they_are_equal():
    """Reading 80 us over computing 20 us: four times the bandwidth, then 5 + 20 us in all."""
    found = turning_point((LAUNCH, READ, COMPUTE))
    assert (found.part, found.second) == (READ, COMPUTE)
    assert found.factor == pytest.approx(4)
    assert total_ps((LAUNCH, READ, COMPUTE)) == pytest.approx(85e6)
    assert found.total_ps == pytest.approx(25e6)
    text = said(LAUNCH, READ, COMPUTE)
    assert text == (
        "With 4 times the bandwidth (936 to 3,744 GB/s), compute (20.000 µs) takes over; it would "
        "take 25.000 µs instead of 85.000 µs."
    )


def test_a_part_that_is_added_is_longer_rather_than_taking_over():
    """80 us of reading and 5 us of launch: at 16 times the bandwidth both take 5 us."""
    found = turning_point((LAUNCH, READ))
    assert found.factor == pytest.approx(16)
    assert found.total_ps == pytest.approx(10e6)
    assert "kernel launch (5.000 µs) is longer; it would take 10.000 µs" in said(LAUNCH, READ)


def test_a_latency_has_to_become_smaller():
    slow = Part("kernel launch", 40e6, "launch", 40.0, "µs", competes=False, shrinks=False)
    text = said(slow, COMPUTE)
    assert "With 0.5 times the launch (40 to 20 µs), compute (20.000 µs) is longer" in text
    assert "it would take 40.000 µs instead of 60.000 µs" in text


def test_a_single_bound_scales_and_equal_ones_both_bind():
    assert math.isinf(turning_point((READ,)).factor)
    assert "twice the bandwidth" in said(READ)
    assert "both bind" in said(READ, Part("compute", 80e6, "rate", 1.0))
    assert said() == ""
    assert said(Part("softmax", 3.0)) == ""
    assert "softmax would have to be 2 times shorter" in said(
        Part("softmax", 40e6), COMPUTE
    ).replace("Softmax", "softmax")


@pytest.mark.parametrize(
    "name", ["hermes-llama2-70b", "h2m2-gpt3-175b", "l3-mooncake", "hybridserve-opt-30b"]
)
def test_parts_add_up_to_the_span_they_explain(name):
    """Of every kind of work in a step of every system; a read beside a longer one may be less."""
    import numpy as np

    import simcore.systems  # noqa: F401
    from simcore import load_scenario
    from simcore.engine.simulator import Simulator

    simulator = Simulator(load_scenario(name), items=False)
    while len(simulator.run) < 3:
        simulator.step()
    run = simulator.run
    spans = run.spans(2)
    wait = np.array([op.is_wait for op in run.ops])
    checked = 0
    for op in np.unique(spans.op):
        span = int(np.flatnonzero(spans.op == op)[0])
        found = run.explain(2, span)
        if wait[op]:
            assert found.remedy or int(spans.cause[span]) < 0
            continue
        if not found.parts:
            continue
        length = float(spans.duration_ps[span])
        own = [part for part in found.parts if part.bound != "memory bandwidth" or part.value]
        if found.bound == "memory bandwidth" and "chip" in run.lanes[spans.lane[span]].title:
            continue  # its memory reads longer than the chip computes
        assert total_ps(own) == pytest.approx(length, rel=2e-3, abs=2e3), (name, run.ops[op].id)
        checked += 1
    assert checked >= 3
