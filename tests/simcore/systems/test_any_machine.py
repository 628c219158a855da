"""Laws of every system on random machines: sums are conserved, runs repeat, blocks are steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.limits import countable
from simcore.engine.simulator import Simulator, simulate
from simcore.errors import CapacityError, UserError
from simcore.registry import SYSTEMS
from simcore.results.run import MOST_PS
from simcore.scenario.schema import FixedWorkload
from simcore.units import PS_PER_S, PS_PER_US, compute_ps, seconds, transfer_ps, us_to_ps
from tests.builders import hermes

IDS = [id for id in SYSTEMS if SYSTEMS.get(id).variant is None]
VARIANTS = [id for id in SYSTEMS if SYSTEMS.get(id).variant is not None]
FIXED = ["hermes-base", "deepspeed-inference", "vllm-swap", "gpu-only", "hbm-pim", "cpu-offload",
         "hf", "dejavu", "flexgen", "tensorrt-llm"]  # fmt: skip
"""Systems whose steps are the same work on any machine, so that a faster part cannot delay them.

Hermes, L3, H2M2 and HybridServe place or schedule anew for another machine, by rules that promise
no optimum: Hermes can be 0.03 % slower on a GPU of more bandwidth.
"""
FASTER = {"gpu.bandwidth_GBps": (50, 2000), "gpu.fp16_TFLOPS": (5, 300),
          "pcie.bandwidth_GBps": (2, 100)}  # fmt: skip
QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def _with(scenario, path, value):
    part, name = path.split(".")
    inner = replace(getattr(scenario.hardware, part), **{name: value})
    return replace(scenario, hardware=replace(scenario.hardware, **{part: inner}))


@st.composite
def machines(draw, ids=IDS):
    scenario = hermes(
        system=draw(st.sampled_from(ids)),
        workload=FixedWorkload(
            batch=draw(st.integers(1, 3)),
            prompt_tokens=draw(st.integers(1, 24)),
            output_tokens=draw(st.integers(1, 5)),
        ),
        seed=draw(st.integers(0, 99)),
    )
    for path, (low, high) in FASTER.items():
        scenario = _with(scenario, path, draw(st.floats(low, high)))
    return scenario


def _run(scenario, **options):
    try:
        return simulate(scenario, **options)
    except CapacityError:
        assume(False)


def _equal(one, other):
    assert len(one) == len(other)
    assert set(one.column_names) == set(other.column_names)
    for name in one.column_names:
        assert np.array_equal(one.column(name), other.column(name)), name


@QUICK
@given(scenario=machines())
def test_sums_are_conserved(scenario):
    run = _run(scenario)
    duration = run.column("duration_ps")
    assert (duration > 0).all()
    assert run.end_ps == sum(map(int, duration))
    starts = run.column("start_ps").tolist()
    assert starts == np.concatenate([[0], np.cumsum(duration)[:-1]]).tolist()
    assert run.column("tokens").sum() == scenario.workload.batch * scenario.workload.output_tokens
    assert (run.column("lane_op_ps").sum(axis=2) == duration[:, None]).all()
    for index in range(len(run)):
        spans = run.spans(index)
        for column, values in (
            ("lane_op_ps", spans.duration_ps),
            ("lane_op_bytes", spans.amount_bytes),
            ("lane_op_flops", spans.flops),
        ):
            assert (values >= 0).all()
            total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
            np.add.at(total, (spans.lane, spans.op), values)
            assert np.array_equal(total, run.value(column, index)), column


@QUICK
@given(scenario=machines(), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_run_repeats_and_blocks_are_steps(scenario, sizes):
    run = _run(scenario)
    _equal(run, simulate(scenario))
    simulator, turn = Simulator(scenario), 0
    while simulator.advance(sizes[turn % len(sizes)]):
        turn += 1
    _equal(run, simulator.run)


@QUICK
@given(
    scenario=machines(FIXED),
    path=st.sampled_from(list(FASTER)),
    factor=st.sampled_from([1.001, 1.3, 2.0, 7.0]),
)
def test_a_faster_part_is_never_slower(scenario, path, factor):
    part, name = path.split(".")
    value = getattr(getattr(scenario.hardware, part), name)
    before = _run(scenario, items=False)
    after = simulate(_with(scenario, path, value * factor), items=False)
    assert after.end_ps <= before.end_ps
    assert (after.column("duration_ps") <= before.column("duration_ps")).all()


def _whole(id):
    """The system a variant is a setting of, None for one with mechanisms of its own."""
    system = SYSTEMS.get(id)
    same = [
        other
        for other in IDS
        if type(SYSTEMS.get(other)) is type(system)
        and SYSTEMS.get(other).policy_type is system.policy_type
    ]
    return same[0] if same else None


@pytest.mark.parametrize("id", [id for id in VARIANTS if _whole(id)])
def test_an_ablation_is_its_system_with_these_knobs(id):
    """Nothing but the knobs it names tells an ablation from the whole system."""
    knobs, load = (
        dict(SYSTEMS.get(id).variant.policy),
        FixedWorkload(prompt_tokens=8, output_tokens=4),
    )
    assert knobs
    by_name = simulate(hermes(system=id, policy=knobs, workload=load), items=False)
    by_hand = simulate(hermes(system=_whole(id), policy=knobs, workload=load), items=False)
    _equal(by_name, by_hand)


# Whole picoseconds, up to the longest run.


@given(st.integers(0, 2**53 // 8), st.floats(0.01, 1e5))
def test_a_transfer_takes_no_less_than_its_bytes_need(amount_bytes, bandwidth_GBps):
    needed = amount_bytes * 1e3 / bandwidth_GBps
    assume(needed < MOST_PS)
    found = int(transfer_ps(amount_bytes, bandwidth_GBps))
    assert needed * (1 - 1e-15) <= found <= needed * (1 + 1e-15) + 1
    assert int(compute_ps(amount_bytes, bandwidth_GBps)) == found


@given(st.integers(0, MOST_PS // PS_PER_US))
def test_microseconds_keep_their_picoseconds(time_us):
    found = us_to_ps(time_us)
    assert found == time_us * PS_PER_US
    assert seconds(found) == pytest.approx(time_us / 1e6, rel=1e-12)


@given(st.floats(1e19, 1e300), st.sampled_from([transfer_ps, compute_ps]))
def test_more_than_64_bits_is_a_message_not_a_wrong_number(amount, convert):
    with pytest.raises(UserError, match="too large to be counted"), countable():
        convert(amount, 1.0)


def test_a_run_of_a_hundred_days_is_exact_and_a_year_is_a_message():
    """64 bits of picoseconds end after 106 days: until then every sum holds, then it is said."""
    day = 86_400 * PS_PER_S
    scenario = hermes(system="hf", workload=FixedWorkload(prompt_tokens=16, output_tokens=360))
    slow = _with(scenario, "pcie.bandwidth_GBps", 1e-6)
    step_ps = int(simulate(slow, items=False).column("duration_ps")[-1])
    simulator = Simulator(_with(slow, "pcie.bandwidth_GBps", 1e-6 * step_ps / day), items=False)

    def to_the_end():
        while simulator.advance(1):
            pass

    with pytest.raises(UserError, match="106 days"):
        to_the_end()
    run = simulator.run
    duration = run.column("duration_ps")
    assert sum(map(int, duration)) == run.end_ps <= MOST_PS
    assert run.end_ps > 50 * day
    assert (np.diff(run.column("start_ps")) > 0).all()
    assert (run.column("lane_op_ps").sum(axis=2) == duration[:, None]).all()
    spans = run.spans(len(run) - 1)
    assert spans.end_ps.max() == duration[-1]
