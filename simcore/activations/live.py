"""Activity of the shipped language model while it writes, or reads a text, during the run.

The token of a step is the one taken through the layers: the prompt's end gives the first, each
step the one after. The prompt itself is read before the run. How long prefill takes and how much
KV cache there is follows `workload.prompt_tokens`, so that a short prompt can stand for a long one.

Offline frequencies and parents are those of the recorded text (`recorded`); QKV inputs pass no
ReLU in this model and are taken as always active. With ``scale_to: model`` the same values are
tiled to a larger model (`tiled`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, pack
from simcore.activations.language_model import (
    KEPT,
    WINDOW,
    Activity,
    Ids,
    Reader,
    Real,
    choose,
    shipped_weights,
)
from simcore.activations.recorded import RecordedSource
from simcore.activations.source import Frequencies, Planes, Words, below
from simcore.activations.space import neuron_space
from simcore.activations.streams import stream
from simcore.activations.tiled import Tiling, tiling
from simcore.errors import DataFileError
from simcore.scenario.schema import LiveActivations, Model, RecordedActivations
from simcore.tokenizer import shipped_tokenizer

MAX_TEXT_BYTES: Final = 4 << 20
MOST_PROMPT_TOKENS: Final = 4096
"""Of a prompt out of a text file; what is before them leaves no trace in the network's window."""
_PROFILE: Final = "relu_adamw_l1.npz"


@lru_cache(maxsize=2)
def _text_ids(path: Path, stamp: int, size: int) -> tuple[int, ...]:
    del stamp, size  # parts of the cache key
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"activations.text_file: {path} is not UTF-8 text (byte {error.start}); save it as "
            "UTF-8"
        ) from error
    return tuple(shipped_tokenizer().encode(text))


def _read_text(name: str) -> tuple[int, ...]:
    """Tokens of a text file.

    Raises:
        DataFileError: if it is missing, too large, no UTF-8 or empty.
    """
    path = Path(name)
    try:
        stat = path.stat()
        if not path.is_file():
            raise DataFileError(f"activations.text_file: {name!r} is not a file; name a text file")
        if stat.st_size > MAX_TEXT_BYTES:
            raise DataFileError(
                f"activations.text_file: {name} has {stat.st_size / 1e6:.1f} MB; at most "
                f"{MAX_TEXT_BYTES / 1e6:.1f} MB are read; cut a piece out of it"
            )
        ids = _text_ids(path.resolve(), stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataFileError(
            f"activations.text_file: {name!r} cannot be read ({reason}); name a text file, or "
            "leave it empty to let the model write"
        ) from error
    if len(ids) < 2:
        raise DataFileError(
            f"activations.text_file: {name} has less than two tokens; name a longer text, or "
            "leave it empty to let the model write"
        )
    return ids


class LiveSource:
    """Runs the shipped model; each sequence of the batch writes, or reads, its own text."""

    paired = False

    def __init__(
        self, model: Model, settings: LiveActivations, batch: int, prompt_tokens: int, seed: int
    ) -> None:
        self.space = neuron_space(model)
        weights = shipped_weights()
        self._shape = (len(weights.layers), weights.width, weights.neurons)
        own = (model.layers, model.hidden, model.ffn)
        self._tiling: Tiling | None = None
        if settings.scale_to == "model":
            self._tiling = tiling(model)
        elif own != self._shape:
            raise DataFileError(
                f"activations.source: the live network has {_shape_text(self._shape)}, but the "
                f"model has {_shape_text(own)}; choose the model tiny-relu-lm, or set "
                "activations.scale_to: model to tile the network to the model's size"
            )
        prompt = shipped_tokenizer().encode(settings.prompt)
        self._text = self._offsets = None
        if settings.text_file:
            text = _read_text(settings.text_file)
            first = 0 if prompt else min(prompt_tokens, len(text) // 2)
            read = min(first, MOST_PROMPT_TOKENS)
            self._text = np.array(text, np.int64)
            self._offsets = np.arange(batch) * len(text) // batch
            where = (self._offsets[:, None] + np.arange(first - read, first)) % len(text)
            self._prompt = np.concatenate(
                [np.tile(np.array(prompt, np.int64), (batch, 1)), self._text[where]], axis=1
            )
            self._offsets = self._offsets + first
        elif not prompt:
            raise DataFileError(
                "activations.prompt: empty; write at least one sign for the model to go on from, "
                "or name a text_file"
            )
        else:
            self._prompt = np.tile(np.array(prompt, np.int64), (batch, 1))
        self._temperature = settings.temperature
        self._streams = [stream(seed, f"live {k}") for k in range(batch)]
        self._reader = Reader(weights, batch)
        self._frequency: Frequencies | None = None
        self._logits: Real | None = None
        self.tokens: Ids = np.full(batch, -1, np.int64)
        self._small = None
        if self._tiling is None:
            self._small = RecordedSource(model, RecordedActivations(file=_PROFILE), 1, 1)
        self.note = self._note(model, settings, prompt_tokens)

    def _note(self, model: Model, settings: LiveActivations, prompt_tokens: int) -> str:
        does = (
            f"reads {Path(settings.text_file).name} token by token"
            if settings.text_file
            else "writes the text (the likeliest token each time)"
            if not settings.temperature
            else f"writes the text at temperature {settings.temperature:g}"
        )
        note = (
            f"live: a network of {_shape_text(self._shape)} {does}, after a prompt of "
            f"{self._prompt.shape[1]} tokens; times and KV cache are those of prompt_tokens = "
            f"{prompt_tokens}; beyond {WINDOW} tokens it goes on with the last {KEPT}"
        )
        if self._tiling is not None:
            own = _shape_text((model.layers, model.hidden, model.ffn))
            note += (
                f"; tiled to the size ({own}) and mean density of {model.title}: a stand-in, not "
                "a measurement of it"
            )
        return note

    def _prefill(self) -> Frequencies:
        """Read the prompt, once; how often each neuron fires in it.

        Pass by pass: the activity of a long prompt in a large batch is some gigabytes.
        """
        if self._frequency is None:
            total = np.zeros((self.space.layers, self.space.columns))
            for activity in self._reader.passes(self._prompt):
                total += self._fired(activity) * activity.neurons.shape[1]
                self._logits = activity.logits
            self._frequency = (total / self._prompt.shape[1]).astype(np.float32)
        return self._frequency

    def _fired(self, activity: Activity) -> NDArray[np.generic]:
        """Share of the tokens of a pass at which each neuron fires."""
        if self._tiling is not None:
            return self._tiling.frequency(_flat(activity.inputs), _flat(activity.neurons))
        return self._full((activity.neurons > 0).mean(axis=(0, 1)), np.float64)

    def _full(self, mlp: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[np.generic]:
        """Values of the MLP neurons placed in full rows, QKV inputs at one."""
        qkv, block = self.space.blocks
        out = np.zeros((self.space.layers, self.space.columns), dtype)
        out[:, : qkv.neurons] = 1
        out[:, block.first_column : block.first_column + block.neurons] = mlp
        return out

    def profile(self) -> Frequencies:
        if self._tiling is not None:
            return self._tiling.profile()
        assert self._small is not None
        return self._small.profile()

    def prompt_frequency(self) -> Frequencies:
        return self._prefill()

    def draw(self) -> Planes:
        self._prefill()
        self.tokens = self._next()
        activity = self._reader.read(self.tokens[:, None])
        self._logits = activity.logits
        if self._tiling is not None:
            pairs = zip(activity.inputs[:, 0], activity.neurons[:, 0], strict=True)
            return np.stack([self._tiling.fire(inputs, neurons) for inputs, neurons in pairs])
        planes = [
            pack(self._full(neurons > 0, np.bool_))  # type: ignore[arg-type]
            for neurons in activity.neurons[:, 0]
        ]
        return np.stack(planes)

    def _next(self) -> Ids:
        """The tokens of the coming step."""
        if self._text is not None and self._offsets is not None:
            here: Ids = self._text[self._offsets % len(self._text)]
            self._offsets = self._offsets + 1
            return here
        assert self._logits is not None
        draws = np.array([rng.random() for rng in self._streams])
        return choose(self._logits, self._temperature, draws)

    def parents(self, active: Plane, last: Words) -> tuple[Plane, Plane]:
        if self._tiling is not None:
            return self._tiling.parents(below(active, last))
        assert self._small is not None
        return self._small.parents(active, last)


def _flat(values: Real) -> Real:
    """(B, T, layers, n) as (B * T, layers, n)."""
    return values.reshape(-1, *values.shape[2:])


def _shape_text(shape: tuple[int, int, int]) -> str:
    layers, width, neurons = shape
    return f"{layers} layers, width {width}, {neurons} neurons each"
