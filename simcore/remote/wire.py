"""Messages between two processes of this program, through a pair of pipes.

A message is pickled; large arrays in it follow as they are, so that they are copied once on each
side. Both ends are the same program on the same machine, started by one another: nothing else is
ever read by this.
"""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

import numpy as np

_LARGE_BYTES = 1 << 16
"""Arrays of at least this size follow the message instead of being part of it."""
_HEAD = struct.Struct("<QI")
_SIZE = struct.Struct("<Q")


def send(file: BinaryIO, message: Any) -> None:
    """Write a message.

    Raises:
        OSError: if nobody reads any more.
    """
    large: list[memoryview] = []

    def part_of_message(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _LARGE_BYTES:
            return True
        large.append(raw)
        return False

    body = pickle.dumps(message, 5, buffer_callback=part_of_message)
    file.write(_HEAD.pack(len(body), len(large)))
    for raw in large:
        file.write(_SIZE.pack(raw.nbytes))
    file.write(body)
    for raw in large:
        file.write(raw)
    file.flush()


def receive(file: BinaryIO) -> Any:
    """The next message.

    Raises:
        EOFError: if the other end is gone.
        OSError: if the pipe cannot be read.
    """
    length, count = _HEAD.unpack(_exactly(file, _HEAD.size))
    sizes = [_SIZE.unpack(_exactly(file, _SIZE.size))[0] for _ in range(count)]
    body = _exactly(file, length)
    return pickle.loads(body, buffers=[_exactly(file, size) for size in sizes])


def _exactly(file: BinaryIO, size: int) -> memoryview:
    # Memory nobody has touched: to clear it would hold the interpreter while pages are fetched.
    out = np.empty(size, np.uint8).data
    view, at = out, 0
    while at < size:
        got = file.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other process is gone")
        at += got
    return out
