"""Length histograms: shape within a bin, files, and what is said of bad ones."""

import json
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import DataFileError
from simcore.scenario.document import Document
from simcore.workload.histogram import Histogram, mean_offset, read_histograms, tilt_for
from simcore.workload.requests import make_requests

SHIPPED = "servegen_deepseek_r1.csv"
HEAD = "field,bin_low,bin_high,probability,mean_in_bin\n"


def ints(*values):
    return np.array(values, np.int64)


def test_mean_of_a_tilted_bin_by_hand():
    # Two lengths as 1 : 3, three as 1 : 2 : 4 and as 4 : 2 : 1, four alike.
    found = mean_offset(ints(2, 3, 3, 4), np.array([log(3), log(2), -log(2), 0.0]))
    assert found == pytest.approx([3 / 4, 10 / 7, 4 / 7, 3 / 2])


def test_the_tilt_gives_the_mean_back():
    width, offset = ints(1, 2, 3, 1000), np.array([0.0, 0.75, 1.0, 120.0])
    tilt = tilt_for(width, offset)
    assert tilt[[0, 2]].tolist() == [0.0, 0.0]
    assert tilt[1] == pytest.approx(log(3))
    assert mean_offset(width, tilt) == pytest.approx(offset)


@pytest.mark.parametrize("tilt", [log(2), -log(2), 0.0])
def test_lengths_come_as_often_as_they_should(tilt):
    histogram = Histogram(ints(10), ints(3), np.array([1.0]), np.array([tilt]))
    counts = np.bincount(histogram.draw(np.random.default_rng(1), 70_000) - 10, minlength=3)
    wanted = np.exp(tilt * np.arange(3))
    assert counts / 70_000 == pytest.approx(wanted / wanted.sum(), abs=0.01)


@given(st.integers(1, 10**8), st.floats(-50, 50), st.integers(0, 2**32))
def test_draws_stay_in_their_bin(width, tilt, seed):
    histogram = Histogram(ints(5), ints(width), np.array([1.0]), np.array([tilt]))
    drawn = histogram.draw(np.random.default_rng(seed), 50)
    assert drawn.min() >= 5
    assert drawn.max() < 5 + width
    assert 0 <= mean_offset(ints(width), np.array([tilt]))[0] <= width - 1


def test_the_shipped_histogram_has_the_published_shape():
    for histogram, mean, median, high in zip(
        read_histograms(SHIPPED), (1268, 1527), (208, 792), (6714, 5701), strict=True
    ):
        drawn = histogram.draw(np.random.default_rng(2), 400_000)
        assert histogram.mean == pytest.approx(mean, rel=0.001)
        assert drawn.mean() == pytest.approx(mean, rel=0.02)
        assert np.median(drawn) == pytest.approx(median, rel=0.02)
        assert np.percentile(drawn, 95) == pytest.approx(high, rel=0.02)


def scenario(**workload):
    base = {"version": 1, "system": "l3", "model": "gpt3-175b"}
    base["workload"] = {"kind": "serving", "source": "histogram", **workload}
    return Document.from_text(json.dumps(base)).resolve()


def test_requests_come_from_the_file_of_the_scenario(tmp_path):
    file = tmp_path / "two.csv"
    file.write_text(
        "field,bin_low,bin_high,probability\n"
        "input_tokens,7,8,1\noutput_tokens,100,101,30\noutput_tokens,200,201,10\n"
        "reason_ratio,0,1,1\n"
    )
    found = make_requests(scenario(histogram=str(file), requests=4000))
    assert set(found.prompt.tolist()) == {7}
    assert set(found.output.tolist()) == {100, 200}
    assert (found.output == 100).mean() == pytest.approx(0.75, abs=0.03)
    again = make_requests(scenario(histogram=str(file), requests=4000))
    assert np.array_equal(found.output, again.output)


def test_outputs_are_cut_and_arrivals_are_drawn():
    found = make_requests(
        scenario(requests=500, max_tokens=800, arrivals="poisson", rate_per_s=2.0)
    )
    assert found.output.max() == 800
    assert found.arrival_ps[-1] / 1e12 == pytest.approx(250, rel=0.2)


BAD = {
    "columns": ("a,b\n1,2\n", "no column field"),
    "number": (HEAD + "prompt_tokens,x,2,1,1\n", "not a table of bins"),
    "field": (HEAD + "prompt_tokens,1,2,1,1\n", "no bin whose field is output_tokens"),
    "order": (HEAD + "prompt_tokens,2,2,1,1\noutput_tokens,1,2,1,1\n", "above bin_low"),
    "nan": (HEAD + "prompt_tokens,1,2,nan,1\noutput_tokens,1,2,1,1\n", "not a finite number"),
    "part": (HEAD + "prompt_tokens,1.5,2,1,1\noutput_tokens,1,2,1,1\n", "whole numbers"),
    "huge": (HEAD + "prompt_tokens,1,1e12,1,1\noutput_tokens,1,2,1,1\n", "whole numbers"),
    "negative": (HEAD + "prompt_tokens,1,2,-1,1\noutput_tokens,1,2,1,1\n", "not be negative"),
    "mean": (HEAD + "prompt_tokens,1,3,1,3\noutput_tokens,1,2,1,1\n", "mean_in_bin must lie"),
    "zero": (HEAD + "prompt_tokens,1,2,0,1\noutput_tokens,1,2,1,1\n", "all probabilities are 0"),
    "short": (HEAD + "prompt_tokens,1\n", "not a table of bins"),
    "models": (
        "model,field,bin_low,bin_high,probability\na,prompt_tokens,1,2,1\nb,output_tokens,1,2,1\n",
        "bins of 2 models (a, b)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_histogram_is_refused_in_words(tmp_path, name):
    text, said = BAD[name]
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(DataFileError, match=r".") as caught:
        make_requests(scenario(histogram=str(file)))
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_histogram_names_the_field():
    with pytest.raises(DataFileError, match=r"workload\.histogram names a file"):
        make_requests(scenario(histogram="nowhere.csv"))


def test_a_histogram_has_no_arrival_times():
    with pytest.raises(DataFileError, match=r"needs requests with arrival times"):
        make_requests(scenario(arrivals="trace"))
