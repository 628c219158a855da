"""Renders exported files with other programs, to see what a reader of the paper would see."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def pixels(path: Path) -> np.ndarray:
    """The file as RGB pixels, drawn by a program that knows nothing of matplotlib."""
    if path.suffix == ".png":
        return _decode(path.read_bytes())
    tool, command = {
        ".svg": ("rsvg-convert", ["rsvg-convert", "--width", "900", str(path)]),
        ".pdf": ("pdftoppm", ["pdftoppm", "-r", "120", "-png", str(path)]),
    }[path.suffix]
    if not shutil.which(tool):
        pytest.skip(f"{tool} IS NOT INSTALLED: exported {path.suffix} files are NOT checked")
    done = subprocess.run(command, capture_output=True, check=True)
    assert not done.stderr, done.stderr.decode()
    return _decode(done.stdout)


def _decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(ground, rgba).convert("RGB"))


def check_drawn(picture: np.ndarray, background: tuple[int, int, int] = (255, 255, 255)) -> None:
    """Something is drawn, in more than one colour, and nothing touches the edge."""
    distance = np.abs(picture.astype(int) - background).max(axis=2)
    inked = distance > 24
    assert inked.mean() > 0.01, "blank"
    assert inked.mean() < 0.97, "flooded"
    colours = np.unique(picture[inked] // 32, axis=0)
    assert len(colours) > 4, "no colours"
    for edge in (inked[0], inked[-1], inked[:, 0], inked[:, -1]):
        assert not edge.any(), "something is cut off at the edge"
