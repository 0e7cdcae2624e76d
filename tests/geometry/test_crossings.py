"""Sign changes along lines: found to rounding, however close, and along coincident stretches."""

import numpy as np
import pytest

from pinnsolve.geometry import Box, Disk, Rectangle
from pinnsolve.geometry.crossings import cut_parameters

TOLERANCE = 1e-12


def _breaks(shape, start, stop, **options):
    start, stop = np.array(start, float), np.array(stop, float)
    length = np.array([np.linalg.norm(stop - start)])

    def level(line, t):
        del line
        return shape.signed_distance(start + t[:, None] * (stop - start))

    return cut_parameters(level, length, TOLERANCE, **options)[1]


def test_chord_of_a_circle():
    assert _breaks(Disk((0, 0), 1), (-2, 0), (2, 0)) == pytest.approx([0, 0.25, 0.75, 1], abs=1e-15)


@pytest.mark.parametrize("depth", [1e-3, 1e-5, 1e-6])
def test_short_chords_are_isolated(depth):
    """The distance excludes crossings where there are none, so that the others can be halved."""
    y = 1 - depth
    half = np.sqrt(1 - y**2) / 4
    breaks = _breaks(Disk((0.1, 0), 1), (-1.9, y), (2.1, y))
    assert breaks == pytest.approx([0, 0.5 - half, 0.5 + half, 1], abs=1e-12)


def test_touching_is_no_crossing():
    assert _breaks(Disk((0, 0), 1), (-2, 1), (2, 1)).tolist() == [0, 1]


def test_coincident_stretch_has_ends():
    breaks = _breaks(Rectangle((0, 0), (1, 1)), (-1, 1), (3, 1))
    assert breaks == pytest.approx([0, 0.25, 0.5, 1], abs=1e-11)


def test_lines_do_not_mix():
    box = Box((0, 0, 0), (1, 1, 1))
    heights = np.array([0.5, 2.0, 0.25])

    def level(line, t):
        return box.signed_distance(np.stack([4 * t - 2, 0 * t + 0.5, heights[line]], axis=1))

    line, t = cut_parameters(level, np.full(3, 4.0), TOLERANCE)
    assert line.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert t == pytest.approx([0, 0.5, 0.75, 1, 0, 1, 0, 0.5, 0.75, 1], abs=1e-14)
