"""What colours look like to people who see fewer of them, and how far apart they are.

Sources: the simulation is that of Machado, Oliveira and Fernandes (IEEE TVCG 15(6), 2009) at
severity 1; the distance is CIEDE2000 as in Sharma, Wu and Dalal (Color Research & Application
30(1), 2005).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import rgb

Array = NDArray[np.float64]

VISIONS: Mapping[str, Array] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Matrices on linear sRGB, by kind of vision."""

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)


def linear(colour: str) -> Array:
    """``#rrggbb`` as linear sRGB in 0..1, shape (3,)."""
    value = np.array(rgb(colour)) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def seen(colour: str, vision: str = "normal") -> Array:
    """A colour as it is seen, in CIELAB (D65), shape (3,)."""
    simulated = np.clip(VISIONS[vision] @ linear(colour), 0.0, 1.0)
    ratio = (_TO_XYZ @ simulated) / _WHITE
    small = ratio <= (6 / 29) ** 3
    f = np.where(small, ratio / (3 * (6 / 29) ** 2) + 4 / 29, np.cbrt(ratio))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(a: str, b: str, vision: str = "normal") -> float:
    """CIEDE2000 between two colours as they are seen; about 2 is just noticeable side by side."""
    return ciede2000(seen(a, vision), seen(b, vision))


def ciede2000(one: Array, two: Array) -> float:
    """Distance of two CIELAB colours of shape (3,)."""
    l1, a1, b1 = (float(x) for x in one)
    l2, a2, b2 = (float(x) for x in two)
    mean_c = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1 = math.degrees(math.atan2(b1, a1)) % 360 if c1 else 0.0
    h2 = math.degrees(math.atan2(b2, a2)) % 360 if c2 else 0.0
    d_l, d_c = l2 - l1, c2 - c1
    turn = 0.0
    if c1 and c2:
        turn = (h2 - h1 + 180) % 360 - 180
    d_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = h1 + h2
    if c1 and c2:
        mean_h = (h1 + h2) / 2
        if abs(h1 - h2) > 180:
            mean_h += 180 if h1 + h2 < 360 else -180
    t = (
        1
        - 0.17 * math.cos(math.radians(mean_h - 30))
        + 0.24 * math.cos(math.radians(2 * mean_h))
        + 0.32 * math.cos(math.radians(3 * mean_h + 6))
        - 0.20 * math.cos(math.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / math.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    swing = 30 * math.exp(-(((mean_h - 275) / 25) ** 2))
    r_c = 2 * math.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    r_t = -r_c * math.sin(math.radians(2 * swing))
    parts = d_l / s_l, d_c / s_c, d_h / s_h
    return math.sqrt(sum(p * p for p in parts) + r_t * parts[1] * parts[2])
