"""Texts that are kept look as if they were drawn anew."""

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from app.widgets import texts
from app.widgets.texts import Texts, wrapped

FONT = QFont("Inter", 8)
WORDS = ("MLP cold · L3", "100.0 %", "PCIe to DIMMs", "a<b>&c")


def picture(draw):
    image = QImage(200, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setFont(FONT)
    draw(painter)
    painter.end()
    return image


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "box", [(3, 2, 150, 20), (7.25, 3.5, 120.5, 17), (3, 2, 20, 20), (3, 2, 90, 7)]
)
@pytest.mark.parametrize("right", [False, True])
def test_a_kept_text_is_drawn_as_any_other(qapp, word, box, right):
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    flags = side | Qt.AlignmentFlag.AlignVCenter
    kept, place = Texts(FONT), QRectF(*box)
    plain = picture(lambda painter: painter.drawText(place, flags, word))
    assert plain != picture(lambda _: None)
    for _ in range(2):
        assert picture(lambda painter: kept.draw(painter, place, word, right=right)) == plain


@pytest.mark.parametrize("word", WORDS)
def test_texts_are_cut_like_qt_cuts_them(qapp, word):
    kept, metrics = Texts(FONT), QFontMetricsF(FONT)
    for room in range(5, 120, 3):
        cut = metrics.elidedText(word, Qt.TextElideMode.ElideRight, float(room))
        assert kept.elided(word, float(room)) == kept.elided(word, float(room)) == cut
    assert kept.width(word) == metrics.horizontalAdvance(word)


def test_no_more_than_so_many_are_kept(qapp, monkeypatch):
    monkeypatch.setattr(texts, "_MOST", 10)
    kept = Texts(FONT)
    for number in range(100):
        kept.elided(f"a long text {number}", 20.0)
    assert len(kept._widths) <= 10
    assert len(kept._elided) <= 10


def test_titles_are_broken_between_words(qapp):
    metrics = QFontMetricsF(FONT)
    room = metrics.horizontalAdvance("LPDDR chip MV") + 1
    assert wrapped("LPDDR chip MV units", metrics, room, 2) == ["LPDDR chip MV", "units"]
    assert wrapped("DIMM 7", metrics, room, 2) == ["DIMM 7"]
    (only,) = wrapped("LPDDR chip MV unit 12", metrics, room, 1)
    assert "…" in only
    assert only.endswith("12")
    narrow = wrapped("a b c unbreakable", metrics, metrics.horizontalAdvance("a b"), 3)
    assert narrow[:2] == ["a b", "c"]
    assert narrow[2].endswith("…")


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize(
    "text", ["", "  ", "LPDDR-controller 12", "a", "DIMM 7 of the second host"]
)
@pytest.mark.parametrize("room", [1, 10, 30, 60, 300])
def test_no_line_of_a_title_is_wider_than_its_room(qapp, text, most, room):
    metrics = QFontMetricsF(FONT)
    lines = wrapped(text, metrics, room, most)
    assert 1 <= len(lines) <= most
    widest = max(room, metrics.horizontalAdvance("…"))
    assert all(metrics.horizontalAdvance(line) <= widest for line in lines)
