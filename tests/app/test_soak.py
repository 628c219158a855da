"""A short soak, and that its tests of growth can fail."""

import threading

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel

from tests.app.conftest import SMALL
from tests.soak import run
from tests.soak.run import Sample, Soak, Soaked, sample, sample_at_rest


def test_nothing_grows(empty_window, qtbot, tmp_path):
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for path in paths:  # alike, as forms of other systems have other numbers of widgets
        path.write_text(SMALL.replace("small test machine", path.stem), encoding="utf-8")
    soak = Soak(empty_window, paths, lambda done: qtbot.waitUntil(done), 0.2)
    found = soak.run(seconds=0, warm=2, edits=1, least=6)
    assert found.rounds == 8
    assert found.edits == 16
    assert found.played_s > 8 * 12 / 4  # a run of 12 steps and more, at four steps a second
    # Too few edits for a slope: what six rounds leak is all there is to see.
    after = found.samples[found.warm :]
    assert after[-1].resident_MB - after[0].resident_MB < 25, after
    assert not [text for text in found.problems() if not text.startswith("memory")], after


def test_growth_is_noticed():
    def soaked(**growth):
        base = {"resident_MB": 200.0, "threads": 5, "timers": 1, "handles": 10, "widgets": 900}
        rows = [
            Sample(edits=10 * n, **{k: v + type(v)(n * growth.get(k, 0)) for k, v in base.items()})
            for n in range(12)
        ]
        return Soaked(rows, warm=3)

    assert soaked().problems() == []
    assert soaked(resident_MB=0.2).problems() == []
    assert "memory grows by 10.0 MB" in soaked(resident_MB=1.0).problems()[0]
    for name in ("threads", "timers", "handles", "widgets"):
        assert name in soaked(**{name: 1}).problems()[0]
        assert name in soaked(**{name: 1 / 3}).problems()[0]


def test_what_is_opened_once_is_no_growth():
    base = {"resident_MB": 200.0, "threads": 5, "timers": 1, "widgets": 900}
    for late in range(3, 12):
        rows = [Sample(edits=10 * n, handles=10 + (n >= late), **base) for n in range(12)]
        assert Soaked(rows, warm=3).problems() == []


def test_what_is_there_is_counted(qapp, qtbot, tmp_path):
    before = sample(0)
    label, over = QLabel("x"), threading.Event()
    timer = QTimer(label)
    timer.start(10_000)
    thread = threading.Thread(target=over.wait)
    thread.start()
    kept = bytearray(b"x" * 80_000_000)
    with (tmp_path / "x").open("w"):
        after = sample(1)
    over.set()
    thread.join()
    label.deleteLater()
    assert after.resident_MB > before.resident_MB + 60
    assert after.widgets == before.widgets + 1
    assert after.timers == before.timers + 1
    assert after.threads == before.threads + 1
    assert after.handles == before.handles + 1
    assert len(kept) == 80_000_000


def test_what_runs_for_a_moment_is_waited_for(qapp, qtbot, monkeypatch):
    before = sample(0)
    once, always = QLabel("x"), QLabel("y")
    qtbot.addWidget(once)
    qtbot.addWidget(always)
    timer = QTimer(once)
    timer.start(10_000)
    assert sample(0).timers == before.timers + 1
    QTimer.singleShot(100, timer.stop)
    assert sample_at_rest(0, before).timers == before.timers
    monkeypatch.setattr(run, "REST_S", 0.2)
    QTimer(always).start(10_000)
    assert sample_at_rest(0, before).timers == before.timers + 1
