"""Record which MLP neurons of a ReLU language model fire, as a file this program replays.

Usage: python tools/record_activations.py MODEL TEXT --out masks.npz [--tokens 256] [--sequences 32]
    [--profile-tokens 8192] [--modules REGEX] [--device cpu] [--any-activation]

MODEL is a Hugging Face name or folder, TEXT a UTF-8 file. Needs numpy, PyTorch and transformers on
your computer; nothing of DIMMscope. See docs/record-activations.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KNOWN = (r"\.fc1$", r"\.mlp\.gate_proj$", r"\.mlp\.dense_h_to_4h$", r"\.mlp\.c_fc$")
"""Layers whose output goes through the ReLU: OPT, LLaMA and its like, Falcon, GPT-2."""
READER_LIMIT_BYTES = 1 << 30
"""Larger files are refused when they are replayed."""

Bits = NDArray[np.uint8]


class RecordingError(Exception):
    """What is wrong and what to do, for the user."""


def pack(fired: NDArray[np.bool_]) -> Bits:
    """One bit a neuron, most significant first: (..., neurons) to (..., ceil(neurons / 8))."""
    return np.packbits(fired, axis=-1)


def find_layers(model: Any, pattern: str = "") -> list[Any]:
    """The modules before the ReLU, one a layer, in the order of the model.

    Args:
        model: has ``named_modules()`` as PyTorch has.
        pattern: regular expression on the modules' names; the first of `KNOWN` that fits if empty.

    Raises:
        RecordingError: if none fits.
    """
    named = list(model.named_modules())
    for wanted in (pattern,) if pattern else KNOWN:
        found = [module for name, module in named if re.search(wanted, f".{name}")]
        if found:
            return found
    some = ", ".join(name for name, _ in named[:40] if name)
    raise RecordingError(
        f"no module's name fits {pattern or 'one of ' + ', '.join(KNOWN)}; give --modules a "
        f"regular expression for the linear layers before the ReLU. Names begin: {some}"
    )


class Recorder:
    """Hooks that note, for every token of a pass, which neurons are above zero."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self._found: list[NDArray[np.bool_] | None] = [None] * len(layers)
        self._handles = [
            layer.register_forward_hook(self._hook(index)) for index, layer in enumerate(layers)
        ]

    def _hook(self, index: int) -> Any:
        def note(_module: Any, _inputs: Any, output: Any) -> None:
            above = np.asarray((output > 0).cpu().numpy(), np.bool_)
            self._found[index] = above.reshape(-1, above.shape[-1])

        return note

    def take(self) -> NDArray[np.bool_]:
        """What the last pass fired, (tokens, layers, neurons).

        Raises:
            RecordingError: if a layer did not run or layers differ in width.
        """
        if any(flags is None for flags in self._found):
            raise RecordingError(
                "a chosen module was not called; --modules must name one linear layer of each layer"
            )
        shapes = {flags.shape for flags in self._found if flags is not None}
        if len(shapes) != 1:
            raise RecordingError(
                f"the chosen modules give outputs of different shapes {sorted(shapes)}; --modules "
                "must name one linear layer of each layer"
            )
        stacked = np.stack([flags for flags in self._found if flags is not None], axis=1)
        self._found = [None] * len(self._found)
        return stacked

    def remove(self) -> None:
        """Take the hooks off the model."""
        for handle in self._handles:
            handle.remove()


def cut(tokens: Sequence[int], length: int, sequences: int, profile: int) -> tuple[Any, Any]:
    """Profile text and evaluation text, (sequences, length) each; the profile comes first.

    Raises:
        RecordingError: if the text is too short for one sequence of each.
    """
    first = max(1, -(-profile // length))
    whole = len(tokens) // length
    if whole < 2:
        raise RecordingError(
            f"the text has {len(tokens)} tokens, at least {2 * length} are needed: {length} for "
            "the profile and as many to replay; take a longer text or fewer --tokens"
        )
    first = min(first, whole - 1)
    rows = np.asarray(tokens[: whole * length]).reshape(whole, length)
    return rows[:first], rows[first : first + sequences]


def arrays(
    passes: Iterable[NDArray[np.bool_]], profile: Iterable[NDArray[np.bool_]], tokens: Any
) -> dict[str, NDArray[Any]]:
    """The arrays of a mask file.

    Args:
        passes: for each sequence what fired, (tokens, layers, neurons).
        profile: the same of the text offline frequencies come from.
        tokens: ids, (sequences, tokens).
    """
    masks = []
    neurons = 0
    for fired in passes:
        neurons = fired.shape[2]
        masks.append(pack(fired))
    counts: NDArray[np.int64] | None = None
    seen = 0
    for fired in profile:
        own = fired.sum(axis=0, dtype=np.int64)
        counts = own if counts is None else counts + own
        seen += len(fired)
    assert counts is not None
    stacked = np.stack(masks)
    return {
        "shape": np.array([*stacked.shape[:3], neurons], np.int64),
        "masks": stacked,
        "tokens": np.asarray(tokens, np.uint32),
        "profile_counts": counts.astype(np.uint32),
        "profile_tokens": np.int64(seen),
    }


def write(path: Path, content: Mapping[str, NDArray[Any]]) -> None:
    """Write a mask file, compressed.

    Raises:
        RecordingError: if it would be too large to be replayed.
    """
    size = sum(np.asarray(array).nbytes for array in content.values())
    if size > READER_LIMIT_BYTES:
        raise RecordingError(
            f"the masks take {size / 1e6:.0f} MB, at most {READER_LIMIT_BYTES / 1e6:.0f} MB are "
            "read back; take fewer --sequences"
        )
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **content)


def record(model: Any, rows: Any, layers: Sequence[Any], run: Any) -> Iterable[NDArray[np.bool_]]:
    """What fires for each row of tokens; `run` passes one row through the model."""
    recorder = Recorder(layers)
    try:
        for row in rows:
            run(model, row)
            yield recorder.take()
    finally:
        recorder.remove()


def _check_activation(config: Any) -> None:
    for name in ("activation_function", "hidden_act", "activation", "hidden_activation"):
        word = str(getattr(config, name, "") or "")
        if word:
            if "relu" not in word.lower():
                raise RecordingError(
                    f"the model's activation function is {word}, which makes no exact zeros; take "
                    "a ReLU model, or --any-activation to record what is above zero all the same"
                )
            return


def _with_torch(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise RecordingError(f"{error}; pip install torch transformers") from error
    try:
        text = options.text.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise RecordingError(f"{options.text}: cannot be read as UTF-8 text: {error}") from error
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model).to(options.device).eval()
    if not options.any_activation:
        _check_activation(model.config)
    layers = find_layers(model, options.modules)
    profile, rows = cut(
        tokenizer(text)["input_ids"], options.tokens, options.sequences, options.profile_tokens
    )

    def run(model: Any, row: Any) -> None:
        with torch.inference_mode():
            model(torch.as_tensor(row, device=options.device)[None, :].long())
        sys.stdout.write(".")
        sys.stdout.flush()

    return arrays(record(model, rows, layers, run), record(model, profile, layers, run), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Record and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", help="a Hugging Face name, or a folder")
    parser.add_argument("text", type=Path, help="a UTF-8 text file")
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--tokens", type=_count, default=256, help="tokens of a sequence")
    parser.add_argument("--sequences", type=_count, default=32, help="at most so many")
    parser.add_argument("--profile-tokens", type=_count, default=8192)
    parser.add_argument("--modules", default="", help="regular expression on module names")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--any-activation", action="store_true")
    options = parser.parse_args(arguments)
    try:
        content = _with_torch(options)
        write(options.out, content)
    except (RecordingError, OSError) as error:
        sys.stderr.write(f"record_activations: {error}\n")
        return 2
    sequences, tokens, layers, neurons = (int(n) for n in content["shape"])
    counts, seen = content["profile_counts"], int(content["profile_tokens"])
    sys.stdout.write(
        f"\nwrote {options.out}: {sequences} sequences of {tokens} tokens, {layers} layers of "
        f"{neurons} neurons, {counts.sum(dtype=np.int64) / (seen * counts.size):.1%} active\n"
    )
    return 0


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
