"""What is drawn, as numbers: nothing lost, nothing invented."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from app.theme.tokens import COLOUR_KEYS, DARK, LIGHT, place_colours, rgb
from app.viewmodels import formatting
from app.viewmodels.bandwidth import area_rows, rates
from app.viewmodels.composition import Composition, composition_of, stacked
from app.viewmodels.exact import cover_colours, cut_step, neighbour, span_at
from app.viewmodels.grains import is_wait_table
from app.viewmodels.keys import fold, key_of_op
from app.viewmodels.load import load_group, load_history, step_load
from app.viewmodels.map_view import MapView
from app.viewmodels.placement import ColourBy, Look, draw_map, items_per_cell
from app.viewmodels.time_axis import TimeMap, exact_steps, ticks
from simcore.engine.simulator import simulate
from simcore.results.placement import FLAGS
from simcore.scenario.document import Document
from tests.fakes import fake_run

SERVING = """\
version: 1
name: served requests
system: l3
hardware: {gpu: {preset: l3-a100-80gb-x8, count: 4}}
model: {preset: gpt3-175b, layers: 8, hidden: 1024, heads: 8, kv_heads: 8, ffn: 4096, vocab: 1000}
workload: {kind: serving, lengths: custom, requests: 12, output_mean: 900, output_std: 200}
policy: {tensor_parallel: 4}
"""


@pytest.fixture(scope="module")
def run():
    return fake_run(tokens=10)


@pytest.fixture
def composition(run):
    composition = Composition(run)
    composition.extend(4)
    composition.extend(len(run))
    return composition


def test_composition_sums_to_the_time_of_each_step(run, composition):
    for step in range(len(run)):
        totals = composition.step_totals(step).sum(axis=1)
        assert totals == pytest.approx(np.full(len(run.lanes), run.value("duration_ps", step)))


def test_composition_of_pixels_sums_to_the_pixels(run, composition):
    pixels = np.linspace(0, run.end_ps, 101)
    parts = composition.between(pixels).sum(axis=2)
    assert parts == pytest.approx(np.broadcast_to(np.diff(pixels)[:, None], parts.shape))


def test_composition_is_empty_outside_the_run(run, composition):
    outside = np.array([-2e12, -1e12, run.end_ps + 1e12, run.end_ps + 2e12])
    parts = composition.between(outside)
    assert not parts[0].any()
    assert not parts[2].any()


def test_stacked_bars_have_the_heights_of_their_shares():
    shares = np.zeros((1, 1, len(COLOUR_KEYS)))
    shares[0, 0, 2], shares[0, 0, 5] = 0.25, 0.5
    column = stacked(shares, 8)[0, :, 0]
    assert column.tolist() == [255, 255, 5, 5, 5, 5, 2, 2]


@pytest.mark.parametrize("columns", [40, 300, 4000, 40_000])
def test_no_span_vanishes_at_any_zoom(run, columns):
    spans, keys = run.spans(3), key_of_op(run)
    window = (float(run.start_ps(3)), float(run.start_ps(3) + run.value("duration_ps", 3)))
    cut = cut_step(spans, keys, len(run.lanes), window[0], window, columns)
    assert len(cut.index) + cut.merged == len(spans)
    small = np.setdiff1d(np.arange(len(spans)), cut.index)
    ps_per_px = (window[1] - window[0]) / columns
    merged = cut.cover.sum() * ps_per_px
    assert merged == pytest.approx(float(spans.duration_ps[small].sum()), abs=1)
    colours = np.array([rgb(LIGHT.colour(key)) for key in COLOUR_KEYS], float)
    argb = cover_colours(cut.cover, colours)
    wait = is_wait_table(run)
    for span in small:
        if not wait[spans.op[span]]:
            at = int(spans.start_ps[span] / ps_per_px)
            assert argb[spans.lane[span], min(at, columns - 1)] >> 24 >= 0.44 * 255


def test_every_pixel_of_a_lane_is_covered(run):
    spans, columns = run.spans(2), 500
    window = (float(run.start_ps(2)), float(run.start_ps(2) + run.value("duration_ps", 2)))
    cut = cut_step(spans, key_of_op(run), len(run.lanes), window[0], window, columns)
    for lane in range(len(run.lanes)):
        use = cut.lane == lane
        covered = (cut.right[use] - cut.left[use]).sum() + cut.cover[lane].sum()
        assert covered == pytest.approx(columns)


def test_span_lookup_agrees_with_the_spans(run):
    spans = run.spans(1)
    lanes = len(run.lanes)
    for span in range(0, len(spans), 7):
        middle = (spans.start_ps[span] + spans.end_ps[span]) / 2
        assert span_at(spans, lanes, int(spans.lane[span]), middle) == span
    assert span_at(spans, lanes, 0, -5) == -1


def test_neighbours_are_ops_of_the_same_lane_and_reversible(run):
    spans, wait = run.spans(1), is_wait_table(run)
    lanes = len(run.lanes)
    ops = [i for i in range(len(spans)) if not wait[spans.op[i]]]
    for span in ops:
        after = neighbour(spans, lanes, span, 1, wait)
        if after >= 0:
            assert spans.lane[after] == spans.lane[span]
            assert neighbour(spans, lanes, after, -1, wait) == span


@pytest.mark.parametrize("exact", [False, True])
def test_bandwidth_over_the_window_gives_the_bytes_of_the_record(run, composition, exact):
    lanes = list(range(len(run.lanes)))
    shown = {step: run.spans(step) for step in (0, 3, 4)} if exact else {}
    window = (0.0, float(run.end_ps))
    values = rates(composition, shown, lanes, window, 777)
    total = values.sum(axis=1) * (run.end_ps / 777) / 1e3
    assert total == pytest.approx(run.column("lane_op_bytes").sum(axis=(0, 2)), rel=1e-9)
    assert values.min() >= 0


def test_curve_masks_reach_from_the_value_to_the_base():
    below, line = area_rows(np.array([[0.0, 5.0, 10.0]]), np.array([10.0]), 30, 3)
    assert below[0, :, 2].sum() > below[0, :, 1].sum() > below[0, :, 0].sum()
    assert line[0].any(axis=0).all()


def test_load_of_a_step(run, composition):
    lanes = load_group(run)
    assert [run.lanes[lane].group for lane in lanes] == ["DIMM", "DIMM"]
    load = step_load(composition, lanes, 5)
    assert load.busy.sum() == pytest.approx(load.parts.sum())
    assert load.imbalance == pytest.approx(load.busy.max() / load.busy.mean())
    history = load_history(composition, lanes, len(run))
    assert history[:, 5] == pytest.approx(load.busy / run.value("duration_ps", 5))


def test_heat_strip_keeps_the_mean(run, composition):
    lanes = load_group(run)
    whole = load_history(composition, lanes, len(run))
    few = load_history(composition, lanes, 3)
    assert whole.shape == (len(lanes), len(run))
    cuts = np.linspace(0, len(run), 4).astype(int)
    time = np.add.reduceat(run.column("duration_ps"), cuts[:-1])
    busy = (whole * run.column("duration_ps")).sum(axis=1)
    assert (few * time).sum(axis=1) == pytest.approx(busy)


def test_sums_of_a_long_run_come_from_few_steps():
    run = simulate(Document.from_text(SERVING).resolve())
    composition = composition_of(run)
    assert len(run.cells().stop) < len(run) / 8
    for length in (1, 2, 70, len(run)):
        composition.extend(length)
    assert composition.steps == len(run)
    times = composition.edges
    exact = fold(run.column("lane_op_ps"), key_of_op(run))
    found = composition.between(times)
    assert found.sum(axis=(1, 2)) == pytest.approx(exact.sum(axis=(1, 2)), rel=1e-9)
    assert found.sum(axis=0) == pytest.approx(exact.sum(axis=0), rel=0.01, abs=exact.max())
    moved = run.column("lane_op_bytes").sum(axis=(0, 2))
    assert composition.amounts_at(times[-1:])[0] == pytest.approx(moved, rel=0.01)


@pytest.mark.parametrize(
    ("items", "pixels", "cells"), [(36_864, 900, 32), (900, 900, 1), (100, 900, 1), (1801, 900, 2)]
)
def test_level_of_detail(items, pixels, cells):
    assert items_per_cell(items, pixels) == cells


@pytest.mark.parametrize("by", list(ColourBy))
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_map_has_a_colour_for_every_cell(run, by, theme):
    picture = draw_map(run, 3, 1, Look(theme, by, frozenset({1})))
    assert picture.pixels.shape == picture.grid.category.shape
    assert (picture.pixels >> 24 == 255).all()


def test_map_ignores_hidden_places_the_run_does_not_have(run):
    exact = run.placement(3, 1)
    cells = exact.category.shape
    grid = dataclasses.replace(
        exact,
        counts=np.ones((len(exact.categories), *cells), np.uint16),
        flag_counts=np.zeros((len(FLAGS), *cells), np.uint16),
    )
    coarse = SimpleNamespace(placement=lambda step, per_cell: grid)
    shown = draw_map(coarse, 3, 8, Look(LIGHT, hidden=frozenset({1, 99})))
    assert (shown.pixels == draw_map(coarse, 3, 8, Look(LIGHT, hidden=frozenset({1}))).pixels).all()


def test_map_of_a_part_equals_that_part_of_the_whole(run):
    whole = draw_map(run, 3, 1, Look(LIGHT))
    part = draw_map(run, 3, 1, Look(LIGHT), (10, 30))
    assert part.first == 10
    assert np.array_equal(part.pixels, whole.pixels[:, 10:30])


def test_map_view_stays_on_the_grid():
    view = MapView(80, 36_864)
    view.zoom(0.001, 0.1, 0.9, 0.9)
    view.pan(50, 50)
    assert view.right <= 36_864
    assert view.bottom <= 80
    r0, r1, c0, c1 = view.cell_area(32)
    assert 0 <= r0 < r1 <= 80
    assert 0 <= c0 < c1 <= 36_864 // 32
    view.all()
    assert view.cell_area(32) == (0, 80, 0, 1152)


def test_axis_maps_back_and_forth():
    axis = TimeMap(1e9, 3e9, 100, 800)
    assert axis.time(axis.x(1.7e9)) == pytest.approx(1.7e9)
    assert axis.px(1e9) == 400


@pytest.mark.parametrize("start", [0.0, 2.3e12])
@pytest.mark.parametrize("span", [5e4, 3e7, 1e9, 8e12])
def test_tick_labels_differ(start, span):
    marks = ticks(TimeMap(start, start + span, 0, 900))
    assert len(marks.labels) >= 3
    assert len(set(marks.labels)) == len(marks.labels)


def test_only_wide_steps_are_exact():
    edges = np.array([0, 10.0, 11, 12, 13])
    assert exact_steps(edges, TimeMap(0, 13, 0, 1300)) == [0]
    assert exact_steps(edges, TimeMap(10.5, 13, 0, 1300)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("ps", "text"),
    [
        (0, "0"),
        (999, "999 ps"),
        (1234, "1.234 ns"),
        (54_900_000_000, "54.90 ms"),
        (2.344e12, "2.344 s"),
        (31_000, "31.00 ns"),
        (12_345_678, "12.35 µs"),
    ],
)
def test_times_as_text(ps, text):
    assert formatting.time_text(ps) == text


def test_amounts_as_text():
    assert formatting.bytes_text(49_152) == "49.15 kB"
    assert formatting.bytes_text(49_926e12) == "49.93 PB"
    assert formatting.rate_text(64e9, 1e12) == "64.00 GB/s"
    assert formatting.rate_text(1, 0) == "–"
    assert formatting.number_text(28_672) == "28,672"


def test_places_have_distinct_colours():
    ids = ("gpu", *(f"dimm{n}" for n in range(16)))
    for theme in (LIGHT, DARK):
        assert len(set(place_colours(theme, ids))) == 17
