"""Ways to spoil values, texts and bytes; everything is drawn from one `random.Random`."""

import random

NUMBERS = (
    *("0", "-0", "-1", "1", "2", "3", "7", "1e9", "1e18", "1e308", "1e309", "-1e308", "1e-320"),
    *(".inf", "-.inf", ".nan", "NaN", "Infinity", "9223372036854775807", "9223372036854775808"),
    *("0x7f", "0o17", "017", "1_000", "1.5", "0.1", "1e400", "9" * 39, "9" * 400, "1" + "0" * 5000),
)
WORDS = (
    *("", "~", "null", "true", "no", "hermes", "hermess", "'", '"', "\\", "%", "auto", "16 GB"),
    *("16GB", "3.5 TB/s", "10 ns", "é", "中文", "\u202etxt", "\ufeff", "\x07", "a" * 3000),
    *("../../../etc/passwd", "/dev/zero", "/proc/self/mem", "C:\\con", "$(touch pwned)"),
    *("{x: 1}", "[1, 2]", "[[]]", "{}", "*a", "&a 1", "!!python/name:os.system", "<<", "?", "- -"),
    *("2001-01-01", "1:30", "0.0.0", "=", "@", "`id`", "|", ">", "#", "---", "..."),
)
PAYLOADS = (
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object/new:subprocess.Popen [['touch', 'pwned']]",
    "!!python/module:antigravity",
    "!!binary aGFsbG8=",
    "!!set {a, b}",
    "!include /etc/passwd",
    "&x [*x]",
    "&x {a: *x}",
)
DEEP = ("[" * 30 + "]" * 30, "[" * 5000, "{a: " * 900, "{a: " * 15 + "1" + "}" * 15)


def word(draw: random.Random) -> str:
    """One value as it stands in a file."""
    kind = draw.random()
    if kind < 0.45:
        return draw.choice(NUMBERS)
    if kind < 0.8:
        return draw.choice(WORDS)
    if kind < 0.9:
        return draw.choice(PAYLOADS)
    if kind < 0.93:
        return draw.choice(DEEP)
    return repr(draw.uniform(-10, 10) * 10.0 ** draw.randint(-30, 30))


def bomb(draw: random.Random) -> str:
    """A document whose aliases unfold to very much."""
    width, height = draw.randint(2, 12), draw.randint(3, 30)
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, height)]
    return "\n".join(lines) + "\n"


def text(draw: random.Random, source: str) -> str:
    """A text with lines or words of it changed, moved, doubled or lost."""
    lines = source.split("\n")
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        at = draw.randrange(len(lines))
        kind = draw.random()
        if kind < 0.5:
            lines[at] = _value(draw, lines[at])
        elif kind < 0.58:
            lines[at] = lines[at] + draw.choice((" ", "\t", "#", ":", ",", "}", "]", "\r", "\x00"))
        elif kind < 0.66:
            del lines[at]
        elif kind < 0.74:
            lines.insert(at, lines[draw.randrange(len(lines))])
        elif kind < 0.82:
            lines[at] = draw.choice(("  ", " ", "\t", "      ")) + lines[at]
        elif kind < 0.9:
            lines.insert(at, f"{draw.choice(('unknown', 'name', 'x y', 'gpu', '?'))}: {word(draw)}")
        else:
            place = draw.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + word(draw) + lines[at][place:]
        lines = lines or [""]
    return "\n".join(lines)


def _value(draw: random.Random, line: str) -> str:
    """The line with one of its values replaced."""
    starts = [n + 2 for n in range(len(line) - 1) if line[n : n + 2] == ": "]
    starts += [n + 1 for n, sign in enumerate(line) if sign in ",["]
    if not starts:
        return line + word(draw)
    start = draw.choice(starts)
    end = next((n for n in range(start + 1, len(line)) if line[n] in ",}]#"), len(line))
    return f"{line[:start]}{word(draw)}{line[end:]}"


def raw(draw: random.Random, source: bytes) -> bytes:
    """Bytes with some of them changed, cut, doubled, or in another encoding."""
    kind = draw.random()
    data = bytearray(source)
    if kind < 0.3:
        return bytes(data[: draw.randrange(len(data) + 1)])
    if kind < 0.65:
        for _ in range(draw.choice((1, 2, 8, 64))):
            if data:
                data[draw.randrange(len(data))] = draw.choice((0, 255, draw.randrange(256)))
        return bytes(data)
    if kind < 0.75:
        at = draw.randrange(len(data) + 1)
        return bytes(data[:at]) + draw.randbytes(draw.randint(1, 300)) + bytes(data[at:])
    if kind < 0.85:
        at, size = draw.randrange(len(data) + 1), draw.randint(1, 4000)
        return bytes(data[:at] + data[at + size :])
    if kind < 0.93:
        encoding = draw.choice(("utf-16", "utf-32", "utf-7", "cp1252"))
        return source.decode("latin-1").encode(encoding, "replace")
    return draw.choice((b"", b"\x00" * 4096, draw.randbytes(2000), b"\x1f\x8b\x08\x00" * 9, b"PK"))


def file_bytes(draw: random.Random, source: str) -> bytes:
    """A text file, spoilt as text, as bytes, or replaced by a bomb."""
    kind = draw.random()
    if kind < 0.8:
        return text(draw, source).encode("utf-8", "surrogatepass")
    if kind < 0.95:
        return raw(draw, source.encode())
    return (bomb(draw) + (source if kind < 0.98 else "")).encode()
