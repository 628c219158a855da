"""Effects of parameters on a step, against a machine whose times are worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import Cancelled
from simcore.registry import SYSTEMS
from simcore.results.run import KIND_DECODE
from simcore.scenario.schema import FixedWorkload, ServingWorkload
from simcore.sweep.sensitivity import (
    Parameter,
    effects,
    measure,
    parameters,
    ranked,
    sensitivity,
    stretch_at,
)
from tests.fakes import FakeSystem, fake_scenario

READ_US = 90.0
"""Time of a step that is bytes over the GPU's bandwidth of 936 GB/s; the launch adds 10 us."""


class ByHand(FakeSystem):
    """t = 10 launches + 90 us * 936 / bandwidth * layers / 10 * context / 1000 (decode)."""

    def advance(self, plan, state, run):
        record = dict(super().advance(plan, state, run))
        gpu, model = plan.scenario.hardware.gpu, plan.scenario.model
        read = READ_US * 936 / gpu.bandwidth_GBps * model.layers / 10
        if int(record["kind"]) == KIND_DECODE:
            read *= int(record["context_tokens"]) / 1000
        record["duration_ps"] = np.int64(round((10 * gpu.kernel_launch_us + read) * 1e6))
        return record


@pytest.fixture(scope="module", autouse=True)
def _registered():
    if "by-hand" not in SYSTEMS:
        SYSTEMS.add("by-hand", ByHand("by-hand"))


@pytest.fixture(scope="module")
def run():
    scenario = replace(
        fake_scenario(), system="by-hand", workload=FixedWorkload(prompt_tokens=998), compare=()
    )
    return simulate(scenario)


def wanted(run, *paths):
    known = {item.path: item for item in parameters(run.scenario)}
    return [known[path] for path in paths]


def test_parameters_are_the_numbers_of_hardware_and_model(run):
    found = {item.path: item for item in parameters(run.scenario)}
    assert found["hardware.gpu.bandwidth_GBps"].value == 936
    assert found["hardware.gpu.bandwidth_GBps"].title == "GPU bandwidth"
    assert found["model.layers"].value == 10
    assert not any(path.startswith(("workload.", "policy.", "seed")) for path in found)
    assert all(item.value > 0 for item in found.values())


def test_a_decode_step_is_put_at_the_start_of_the_stretch(run):
    step = 5
    stretch = stretch_at(run, step)
    assert int(run.value("context_tokens", step)) == 998 + step
    assert stretch.scenario["workload"]["prompt_tokens"] == 998 + step - 1
    assert stretch.steps == 4  # a prefill and three decode steps
    assert "1,002 tokens" in stretch.text
    # 10 launches of 1 us, and 90 us * context / 1000 at contexts 1003, 1004 and 1005.
    assert measure(run.scenario, stretch_at(run, step)).step_s > 0
    base = next(iter(effects(stretch, wanted(run, "hardware.gpu.fp16_TFLOPS"))))
    assert base.step_time == 0


def test_effects_are_those_worked_out_by_hand(run):
    """At contexts near 1004 a step takes 10 us + 90.36 us; each part moves by its own share."""
    read = READ_US * 1.004
    total = 10 + read
    found = {
        item.parameter.path: item
        for item in effects(
            stretch_at(run, 5),
            wanted(
                run,
                "hardware.gpu.bandwidth_GBps",
                "hardware.gpu.kernel_launch_us",
                "hardware.gpu.fp16_TFLOPS",
                "model.layers",
            ),
        )
    }
    faster = found["hardware.gpu.bandwidth_GBps"]
    assert faster.value == pytest.approx(1029.6)
    assert faster.step_time == pytest.approx((10 + read / 1.1) / total - 1, rel=1e-5)
    assert faster.tokens_per_s == pytest.approx(total / (10 + read / 1.1) - 1, rel=1e-5)
    assert found["hardware.gpu.kernel_launch_us"].step_time == pytest.approx(1 / total, rel=1e-5)
    assert found["hardware.gpu.fp16_TFLOPS"].step_time == 0
    layers = found["model.layers"]
    assert layers.value == 11
    assert layers.step_time == pytest.approx(0.1 * read / total, rel=1e-5)
    assert layers.step_time == pytest.approx(layers.measured)


def test_a_whole_number_that_cannot_grow_by_a_tenth_is_scaled_from_what_it_can():
    """Time proportional to 1 / n: 4 to 5 takes 0.8 of the time, which is 1 / 1.1 for +10 %."""
    from simcore.sweep.sensitivity import _candidates

    assert _candidates(4.0, 1.1, True)[0] == 5
    assert _candidates(8192.0, 1.1, True)[0] == 9011
    assert _candidates(2.5, 1.1, False) == [2.75]
    power = math.log(1.1) / math.log(5 / 4)
    assert 0.8**power == pytest.approx(1 / 1.1)


def test_a_number_at_its_limit_says_so(run):
    path = "hardware.ndp_dimms.read_efficiency"
    found = next(iter(effects(stretch_at(run, 5), wanted(run, path), factor=3.0)))
    assert "too large" in found.reason
    assert "allowed" in found.reason
    assert math.isnan(found.step_time)
    assert ranked([found, replace(found, reason="", step_time=0.0)])[-1] is found


def test_the_prefill_is_measured_by_itself(run):
    stretch = stretch_at(run, 0)
    assert stretch.steps == 1
    found = next(iter(effects(stretch, wanted(run, "hardware.gpu.bandwidth_GBps"))))
    assert found.step_time == pytest.approx((10 + 90 / 1.1) / 100 - 1, rel=1e-6)
    assert math.isnan(found.tokens_per_s)


def test_all_of_them_come_ranked_and_can_be_stopped(run):
    seen = []
    found = sensitivity(run, 5, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(found), len(parameters(run.scenario)))
    sizes = [abs(item.step_time) for item in found if not item.reason]
    assert sizes == sorted(sizes, reverse=True)
    assert found[0].parameter.path in ("model.layers", "hardware.gpu.bandwidth_GBps")
    with pytest.raises(Cancelled):
        sensitivity(run, 5, cancelled=lambda: True)
    with pytest.raises(IndexError):
        stretch_at(run, len(run))


def test_served_requests_are_run_from_the_start_to_the_step():
    import simcore.systems  # noqa: F401
    from simcore import load_scenario

    scenario = load_scenario("l3-mooncake")
    assert isinstance(scenario.workload, ServingWorkload)
    run = simulate(scenario)
    assert stretch_at(run, 40).steps == 200
    stretch = stretch_at(run, 240)
    assert (stretch.steps, stretch.kind, stretch.only) == (241, None, None)
    found = measure(scenario, stretch)
    assert found.step_s == pytest.approx(run.start_ps(241) / 241 / 1e12)
    tokens = int(run.column("tokens", 0, 241).sum())
    assert found.tokens_per_s == pytest.approx(tokens / (run.start_ps(241) / 1e12))


def test_names_of_parameters_leave_out_their_units():
    assert Parameter("hardware.a.data_rate_MTps", "DIMM", "MT/s", 1).title == "DIMM data rate"
    assert Parameter("hardware.a.kernel_launch_us", "GPU", "us", 1).title == "GPU kernel launch"
    assert Parameter("model.layers", "Model", "", 1).title == "Model layers"
