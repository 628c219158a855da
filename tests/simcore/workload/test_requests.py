"""Requests: drawn, replayed, dealt over replicas."""

import json

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.errors import DataFileError
from simcore.scenario.document import Document
from simcore.scenario.schema.serving import LENGTHS
from simcore.workload.batching import Batch
from simcore.workload.requests import Requests, draw, make_requests, read_trace


def scenario(**workload):
    base = {
        "version": 1,
        "system": "l3",
        "model": "gpt3-175b",
        "workload": {"kind": "serving", **workload},
    }
    return Document.from_text(json.dumps(base)).resolve()


@pytest.mark.parametrize("distribution", ["gamma", "lognormal"])
@pytest.mark.parametrize("name", list(LENGTHS))
def test_drawn_lengths_have_the_published_moments(name, distribution):
    wanted = LENGTHS[name]
    lengths = draw(
        np.random.default_rng(3), 200_000, wanted.output_mean, wanted.output_std, distribution
    )
    assert lengths.min() >= 1
    assert lengths.mean() == pytest.approx(wanted.output_mean, rel=0.02)
    assert lengths.std() == pytest.approx(wanted.output_std, rel=0.05)


def test_equal_lengths():
    assert draw(np.random.default_rng(1), 3, 7.4, 0, "gamma").tolist() == [7, 7, 7]


def test_the_seed_decides():
    one, again = make_requests(scenario()), make_requests(scenario())
    assert np.array_equal(one.output, again.output)
    assert one.output.max() <= 32768
    other = Document.from_text(
        json.dumps(
            {
                "version": 1,
                "system": "l3",
                "model": "gpt3-175b",
                "workload": {"kind": "serving"},
                "seed": 2,
            }
        )
    ).resolve()
    assert not np.array_equal(one.output, make_requests(other).output)


def test_shipped_traces():
    arrival, prompt, output = read_trace("azure_llm_2023_conv.csv")
    assert len(prompt) == 19366
    assert prompt.mean() == pytest.approx(1155, abs=1)
    assert output.mean() == pytest.approx(211, abs=1)
    assert (np.diff(arrival) >= 0).all()
    assert len(read_trace("mooncake_conversation.csv")[1]) == 12031


def test_a_part_of_a_trace_begins_at_zero():
    found = make_requests(
        scenario(
            source="trace",
            trace="azure_llm_2023_conv.csv",
            arrivals="trace",
            first=500,
            requests=20,
        )
    )
    assert len(found) == 20
    assert found.arrival_ps[0] == 0
    assert (np.diff(found.arrival_ps) >= 0).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column prompt_tokens"),
        ("prompt_tokens,output_tokens\n", "no request"),
        ("prompt_tokens,output_tokens\nx,2\n", "not a table"),
        ("prompt_tokens,output_tokens\n-1,2\n", "from 0 on"),
    ],
)
def test_damaged_traces(tmp_path, text, words):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DataFileError, match=words):
        read_trace(str(path))
    with pytest.raises(DataFileError, match="cannot be read"):
        read_trace("absent.csv")


def test_traces_without_times_are_offline_only(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("prompt_tokens,output_tokens\n5,2\n")
    assert len(make_requests(scenario(source="trace", trace=str(path)))) == 1
    with pytest.raises(DataFileError, match="arrival_s"):
        make_requests(scenario(source="trace", trace=str(path), arrivals="trace"))
    with pytest.raises(DataFileError, match=r"workload\.first"):
        make_requests(scenario(source="trace", trace=str(path), first=9))


def test_steady_context_by_hand():
    # One request of 10 + 4, one of 20 + 2: (4 * 12 + 2 * 21) / 6.
    two = Requests(np.zeros(2, np.int64), np.array([10, 20]), np.array([4, 2]))
    assert two.steady_context() == pytest.approx((4 * 12 + 2 * 21) / 6)
    assert two.of_replica(2).prompt.tolist() == [10]


def test_batch_of_requests():
    two = Requests(np.array([0, 50]), np.array([10, 20]), np.array([4, 2]))
    batch = Batch(two)
    batch.arrive(10)
    assert batch.queue().tolist() == [0]
    assert batch.next_arrival_ps() == 50
    batch.state[0] = 2
    assert batch.advance(np.array([0]), 3).tolist() == []
    assert batch.advance(np.array([0]), 1).tolist() == [0]
    assert not batch.over
    assert batch.context[0] == 14
