"""The shipped language model and its tokenizer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simcore.activations.language_model import (
    KEPT,
    WINDOW,
    Reader,
    choose,
    shipped_weights,
)
from simcore.activations.recorded import load_recording
from simcore.data import asset
from simcore.tokenizer import shipped_tokenizer, split_words

FILE = "activations/relu_adamw_l1.npz"


def _tokens() -> np.ndarray:
    with np.load(asset(FILE), allow_pickle=False) as data:
        return np.asarray(data["tokens"], np.int64)


def test_the_forward_pass_fires_the_recorded_neurons() -> None:
    recording, tokens = load_recording(asset(FILE)), _tokens()
    sequences = [0, 13, 27, 41]
    reader = Reader(shipped_weights(), len(sequences))
    fired = reader.read(tokens[sequences]).neurons > 0
    for row, sequence in enumerate(sequences):
        real = recording.flags(sequence, 0, tokens.shape[1]).astype(np.bool_)
        together = np.count_nonzero(fired[row] & real) / np.count_nonzero(fired[row] | real)
        assert together >= 0.99


def test_token_by_token_is_one_pass() -> None:
    tokens = _tokens()[3:5, :40]
    whole = Reader(shipped_weights(), 2).read(tokens)
    reader = Reader(shipped_weights(), 2)
    steps = [reader.read(tokens[:, at : at + 1]) for at in range(40)]
    assert np.allclose(np.concatenate([s.neurons for s in steps], axis=1), whole.neurons)
    assert np.allclose(np.concatenate([s.inputs for s in steps], axis=1), whole.inputs)
    assert np.allclose(steps[-1].logits, whole.logits)


def test_a_full_window_goes_on_with_its_last_tokens() -> None:
    tokens = np.concatenate(_tokens()[:2])[None, : WINDOW + 10]
    slid = Reader(shipped_weights(), 1).read(tokens)
    fresh = Reader(shipped_weights(), 1).read(tokens[:, WINDOW - KEPT :])
    assert slid.neurons.shape[1] == WINDOW + 10
    assert np.allclose(slid.logits, fresh.logits)


def test_the_model_is_better_than_chance() -> None:
    tokens = _tokens()[0]
    reader, loss = Reader(shipped_weights(), 1), []
    for now, following in pairwise(tokens[:101]):
        logits = reader.read(np.array([[now]])).logits[0]
        shifted = logits - logits.max()
        loss.append(np.log(np.exp(shifted).sum()) - shifted[following])
    with np.load(asset(FILE), allow_pickle=False) as data:
        recorded = data["nll"][0, :100].astype(np.float64)
    assert np.mean(loss) == pytest.approx(recorded.mean(), abs=0.02)


def test_choosing() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    assert choose(logits, 0, np.array([0.9, 0.0])).tolist() == [0, 2]
    assert choose(logits, 1, np.array([0.6, 0.15])).tolist() == [1, 1]
    assert choose(logits, 1, np.array([0.999999, 0.0])).tolist() == [2, 0]


@pytest.mark.parametrize(
    "text",
    [
        "It is a truth universally acknowledged, that a single man",
        "  two  spaces\n\nand\tlines \n",
        "Überraschung: 12 ½ € — 日本語 😀 e\u0301 \x00\x1c\x85",
        "'s it's 'tis we'll''",
        "",
        " ",
        "\U0010ffff\u2028x",
    ],
)
def test_any_text_comes_back(text: str) -> None:
    tokenizer = shipped_tokenizer()
    assert "".join(split_words(text)) == text
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 <= token < 1024 for token in ids)


def test_recorded_tokens_are_what_their_text_encodes_to() -> None:
    """The rules are the ones the model was trained with: real text gives the recorded ids."""
    tokenizer, tokens = shipped_tokenizer(), _tokens()
    for sequence in (0, 13, 27):
        own = tokens[sequence].tolist()
        again = tokenizer.encode(tokenizer.decode(own))
        # A sequence may begin and end inside a word.
        assert again[5:-5] == own[len(own) - len(again) + 5 : -5] or again[5:-5] == own[5:-5]


def test_a_lone_surrogate_is_replaced() -> None:
    assert shipped_tokenizer().decode(shipped_tokenizer().encode("a\ud800b")) == "a?b"
