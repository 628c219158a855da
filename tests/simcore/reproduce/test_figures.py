"""Figures taken from real, small runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.registry import SYSTEMS
from simcore.reproduce import page
from simcore.reproduce.activity import hot_compute_share, hot_drift, similarity
from simcore.reproduce.cases import RunCase
from simcore.reproduce.figures import _covered, run_figures
from simcore.reproduce.fitted import ASSUMED, FITTED, fitted_constants, use_of
from simcore.reproduce.page import constant_values, fidelity_page
from simcore.reproduce.table import reproduce
from simcore.reproduce.targets import load_targets, shipped_file
from simcore.scenario.binding import field_specs
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import presets
from simcore.scenario.schema import ACTIVATIONS, COMPONENTS, ActivationStats
from simcore.units import PS_PER_S
from tests.builders import hermes
from tests.simcore.reproduce.builders import target


@pytest.fixture(scope="module")
def run():
    return simulate(hermes(), items=False)


def test_shares_add_up(run):
    figures = run_figures(run)
    assert figures["prefill_share"] + figures["decode_share"] == pytest.approx(1.0)
    assert 0 < figures["predict_share"] < 1
    assert 0 < figures["dimm_compute_share"] <= 1
    assert 0 < figures["communication_share"] <= 1
    assert figures["tokens_per_s"] == pytest.approx(12 / figures["duration_s"])
    assert 0.5 < figures["summary.predictor_accuracy"] <= 1


def test_mlp_latency_is_the_length_of_the_mlp_phases(run):
    """By hand: from the last prediction of a layer to the gathering after it."""
    lengths = []
    for step in range(1, len(run), 8):
        spans = run.spans(step)
        op = np.array([o.id for o in run.ops])[spans.op]
        for layer in range(6):
            mine = spans.layer == layer
            begin = spans.start_ps[mine & (op == "predict")].max()
            after = spans.start_ps[mine & np.isin(op, ("gather", "merge"))]
            lengths.append(after[after > begin].min() - begin)
    per_token = sum(lengths) / (len(lengths) / 6) / PS_PER_S
    assert run_figures(run)["mlp_latency_s"] == pytest.approx(per_token)
    assert per_token < run_figures(run)["step_s"]


def test_communication_counts_overlapping_transfers_once(run):
    start, end = np.array([5, 0, 2, 20]), np.array([7, 3, 6, 25])
    assert _covered(start, end) == 7 + 5
    assert _covered(start[:0], end[:0]) == 0
    pcie = [at for at, lane in enumerate(run.lanes) if lane.group == "PCIe"]
    work = [at for at, op in enumerate(run.ops) if not op.is_wait]
    busy = run.column("lane_op_ps")[:, pcie][:, :, work].sum(axis=(0, 2)) / run.end_ps
    assert busy.max() * 0.9 < run_figures(run)["communication_share"] <= 1


def test_imbalance_is_measured_over_windows(run):
    figures = run_figures(run)
    load = run.column("n_dimm")[1:, :, -1, :].astype(float)[:10].reshape(2, 5, 6, 4).sum(axis=1)
    second = load[1]
    mean = second.mean(axis=-1)
    expected = (second.max(axis=-1) - mean).sum() / mean.sum()
    assert figures["window_imbalance"] == pytest.approx(expected)
    assert 1 <= figures["fixed_imbalance_min"] <= figures["fixed_imbalance_max"]


def test_a_dense_system_has_no_figures_of_sparse_ones():
    figures = run_figures(simulate(hermes(system="hermes-base"), items=False))
    assert "window_imbalance" not in figures
    assert figures["mlp_latency_s"] > 0
    assert figures["summary.gpu_weight_share"] <= 1


def test_properties_of_drawn_activations():
    near, far = similarity("opt-125m", 1), similarity("opt-125m", -1)
    assert 0.5 < far < near <= 1
    assert hot_compute_share("opt-125m", 0.2) < hot_compute_share("opt-125m", 0.4)
    assert hot_compute_share("opt-125m", 1.0) == pytest.approx(1.0)
    assert 0 < hot_drift("opt-125m", 0.2) < 1


def test_two_rows_end_to_end():
    """OPT-13B at batch 1, simulated as published."""
    targets = load_targets(shipped_file())
    wanted = ("hermes.opt-13b.b1.hermes.tokps", "hermes.opt-13b.b1.hermes-host.tokps")
    rows = reproduce([t for t in targets if t.id in wanted])
    assert len(rows) == 2
    for row in rows:
        assert row.simulated is not None
        assert row.error is not None
        assert abs(row.error) < 0.6
        assert row.verdict in ("met", "missed")


def test_the_scenario_is_the_published_one():
    scenario = RunCase("hermes", "relullama2-70b").scenario()
    assert (scenario.workload.prompt_tokens, scenario.workload.output_tokens) == (128, 128)
    assert scenario.seed == 1


def calibrated():
    """Every constant of class calibrated in schema and policies."""
    places = [
        *((f"hardware.{name}", cls) for name, cls in COMPONENTS.items()),
        *(("activations", cls) for cls in ACTIVATIONS.values()),
        ("model.stats", ActivationStats),
    ]
    types = {}
    for name, system in SYSTEMS.items():
        if name not in ("fake", "fake-slow"):
            types.setdefault(system.policy_type, f"{name}.policy")
    places += [(path, cls) for cls, path in types.items()]
    for path, cls in places:
        for name, spec in field_specs(cls).items():
            found = spec.knob.provenance if spec.knob else None
            if found and found.source_class is SourceClass.CALIBRATED:
                yield f"{path}.{name}"
    for component in COMPONENTS:
        for preset in presets(component).values():
            for name, found in preset.provenance.items():
                if found.source_class is SourceClass.CALIBRATED:
                    yield f"preset {preset.id}.{name}"


def test_every_calibrated_constant_says_what_it_was_set_with():
    """A new calibrated knob belongs into FITTED or ASSUMED of simcore/reproduce/fitted.py."""
    elsewhere = ("reproduce.", "preset.", "l3.energy.")  # not knobs of the schema
    declared = {n for n in (*fitted_constants(), *ASSUMED) if not n.startswith(elsewhere)}
    assert declared == set(calibrated())
    assert not set(fitted_constants()) & set(ASSUMED)
    assert declared <= set(constant_values())


def test_fitted_targets_exist_and_are_the_only_ones():
    ids = {t.id for t in load_targets(shipped_file())}
    fitted = [target for fit in FITTED for target in fit.targets]
    assert set(fitted) <= ids
    assert len(fitted) == len(set(fitted))
    assert use_of("hermes.llama2-70b.b1.hermes-base.tokps") == "fitted"
    assert use_of("hermes.llama2-70b.b32.hermes-base.tokps") == "checked"
    assert use_of("hermes.opt-66b.b1.hermes-base.tokps") == "checked"


def test_the_page_is_deterministic_and_whole():
    rows = reproduce(
        [
            target("hermes.a.b | c".replace(" | ", "-") + ".usd"),
            target("hermes.dimmlink.vs-host.speedup", 62.0, tolerance="min"),
            target("hybridserve.x.tbt", system="hybridserve"),
        ]
    )
    text = fidelity_page(rows)
    assert text == fidelity_page(rows)
    for word in (
        "## Hermes",
        "## HybridServe",
        "By construction",
        "is called 'tbt'",
        "fitted on",
    ):
        assert word in text
    assert "read_efficiency" in text
    assert (Path(page.__file__).parent / "analysis" / "hermes.md").read_text("utf-8") in text
    rows = [replace(row, reason="a | b\nc") for row in rows]
    assert "a / b c" in fidelity_page(rows)
