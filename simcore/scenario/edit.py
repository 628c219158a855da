"""Changes one value in the text of a document and leaves every other character as it is.

Edits cut and paste the text at the places the tree knows. The result is read back; if it does not
say exactly what it should (exotic YAML: anchors, complex keys), the document is written anew as
plain data, which loses comments but never a value.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from simcore.errors import Problem, ScenarioErrors
from simcore.scenario import tree
from simcore.scenario.tree import Node, Scalar, plain_value

_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.+ -]*")
_LARGEST_EXACT = 1e15
_TRAILING_COMMENT = re.compile(r"([^#'\"\r\n]*?)([ \t]{2,})(?=#)")
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)?(\r\n|\n|\r|\Z)")


def set_value(text: str, root: tree.Mapping, keys: Sequence[str], value: Any) -> str:
    """The text with the value at `keys` replaced or added."""
    expected = _with(root.data, keys, value)
    if not _anchored_on_way(root, keys):
        try:
            edited = _set(text, root, keys, value)
            if same(tree.parse(edited).data, expected):
                return edited
        except ScenarioErrors:
            pass
    return dump(expected)


def remove(text: str, root: tree.Mapping, keys: Sequence[str]) -> str:
    """The text without the value at `keys`; the same text if there is none."""
    group = _group(root, keys[:-1])
    if group is None or keys[-1] not in group.values:
        return text
    expected = copy.deepcopy(root.data)
    inner = expected
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    if not _anchored_on_way(root, keys):
        try:
            edited = _cut(text, group, keys[-1], is_root=group is root)
            if same(tree.parse(edited).data, expected):
                return edited
        except ScenarioErrors:
            pass
    return dump(expected)


def dump(data: Mapping[str, Any]) -> str:
    """Plain data as a document: one top-level key a line, blocks down to the second level."""
    lines: list[str] = []
    for key, value in data.items():
        if isinstance(value, dict) and value:
            lines.append(f"{_text(key)}:")
            lines += [f"  {_text(name)}: {render(inner)}" for name, inner in value.items()]
        else:
            lines.append(f"{_text(key)}: {render(value)}")
    return "".join(f"{line}\n" for line in lines)


def render(value: Any, style: str = "") -> str:
    """A value in flow style; `style` is the quote to prefer for text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ".nan"
        if value in (float("inf"), float("-inf")):
            return ".inf" if value > 0 else "-.inf"
        if value.is_integer() and abs(value) < _LARGEST_EXACT:
            return str(int(value))
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value, style)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_text(str(k))}: {render(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(render(item) for item in value)}]"
    raise TypeError(f"a document cannot hold {type(value).__name__}")


def plain_data(value: Any) -> Any:
    """A value as the plain data a document can hold (numpy scalars become numbers).

    Raises:
        ScenarioErrors: if it cannot be written, contains itself, or unfolds to too much.
    """
    return _plain(value, 0, [tree.MAX_NODES])


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > tree.MAX_DEPTH:
        allowed = f"at most {tree.MAX_DEPTH} levels"
        raise ScenarioErrors([Problem("", "nested too deeply", allowed=allowed)])
    if left[0] < 0:
        allowed = f"at most {tree.MAX_NODES}"
        raise ScenarioErrors([Problem("", "too many values", allowed=allowed)])
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth + 1, left) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1, left) for inner in value]
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise ScenarioErrors([Problem("", f"a scenario cannot hold {type(value).__name__}")])


def _text(value: str, style: str = "") -> str:
    printable = value.isprintable()
    if style == "'" and printable:
        return "'" + value.replace("'", "''") + "'"
    is_plain = _PLAIN_TEXT.fullmatch(value) and not value.endswith(" ") and value != "---"
    if style != '"' and is_plain and isinstance(plain_value(value), str) and value != "...":
        return value
    return '"' + "".join(_escaped(char) for char in value) + '"'


def _escaped(char: str) -> str:
    if char in ('"', "\\"):
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else (f"\\U{code:08x}")
    )


def same(a: Any, b: Any) -> bool:
    """Equality of plain data that tells 1 from true and lets NaN equal itself."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    return bool(a == b) or (a != a and b != b)


def _with(data: dict[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(data)
    group = result
    for key in keys[:-1]:
        inner = group.get(key)
        if isinstance(inner, str) and inner:
            inner = {"preset": inner}  # `gpu: rtx-4090` is short for `gpu: {preset: rtx-4090}`
        elif not isinstance(inner, dict):
            inner = {}
        group[key] = inner
        group = inner
    group[keys[-1]] = value
    return result


def _group(root: tree.Mapping, keys: Sequence[str]) -> tree.Mapping | None:
    node: Node | None = root
    for key in keys:
        node = node.values.get(key) if isinstance(node, tree.Mapping) else None
    return node if isinstance(node, tree.Mapping) else None


def _anchored_on_way(root: tree.Mapping, keys: Sequence[str]) -> bool:
    node: Node | None = root
    for key in keys:
        if node is not None and node.anchored:
            return True
        node = node.values.get(key) if isinstance(node, tree.Mapping) else None
    return node is not None and node.anchored


def _set(text: str, root: tree.Mapping, keys: Sequence[str], value: Any) -> str:
    group = root
    for depth, key in enumerate(keys):
        node = group.values.get(key)
        rest = keys[depth + 1 :]
        if node is None:
            return _add(text, group, key, _nested(rest, value), is_root=depth == 0)
        if not rest:
            return _replace(text, group, key, value)
        if not isinstance(node, tree.Mapping):
            old = node.data
            inner = _with({key: old}, [key, *rest], value)[key]
            return _replace(text, group, key, inner)
        group = node
    raise AssertionError("a path has at least one key")


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _replace(text: str, group: tree.Mapping, key: str, value: Any) -> str:
    node = group.values[key]
    after_colon = text.index(":", group.keys[key].end) + 1
    style = node.style if isinstance(node, Scalar) and node.style in ("'", '"') else ""
    new = render(value, style)
    is_block = isinstance(node, (tree.Mapping, tree.Sequence)) and not node.flow
    if is_block or (isinstance(node, Scalar) and node.style in ("|", ">")):
        end = node.end
        tail = "\n" if text[node.start : end].endswith(("\n", "\r")) else ""
        return f"{text[:after_colon]} {new}{tail}{text[end:]}"
    if node.start == node.end:  # nothing written after the colon
        return _splice(text, after_colon, after_colon, f" {new}")
    return _splice(text, node.start, node.end, new)


def _splice(text: str, start: int, end: int, new: str) -> str:
    """The text with a part of one line replaced; a comment after it keeps its column."""
    tail = text[end:]
    comment = _TRAILING_COMMENT.match(tail)
    if comment and "\n" not in text[start:end]:
        width = len(comment[2]) + (end - start) - len(new)
        tail = f"{comment[1]}{' ' * max(2, width)}{tail[comment.end(2) :]}"
    return text[:start] + new + tail


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _add(text: str, group: tree.Mapping, key: str, value: Any, *, is_root: bool) -> str:
    entry = f"{_text(key)}: {render(value)}"
    if group.flow:
        close = group.end - 1
        if not group.values:
            return _splice(text, close, close, entry)
        last = max(node.end for node in (*group.values.values(), *group.keys.values()))
        return _splice(text, last, last, f", {entry}")
    newline = _newline(text)
    if is_root and not group.values:
        gap = newline if text and not text.endswith(("\n", "\r")) else ""
        return f"{text}{gap}{entry}{newline}"
    indent = " " * (next(iter(group.keys.values())).column - 1)
    end = group.end
    if not text[:end].endswith(("\n", "\r")):
        match = _COMMENT.match(text, end)
        end = match.end() if match else len(text)
    gap = "" if text[:end].endswith(("\n", "\r")) else newline
    return f"{text[:end]}{gap}{indent}{entry}{newline}{text[end:]}"


def _cut(text: str, group: tree.Mapping, key: str, *, is_root: bool) -> str:
    start, node = group.keys[key].start, group.values[key]
    end = max(node.end, text.index(":", group.keys[key].end) + 1)
    if group.flow:
        following = re.compile(r"\s*,[ \t]*").match(text, end)
        if following:
            return text[:start] + text[following.end() :]
        before = re.compile(r",\s*\Z").search(text[:start])
        return text[: before.start() if before else start] + text[end:]
    if len(group.values) == 1 and not is_root:
        return f"{text[:start]}{{}}{text[end:]}"
    line_start = start - (group.keys[key].column - 1)
    if not text[:end].endswith(("\n", "\r")):
        match = _COMMENT.match(text, end)
        end = match.end() if match else end
    return text[:line_start] + text[end:]
