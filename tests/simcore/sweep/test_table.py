"""The table as files, and prices."""

import csv
import sys

import pytest

from simcore.errors import DataFileError, UserError
from simcore.export.tables import check_table_file
from simcore.scenario.document import Document
from simcore.sweep.figures import cost_of
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.runner import run_sweep
from simcore.sweep.table import cells, header, write_rows
from tests.simcore.sweep.test_runner import Here

HERMES = """\
system: hermes
hardware: {gpu: rtx-4090, ndp_dimms: {count: 4}}
model: {preset: relullama2-70b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, vocab: 1000}
workload: {batch: 1, prompt_tokens: 16, output_tokens: 3}
"""
WORTH = ["tokens_per_s_per_USD"]


@pytest.fixture
def rows(make, store):
    spec = make("hardware.hbm.capacity_GB=0.000001,96", "hardware.lpddr.capacity_GB=0.000001,512")
    return spec, run_sweep(spec, store, Here())


def test_csv(rows, tmp_path):
    spec, found = rows
    write_rows(spec, found, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == 4
    assert list(read[0]) == header(spec, found)
    assert read[0]["status"] == "does not fit"
    assert read[0]["tokens_per_s"] == ""
    assert "needs" in read[0]["error"]
    assert float(read[3]["tokens_per_s"]) == found[3].figures["tokens_per_s"]
    assert read[3]["hardware.lpddr.capacity_GB"] == "512.0"
    assert read[3]["feasible"] == "true"


def test_parquet(rows, tmp_path):
    from pyarrow import parquet

    spec, found = rows
    write_rows(spec, found, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == header(spec, found)
    expected = cells(spec, found)
    at = table.column_names.index
    assert table["tokens_per_s"].to_pylist() == [row[at("tokens_per_s")] for row in expected]
    assert table["tokens_per_s"].to_pylist()[0] is None
    assert str(table.schema.field("tokens_per_s").type) == "double"
    assert table.schema.field("tokens_per_s").metadata[b"unit"] == b"tokens/s"
    assert table.schema.field("hardware.hbm.capacity_GB").metadata[b"unit"] == b"GB"


def test_without_pyarrow_it_says_what_to_install(rows, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"dimmscope\[parquet\].*\.csv"):
        check_table_file("t.parquet")
    with pytest.raises(UserError, match="pyarrow"):
        write_rows(*rows, tmp_path / "t.parquet")
    assert not (tmp_path / "t.parquet").exists()


def test_other_files_are_refused(rows, tmp_path):
    with pytest.raises(UserError, match=r"\.csv, \.parquet"):
        write_rows(*rows, tmp_path / "t.xlsx")
    with pytest.raises(DataFileError, match="cannot write"):
        write_rows(*rows, tmp_path / "none" / "t.csv")


def test_price_counts_what_has_one_and_names_what_has_none():
    hardware = Document.from_text(HERMES).resolve().hardware
    cost = cost_of(hardware, {})
    assert cost.total_USD is None
    assert cost.missing == ("ndp_dimms",)
    assert "prices.ndp_dimms of the sweep or hardware.ndp_dimms.price_USD" in cost.note
    cost = cost_of(hardware, {"ndp_dimms": 100})
    assert cost.total_USD == 1599 + 4 * 100
    assert cost.note == ""
    assert cost_of(hardware, {"ndp_dimms": 100, "gpu": 1000, "host": 500}).total_USD == 1900
    document = Document.from_text(HERMES).with_value("hardware.ndp_dimms.price_USD", 50)
    assert cost_of(document.resolve().hardware, {}).total_USD == 1599 + 4 * 50


def test_tokens_per_dollar(store):
    document = Document.from_text(HERMES)
    vary = [read_vary("hardware.ndp_dimms.count=2,4")]
    (two, _) = run_sweep(make_spec(document, vary, objectives=WORTH), store, Here())
    assert two.figures["tokens_per_s_per_USD"] is None
    assert "no sourced price" in two.note
    spec = make_spec(document, vary, objectives=WORTH, prices={"ndp_dimms": 100})
    two, four = run_sweep(spec, store, here := Here())
    assert not here.tasks  # a price changes no simulation
    assert two.note == ""
    assert two.figures["tokens_per_s_per_USD"] == two.figures["tokens_per_s"] / 1799
    assert four.figures["price_USD"] == 1999
