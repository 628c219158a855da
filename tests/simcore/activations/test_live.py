"""The language model as a source of activity, at its own size and tiled to a large model."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations import make_source
from simcore.activations.language_model import Reader, shipped_weights
from simcore.activations.live import MAX_TEXT_BYTES, MOST_PROMPT_TOKENS, LiveSource
from simcore.data import scenario_file
from simcore.engine.simulator import simulate
from simcore.errors import DataFileError, UserError
from simcore.results.io import load_run, save_run
from simcore.results.run import Run
from simcore.results.text import step_token, text_of, token_ids, visible
from simcore.scenario.document import Document
from simcore.scenario.schema import LiveActivations
from simcore.tokenizer import shipped_tokenizer
from tests.builders import TINY_MODEL


def live(batch: int = 1, seed: int = 1, prompt_tokens: int = 64, **fields: Any) -> LiveSource:
    return LiveSource(TINY_MODEL, LiveActivations(**fields), batch, prompt_tokens, seed)


def planes(source: LiveSource, tokens: int) -> list[np.ndarray]:
    return [np.stack(source.draw()) for _ in range(tokens)]


def ids(source: LiveSource, tokens: int) -> list[list[int]]:
    out = []
    for _ in range(tokens):
        source.draw()
        out.append(source.tokens.tolist())
    return out


def test_the_same_seed_writes_the_same() -> None:
    first, second = live(batch=2), live(batch=2)
    for a, b in zip(planes(first, 12), planes(second, 12), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(first.tokens, second.tokens)
    assert np.array_equal(first.prompt_frequency(), second.prompt_frequency())


def test_seed_prompt_and_temperature_matter() -> None:
    base = ids(live(), 12)
    assert ids(live(seed=2), 12) != base
    assert ids(live(prompt="The whale"), 12) != base
    assert ids(live(temperature=0), 12) != base


def test_sequences_of_a_batch_write_their_own_text_except_greedily() -> None:
    free = np.array(ids(live(batch=3), 16)).T.tolist()
    assert free[0] != free[1] != free[2]
    greedy = np.array(ids(live(batch=3, temperature=0), 16)).T.tolist()
    assert greedy[0] == greedy[1] == greedy[2]


def test_the_neurons_are_those_the_model_fires() -> None:
    """The first token after the prompt, computed in one pass over prompt and token."""
    from simcore.activations.language_model import Reader, shipped_weights

    source = live(prompt="Call me")
    plane = bp.unpack(source.draw()[0])
    prompt = shipped_tokenizer().encode("Call me")
    tokens = np.array([[*prompt, int(source.tokens[0])]])
    fired = Reader(shipped_weights(), 1).read(tokens).neurons[0, -1] > 0
    block = source.space.blocks[1]
    assert np.array_equal(plane[:, block.first_column : block.first_column + 768], fired)
    qkv = source.space.blocks[0]
    assert (plane[:, : qkv.neurons] == 1).all()


def test_a_text_is_read_token_by_token(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("The sea was calm. " * 4, encoding="utf-8")
    whole = shipped_tokenizer().encode("The sea was calm. " * 4)
    source = live(text_file=str(file), prompt="He said:")
    assert [row[0] for row in ids(source, 8)] == whole[:8]
    ahead = live(text_file=str(file), prompt="", prompt_tokens=6)
    assert [row[0] for row in ids(ahead, len(whole))] == [*whole[6:], *whole[:6]]
    two = live(batch=2, text_file=str(file), prompt="He said:")
    assert ids(two, 1) == [[whole[0], whole[len(whole) // 2]]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00bad", "not UTF-8"),
        (b"", "less than two tokens"),
        (b"x" * (MAX_TEXT_BYTES + 1), "at most"),
    ],
)
def test_a_bad_text_is_a_user_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "text.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataFileError, match=words):
        live(text_file=str(file))


@pytest.mark.parametrize("name", ["/", "a\0b", "."])
def test_a_name_that_is_no_file_is_a_user_error(name: str) -> None:
    with pytest.raises(DataFileError, match="text_file"):
        live(text_file=name)


def test_an_empty_prompt_is_a_user_error() -> None:
    with pytest.raises(DataFileError, match=r"activations\.prompt"):
        live(prompt="")


def test_another_model_says_what_to_do() -> None:
    with pytest.raises(DataFileError, match="scale_to: model"):
        LiveSource(replace(TINY_MODEL, layers=7), LiveActivations(), 1, 64, 1)


def test_the_window_goes_on_past_its_end() -> None:
    source = live(prompt="word " * 120)
    assert np.isfinite(source.prompt_frequency()).all()
    assert len(planes(source, 20)) == 20


def _scenario(name: str, *edits: tuple[str, Any]) -> Any:
    document = Document.from_file(scenario_file(name))
    for path, value in edits:
        document = document.with_value(path, value)
    return document.resolve()


def _run(name: str, *edits: tuple[str, Any]) -> Run:
    return simulate(_scenario(name, *edits))


SHORT = (("workload.output_tokens", 12),)


def test_tokens_are_kept_with_the_run_and_saved(tmp_path: Path) -> None:
    run = _run("hermes-live", *SHORT)
    text = text_of(run)
    assert text
    assert step_token(run, 0) is None
    pieces = [step_token(run, step) for step in range(1, len(run))]
    assert "".join(piece or "" for piece in pieces) == text
    save_run(run, tmp_path / "run.npz")
    again = load_run(tmp_path / "run.npz")
    assert text_of(again) == text
    assert token_ids(again) == token_ids(run)
    assert "live" in again.plan.note


@pytest.mark.parametrize(
    "bad",
    [
        np.full((13, 1), 1024, np.int32),
        np.full((13, 1), -2, np.int32),
        np.zeros(13, np.int32),
        np.zeros((13, 0), np.int32),
        np.zeros((13, 1), np.float64),
    ],
)
def test_a_saved_run_with_odd_tokens_is_refused(tmp_path: Path, bad: np.ndarray) -> None:
    save_run(_run("hermes-live", *SHORT), tmp_path / "run.npz")
    with (
        zipfile.ZipFile(tmp_path / "run.npz") as good,
        zipfile.ZipFile(tmp_path / "odd.npz", "w") as odd,
    ):
        for name in good.namelist():
            data = good.read(name)
            if name == "column.token_id.npy":
                out = io.BytesIO()
                np.save(out, bad)
                data = out.getvalue()
            odd.writestr(name, data)
    with pytest.raises(DataFileError, match=r"odd\.npz"):
        load_run(tmp_path / "odd.npz")


def test_deja_vu_meets_the_same_tokens() -> None:
    hermes = _run("hermes-live", *SHORT)
    other = _run("hermes-live", *SHORT, ("system", "dejavu"))
    assert token_ids(other) == token_ids(hermes)


def test_a_run_without_text_has_none() -> None:
    run = _run("hermes-live", *SHORT, ("activations.source", "statistical"))
    assert text_of(run) == ""
    assert step_token(run, 1) is None


def test_visible_marks_what_has_no_shape() -> None:
    assert visible(" the\n\x00") == "␣the⏎\ufffd"


# --- tiled to a large model ---


def _tiled(model: str, batch: int = 1) -> LiveSource:
    scenario = _scenario("hermes-live-70b", ("model", model), ("workload.batch", batch))
    source = make_source(scenario)
    assert isinstance(source, LiveSource)
    return source


def _layer_density(source: LiveSource, drawn: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {
        block.id: np.mean([bp.count(p[:, block.words]) for p in drawn], axis=0) / block.neurons
        for block in source.space.blocks
    }


@pytest.mark.parametrize("model", ["relullama2-70b", "opt-13b"])
def test_every_layer_has_the_published_density(model: str) -> None:
    source = _tiled(model)
    stats = _scenario("hermes-live-70b", ("model", model)).model.stats
    frequency = source.profile()
    for block, density in zip(
        source.space.blocks, (stats.qkv_density, stats.mlp_density), strict=True
    ):
        own = frequency[:, block.first_column : block.first_column + block.neurons]
        assert own.mean(axis=1) == pytest.approx(density, rel=0.05)
        assert not frequency[:, block.first_column + block.neurons : block.stop * 64].any()
    drawn = [source.draw()[0] for _ in range(60)]
    live_density = _layer_density(source, drawn)
    assert live_density["mlp"].mean() == pytest.approx(stats.mlp_density, rel=0.15)
    assert live_density["mlp"] == pytest.approx(stats.mlp_density, rel=0.35)
    assert live_density["qkv"] == pytest.approx(stats.qkv_density, rel=0.1)
    valid = source.space.valid()
    assert not any((plane & ~valid).any() for plane in drawn)


def test_tiling_is_deterministic_and_copies_differ() -> None:
    first, second = _tiled("opt-13b"), _tiled("opt-13b")
    for _ in range(3):
        a, b = first.draw()[0], second.draw()[0]
        assert np.array_equal(a, b)
    block = first.space.blocks[1]
    flags = bp.unpack(a)[:, block.first_column : block.first_column + 2 * 768]
    one, two = flags[:, :768], flags[:, 768:]
    same = (one == two).mean()
    assert 0.9 < same < 1.0


def test_the_prompts_frequency_counts_what_fires() -> None:
    """The counting by rank agrees with firing token by token."""
    source = _tiled("opt-13b")
    activity = Reader(shipped_weights(), 1).read(source._prompt)
    tiles = source._tiling
    assert tiles is not None
    fired = np.mean(
        [
            bp.unpack(tiles.fire(activity.inputs[0, t], activity.neurons[0, t]))
            for t in range(activity.neurons.shape[1])
        ],
        axis=0,
    )
    assert np.allclose(source.prompt_frequency(), fired, atol=1e-6)


def _reading(file: Path, tokens: int, batch: int = 1) -> LiveSource:
    settings = LiveActivations(prompt="", text_file=str(file))
    return LiveSource(TINY_MODEL, settings, batch, tokens, 1)


def test_a_long_prompt_is_counted_as_a_whole_and_not_held(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("The old captain walked down to the sea. " * 900, encoding="utf-8")
    source = _reading(file, 1000, batch=2)
    activity = Reader(shipped_weights(), 2).read(source._prompt)
    block = source.space.blocks[1]
    columns = slice(block.first_column, block.first_column + block.neurons)
    tracemalloc.start()
    found = source.prompt_frequency()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.allclose(found[:, columns], (activity.neurons > 0).mean(axis=(0, 1)), atol=1e-6)
    assert (found[:, : source.space.blocks[0].neurons] == 1).all()
    assert peak < 0.75 * (activity.neurons.nbytes + activity.inputs.nbytes)


def test_of_a_very_long_prompt_the_end_is_read(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("The old captain walked down to the sea. " * 9000, encoding="utf-8")
    source = _reading(file, 1_000_000)
    assert source._prompt.shape == (1, MOST_PROMPT_TOKENS)
    text = np.array(shipped_tokenizer().encode(file.read_text(encoding="utf-8")))
    first = len(text) // 2
    assert np.array_equal(source._prompt[0], text[first - MOST_PROMPT_TOKENS : first])
    source.draw()
    assert source.tokens[0] == text[first]


def test_parents_tell_something_and_are_in_the_layer_below() -> None:
    source = _tiled("opt-13b")
    block = source.space.blocks[1]
    last = np.zeros(source.space.words, np.uint64)
    hits = both = fired = total = 0
    for _ in range(20):
        plane = source.draw()[0]
        first, second = source.parents(plane, last)
        last = plane[-1].copy()
        child = plane[1:, block.words]
        pair = (first & second)[1:, block.words]
        hits, both = hits + bp.count(child & pair).sum(), both + bp.count(pair).sum()
        fired, total = fired + bp.count(child).sum(), total + block.neurons * len(child)
    assert hits / both > 3 * fired / total


def test_a_token_of_a_70b_model_is_fast() -> None:
    source = _tiled("relullama2-70b")
    last = np.zeros(source.space.words, np.uint64)
    source.draw()
    times = []
    for _ in range(15):
        start = time.process_time()
        plane = source.draw()[0]
        source.parents(plane, last)
        times.append(time.process_time() - start)
        last = plane[-1].copy()
    assert min(times) < 0.030


def test_the_note_says_that_it_is_a_stand_in() -> None:
    note = _tiled("relullama2-70b").note
    assert "stand-in" in note
    assert "80 layers" in note
    assert "6 layers" in note
    assert "stand-in" not in live().note


def test_a_scenario_with_a_bad_text_is_refused_before_the_run() -> None:
    with pytest.raises(UserError, match="text_file"):
        _run("hermes-live", ("activations.text_file", "no such file"))
