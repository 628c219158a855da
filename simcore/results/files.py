"""Writing result files so that a reader never sees half of one."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simcore.errors import DataFileError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name in the folder of `path` that becomes `path` when the block succeeds.

    Devices and pipes (``/dev/stdout``) are handed out as they are.

    Raises:
        DataFileError: if the file cannot be written; an older file of that name is still there.
    """
    target = Path(path)
    try:
        target = target.resolve()
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise DataFileError(f"cannot write {path}: it is a folder; give a file name")
            yield target
            return
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(mode)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataFileError(
            f"cannot write {path}: {reason}; choose a folder that exists and can be written"
        ) from error


def check_target(path: str | Path, *sources: str) -> None:
    """Find out before long work, not after, that a file cannot be written.

    Args:
        path: the file to be written.
        sources: what is read; must not be overwritten.

    Raises:
        DataFileError: if the folder does not exist, nothing can be written there, or the file is
            one of the sources.
    """
    for source in sources:
        if Path(path).exists() and Path(source).exists() and Path(path).samefile(source):
            raise DataFileError(f"cannot write {path}: it is read too; give another file name")
    folder = Path(path).resolve().parent
    if Path(path).is_dir():
        raise DataFileError(f"cannot write {path}: it is a folder; give a file name")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        reason = "no write permission" if folder.is_dir() else "no such folder"
        raise DataFileError(
            f"cannot write {path}: {reason}; choose a folder that exists and can be written"
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
