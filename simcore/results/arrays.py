"""Reading arrays out of zip files of unknown origin: no pickle, no more memory than is promised."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Header:
    """What an entry says of its array, checked.

    Attributes:
        shape, dtype, fortran: of the array.
        begin: first byte of the values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    begin: int


def _header(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...] | None, kinds: str
) -> _Header:
    """Read and check the header of an entry before anything else is unpacked."""
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
    return _Header(found, dtype, fortran, begin)


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
    head = _header(archive, name, shape, kinds)
    flat = np.frombuffer(archive.read(name), head.dtype, offset=head.begin)
    return flat.reshape(head.shape[::-1]).T if head.fortran else flat.reshape(head.shape)


class ArrayRows:
    """Rows of one ``.npy`` entry, one piece after the other: the whole may exceed the memory."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        name: str,
        *,
        shape: tuple[int, ...] | None = None,
        kinds: str = "biuf",
    ) -> None:
        """Check the header; the arguments are those of `read_array`.

        Raises:
            ValueError: if it is no such array; `ARCHIVE_ERRORS` lists what damage raises besides.
        """
        head = _header(archive, name, shape, kinds)
        self.dtype, self.shape = head.dtype, head.shape
        self.row_bytes = math.prod(head.shape[1:]) * head.dtype.itemsize
        self._name = name
        self._at = 0
        self._whole = read_array(archive, name) if head.fortran and len(head.shape) > 1 else None
        self._file = archive.open(name)
        self._file.read(head.begin)

    def take(self, count: int) -> NDArray[Any]:
        """The next rows.

        Raises:
            ValueError: if there are not so many; `ARCHIVE_ERRORS` lists what damage raises.
        """
        self._at += count
        if self._whole is not None:
            return self._whole[self._at - count : self._at]
        data = self._file.read(count * self.row_bytes)
        if len(data) != count * self.row_bytes:
            raise ValueError(f"{self._name}: ends too early")
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])

    def close(self) -> None:
        """Give the entry back to the archive."""
        self._file.close()
