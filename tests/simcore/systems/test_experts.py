"""Mixtures of experts on every system: who runs them, what is read, and who says why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.errors import ScenarioErrors
from simcore.model import shapes
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.results.variants import variant_scenario
from simcore.scenario.document import Document
from simcore.scenario.fields import SourceClass
from simcore.scenario.listing import scenario_fields
from simcore.scenario.schema import FixedWorkload, Model
from simcore.sweep.sensitivity import parameters
from tests.builders import SMALL_MODEL, hermes

ABLE = tuple(id for id, system in SYSTEMS.items() if system.experts)
H2M2 = ("h2m2", "lpddr-only", "hierarchical", "8-hbm", "h2m2-oracle", "h2m2-flexgen", "h2m2-naive")
WITH_MLP = tuple(id for id in ABLE if not id.startswith("h2m2") and id not in H2M2)
"""Those that have the MLP as one operation; H2M2 has a test of its own."""
SMALL_MIXTURE = replace(SMALL_MODEL, ffn=160, experts=8, experts_per_token=2)


def small(system: str, model: Model, batch: int = 3) -> Run:
    variant = SYSTEMS.get(system).variant
    made = hermes(
        system=system,
        model=model,
        policy=dict(variant.policy) if variant else {},
        workload=FixedWorkload(batch=batch, prompt_tokens=16, output_tokens=12),
    )
    gpu = made.hardware.gpu
    assert gpu is not None
    # Room for two layers of the mixture beside what is computed, not for all.
    room = replace(gpu, memory_GiB=max(gpu.memory_GiB, 0.012))
    return simulate(replace(made, hardware=replace(made.hardware, gpu=room)))


def of_op(run: Run, step: int, op: str, table: str = "lane_op_bytes") -> int:
    return int(run.column(table)[step][:, run.plan.op_index(op)].sum())


def resolve(text: str) -> Run:
    return simulate(Document.from_text(text).resolve(), items=False)


def test_who_runs_experts() -> None:
    # Other tests register systems of their own.
    own = {id for id, one in SYSTEMS.items() if type(one).__module__.startswith("simcore.")}
    refuse = own - set(ABLE)
    assert refuse
    assert all(id.startswith("hermes") or id == "dejavu" for id in refuse)


@pytest.mark.parametrize("system", WITH_MLP)
def test_runs_and_adds_up(system: str) -> None:
    run = small(system, SMALL_MIXTURE)
    last = len(run) - 1
    for step in (0, last):
        spans = run.spans(step)
        total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
        np.add.at(total, (spans.lane, spans.op), spans.duration_ps)
        assert np.array_equal(total, run.value("lane_op_ps", step))
    # What the MLP reads lies between the experts of one token and all of them.
    layers, gpus = SMALL_MIXTURE.layers, 1
    low, high = shapes.mlp_token_bytes(SMALL_MIXTURE), shapes.mlp_bytes(SMALL_MIXTURE)
    read = of_op(run, last, "mlp")
    turns = 4  # mini-batches, GPU batches and sub-batches read the weights anew
    assert layers * low * gpus <= read <= turns * layers * high


@pytest.mark.parametrize("system", WITH_MLP)
def test_reads_less_than_a_dense_model_of_its_size_and_stores_as_much(system: str) -> None:
    """Width 160 x 8 experts against one MLP of width 1280, batch 1: a quarter of the MLP."""
    mixture = small(system, SMALL_MIXTURE, batch=1)
    dense = small(system, replace(SMALL_MODEL, ffn=1280), batch=1)
    last = -1
    assert of_op(mixture, last, "mlp") < 0.3 * of_op(dense, last, "mlp")
    flops = [of_op(run, last, "mlp", "lane_op_flops") for run in (mixture, dense)]
    assert flops[0] < 0.3 * flops[1]
    kinds = mixture.plan.memory_kinds.index("weights")
    held = [int(run.column("memory_bytes")[-1][:, kinds].sum()) for run in (mixture, dense)]
    gpus = 8  # at most: every GPU has the routers
    routers = SMALL_MIXTURE.layers * shapes.router_bytes(SMALL_MIXTURE)
    assert held[1] <= held[0] <= held[1] + gpus * routers


@pytest.mark.parametrize(
    "system", ["l3", "gpu-only", "flexgen", "hybridserve", "tensorrt-llm", "h2m2"]
)
def test_one_expert_is_a_dense_run_bit_for_bit(system: str) -> None:
    run = small(system, SMALL_MODEL)
    again = small(system, replace(SMALL_MODEL, experts=1, experts_per_token=1))
    for name in run.column_names:
        assert run.column(name).tobytes() == again.column(name).tobytes()


MIXTRAL = """
system: {system}
hardware: {{gpu: {{preset: a100-sxm-80gb, count: 2}}}}
model: mixtral-8x7b
workload: {{kind: fixed, batch: {batch}, prompt_tokens: 50, output_tokens: 3}}
"""


@pytest.mark.parametrize(
    ("batch", "read"),
    # 32 layers of two experts and the router; of 7.999196381 experts and the router.
    [(1, 32 * 704_708_608), (32, 32 * (2_818_289_156 + 65_536))],
)
def test_bytes_of_a_decode_step_of_mixtral(batch: int, read: int) -> None:
    run = resolve(MIXTRAL.format(system="gpu-only", batch=batch))
    last = len(run) - 1
    assert of_op(run, last, "mlp") == pytest.approx(read, abs=32)
    # 2 FLOP for each weight a token meets.
    assert of_op(run, last, "mlp", "lane_op_flops") == 32 * batch * 704_708_608
    assert of_op(run, last, "qkv") == 32 * 50_331_648
    assert of_op(run, last, "projection") == 32 * 33_554_432
    weights = run.plan.memory_kinds.index("weights")
    assert run.value("memory_bytes", last)[0, weights] == 32 * 2_902_523_904


def test_gpus_of_a_ring_read_their_part_of_every_expert() -> None:
    text = MIXTRAL.format(system="tensorrt-llm", batch=1)
    run = resolve(text)
    last = len(run) - 1
    each = run.value("lane_op_bytes", last)[:2, run.plan.op_index("mlp")]
    # Half of two experts, and the whole router, in each of 32 layers.
    assert each.tolist() == [32 * (352_321_536 + 65_536)] * 2


OFFLOAD = """
system: {system}
hardware: {{gpu: rtx-4090, host: {{preset: xeon-6326-x2, memory_GiB: 256}}}}
model: mixtral-8x7b
workload: {{kind: fixed, batch: 1, prompt_tokens: 50, output_tokens: 3}}
"""


def test_streamed_layers_come_whole_and_modules_on_demand() -> None:
    """FlexGen fetches a layer before its router has run; Accelerate the modules that are called."""
    ahead = resolve(OFFLOAD.format(system="flexgen"))
    demand = resolve(OFFLOAD.format(system="hf"))
    layer = 2_902_523_904
    up = [run.column("lane_op_bytes")[1, 1, run.plan.op_index("stream")] for run in (ahead, demand)]
    on_gpu = int(ahead.plan.resident.sum())
    table = 32_000 * 4096 * 2
    assert up[0] == 32 * layer - on_gpu + table
    assert up[0] > 80e9
    # Layers that are not on the GPU bring attention, router and two of eight experts.
    away = int((demand.plan.resident.sum(axis=1) == 0).sum())
    assert 0 < away <= 32
    share = 704_708_608 / (2_818_572_288 + 65_536)
    mlp = round((2_818_572_288 + 65_536) * share)
    assert up[1] == pytest.approx(away * (83_886_080 + mlp) + table, abs=32)
    for run in (ahead, demand):
        assert of_op(run, 1, "mlp") == 32 * 704_708_608


@pytest.mark.parametrize("system", ["hermes", "hermes-base", "hermes-host", "dejavu"])
def test_refused_at_the_model_with_reason_and_remedy(system: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Document.from_text(f"system: {system}\nmodel: mixtral-8x7b").resolve()
    (problem,) = caught.value.problems
    assert problem.path == "model"
    assert problem.line == 2
    assert SYSTEMS.get(system).name in problem.message
    assert len(SYSTEMS.get(system).no_experts) > 20
    assert "dense model" in problem.hint
    assert "gpu-only" in problem.hint


def test_refused_in_a_comparison() -> None:
    scenario = Document.from_text(MIXTRAL.format(system="gpu-only", batch=1)).resolve()
    assert variant_scenario(scenario, "flexgen").model.experts == 8
    with pytest.raises(ScenarioErrors, match="does not run mixtures of experts"):
        variant_scenario(scenario, "hermes")


def test_more_experts_a_token_than_there_are() -> None:
    text = "system: gpu-only\nmodel: {preset: mixtral-8x7b, experts_per_token: 9}"
    with pytest.raises(ScenarioErrors, match="cannot pick 9 of 8") as caught:
        Document.from_text(text).resolve()
    assert caught.value.problems[0].path == "model.experts_per_token"
    assert caught.value.problems[0].allowed == "1 to 8"


@pytest.mark.parametrize("system", ["gpu-only", "tensorrt-llm", "flexgen", "hybridserve"])
def test_explanations_say_what_is_assumed(system: str) -> None:
    for model, count in ((SMALL_MIXTURE, 1), (SMALL_MODEL, 0)):
        run = small(system, model)
        step = len(run) - 1
        spans = run.spans(step)
        span = int(np.flatnonzero(spans.op == run.plan.op_index("mlp"))[0])
        shown = [term for term in run.explain(step, span).terms if term.symbol == "k, E"]
        assert len(shown) == count
        for term in shown:
            assert term.value == "2 of 8"
            assert term.provenance is not None
            assert term.provenance.source_class is SourceClass.DERIVED
            assert "(1 - k/E)^T" in term.provenance.source


def test_offered_only_where_they_run() -> None:
    """Presets and fields in the form, parameters of the sensitivity."""
    names = ("model.experts", "model.experts_per_token")
    for system, model, fields, varied in (
        ("hermes", "opt-13b", 0, 0),
        ("gpu-only", "opt-13b", 2, 0),
        ("gpu-only", "mixtral-8x7b", 2, 2),
    ):
        scenario = Document.from_text(f"system: {system}\nmodel: {model}").resolve()
        listed = {info.path: info for info in scenario_fields(scenario)}
        assert sum(name in listed for name in names) == fields
        assert ("mixtral-8x7b" in listed["model"].knob.choices) == bool(fields)
        assert sum(one.path in names for one in parameters(scenario)) == varied
