"""Tables: the same rows as CSV and Parquet, types kept, nothing written by halves."""

import csv
import sys

import numpy as np
import pytest
from pyarrow import parquet

from simcore.errors import DataFileError, UserError
from simcore.export.chart_file import chart_data, export_chart
from simcore.export.charts import CHARTS
from simcore.export.registry import ExportOptions, exporter_for
from simcore.export.run_tables import write_spans, write_steps
from simcore.export.tables import Field, Kind, write_table
from tests.fakes import fake_run

FIELDS = [
    Field("count", Kind.INTEGER),
    Field("time_s", Kind.NUMBER, 3),
    Field("word", Kind.TEXT),
    Field("any"),
]
PIECES = [
    [np.array([1, 2]), np.array([0.5, 1 / 3]), ["a", 'µ, "b"'], [True, False]],
    [np.array([2**53 + 1]), np.array([2.0]), [""], [None]],
]


@pytest.fixture(scope="module")
def run():
    return fake_run(12)


def test_csv(tmp_path):
    write_table(tmp_path / "t.csv", FIELDS, iter(PIECES))
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["count", "time_s", "word", "any"],
        ["1", "0.5", "a", "true"],
        ["2", "0.333", 'µ, "b"', "false"],
        ["9007199254740993", "2", "", ""],
    ]


def test_parquet_keeps_numbers_and_types(tmp_path):
    write_table(tmp_path / "t.parquet", FIELDS, iter(PIECES))
    table = parquet.read_table(tmp_path / "t.parquet")
    assert [str(kind) for kind in table.schema.types] == ["int64", "double", "string", "bool"]
    assert table.to_pydict() == {
        "count": [1, 2, 2**53 + 1],
        "time_s": [0.5, 1 / 3, 2.0],
        "word": ["a", 'µ, "b"', ""],
        "any": [True, False, None],
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "int64"),
        ([1, 2.5], "double"),
        ([1, "x"], "string"),
        ([None], "string"),
        ([], "string"),
    ],
)
def test_parquet_finds_the_type_that_fits(tmp_path, values, kind):
    write_table(tmp_path / "t.parquet", [Field("a")], [[values]])
    assert str(parquet.read_schema(tmp_path / "t.parquet").types[0]) == kind


def test_a_table_without_rows(tmp_path):
    for suffix in ("csv", "parquet"):
        write_table(tmp_path / f"t.{suffix}", FIELDS, [])
    assert (tmp_path / "t.csv").read_text() == "count,time_s,word,any\n"
    assert parquet.read_table(tmp_path / "t.parquet").num_rows == 0


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r'pip install "dimmscope\[parquet\]", or write \.csv'):
        write_table(tmp_path / "t.parquet", FIELDS, PIECES)
    assert not list(tmp_path.iterdir())


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"\.csv, \.parquet"):
        write_table(tmp_path / "t.xlsx", FIELDS, PIECES)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_nothing_is_left_of_a_table_that_fails(tmp_path, suffix):
    def pieces():
        yield PIECES[0]
        raise DataFileError("gone")

    with pytest.raises(DataFileError, match="gone"):
        write_table(tmp_path / f"t.{suffix}", FIELDS, pieces())
    assert not list(tmp_path.iterdir())


def test_steps_and_spans_say_the_same_in_both(run, tmp_path):
    for write in (write_steps, write_spans):
        write(run, tmp_path / "t.csv")
        write(run, tmp_path / "t.parquet")
        table = parquet.read_table(tmp_path / "t.parquet").to_pydict()
        with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(table) == list(rows[0])
        for name, values in table.items():
            texts = [row[name] for row in rows]
            if isinstance(values[0], str):
                assert texts == values
            else:
                numbers = [float("nan" if text == "" else text) for text in texts]
                wanted = [float("nan") if value is None else value for value in values]
                assert numbers == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


def test_spans_of_a_parquet_file_add_up_to_the_run(run, tmp_path):
    write_spans(run, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    total_us = sum(table["duration_us"].to_pylist())
    assert total_us == pytest.approx(len(run.lanes) * run.end_ps / 1e6)


@pytest.mark.parametrize("chart", ["timeline", "bandwidth", "placement", "memory", "tokens"])
def test_a_chart_as_parquet(run, tmp_path, chart):
    export_chart(run, chart, tmp_path / "c.parquet")
    table = parquet.read_table(tmp_path / "c.parquet")
    data = chart_data(run, chart)
    assert table.num_rows == len(data)
    assert table.column_names == [column.header for column in data.columns]
    assert chart in CHARTS


def test_the_ending_chooses_the_table(run, tmp_path):
    for name, wanted in (("a.parquet", "steps"), ("a.spans.parquet", "spans")):
        exporter = exporter_for(name)
        assert exporter.id == wanted
        exporter.write(run, tmp_path / name, ExportOptions(2, 4))
        assert set(parquet.read_table(tmp_path / name)["step"].to_pylist()) == {2, 3}
