"""The export dialog: every kind of file from the real window, preview, clipboard, stopping."""

import gzip
import json
import threading
import time

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QPushButton

from app.export.actions import with_suffix
from app.export.dialog import ExportDialog
from app.export.pages import PAGES, Job
from app.state.messages import Severity
from simcore.export.charts import CHARTS
from simcore.results.io import load_run
from tests.app.conftest import wait_for_run

FILES = {
    "Chart": ".svg",
    "Table": ".csv",
    "Trace": ".json.gz",
    "Report": ".html",
    "Animation": ".webp",
    "Saved run": ".npz",
}


@pytest.fixture
def dialog(window, qtbot):
    wait_for_run(qtbot, window)
    dialog = ExportDialog(window.exports.subject(), window.context, window)
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog
    dialog.reject()


def test_every_kind_has_a_page_and_a_file(dialog):
    assert list(dialog.pages) == list(FILES)
    for title, suffix in FILES.items():
        dialog.choose(title)
        job = dialog.job()
        assert job.suffix == suffix
        assert job.name.endswith(suffix)
        assert dialog.help.text() == dialog.page.help != ""


@pytest.mark.parametrize("title", FILES)
def test_every_kind_is_written_through_the_dialogs(window, qtbot, tmp_path, monkeypatch, title):
    """The command opens the dialog, Save asks for a name, the file is written in the background."""
    wait_for_run(qtbot, window)
    target = tmp_path / f"out{FILES[title]}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))

    def press_save():
        found = [w for w in QGuiApplication.topLevelWindows() if w.title() == "Export"]
        assert found
        dialog = window.findChild(ExportDialog)
        assert dialog.page.title == title
        if title == "Animation":
            dialog.page.start.setValue(1)
            dialog.page.stop.setValue(4)
            dialog.page.pixels.setCurrentIndex(1)
        qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))

    QTimer.singleShot(50, press_save)
    ids = {"Table": "table", "Trace": "trace", "Report": "report", "Animation": "animation"}
    ids |= {"Saved run": "run", "Chart": "chart"}
    window.commands.run(f"file.export_{ids[title]}")
    qtbot.waitUntil(lambda: target.exists())
    qtbot.waitUntil(
        lambda: (
            window.state.messages.strip is not None
            and window.state.messages.strip.severity is Severity.INFO
        )
    )
    run = window.state.runs.current
    if title == "Trace":
        events = json.loads(gzip.decompress(target.read_bytes()))["traceEvents"]
        assert any(event["ph"] == "X" for event in events)
    elif title == "Animation":
        with Image.open(target) as image:
            assert image.n_frames == 3
    elif title == "Saved run":
        assert len(load_run(target)) == len(run)
    elif title == "Table":
        assert len(target.read_text().splitlines()) == len(run) + 1
    else:
        assert target.read_bytes()[:1] == b"<"


def test_the_preview_follows_the_fields(dialog, qtbot):
    qtbot.waitUntil(lambda: not dialog.picture.image.isNull())
    before = dialog.picture.image.copy()
    dialog.page.theme.setCurrentIndex(dialog.page.theme.findData("dark"))
    qtbot.waitUntil(lambda: dialog.picture.image.copy() != before)
    assert dialog.picture.image.pixelColor(2, 2).lightness() < 60
    box = dialog.picture.size()
    shown = dialog.picture.image.deviceIndependentSize()
    assert shown.width() <= box.width()
    assert shown.height() <= box.height()
    assert shown.width() / shown.height() == pytest.approx(180 / 90, rel=0.02)


def test_a_chart_that_does_not_apply_says_why(dialog, qtbot):
    dialog.page.choose("mapping")
    qtbot.waitUntil(lambda: dialog.picture.text != "")
    assert "mapping" in dialog.picture.text or "no " in dialog.picture.text


def test_the_animation_shows_a_frame_and_counts_them(dialog, qtbot):
    dialog.choose("Animation")
    qtbot.waitUntil(lambda: not dialog.picture.image.isNull())
    count = len(dialog.page.subject.run) - 1
    assert dialog.note.text() == f"{count} frames, {count / 10:.1f} s"
    dialog.page.every.setValue(2)
    assert dialog.note.text().startswith(f"{(count + 1) // 2} frames")


def test_the_picture_is_copied_as_png_and_svg(dialog, qtbot):
    with qtbot.waitSignal(dialog.copied):
        qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert bytes(data.data("image/svg+xml")).startswith(b"<?xml")
    image = QImage.fromData(data.data("image/png"))
    assert image.width() == pytest.approx(180 / 25.4 * 300, abs=2)


def test_a_range_a_drawing_cannot_have_disables_nothing_but_its_fields(dialog):
    page = dialog.page
    page.format.setCurrentIndex(page.format.findData(".csv"))
    assert not page.width_mm.isEnabled()
    page.format.setCurrentIndex(page.format.findData(".pdf"))
    assert page.width_mm.isEnabled()


def test_the_dialog_proposes_what_is_visible(window, qtbot, dialog):
    state = window.state
    subject = window.exports.subject()
    run = state.runs.current
    assert subject.first == run.step_at(int(max(0, state.window.start_ps)))
    assert dialog.page.start.value() == subject.first
    assert subject.name == state.session.path.stem
    assert window.exports.subject((3, 5)).first == 3


def test_all_fields_can_be_named_aloud(dialog):
    from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QListWidget, QSpinBox

    for kind in (QComboBox, QSpinBox, QDoubleSpinBox, QCheckBox, QListWidget):
        for widget in dialog.findChildren(kind):
            assert widget.accessibleName()
    assert len(PAGES) == len(dialog.pages)
    assert dialog.pages["Chart"].chart.count() == len(CHARTS)


def test_a_long_export_can_be_stopped(window, qtbot, tmp_path):
    wait_for_run(qtbot, window)
    begun = threading.Event()

    def slow(path, told):
        from simcore.errors import UserError

        for done in range(2000):
            begun.set()
            time.sleep(0.005)
            if not told(done, 2000):
                raise UserError("stopped")
        path.write_text("done")

    target = tmp_path / "a.webp"
    window.exports.start(Job("a.webp", ".webp", slow, counted=True), target)
    qtbot.waitUntil(begun.is_set)
    bar = window.exports._progress
    qtbot.waitUntil(lambda: bar.value() > 5)
    qtbot.mouseClick(bar.findChild(QPushButton), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.exports._progress is None)
    assert window.state.messages.strip.severity is Severity.ERROR
    assert "stopped" in window.state.messages.strip.text
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "suffix", "wanted"),
    [("a", ".svg", "a.svg"), ("a.SVG", ".svg", "a.SVG"), ("a.b", ".json.gz", "a.b.json.gz")],
)
def test_endings_are_added(tmp_path, name, suffix, wanted):
    assert with_suffix(tmp_path / name, suffix).name == wanted
