"""Data files a workload names: one of `assets/traces`, or a path of the user's."""

from __future__ import annotations

from pathlib import Path

from simcore.data import asset, is_file
from simcore.errors import DataFileError

MAX_BYTES = 256 << 20


def data_file(name: str, field: str) -> tuple[Path, int]:
    """The file a field names, and a stamp that changes when the file does.

    Raises:
        DataFileError: if it is missing or too large.
    """
    path = asset(f"traces/{name}") if Path(name).name == name else Path(name)
    if not is_file(path) and is_file(Path(name)):
        path = Path(name)
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataFileError(
            f"{path}: cannot be read: {reason}; {field} names a file in assets/traces or a path"
        ) from error
    if stat.st_size > MAX_BYTES:
        raise DataFileError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    return path, stat.st_mtime_ns
