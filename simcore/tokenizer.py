"""Byte-level BPE: text to the token ids of the shipped model, and back without loss.

Text is cut into words (GPT-2's rules: contractions, letters, digits and other signs each with at
most one space before, runs of white space), each word's UTF-8 bytes are written as 256 printable
signs, and neighbours are merged in the order of the file `tokenizer.json`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from simcore.data import asset

_SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    chr(code) for code in range(0x2000, 0x200B)
)
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def _byte_signs() -> list[str]:
    """The printable sign that stands for each byte."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    signs = {byte: chr(byte) for byte in kept}
    others = [byte for byte in range(256) if byte not in signs]
    signs.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [signs[byte] for byte in range(256)]


_SIGNS = _byte_signs()
_BYTES = {sign: byte for byte, sign in enumerate(_SIGNS)}


def _kind(char: str) -> str:
    """``L`` for a letter, ``N`` for a number, ``_`` for white space, ``.`` for the rest."""
    if char in _SPACES:
        return "_"
    first = unicodedata.category(char)[0]
    return first if first in "LN" else "."


def split_words(text: str) -> list[str]:
    """The words merges happen within; together they are the text."""
    kinds = [_kind(char) for char in text]
    words, at, length = [], 0, len(text)
    while at < length:
        end = at
        if text[at] == "'":
            found = next((c for c in _CONTRACTIONS if text.startswith(c, at)), "")
            end = at + len(found)
        if end == at:
            first = at + (text[at] == " " and at + 1 < length and kinds[at + 1] != "_")
            end = first
            while end < length and kinds[end] == kinds[first]:
                end += 1
            if kinds[first] == "_" and end < length and end - at > 1:
                end -= 1  # the last space goes with the word after it
        words.append(text[at:end])
        at = end
    return words


@dataclass(frozen=True)
class Tokenizer:
    """A byte-level BPE.

    Attributes:
        signs: each token's text in byte signs.
        ids: the reverse.
        ranks: order of a merge of two neighbours.
    """

    signs: tuple[str, ...]
    ids: dict[str, int]
    ranks: dict[tuple[str, str], int]
    _words: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def encode(self, text: str) -> list[int]:
        """Token ids of any text; what UTF-8 cannot hold (lone surrogates) becomes a ``?``."""
        out: list[int] = []
        for word in split_words(text):
            ids = self._words.get(word)
            if ids is None:
                ids = self._word(word)
                if len(self._words) < 50_000:
                    self._words[word] = ids
            out.extend(ids)
        return out

    def _word(self, word: str) -> tuple[int, ...]:
        parts = [_SIGNS[byte] for byte in word.encode("utf-8", errors="replace")]
        never = len(self.ranks)
        while len(parts) > 1:
            ranks = [self.ranks.get(pair, never) for pair in pairwise(parts)]
            best = min(ranks)
            if best == never:
                break
            merged, at = [], 0
            while at < len(parts):
                if at < len(ranks) and ranks[at] == best:
                    merged.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    merged.append(parts[at])
                    at += 1
            parts = merged
        return tuple(self.ids[part] for part in parts)

    def raw(self, ids: Iterable[int]) -> bytes:
        """The bytes of tokens."""
        return bytes(_BYTES[sign] for token in ids for sign in self.signs[token])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; bytes that are no UTF-8 show as replacement characters."""
        return self.raw(ids).decode("utf-8", errors="replace")


@lru_cache(maxsize=1)
def shipped_tokenizer() -> Tokenizer:
    """The tokenizer of the shipped model."""
    content = json.loads(asset("activations/tokenizer.json").read_text(encoding="utf-8"))["model"]
    ids = {str(sign): int(index) for sign, index in content["vocab"].items()}
    signs = tuple(sorted(ids, key=ids.__getitem__))
    ranks = {(str(a), str(b)): rank for rank, (a, b) in enumerate(content["merges"])}
    return Tokenizer(signs, ids, ranks)
