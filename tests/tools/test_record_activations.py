"""Recording activations: packing, cutting and hooks without PyTorch, and with it if it is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations.recorded import RecordedSource, load_recording
from simcore.scenario.schema import Model, RecordedActivations

_SPEC = importlib.util.spec_from_file_location(
    "record_activations", Path(__file__).parents[2] / "tools" / "record_activations.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
tool: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tool)

LAYERS, NEURONS, TOKENS = 3, 100, 16


def fired(rng: np.random.Generator, sequences: int) -> list[np.ndarray]:
    return [rng.random((TOKENS, LAYERS, NEURONS)) < 0.2 for _ in range(sequences)]


def model() -> Model:
    return Model(
        layers=LAYERS,
        hidden=64,
        heads=2,
        kv_heads=2,
        head_dim=32,
        ffn=NEURONS,
        ffn_matrices=2,
        vocab=100,
    )


def test_what_is_written_is_replayed_bit_by_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    passes, profile = fired(rng, 4), fired(rng, 3)
    tokens = rng.integers(0, 100, (4, TOKENS))
    path = tmp_path / "masks.npz"
    tool.write(path, tool.arrays(passes, profile, tokens))
    recording = load_recording(path)
    for sequence, flags in enumerate(passes):
        assert np.array_equal(recording.flags(sequence, 0, TOKENS), flags)
    expected = np.concatenate(profile).mean(axis=0)
    assert np.allclose(recording.profile, expected)
    source = RecordedSource(model(), RecordedActivations(file=str(path)), 1, 2)
    block = source.space.blocks[1]
    plane = bp.unpack(source.draw()[0])
    columns = slice(block.first_column, block.first_column + NEURONS)
    assert np.array_equal(plane[:, columns], passes[0][2])


def test_profile_and_replayed_text_are_apart() -> None:
    profile, rows = tool.cut(list(range(100)), 10, 4, 25)
    assert profile.ravel().tolist() == list(range(30))
    assert rows.ravel().tolist() == list(range(30, 70))
    profile, rows = tool.cut(list(range(25)), 10, 4, 1000)
    assert len(profile) == len(rows) == 1


def test_a_short_text_is_refused() -> None:
    with pytest.raises(tool.RecordingError, match="at least 20 are needed"):
        tool.cut(list(range(19)), 10, 4, 25)


class FakeTensor:
    """As much of a tensor as the hooks use."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __gt__(self, other: float) -> FakeTensor:
        return FakeTensor(self.values > other)

    def cpu(self) -> FakeTensor:
        return self

    def numpy(self) -> np.ndarray:
        return self.values


class FakeLinear:
    """A module whose hook sees what it is called with."""

    def __init__(self) -> None:
        self.hooks: list[Any] = []

    def register_forward_hook(self, hook: Any) -> FakeLinear:
        self.hooks.append(hook)
        return self

    def remove(self) -> None:
        self.hooks.clear()

    def __call__(self, values: np.ndarray) -> None:
        for hook in self.hooks:
            hook(self, None, FakeTensor(values))


class FakeModel:
    """Three layers with an fc1 each."""

    def __init__(self) -> None:
        self.layers = [FakeLinear() for _ in range(LAYERS)]

    def named_modules(self) -> list[tuple[str, Any]]:
        names = [(f"model.decoder.layers.{i}.fc1", m) for i, m in enumerate(self.layers)]
        return [("", self), *names, ("model.decoder.layers.0.fc2", FakeLinear())]


def test_hooks_note_what_is_above_zero_and_are_removed() -> None:
    fake = FakeModel()
    layers = tool.find_layers(fake)
    assert layers == fake.layers
    values = np.random.default_rng(2).standard_normal((2, 1, TOKENS, LAYERS, NEURONS))

    def run(_: Any, row: Any) -> None:
        for index, layer in enumerate(fake.layers):
            layer(values[row, :, :, index])

    found = list(tool.record(fake, [0, 1], layers, run))
    assert np.array_equal(found[1], values[1, 0] > 0)
    assert not any(layer.hooks for layer in fake.layers)


def test_wrong_modules_say_what_to_do() -> None:
    fake = FakeModel()
    with pytest.raises(tool.RecordingError, match="--modules"):
        tool.find_layers(fake, "nothing")
    recorder = tool.Recorder(fake.layers)
    fake.layers[0](np.ones((1, 4, 8)))
    with pytest.raises(tool.RecordingError, match="was not called"):
        recorder.take()
    fake.layers[1](np.ones((1, 4, 8)))
    fake.layers[2](np.ones((1, 4, 9)))
    with pytest.raises(tool.RecordingError, match="different shapes"):
        recorder.take()


def test_other_activation_functions_are_refused() -> None:
    class Config:
        hidden_act = "silu"

    with pytest.raises(tool.RecordingError, match="--any-activation"):
        tool._check_activation(Config())


def test_without_pytorch_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    (tmp_path / "text.txt").write_text("some text", encoding="utf-8")
    code = tool.main(["opt", str(tmp_path / "text.txt"), "--out", str(tmp_path / "out.npz")])
    assert code == 2
    assert "pip install torch transformers" in capsys.readouterr().err
    assert not (tmp_path / "out.npz").exists()


def test_a_real_pytorch_model(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(1)

    class Layer(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = torch.nn.Linear(8, NEURONS)
            self.fc2 = torch.nn.Linear(NEURONS, 8)

        def forward(self, x: Any) -> Any:
            return x + self.fc2(torch.relu(self.fc1(x)))

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(50, 8)
            self.layers = torch.nn.ModuleList([Layer() for _ in range(LAYERS)])

        def forward(self, ids: Any) -> Any:
            x = self.table(ids)
            for layer in self.layers:
                x = layer(x)
            return x

    net = Net().eval()
    rows = np.random.default_rng(3).integers(0, 50, (2, TOKENS))

    def run(model: Any, row: Any) -> None:
        with torch.inference_mode():
            model(torch.as_tensor(row)[None, :])

    found = list(tool.record(net, rows, tool.find_layers(net), run))
    first = net.layers[0].fc1(net.table(torch.as_tensor(rows[0]))).detach().numpy() > 0
    assert np.array_equal(found[0][:, 0], first)
    tool.write(tmp_path / "masks.npz", tool.arrays(found, found, rows))
    assert load_recording(tmp_path / "masks.npz").neurons == NEURONS
