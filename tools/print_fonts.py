"""Make assets/fonts/print: the fonts of the window with TrueType outlines, for exported charts.

PDF readers take TrueType outlines everywhere; matplotlib embeds those of OpenType/CFF fonts
wrongly. Outlines are converted to quadratic curves within a thousandth of the letter's size, and
letters no chart needs are left out.

Usage: python tools/print_fonts.py
"""

from __future__ import annotations

from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable

FONTS = Path(__file__).resolve().parent.parent / "assets" / "fonts"
TARGET = FONTS / "print"
RANGES = ((0x20, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x2000, 0x22FF), (0x25A0, 0x25FF))
"""Latin, Greek, Cyrillic, punctuation, arrows, mathematics, shapes."""
_LIMITS = (
    *("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs"),
    *("maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxPoints"),
    *("maxContours", "maxCompositePoints", "maxCompositeContours", "maxComponentDepth"),
)
"""What a TrueType font has in its `maxp` table and another has not."""


def main() -> int:
    """Convert every OpenType font of the window."""
    TARGET.mkdir(exist_ok=True)
    for source in sorted(FONTS.glob("*.otf")):
        font = TTFont(source)
        options = Options(layout_features=["kern", "calt", "ccmp", "locl", "mark"], name_IDs=["*"])
        keep = Subsetter(options)
        keep.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
        keep.subset(font)
        to_truetype(font)
        font["head"].modified = font["head"].created  # the same bytes every time
        font.recalcTimestamp = False
        font.save(TARGET / f"{source.stem}.ttf")
        print(TARGET / f"{source.stem}.ttf", (TARGET / f"{source.stem}.ttf").stat().st_size)  # noqa: T201
    return 0


def to_truetype(font: TTFont) -> None:
    """Replace the cubic outlines of a font by quadratic ones, in place."""
    error = font["head"].unitsPerEm / 1000
    glyphs = {}
    for name, glyph in font.getGlyphSet().items():
        pen = TTGlyphPen(None)
        glyph.draw(Cu2QuPen(pen, error, reverse_direction=True))
        glyphs[name] = pen.glyph()
    order = font.getGlyphOrder()
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder = order
    glyf.glyphs = glyphs
    glyf.compile(font)  # sets the bounds that the metrics below come from
    for name in order:
        advance, _ = font["hmtx"][name]
        font["hmtx"][name] = (advance, getattr(glyphs[name], "xMin", 0))
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in _LIMITS:
        setattr(maxp, field, int(field == "maxZones"))
    maxp.recalc(font)
    font["post"].formatType = 2.0
    font["post"].extraNames, font["post"].mapping = [], {}
    for table in ("CFF ", "VORG", "DSIG"):
        if table in font:
            del font[table]
    font.sfntVersion = "\0\1\0\0"


if __name__ == "__main__":
    raise SystemExit(main())
