"""Saving a run to one ``.npz`` file and reading it back, without pickle.

The file is a zip of ``header.json`` (scenario, version, seed, names of lanes and ops), one
``column.NAME.npy`` for each recorded column and one ``attachment.NAME.INDEX.npy`` for each
attachment. `numpy.load` can open it too. Equal runs give equal bytes.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from simcore.errors import DataFileError, UserError
from simcore.registry import SYSTEMS
from simcore.results.arrays import ARCHIVE_ERRORS, ArrayRows, overpacked, read_array
from simcore.results.files import replacing
from simcore.results.run import Run
from simcore.results.summary import scenario_dict, version
from simcore.results.text import TOKEN_COLUMN, check_tokens
from simcore.scenario.fields import Provenance, SourceClass
from simcore.scenario.presets import PRESET_KINDS, presets
from simcore.scenario.schema import Scenario

FORMAT = "dimmscope-run"
FORMAT_VERSION = 1
MAX_BYTES = 64 << 30
"""Largest unpacked size that is read; it goes to memory and file as a run that is simulated."""

_HEADER = "header.json"
_MAX_HEADER_BYTES = 16 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEVEL = 3
_PIECE_BYTES = 32 << 20


def save_run(run: Run, path: str | Path) -> None:
    """Write a run, finished or not, to an ``.npz`` file.

    Raises:
        DataFileError: if the file cannot be written.
    """
    status = {"finished": run.status.finished, "cancelled": run.status.cancelled}
    steps = len(run)  # asked last: one that is finished does not grow any more
    attached = {name: len(arrays) for name, arrays in run.attachments.copy().items()}
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "version": version(),
        "seed": run.scenario.seed,
        "scenario": scenario_dict(run.scenario),
        "provenance": {
            where: [item.source_class.value, item.source]
            for where, item in run.scenario.provenance.items()
        },
        "items": run.plan.items,
        "steps": steps,
        "lanes": [lane.id for lane in run.lanes],
        "ops": [op.id for op in run.ops],
        "attachments": attached,
        "status": status,
    }
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        _put(archive, _HEADER, json.dumps(header, ensure_ascii=False, allow_nan=False).encode())
        for name in run.column_names:
            if name != "start_ps" and name not in run.plan.derived:
                _put_column(archive, run, name, steps)
        for name, count in attached.items():
            for index in range(count):
                data = _npy(run.attachments[name][index])
                _put(archive, f"attachment.{name}.{index}.npy", data, packed=False)


def load_run(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Run:
    """Read a run back; its plan is prepared again from the saved scenario.

    Systems must be registered (``import simcore.systems``).

    Args:
        path: file written by `save_run`.
        max_bytes: largest unpacked size to accept.

    Raises:
        DataFileError: if the file is damaged, too large or of another format.
        StorageError: if memory and disk are full.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _load(archive, path, max_bytes)
    except OSError as error:
        raise DataFileError(f"cannot read {path}: {error.strerror or error}") from error
    except ARCHIVE_ERRORS as error:
        raise DataFileError(
            f"{path}: not a saved run, or damaged ({type(error).__name__}: {error}); "
            "save the run again"
        ) from error


def is_run_file(path: str | Path) -> bool:
    """Whether a file looks like a saved run rather than a scenario."""
    try:
        with Path(path).open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def _put(archive: zipfile.ZipFile, name: str, data: bytes, *, packed: bool = True) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(info, data, compresslevel=_LEVEL if packed else None)


def _put_column(archive: zipfile.ZipFile, run: Run, name: str, steps: int) -> None:
    """Write a column piece by piece: all of a long run can be larger than the memory."""
    first = run.column(name, 0, min(1, steps))
    shape = (steps, *first.shape[1:])
    head = io.BytesIO()
    about = {"descr": npy.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(head, about)
    info = zipfile.ZipInfo(f"column.{name}.npy", _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    # The one way there is to set the level of an entry that is written in pieces.
    setattr(info, "_compresslevel", _LEVEL)  # noqa: B010 - no part of the published types
    info.file_size = len(head.getvalue()) + steps * first[:1].nbytes
    rows = max(1, _PIECE_BYTES // max(1, first[:1].nbytes))
    with archive.open(info, "w") as file:
        file.write(head.getvalue())
        for start in range(0, steps, rows):
            file.write(run.column(name, start, min(start + rows, steps)).tobytes())


def _npy(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    npy.write_array(out, np.ascontiguousarray(array), allow_pickle=False)
    return out.getvalue()


def _load(archive: zipfile.ZipFile, path: str | Path, max_bytes: int) -> Run:
    entries = {info.filename: info for info in archive.infolist()}
    unpacked = sum(info.file_size for info in archive.infolist())
    if len(entries) != len(archive.infolist()):
        raise ValueError("an entry twice")
    if unpacked > max_bytes:
        raise DataFileError(
            f"{path}: unpacks to {unpacked / 1e9:.1f} GB, more than the "
            f"{max_bytes / 1e9:.1f} GB allowed"
        )
    if overpacked(archive, path):
        raise DataFileError(
            f"{path}: unpacks to {unpacked / 1e6:.0f} MB, far more than a run of its size; "
            "save the run again"
        )
    if _HEADER not in entries or entries[_HEADER].file_size > _MAX_HEADER_BYTES:
        raise ValueError("no header")
    header = json.loads(archive.read(_HEADER))
    if header["format"] != FORMAT:
        raise ValueError(f"format {header['format']!r}")
    if header["format_version"] != FORMAT_VERSION:
        raise DataFileError(
            f"{path}: run format {header['format_version']}, this version reads {FORMAT_VERSION}; "
            f"open it with DIMMscope {header.get('version', '?')}"
        )
    run, steps = _prepare(header, path), int(header["steps"])
    with ExitStack() as stack:
        columns: dict[str, ArrayRows] = {}
        expected = _first_step(run) if steps else {}
        for name, sample in expected.items():
            if name in run.plan.derived:
                continue
            shape = (steps, *sample.shape)
            column = stack.enter_context(
                closing(ArrayRows(archive, f"column.{name}.npy", shape=shape))
            )
            if column.dtype != sample.dtype:
                raise ValueError(f"column {name!r} of type {column.dtype}")
            columns[name] = column
        for name, count in header["attachments"].items():
            for index in range(int(count)):
                run.attach(name, read_array(archive, f"attachment.{name}.{index}.npy"))
        _fill(run, columns, steps)
    run.status.finished = bool(header["status"]["finished"])
    run.status.cancelled = bool(header["status"]["cancelled"])
    return run


def _prepare(header: Mapping[str, Any], path: str | Path) -> Run:
    """An empty run of the saved scenario."""
    try:
        scenario = _scenario(header)
        system = SYSTEMS.get(scenario.system)
        run = Run(system.prepare(scenario, items=bool(header["items"])), system)
    except UserError as error:
        raise DataFileError(
            f"{path}: its scenario does not suit this version (saved by DIMMscope "
            f"{header.get('version', '?')}):\n{error}"
        ) from error
    lanes, ops = [lane.id for lane in run.lanes], [op.id for op in run.ops]
    if lanes != header["lanes"] or ops != header["ops"]:
        raise DataFileError(
            f"{path}: saved by DIMMscope {header.get('version', '?')}, whose lanes or operations "
            "differ from this version's; simulate the scenario again"
        )
    return run


def _first_step(run: Run) -> dict[str, NDArray[Any]]:
    """What a step of such a run records, by simulating one; nothing of it is kept.

    Raises:
        ValueError: if there is none to simulate.
    """
    system: Any = run.system
    trial = Run(run.plan, system)
    columns = system.advance_many(run.plan, system.start(run.plan, trial), trial, 1)
    if columns is None:
        raise ValueError("steps of a scenario that has none")
    return {name: np.asarray(values)[0] for name, values in columns.items()}


def _scenario(header: Mapping[str, Any]) -> Scenario:
    from simcore.scenario.document import Document  # reading scenarios needs the YAML parser

    text = json.dumps(_without_strangers(header["scenario"]), ensure_ascii=False)
    scenario = Document.from_text(text).resolve()
    provenance = {
        where: Provenance(SourceClass(kind), str(source))
        for where, (kind, source) in header["provenance"].items()
    }
    return dataclasses.replace(scenario, provenance=provenance)


def _without_strangers(scenario: dict[str, Any]) -> dict[str, Any]:
    """The scenario without names of presets this computer lacks; all their values are in it."""
    out = copy.deepcopy(scenario)
    parts = {**out.get("hardware", {}), "model": out.get("model")}
    for component, part in parts.items():
        known = presets(component) if component in PRESET_KINDS else {}
        if isinstance(part, dict) and part.get("preset") not in known:
            part["preset"] = ""
    return out


def _fill(run: Run, columns: Mapping[str, ArrayRows], steps: int) -> None:
    if not steps:
        return
    derived = run.plan.derived
    shape = (len(run.lanes), len(run.ops))
    for name in ("lane_op_ps", "lane_op_bytes", "lane_op_flops"):
        if name not in derived and columns[name].shape[1:] != shape:
            raise ValueError(f"column {name!r} of another shape")
    rows = max(1, _PIECE_BYTES // max(1, sum(column.row_bytes for column in columns.values())))
    for start in range(0, steps, rows):
        part = {name: column.take(min(rows, steps - start)) for name, column in columns.items()}
        if TOKEN_COLUMN in part:
            check_tokens(part[TOKEN_COLUMN])
        run.extend(part)
    # Records the system cannot read fail here, not in a view.
    for step in sorted({0, steps // 2, steps - 1}):
        run.spans(step)
        if run.plan.items:
            run.placement(step)
