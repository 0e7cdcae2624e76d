"""Singular functions of corners, against nested autograd of their formula and what is known of them."""

from __future__ import annotations

import cmath
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks import CornerFunctions, RandomFeatures

TERMS = ((2.0 / 3.0, 0, 0), (1.0, 1, 0), (2.0, 2, 0), (3.0, 1, 0))
CORNER = CornerFunctions((-1.0, -0.9), (0.6, 0.8), 0.7, TERMS)
MIXED = replace(CORNER, terms=((0.7, 0, 1), (-0.5, 1, 3), (2.0, 2, 2)))


def plain(corner: CornerFunctions, points: Tensor) -> Tensor:
    """The formula as everybody writes it, in polar coordinates, shape (N, F)."""
    x, y = ((points - points.new_tensor(corner.center)) * points.new_tensor(corner.lengths)).unbind(
        1
    )
    radius = torch.hypot(x, y)
    c, s = math.cos(corner.direction), math.sin(corner.direction)
    angle = torch.atan2(c * y - s * x, c * x + s * y)
    columns = []
    for a, q, b in corner.terms:
        log_real, log_imag = torch.log(radius), angle
        real, imag = radius**a * torch.cos(a * angle), radius**a * torch.sin(a * angle)
        for _ in range(q):
            real, imag = real * log_real - imag * log_imag, real * log_imag + imag * log_real
        for _ in range(b):
            across, along = radius * torch.sin(-angle), radius * torch.cos(angle)
            real, imag = real * along - imag * across, real * across + imag * along
        columns += [real, imag]
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("corner", [CORNER, MIXED])
def test_streams_are_partial_derivatives(check_derivatives, corner) -> None:
    def streams(points: Tensor, indices: tuple[MultiIndex, ...]) -> Tensor:
        if points.requires_grad:
            return plain(corner, points)[None]
        return corner.streams(points, indices)

    check_derivatives(streams, 2, 3)


def test_all_are_harmonic_in_the_true_proportions() -> None:
    points = torch.rand(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    along_x, along_y = CORNER.streams(points, ((0, 0), (1, 1)))
    size = along_x.abs().max()
    sum_of_both = along_x / CORNER.lengths[0] ** 2 + along_y / CORNER.lengths[1] ** 2
    assert float(sum_of_both.abs().max() / size) < 1e-14


@pytest.mark.parametrize("angle", [1.5 * math.pi, 2.0 * math.pi - 0.1, 2.0, 0.5])
def test_powers_fulfil_homogeneous_conditions_on_both_sides(angle: float) -> None:
    """Of a wedge around ``direction``: odd multiples of pi / angle are even functions that vanish there."""
    corner = CornerFunctions((0.0, 0.0), (0.5, 2.0), 0.7, ((math.pi / angle, 0, 0),))
    for side in (0.5, -0.5):
        ray = cmath.exp(1j * (corner.direction + side * angle * (1.0 - 1e-12)))
        at = torch.tensor([[ray.real / 0.5, ray.imag / 2.0]], dtype=torch.float64)
        values = corner.streams(at, (VALUE,))[0, 0]
        torch.testing.assert_close(
            values, torch.tensor([0.0, 2.0 * side]).double(), rtol=0.0, atol=1e-10
        )


def test_the_corner_itself_has_finite_values() -> None:
    at = torch.tensor([CORNER.center], dtype=torch.float64)
    assert torch.isfinite(CORNER.streams(at, (VALUE, (0,), (0, 1)))).all()
    assert float(CORNER.streams(at, (VALUE,)).abs().max()) < 1e-7


def test_they_are_features_after_the_ridges(check_network) -> None:
    slopes = torch.tensor([[0.0, 0.0], [1.0, -0.5], [0.3, 2.0]], dtype=torch.float64)
    offsets = torch.tensor([1.0, 0.2, -0.4], dtype=torch.float64)
    network = RandomFeatures(slopes, offsets, 2, corners=(CORNER, CORNER))
    assert (network.num_ridges, network.num_features) == (3, 3 + 2 * 8)
    assert network.num_parameters == 2 * 19
    assert "19 features of 2 inputs, 2 outputs, 16 of them singular at corners" in repr(network)
    points = torch.rand(5, 2, dtype=torch.float64)
    head = torch.zeros(2, 19, dtype=torch.float64)
    head[1, 3 + 8 + 1] = 1.0
    found = network.streams(head.flatten(), points, (VALUE, (1,)))
    wanted = CORNER.streams(points, (VALUE, (1,)))
    assert torch.equal(found[:, :, 0], torch.zeros(2, 5).double())
    torch.testing.assert_close(found[:, :, 1], wanted[:, :, 1], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("lengths", "terms", "match"),
    [
        (
            (0.0, 1.0),
            TERMS,
            r"lengths of corner functions must be finite and > 0, got \(0.0, 1.0\)",
        ),
        ((1.0, math.inf), TERMS, "lengths of corner functions"),
        ((1.0, 1.0), (), r"need terms .*, got \(\)"),
        ((1.0, 1.0), ((0.0, 1, 0),), r"sum > 0, got \(\(0.0, 1, 0\),\)"),
        ((1.0, 1.0), ((1.0, -1, 0),), "power of the logarithm >= 0"),
    ],
)
def test_refusals(lengths, terms, match) -> None:
    with pytest.raises(ValueError, match=match):
        CornerFunctions((0.0, 0.0), lengths, 0.0, terms)


def test_corners_are_for_the_plane() -> None:
    slopes, offsets = torch.zeros(1, 3).double(), torch.ones(1).double()
    with pytest.raises(
        ValueError, match="corner functions are for two coordinates, got slopes for 3"
    ):
        RandomFeatures(slopes, offsets, 1, corners=(CORNER,))
