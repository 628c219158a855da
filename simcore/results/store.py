"""Where the arrays of a run live: in memory up to a budget, beyond it in a temporary file.

The file has no name (on Windows it is deleted when it is closed), so nothing of it stays, whatever
ends the program. It is written and read by calls, not mapped: a full or failing disk is then an
error at the call, where a mapping would end the program by a signal
(``docs/decisions/0017-long-runs-in-a-file.md``).
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from simcore.errors import StorageError

MOST_BUDGET_BYTES = 1 << 30
"""Most a run keeps in memory, however much there is."""
LEAST_BUDGET_BYTES = 64 << 20
"""What a run keeps in memory at least: no run of a small model needs more."""
MEMORY_SHARE = 16
"""A run keeps one part in so many: a window holds a few runs, and there are other programs."""
SPARE_DISK_BYTES = 512 << 20
"""What is left free on the disk, for saving the run and for everybody else."""
SMALL_ROW_BYTES = 32 << 10
"""Columns of smaller rows are what charts read whole; the last quarter of the budget is theirs."""
SMALL_ARRAY_BYTES = 32 << 10
"""Single arrays that are smaller stay in memory: an entry in a table would not save much."""

_UNKNOWN_MEMORY = 8 << 30
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory_bytes() -> int:
    """Memory of this computer, or of the container the program runs in; 8 GiB if none says."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        found = _UNKNOWN_MEMORY
    try:
        return min(found, int(_CGROUP.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return found


def default_budget(memory: int) -> int:
    """What a run may keep in memory on a computer with so many bytes of it."""
    return max(LEAST_BUDGET_BYTES, min(MOST_BUDGET_BYTES, memory // MEMORY_SHARE))


def folder() -> Path:
    """Where temporary files of gigabytes go.

    ``/tmp`` is in memory on many systems, so it is the last choice; ``TMPDIR`` is the user's word.
    """
    if os.name == "posix":
        for name in (os.environ.get("TMPDIR", ""), "/var/tmp"):
            if name and os.path.isdir(name) and os.access(name, os.W_OK):
                return Path(name)
    return Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Spilled:
    """An array in the file of a `Store`.

    Attributes:
        store: keeps the file open.
        offset: first byte in it.
        shape, dtype: of the array.
    """

    store: Store
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row (first index)."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array, as of an array in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Some rows as a new array.

        Raises:
            StorageError: if the disk fails.
        """
        out = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.rows_into(start, out)
        return out

    def rows_into(self, start: int, out: NDArray[Any]) -> None:
        """Read rows from `start` on into a contiguous array.

        Raises:
            StorageError: if the disk fails.
        """
        self.store.read(self.offset + start * self.row_bytes, out)

    def whole(self) -> NDArray[Any]:
        """All of it as a new array.

        Raises:
            StorageError: if the disk fails.
        """
        out = np.empty(self.shape, self.dtype)
        self.store.read(self.offset, out)
        return out


Piece = NDArray[Any] | Spilled
"""An array, wherever it is."""


class Store:
    """Memory and file of one run. One thread adds, any number read.

    Attributes:
        budget_bytes: what may stay in memory.
        held_bytes: what of finished arrays and open blocks is in memory.
        spilled_bytes: what is in the file.
    """

    def __init__(self, budget_bytes: int | None = None) -> None:
        """Make an empty store.

        Args:
            budget_bytes: what may stay in memory; a share of the computer's if nothing is said.
        """
        self.budget_bytes = default_budget(memory_bytes()) if budget_bytes is None else budget_bytes
        self.held_bytes = 0
        self.spilled_bytes = 0
        self._file: FileIO | None = None
        self._where: Path | None = None
        self._lock = threading.Lock()  # where a file has one position for all (Windows)

    def block(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Memory for a block that is filled row by row and then given to `settle`."""
        out = np.empty(shape, dtype)
        self.held_bytes += out.nbytes
        return out

    def settle(self, block: NDArray[Any]) -> Piece:
        """A block that is full: itself, or what stands for it in the file.

        Raises:
            StorageError: if the file cannot grow; the block stays as it is.
        """
        small = block[:1].nbytes < SMALL_ROW_BYTES
        if self.held_bytes <= (self.budget_bytes if small else self.budget_bytes * 3 // 4):
            return block
        spilled = self._spill(block)
        self.held_bytes -= block.nbytes
        return spilled

    def keep(self, array: NDArray[Any]) -> Piece:
        """A single array: itself, or what stands for it in the file.

        Raises:
            StorageError: if the file cannot grow.
        """
        full = self.held_bytes + array.nbytes > self.budget_bytes * 3 // 4
        if full and array.nbytes >= SMALL_ARRAY_BYTES:
            return self._spill(array)
        self.held_bytes += array.nbytes
        return array

    def read(self, offset: int, out: NDArray[Any]) -> None:
        """Fill a contiguous array with what is in the file.

        Raises:
            StorageError: if the disk fails.
        """
        assert self._file is not None
        assert out.flags.c_contiguous
        view = _bytes_of(out)
        try:
            done = 0
            while done < len(view):
                count = self._read_some(offset + done, view[done:])
                if not count:
                    raise OSError(f"ends at byte {offset + done}")
                done += count
        except OSError as error:
            raise StorageError(
                f"cannot read the temporary file of this run in {self._where}: "
                f"{error.strerror or error}; simulate again"
            ) from error

    def _read_some(self, offset: int, view: memoryview) -> int:
        file = self._file
        assert file is not None
        if sys.platform != "win32":
            return os.preadv(file.fileno(), [view], offset)
        with self._lock:
            file.seek(offset)
            return int(file.readinto(view) or 0)

    def _spill(self, array: NDArray[Any]) -> Spilled:
        """Write an array to the end of the file."""
        found = np.ascontiguousarray(array)
        try:
            file = self._file or self._open()
            self._check_room(file, found.nbytes)
            self._write(file, _bytes_of(found))
        except OSError as error:
            raise self._full(error.strerror or str(error)) from error
        spilled = Spilled(self, self.spilled_bytes, found.shape, found.dtype)
        self.spilled_bytes += found.nbytes
        return spilled

    def _write(self, file: FileIO, view: memoryview) -> None:
        done = 0
        while done < len(view):
            at = self.spilled_bytes + done
            if sys.platform != "win32":
                done += os.pwrite(file.fileno(), view[done:], at)
            else:
                with self._lock:
                    file.seek(at)
                    done += file.write(view[done:])

    def _open(self) -> FileIO:
        where = self._where = folder()
        made = tempfile.TemporaryFile(  # noqa: SIM115 - closed with the store
            prefix="dimmscope-", dir=where, buffering=0
        )
        weakref.finalize(self, made.close)
        self._file = made
        return self._file

    def _check_room(self, file: FileIO, more: int) -> None:
        free = _free_bytes(file, self._where or folder())
        if free - more < SPARE_DISK_BYTES:
            raise OSError(
                f"only {free / 1e9:.1f} GB are free, and {SPARE_DISK_BYTES / 1e9:.1f} GB stay so"
            )

    def _full(self, reason: str) -> StorageError:
        where = f" in {self._where}" if self._where else ""
        return StorageError(
            f"no room for more steps: beyond {self.budget_bytes / 1e9:.2f} GB in memory records go "
            f"to a temporary file{where}, which cannot grow ({self.spilled_bytes / 1e9:.2f} GB so "
            f"far): {reason}. In the window and in `dimmscope run` the steps so far stay and can "
            "be saved; free space there, set TMPDIR to a folder on a larger disk, or simulate a "
            "shorter workload"
        )


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """The memory of a contiguous array, byte by byte."""
    return array.reshape(-1).view(np.uint8).data


def _free_bytes(file: FileIO, where: Path) -> int:
    """Bytes that may still be written to the file system of an open file."""
    if sys.platform != "win32":
        found = os.statvfs(file.fileno())
        return found.f_bavail * found.f_frsize
    import shutil

    return shutil.disk_usage(where).free


class Arrays(Sequence[NDArray[Any]]):
    """Single arrays of one kind, in the order they were added; those in the file are read anew."""

    def __init__(self, store: Store, arrays: Iterable[NDArray[Any]] = ()) -> None:
        self._store = store
        self._pieces: list[Piece] = []
        for array in arrays:
            self.append(array)

    def append(self, array: NDArray[Any]) -> None:
        """Add an array; only the writer of the run does.

        Raises:
            StorageError: if the file cannot grow.
        """
        self._pieces.append(self._store.keep(array))

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def nbytes(self) -> int:
        """Bytes of all of them, wherever they are."""
        return sum(piece.nbytes for piece in list(self._pieces))

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[Any]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[Any] | list[NDArray[Any]]:
        if isinstance(index, slice):
            return [_whole(piece) for piece in self._pieces[index]]
        return _whole(self._pieces[index])

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (_whole(piece) for piece in list(self._pieces))


def _whole(piece: Piece) -> NDArray[Any]:
    return piece.whole() if isinstance(piece, Spilled) else piece
