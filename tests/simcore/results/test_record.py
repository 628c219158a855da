"""A record of a step derives only what it is asked for."""

import pytest

from simcore.results.record import Record


def test_what_follows_is_derived_when_asked_for():
    asked = []

    def derive(name):
        asked.append(name)
        return name.upper()

    record = Record({"kind": 1, "tokens": 8}, ("lane_op_ps", "memory_bytes"), derive)
    assert list(record) == ["kind", "tokens", "lane_op_ps", "memory_bytes"]
    assert len(record) == 4
    assert "memory_bytes" in list(record)
    assert (record["kind"], record["tokens"]) == (1, 8)
    assert asked == []
    assert record["memory_bytes"] == "MEMORY_BYTES"
    assert asked == ["memory_bytes"]
    assert dict(record)["lane_op_ps"] == "LANE_OP_PS"


def test_an_unknown_name_is_no_column():
    record = Record({"kind": 1}, ("causes",), {"causes": 2}.__getitem__)
    assert "kind" in record
    assert "causes" in record
    assert "colour" not in record
    with pytest.raises(KeyError):
        record["colour"]
