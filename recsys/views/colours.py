"""Which colours a picture has, by their plain names."""

from collections.abc import Mapping

import numpy as np

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (200, 40, 40), "orange": (240, 140, 40), "yellow": (245, 215, 50), "green": (80, 150, 60),
    "blue": (60, 120, 210), "light blue": (146, 211, 245), "purple": (120, 60, 150), "pink": (245, 160, 190),
    "brown": (120, 75, 40), "black": (20, 20, 20), "grey": (140, 140, 140), "white": (255, 255, 255),
    "beige": (220, 190, 145),
}  # fmt: skip
"""A name and the sRGB value that stands for it; a pixel has the name that is nearest in CIELAB."""
NAMES = tuple(COLOURS)
_STEP = 4
"""Every fourth pixel of every fourth row is looked at."""
_LINES, _GROUND = 0.4, 0.1
"""How much black and white count, being mostly outline and ground of a picture of a thing."""
_WHITE_POINT = (0.9505, 1.0, 1.089)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))


def colour_shares(pixels: np.ndarray) -> np.ndarray:
    """Returns how much of each picture has which colour, ``(n, n_colours)`` float32, rows that add up to 1.

    Args:
        pixels: ``(n, height, width, 3)`` uint8.
    """
    standard = _lab(np.array(list(COLOURS.values())))
    weights = np.array([{"black": _LINES, "white": _GROUND}.get(name, 1.0) for name in NAMES])
    shares = np.zeros((len(pixels), len(NAMES)), np.float32)
    for row, picture in enumerate(pixels):  # one at a time, because distances to all colours take much memory
        found = _lab(picture[::_STEP, ::_STEP].reshape(-1, 3))
        nearest = ((found[:, None] - standard) ** 2).sum(axis=2).argmin(axis=1)
        counted = np.bincount(nearest, minlength=len(NAMES)) * weights
        shares[row] = counted / counted.sum()
    return shares


def _lab(rgb: np.ndarray) -> np.ndarray:
    """Returns ``(n, 3)`` values in CIELAB of ``(n, 3)`` in sRGB, 0 to 255. Source: CIE 15:2004, IEC 61966-2-1."""
    values = np.asarray(rgb, float) / 255
    linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    ratio = linear @ np.array(_TO_XYZ).T / np.array(_WHITE_POINT)
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
