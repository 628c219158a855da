"""Masks measured on a real model, replayed token by token.

The file holds which MLP neurons fired; the QKV inputs of the recorded models pass no ReLU and are
taken as always active. Parents are found as the paper says, by sampling: the two neurons of the
layer below (for the first layer: of the last layer, one token before) that correlate most, on
sequences other than the replayed ones.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, pack, unpack
from simcore.activations.source import Frequencies, Planes, Words, below
from simcore.activations.space import neuron_space
from simcore.data import asset, is_file
from simcore.errors import DataFileError
from simcore.results.arrays import ARCHIVE_ERRORS, overpacked, read_array
from simcore.scenario.schema import Model, RecordedActivations

MAX_FILE_BYTES = 1 << 30
_SAMPLE_TOKENS = 2048
_REQUIRED = ("shape", "masks", "profile_counts", "profile_tokens")


@dataclass(frozen=True)
class Recording:
    """The content of a mask file.

    Attributes:
        masks: (sequences, tokens, layers, neurons / 8) packed bits, first neuron in the highest.
        neurons: MLP neurons of one layer.
        profile: offline frequency, (layers, neurons).
        tokens: ids in the shipped vocabulary, (sequences, tokens); None for other models' files.
    """

    masks: NDArray[np.uint8]
    neurons: int
    profile: Frequencies
    tokens: NDArray[np.int64] | None = None

    def flags(self, sequence: int, start: int, stop: int) -> NDArray[np.uint8]:
        """0/1 activity of tokens start..stop, (tokens, layers, neurons)."""
        return np.unpackbits(self.masks[sequence, start:stop], axis=-1, count=self.neurons)


@lru_cache(maxsize=4)
def load_recording(path: Path) -> Recording:
    """Read and check a mask file.

    Raises:
        DataFileError: if it is missing, damaged, too large or of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > MAX_FILE_BYTES or overpacked(archive, path):
                raise DataFileError(
                    f"{path}: unpacks to {size / 1e6:.0f} MB; at most 1074 MB and 150 times its "
                    "size on disk are read"
                )
            names = archive.namelist()
            missing = [name for name in _REQUIRED if f"{name}.npy" not in names]
            if missing:
                raise DataFileError(f"{path}: no array named {missing[0]!r}; is it a mask file?")
            # The small arrays say how large the others must be.
            shape = read_array(archive, "shape.npy", shape=(4,), kinds="iu").tolist()
            tokens = int(read_array(archive, "profile_tokens.npy", shape=(), kinds="iu"))
            if min(*shape, tokens) < 1:
                raise ValueError("sizes must be 1 or more")
            packed = (*shape[:3], -(-shape[3] // 8))
            masks = read_array(archive, "masks.npy", shape=packed, kinds="u")
            counts = read_array(archive, "profile_counts.npy", shape=tuple(shape[2:]))
            if masks.dtype != np.uint8:
                raise ValueError(f"masks of type {masks.dtype}")
            if not np.isfinite(counts).all():
                raise ValueError("profile_counts must be finite numbers")
            text = None
            if path.parent == asset("activations").resolve() and "tokens.npy" in names:
                text = read_array(archive, "tokens.npy", shape=tuple(shape[:2]), kinds="u")
                text = text.astype(np.int64)
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read as a mask file ({error})") from error
    except ARCHIVE_ERRORS as error:
        raise DataFileError(
            f"{path}: cannot be read as a mask file ({error}); was it written by another program?"
        ) from error
    profile = np.clip(counts.astype(np.float32) / np.float32(tokens), 0, 1)
    return Recording(masks, shape[3], profile, text)


def _locate(name: str) -> Path:
    path = Path(name)
    if is_file(path):
        return path.resolve()
    shipped: Path = asset(f"activations/{path.name}")
    if path.parent == Path() and is_file(shipped):
        return shipped.resolve()
    raise DataFileError(f"activations.file: no file {name!r} here or in assets/activations")


def strongest(child: NDArray[np.uint8], parent: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each child neuron the two parent neurons of highest correlation, (neurons, 2).

    Both fire together in a whole number of tokens, which single precision counts exactly in any
    order of summation; so the choice is the same on every machine.
    """
    together = (child.astype(np.float32).T @ parent.astype(np.float32)).astype(np.float64)
    tokens = len(child)
    x, y = child.mean(axis=0, dtype=np.float64), parent.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.outer(x * (1 - x), y * (1 - y)))
    covariance = together / tokens - np.outer(x, y)
    phi = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.argsort(-phi, axis=1, kind="stable")[:, :2]


@lru_cache(maxsize=8)
def _parents(path: Path, replayed: int) -> NDArray[np.int64]:
    """Parent indices, (layers, neurons, 2), from sequences from `replayed` on, cyclically."""
    recording = load_recording(path)
    sequences, tokens, layers = recording.masks.shape[:3]
    wanted = min(sequences, -(-_SAMPLE_TOKENS // tokens))
    chosen = [(replayed + 1 + k) % sequences for k in range(wanted)]
    flags = [recording.flags(s, 0, tokens) for s in chosen]
    table = np.empty((layers, recording.neurons, 2), np.int64)
    now = np.concatenate(flags)
    for layer in range(1, layers):
        table[layer] = strongest(now[:, layer], now[:, layer - 1])
    later = np.concatenate([f[1:, 0] for f in flags])
    earlier = np.concatenate([f[:-1, -1] for f in flags])
    table[0] = strongest(later, earlier)
    return table


class RecordedSource:
    """Replays recorded masks; each sequence of the batch replays one recorded sequence."""

    paired = False

    def __init__(
        self, model: Model, settings: RecordedActivations, batch: int, prompt_tokens: int
    ) -> None:
        path = _locate(settings.file)
        self._recording = load_recording(path)
        sequences, self._tokens, layers = self._recording.masks.shape[:3]
        if (layers, self._recording.neurons) != (model.layers, model.ffn):
            raise DataFileError(
                f"activations.file: {path.name} holds {layers} layers of "
                f"{self._recording.neurons} neurons, but the model has {model.layers} of "
                f"{model.ffn}; choose the model the masks were recorded on (tiny-relu-lm for the "
                "shipped ones)"
            )
        self.space = neuron_space(model)
        self._first = settings.sequence
        self._sequences = [(settings.sequence + k) % sequences for k in range(batch)]
        self._prompt = prompt_tokens
        self._position = prompt_tokens
        self.tokens = None if self._recording.tokens is None else np.full(batch, -1, np.int64)
        self._table = _parents(path, settings.sequence % sequences)
        self.note = (
            f"recorded: {path.name}, sequences {self._sequences[0]} to {self._sequences[-1]} of "
            f"{sequences}, {self._tokens} tokens each; longer runs go on with the next sequence"
        )

    def _full(self, mlp: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[np.generic]:
        """Values of the MLP neurons placed in full rows, QKV inputs at one."""
        qkv, block = self.space.blocks
        out = np.zeros((self.space.layers, self.space.columns), dtype)
        out[:, : qkv.neurons] = 1
        out[:, block.first_column : block.first_column + block.neurons] = mlp
        return out

    def _token(self, sequence: int, position: int) -> NDArray[np.uint8]:
        """MLP activity at a position, going on with the following sequence past the end."""
        ahead, token = divmod(position, self._tokens)
        wrapped = (sequence + ahead) % len(self._recording.masks)
        return self._recording.flags(wrapped, token, token + 1)[0]

    def profile(self) -> Frequencies:
        return self._full(self._recording.profile, np.float32)  # type: ignore[return-value]

    def prompt_frequency(self) -> Frequencies:
        stop = min(self._prompt, self._tokens)
        means = [
            self._recording.flags(s, 0, stop).mean(axis=0, dtype=np.float32)
            for s in self._sequences
        ]
        return self._full(np.mean(means, axis=0), np.float32)  # type: ignore[return-value]

    def draw(self) -> Planes:
        planes = [
            pack(self._full(self._token(s, self._position), np.bool_))  # type: ignore[arg-type]
            for s in self._sequences
        ]
        if self._recording.tokens is not None:
            flat = self._recording.tokens.reshape(-1)
            places = [s * self._tokens + self._position for s in self._sequences]
            self.tokens = flat[np.array(places) % len(flat)]
        self._position += 1
        return np.stack(planes)

    def parents(self, active: Plane, last: Words) -> tuple[Plane, Plane]:
        block = self.space.blocks[1]
        first, stop = block.first_column, block.first_column + block.neurons
        flags = unpack(below(active, last))
        result = []
        for which in (0, 1):
            out = flags.copy()
            out[:, first:stop] = np.take_along_axis(
                flags[:, first:stop], self._table[:, :, which], axis=1
            )
            result.append(pack(out.astype(np.bool_)))
        return result[0], result[1]
