"""The text of a run whose activity comes from real text: what was written, token by token."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.tokenizer import shipped_tokenizer

TOKEN_COLUMN: Final = "token_id"
"""Column of the token each sequence took through the layers, int32 (sequences,)."""


def has_text(run: Run | None) -> bool:
    """Whether the steps of a run have real tokens."""
    return run is not None and TOKEN_COLUMN in run.column_names


def check_tokens(column: NDArray[Any]) -> None:
    """Raise ValueError unless a column from a file holds tokens, (steps, sequences)."""
    if column.dtype.kind != "i" or column.ndim != 2 or not column.shape[1]:
        raise ValueError(f"column {TOKEN_COLUMN!r} of another shape")
    if column.min() < -1 or column.max() >= len(shipped_tokenizer().signs):
        raise ValueError(f"column {TOKEN_COLUMN!r} with tokens outside the vocabulary")


def token_ids(run: Run, start: int = 0, stop: int | None = None) -> list[list[int]]:
    """Tokens of steps start..stop: a list a sequence; steps without one (prefill) are -1."""
    columns: list[list[int]] = run.column(TOKEN_COLUMN, start, stop).T.tolist()
    return columns


def token_texts(ids: list[int]) -> list[str]:
    """The text of each token, empty where there is none, signs without shape marked."""
    decode = shipped_tokenizer().decode
    return ["" if token < 0 else visible(decode([token])) for token in ids]


def step_token(run: Run, step: int, sequence: int = 0) -> str | None:
    """The text of the token of a step; None where there is none.

    Part of a sign of several bytes shows as a replacement character.
    """
    if not has_text(run):
        return None
    token = int(run.value(TOKEN_COLUMN, step)[sequence])
    return None if token < 0 else shipped_tokenizer().decode([token])


def text_of(run: Run, sequence: int = 0, start: int = 0, stop: int | None = None) -> str:
    """What a sequence wrote (or read) in steps start..stop."""
    if not len(run) or not has_text(run):
        return ""
    ids = token_ids(run, start, stop)[sequence]
    return shipped_tokenizer().decode([token for token in ids if token >= 0])


def texts(run: Run) -> list[str]:
    """What each sequence wrote (or read) in the whole run."""
    decode = shipped_tokenizer().decode
    return [decode([t for t in ids if t >= 0]) for ids in token_ids(run)]


def visible(token: str) -> str:
    """A token as shown by itself: spaces, ends of lines and signs without shape are marked."""
    return printable(token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥"))


def printable(text: str) -> str:
    """Text without signs that move a cursor or have no shape; white space becomes a space."""
    return "".join(s if s.isprintable() else " " if s.isspace() else "\ufffd" for s in text)
