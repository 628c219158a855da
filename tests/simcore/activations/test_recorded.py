"""Recorded masks are replayed exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations.recorded import RecordedSource, load_recording
from simcore.data import asset
from simcore.errors import DataFileError
from simcore.scenario.schema import RecordedActivations
from tests.builders import SMALL_MODEL, TINY_MODEL

FILE = "relu_adamw_l1.npz"


def replay(prompt: int = 128, sequence: int = 0, batch: int = 1) -> RecordedSource:
    return RecordedSource(
        TINY_MODEL, RecordedActivations(file=FILE, sequence=sequence), batch, prompt
    )


def test_the_masks_come_back_bit_by_bit() -> None:
    with np.load(asset(f"activations/{FILE}")) as data:
        expected = np.unpackbits(data["masks"][0, 128:131], axis=-1, count=768)
    src = replay()
    block = src.space.blocks[1]
    for token in range(3):
        fired = bp.unpack(src.draw()[0])[:, block.first_column : block.first_column + 768]
        assert np.array_equal(fired, expected[token])


def test_a_run_past_the_end_goes_on_with_the_next_sequence() -> None:
    src = replay(prompt=256)
    first = src.draw()[0]
    assert np.array_equal(first, replay(prompt=0, sequence=1).draw()[0])


def test_qkv_inputs_are_dense() -> None:
    src = replay()
    qkv = src.space.blocks[0]
    assert (bp.count(src.draw()[0][:, qkv.words]) == qkv.neurons).all()


def test_parents_tell_something() -> None:
    """A child fires far more often when both parents do than at large."""
    src = replay(prompt=1)
    hits = both = fired = total = 0
    previous = src.draw()[0]
    for _ in range(200):
        plane = src.draw()[0]
        first, second = (bp.unpack(p)[2:, 256:1024] for p in src.parents(plane, previous[-1]))
        child = bp.unpack(plane)[2:, 256:1024]
        pair = first & second
        hits, both = hits + (child & pair).sum(), both + pair.sum()
        fired, total = fired + child.sum(), total + child.size
        previous = plane
    assert hits / both > 5 * fired / total


def test_another_model_is_refused_with_a_remedy() -> None:
    with pytest.raises(DataFileError, match="tiny-relu-lm"):
        RecordedSource(SMALL_MODEL, RecordedActivations(file=FILE), 1, 16)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not an archive at all"])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "masks.npz"
    path.write_bytes(content)
    with pytest.raises(DataFileError):
        load_recording(path)


def test_pickled_and_misshapen_arrays_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, shape=np.array([object()]), masks=1, profile_counts=1, profile_tokens=1)
    with pytest.raises(DataFileError):
        load_recording(pickled)
    odd = tmp_path / "odd.npz"
    np.savez(
        odd,
        shape=np.array([1, 2, 3, 16]),
        masks=np.zeros((1, 2, 3, 3), np.uint8),
        profile_counts=np.zeros((3, 16)),
        profile_tokens=1,
    )
    with pytest.raises(DataFileError, match="shape "):
        load_recording(odd)
    with pytest.raises(DataFileError, match="no file"):
        RecordedSource(TINY_MODEL, RecordedActivations(file="nowhere.npz"), 1, 16)


def test_the_text_of_the_shipped_masks_goes_along() -> None:
    with np.load(asset(f"activations/{FILE}")) as data:
        expected = data["tokens"].astype(np.int64)
    src = replay(prompt=254, sequence=41, batch=2)
    seen = []
    for _ in range(4):
        src.draw()
        assert src.tokens is not None
        seen.append(src.tokens.tolist())
    first = [*expected[41, 254:], *expected[0, :2]]  # past the end comes the next sequence
    second = [*expected[0, 254:], *expected[1, :2]]
    assert np.array(seen).T.tolist() == [[int(t) for t in first], [int(t) for t in second]]


def test_masks_of_another_model_have_no_text(tmp_path: Path) -> None:
    with np.load(asset(f"activations/{FILE}")) as data:
        np.savez(tmp_path / "own.npz", **{name: data[name] for name in data.files})
    src = RecordedSource(TINY_MODEL, RecordedActivations(file=str(tmp_path / "own.npz")), 1, 4)
    src.draw()
    assert src.tokens is None
