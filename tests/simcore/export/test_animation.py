"""Moving pictures: which steps are shown, that frames show them, and the files."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from simcore.engine.simulator import simulate
from simcore.errors import DataFileError, UserError
from simcore.export.animation import (
    MOST_FRAMES,
    USUAL_FRAMES,
    AnimationOptions,
    _Scene,
    frame_steps,
    frames,
    write_animation,
)
from simcore.export.charts import THEMES
from simcore.export.charts.placement import cells_of, exact_cells
from simcore.results.run import KIND_PREFILL
from simcore.scenario.schema import FixedWorkload
from tests.builders import hermes
from tests.fakes import fake_run
from tests.simcore.export.rendering import check_drawn

SMALL = AnimationOptions(width_px=640, height_px=360)


@pytest.fixture(scope="module")
def run():
    return fake_run(12)


def test_every_decode_step_of_a_short_run_is_shown(run):
    assert run.value("kind", 0) == KIND_PREFILL
    assert frame_steps(run, SMALL).tolist() == list(range(1, len(run)))


def test_a_range_and_every_third_step(run):
    assert frame_steps(run, AnimationOptions(2, 9, every=3)).tolist() == [2, 5, 8]


def test_a_range_of_prefill_alone_is_shown(run):
    assert frame_steps(run, AnimationOptions(0, 1)).tolist() == [0]


def test_long_runs_leave_steps_out_evenly():
    run = fake_run(3 * USUAL_FRAMES)
    steps = frame_steps(run, SMALL)
    assert len(steps) <= USUAL_FRAMES
    assert set(np.diff(steps).tolist()) == {3}


def test_too_many_frames_say_what_would_do():
    run = fake_run(MOST_FRAMES + 10)
    with pytest.raises(UserError, match="every 2 of them"):
        frame_steps(run, AnimationOptions(every=1))
    assert len(frame_steps(run, AnimationOptions(every=2))) <= MOST_FRAMES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every": -1}, "every -1 steps"),
        ({"frames_per_s": 0}, "0.5 to 60"),
        ({"width_px": 641}, "even number"),
        ({"height_px": 100}, "from 320 to 4096"),
        ({"width_px": 10_000}, "from 480 to 4096"),
    ],
)
def test_impossible_options_are_refused(options, said):
    with pytest.raises(UserError, match=said):
        AnimationOptions(**options)


@pytest.mark.parametrize("theme", ["paper", "dark"])
def test_frames_are_drawn_and_differ(run, theme):
    options = AnimationOptions(1, 4, width_px=960, height_px=540, theme=theme)
    found = list(frames(run, options))
    assert [picture.shape for picture in found] == [(540, 960, 3)] * 3
    ground = tuple(int(THEMES.get(theme).background[at : at + 2], 16) for at in (1, 3, 5))
    for picture in found:
        check_drawn(picture, ground)
    assert not np.array_equal(found[0], found[1])
    again = next(iter(frames(run, options)))
    assert np.array_equal(found[0], again)


def test_the_bars_are_as_long_as_lanes_are_busy(run):
    """The longest bar ends where the axis says, in pixels."""
    options = AnimationOptions(3, 4, width_px=1280, height_px=720)
    scene = _Scene(run, frame_steps(run, options), options)
    scene.frame(3)
    work = [op for _, ops in scene.works for op in ops]
    share = run.value("lane_op_ps", 3)[scene.lanes][:, work].sum(axis=1)
    share = 100 * share / run.value("duration_ps", 3)
    ends = np.max(
        [[patch.get_x() + patch.get_width() for patch in row] for row in scene.patches], 0
    )
    assert ends == pytest.approx(share)


def test_counted_cells_are_the_exact_ones():
    run = simulate(hermes(workload=FixedWorkload(prompt_tokens=16, output_tokens=5)))
    grid, counted = cells_of(run, 3, 16)
    exact = exact_cells(run.placement(3, 1), counted.size)
    assert np.array_equal(counted.items, exact.items)
    assert counted.share == pytest.approx(exact.share)
    assert np.array_equal(counted.flagged, exact.flagged)
    assert counted.active == pytest.approx(exact.active, abs=1 / 255)
    assert grid.counts is not None
    assert counted.size == 16


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_files_open_elsewhere_and_are_equal(run, tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    told = []
    for path in paths:
        count = write_animation(
            run, path, SMALL, lambda done, total: not told.append((done, total))
        )
        assert count == len(run) - 1
    assert told[:2] == [(1, count), (2, count)]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(io.BytesIO(paths[0].read_bytes())) as image:
        assert image.n_frames == count
        assert image.size == (640, 360)
        assert image.info["loop"] == 0
        image.seek(count - 1)
        image.load()
        assert image.info["duration"] == 100
        shown = np.asarray(image.convert("RGB")).astype(int)
    wanted = list(frames(run, SMALL))[-1].astype(int)
    assert np.abs(shown - wanted).mean() < 4


def test_the_colours_of_the_theme_are_exact_in_a_gif(run, tmp_path):
    path = tmp_path / "a.gif"
    write_animation(run, path, SMALL)
    with Image.open(path) as image:
        image.seek(2)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_video(run, tmp_path):
    path = tmp_path / "a.mp4"
    assert write_animation(run, path, SMALL) == len(run) - 1
    assert b"ftyp" in path.read_bytes()[:16]


def test_video_without_ffmpeg(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"ffmpeg, which is not here; use \.webp or \.gif"):
        write_animation(run, tmp_path / "a.mp4", SMALL)


def test_what_ffmpeg_says_is_told(run, tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\ncat >/dev/null\necho no such codec >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(DataFileError, match="ffmpeg says: no such codec"):
        write_animation(run, tmp_path / "a.mp4", SMALL)
    assert not (tmp_path / "a.mp4").exists()


def test_frames_reach_ffmpeg_whole(run, tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.write_text('#!/bin/sh\nfor last; do :; done\ncat >"$last"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    count = write_animation(run, tmp_path / "a.mp4", SMALL)
    assert (tmp_path / "a.mp4").stat().st_size == count * 640 * 360 * 3


def test_stopping_leaves_no_file(run, tmp_path):
    with pytest.raises(UserError, match="was stopped"):
        write_animation(run, tmp_path / "a.webp", SMALL, lambda done, total: done < 3)
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused(run, tmp_path):
    with pytest.raises(UserError, match=r"\.gif, \.webp, \.mp4"):
        write_animation(run, tmp_path / "a.avi", SMALL)


def test_a_run_without_items_says_so(tmp_path):
    from dataclasses import replace

    run = fake_run(4)
    run.plan = replace(run.plan, items=False)
    with pytest.raises(UserError, match="did not record single items"):
        list(frames(run, SMALL))
