"""What the figures of a system are called, in which unit, and what they mean.

A system's summary is a tree of plain values with the unit at the end of the name. Here its leaves
get the words people read: the application, the command line and the reports show the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LIST_MAX = 8

_ENDINGS = (
    ("_J_per_token", "J/token"),
    ("_tokens_per_s", "tokens/s"),
    ("_GBps", "GB/s"),
    ("_bytes", "B"),
    ("_share", "share"),
    ("_accuracy", "share"),
    ("_recall", "share"),
    ("_precision", "share"),
    ("_ms", "ms"),
    ("_us", "us"),
    ("_s", "s"),
)
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Term:
    """A figure's name for people.

    Attributes:
        title: short name without unit.
        unit: unit of the value; ``share`` is shown in per cent, ``B`` and ``J`` with a prefix.
        help: what is counted, and over what; may be empty.
    """

    title: str
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One leaf of a summary: dotted path, words, and value as text with its unit."""

    path: str
    term: Term
    value: Any
    text: str

    @property
    def title(self) -> str:
        """Name for people."""
        return self.term.title


def term_of(terms: Mapping[str, Term], path: str) -> Term:
    """The term of a path: by all of it, else by what its name says."""
    if path in terms:
        return terms[path]
    *above, last = path.split(".")
    ending, unit = next((item for item in _ENDINGS if f"_{last}".endswith(item[0])), ("", ""))
    name = last.removesuffix(ending) if unit and unit != "share" else last
    return Term(": ".join([*above, name]).replace("_", " "), unit)


def facts(terms: Mapping[str, Term], values: Mapping[str, Any]) -> list[Fact]:
    """Every leaf of a system's summary, in its order."""
    out = []
    for path, value in _leaves(values):
        term = term_of(terms, path)
        out.append(Fact(path, term, value, value_text(value, term.unit)))
    return out


def value_text(value: Any, unit: str = "") -> str:
    """A value with its unit, four significant digits: ``1.25 GB``, ``8.4 %``, ``yes``."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        shown = ", ".join(value_text(item, unit) for item in value[:_LIST_MAX])
        return shown + (f", … ({len(value)})" if len(value) > _LIST_MAX else "")
    if isinstance(value, str):
        return value
    number = float(value)
    if unit == "share":
        return f"{100 * number:.1f} %"
    if unit in ("B", "J"):
        for size, prefix in _PREFIXES:
            if abs(number) >= size:
                return f"{number / size:.4g} {prefix}{unit}"
        return f"{number:.4g} {unit}"
    whole = isinstance(value, int) or number.is_integer()
    text = f"{int(number):,}" if whole and abs(number) < 1e15 else f"{number:.4g}"
    return f"{text} {'µs' if unit == 'us' else unit}".rstrip()


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def prefill_title(step_word: str) -> str:
    """What the time of steps that compute nothing but prompts is called.

    Where requests come and go most prompts are computed beside decoding, so it is not the prefill.

    Args:
        step_word: what the system calls a step, ``token`` or ``iteration``.
    """
    return "prefill" if step_word == "token" else f"{step_word}s of prompts only"
