"""Presets: all load, all carry sources, and the model shapes give the published sizes."""

import pytest

from simcore.data import asset
from simcore.errors import DataFileError, UnknownNameError
from simcore.model import shapes
from simcore.scenario.document import Document
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import PRESET_KINDS, preset, presets

ALL = [(component, id) for component in PRESET_KINDS for id in presets(component)]
MODELS = list(presets("model"))


def leaves(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize(("component", "id"), ALL, ids=lambda part: part)
def test_every_value_has_class_and_source(component, id):
    found = preset(component, id)
    assert found.title
    assert set(leaves(found.values)) == set(found.provenance)
    for provenance in found.provenance.values():
        assert provenance.source_class is not SourceClass.USER
        assert len(provenance.source) >= 10


def test_number_of_presets():
    assert len(presets("gpu")) == 29
    assert len(MODELS) == 43


@pytest.mark.parametrize("id", MODELS)
def test_parameters_are_those_published(id):
    model = Document.from_text(f"system: gpu-only\nmodel: {id}").resolve().model
    published = preset("model", id).info
    parameters = shapes.weight_bytes(model) / model.bytes_per_weight
    if published.get("relative_position_projection"):
        parameters += model.layers * model.hidden**2
    if published["position"] == "learned":
        parameters += published["max_positions"] * model.hidden
    assert parameters == pytest.approx(published["params_B_published"] * 1e9, rel=0.05)


@pytest.mark.parametrize("id", [id for id in MODELS if preset("model", id).values.get("experts")])
def test_parameters_of_experts_are_those_computed(id):
    """All weights, and those a token meets, within half a percent (norms are left out)."""
    model = Document.from_text(f"system: gpu-only\nmodel: {id}").resolve().model
    info = preset("model", id).info
    assert shapes.parameters(model) == pytest.approx(info["params_B_computed"] * 1e9, rel=0.005)
    active = info["active_params_B_computed"] * 1e9
    assert shapes.active_parameters(model) == pytest.approx(active, rel=0.005)


@pytest.mark.parametrize("id", MODELS)
def test_statistics_fit_the_activation_function(id):
    model = Document.from_text(f"system: gpu-only\nmodel: {id}").resolve().model
    if model.activation == "silu":
        assert model.stats.mlp_density > 0.4
    elif model.activation in ("relu", "drelu"):
        assert model.stats.mlp_density <= 0.3


def test_hand_checked_values():
    assert preset("gpu", "hermes-rtx-4090").values["bandwidth_GBps"] == 936
    assert preset("gpu", "rtx-4090").values["bandwidth_GBps"] == 1008
    assert preset("pcie", "hermes-pcie4").values["bandwidth_GBps"] == 64
    stats = preset("model", "relullama2-70b").values["stats"]
    assert stats == {
        "mlp_density": 0.18,
        "block_share_for_80pct": 0.43,
        "model_share_for_80pct": 0.26,
    }


def test_unknown_preset():
    with pytest.raises(UnknownNameError, match="did you mean 'rtx-4090'"):
        preset("gpu", "rtx-4091x")


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    (tmp_path / "assets" / "presets").mkdir(parents=True)
    (tmp_path / "scenarios").mkdir()
    monkeypatch.setenv("DIMMSCOPE_DATA", str(tmp_path))
    return tmp_path / "assets" / "presets" / "gpus.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not valid YAML"),
        ("a:\n", "empty preset"),
        ("a: {values: {memory_GiB: 1}}", "a class is needed"),
        ("a: {values: {memory_GiB: 1}, class: user, source: somewhere}", "a class is needed"),
        ("a: {values: {memory_GiB: 1}, class: paper}", "a source is needed"),
        ("a: {values: {memory_GiB: -1}, class: paper, source: x}", "too small"),
        ("a: {values: {memory: 1}, class: paper, source: x}", "memory_GiB"),
        ("a: {valeus: {}, class: paper, source: x}", "values"),
        (
            "a: {values: {memory_GiB: 1}, class: paper, source: x,"
            " field_sources: {count: {class: paper, source: x}}}",
            "no such value in this preset",
        ),
    ],
)
def test_damaged_preset_files(own_data, text, words):
    own_data.write_text(text)
    with pytest.raises(DataFileError, match=words) as caught:
        presets("gpu")
    assert "gpus.yaml" in str(caught.value)


def test_own_presets_and_reading_again_after_a_change(own_data):
    own_data.write_text("mine: {values: {memory_GiB: 7}, class: derived, source: measured here}")
    assert preset("gpu", "mine").values["memory_GiB"] == 7
    import os

    own_data.write_text("mine: {values: {memory_GiB: 8}, class: derived, source: measured here}")
    os.utime(own_data, ns=(1, 1))
    assert preset("gpu", "mine").values["memory_GiB"] == 8


def test_missing_preset_file(own_data):
    with pytest.raises(DataFileError, match="cannot be read"):
        presets("gpu")


def test_data_root(tmp_path, monkeypatch):
    assert asset("presets/gpus.yaml").is_file()
    monkeypatch.setenv("DIMMSCOPE_DATA", str(tmp_path))
    with pytest.raises(DataFileError, match="DIMMSCOPE_DATA"):
        asset("presets/gpus.yaml")
