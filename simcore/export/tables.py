"""Tables as files: CSV for everyone, Parquet with the types kept, both written piece by piece.

A table is a list of fields and an iterator of pieces; a piece has one column a field. CSV numbers
have as many decimals as their field asks for, so that no digit of a picosecond is lost; Parquet
keeps the numbers themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.results.files import replacing

SUFFIXES = (".csv", ".parquet")
INSTALL_PARQUET = 'Parquet needs pyarrow: pip install "dimmscope[parquet]", or write .csv'


class Kind(Enum):
    """What the values of a field are."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    ANY = "any"
    """Whatever they are; Parquet takes the type that fits those of the first piece, or text."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Attributes:
        name: its header; with the unit, unless the name says it.
        kind: what its values are.
        decimals: decimals in CSV; 0 leaves numbers as they are.
        unit: unit for the metadata of a Parquet column, where the header has none.
    """

    name: str
    kind: Kind = Kind.ANY
    decimals: int = 0
    unit: str = ""


Piece = Sequence[Any]
"""One column a field, all of one length: numpy arrays or lists; None stands for no value."""


def write_table(path: str | Path, fields: Sequence[Field], pieces: Iterable[Piece]) -> None:
    """Write a table to a ``.csv`` or ``.parquet`` file, which appears when it is complete.

    Raises:
        UserError: if the ending is neither, or pyarrow is missing.
        DataFileError: if the file cannot be written.
    """
    check_table_file(path)
    write = _write_parquet if Path(path).suffix.lower() == ".parquet" else _write_csv
    write(path, fields, pieces)


def write_rows(path: str | Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a short table that is there row by row; raises what `write_table` raises."""
    columns: list[Any] = list(zip(*rows, strict=True)) or [[] for _ in header]
    write_table(path, [Field(name) for name in header], [columns])


def check_table_file(path: str | Path) -> None:
    """Find out before long work, not after, that a table cannot be written.

    Raises:
        UserError: if the ending is not one of `SUFFIXES`, or pyarrow is needed and missing.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path}: a table is written to {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise UserError(f"{path}: {INSTALL_PARQUET}") from None


def _write_csv(path: str | Path, fields: Sequence[Field], pieces: Iterable[Piece]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields])
        for piece in pieces:
            columns = [_cells(field, column) for field, column in zip(fields, piece, strict=True)]
            writer.writerows(zip(*columns, strict=True))


def _cells(field: Field, column: Any) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    if any(isinstance(value, bool) for value in values):
        values = [str(value).lower() if isinstance(value, bool) else value for value in values]
    if not field.decimals:
        return values
    digits = field.decimals
    return [f"{value:.{digits}f}".rstrip("0").rstrip(".") for value in values]


def _write_parquet(path: str | Path, fields: Sequence[Field], pieces: Iterable[Piece]) -> None:
    import pyarrow
    from pyarrow import parquet

    types = {
        Kind.INTEGER: pyarrow.int64(),
        Kind.NUMBER: pyarrow.float64(),
        Kind.TEXT: pyarrow.string(),
    }
    left = iter(pieces)
    empty: Piece = [[] for _ in fields]
    first = next(left, empty)
    schema = pyarrow.schema(
        [
            pyarrow.field(
                field.name,
                types.get(field.kind) or _fitting(pyarrow, column),
                metadata={"unit": field.unit} if field.unit else None,
            )
            for field, column in zip(fields, first, strict=True)
        ]
    )
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for piece in chain((first,), left):
            arrays = [
                pyarrow.array(_plain(column, wanted), wanted, from_pandas=False)
                for column, wanted in zip(piece, schema.types, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _fitting(pyarrow: Any, column: Any) -> Any:
    """The type that holds all values of a column as they are; text if none does."""
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {bool}:
        return pyarrow.bool_()
    if kinds and kinds <= {int}:
        return pyarrow.int64()
    if kinds and kinds <= {int, float}:
        return pyarrow.float64()
    return pyarrow.string()


def _plain(column: Any, wanted: Any) -> Any:
    if str(wanted) != "string":
        return column
    values = column.tolist() if isinstance(column, np.ndarray) else column
    return [value if value is None or isinstance(value, str) else str(value) for value in values]
