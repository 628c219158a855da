"""Reading arrays out of zip files of unknown origin: no pickle, no more memory than is promised."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

ARCHIVE_ERRORS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)
"""What reading a damaged or made-up archive can raise, beside OSError."""

_HEAD = 16_384
_SMALL_BYTES = 64 << 20
_MOST_RATIO = 150


def overpacked(archive: zipfile.ZipFile, path: str | Path) -> bool:
    """Whether an archive unpacks to far more than it takes on disk, as only a trap does."""
    unpacked = sum(info.file_size for info in archive.infolist())
    return unpacked > _SMALL_BYTES and unpacked > _MOST_RATIO * Path(path).stat().st_size


def read_array(
    archive: zipfile.ZipFile,
    name: str,
    *,
    shape: tuple[int, ...] | None = None,
    kinds: str = "biuf",
) -> NDArray[Any]:
    """One ``.npy`` entry; its header is checked before anything else is unpacked.

    Args:
        archive: an open file.
        name: of the entry, with suffix.
        shape: what it must have; None takes any.
        kinds: accepted kinds of numbers (`numpy.dtype.kind`).

    Raises:
        ValueError: if it is no such array; `ARCHIVE_ERRORS` lists what damage raises besides.
    """
    entry = archive.getinfo(name)
    with archive.open(entry) as file:
        head = io.BytesIO(file.read(_HEAD))
    major = npy.read_magic(head)[0]
    read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    try:
        found, fortran, dtype = read(head)
    except (SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f"{name}: no array") from error
    if dtype.hasobject or dtype.kind not in kinds:
        raise ValueError(f"{name}: an array of type {dtype}")
    if shape is not None and found != shape:
        raise ValueError(f"{name}: an array of shape {found}, not {shape}")
    begin = head.tell()
    if math.prod(found) * dtype.itemsize != entry.file_size - begin:
        raise ValueError(f"{name}: an array shorter or longer than it says")
    flat = np.frombuffer(archive.read(entry), dtype, offset=begin)
    return flat.reshape(found[::-1]).T if fortran else flat.reshape(found)
