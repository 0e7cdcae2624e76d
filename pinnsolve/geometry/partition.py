"""A region divided by the boundaries of other shapes: what of them lies inside, and the pieces on either side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pinnsolve.geometry.booleans import Clip, Rule
from pinnsolve.geometry.boundary import Piece, integrate_pieces, nearest_of_pieces, sample_pieces
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.quadrics import Quadric, vanishing_quadric
from pinnsolve.geometry.shape import Shape


def pieces_within(shape: Shape, domain: Shape) -> tuple[Piece, ...]:
    """Return what of a shape's boundary lies inside a domain; sides that the two share are left out.

    Args:
        shape: Its normals point out of it.
        domain: Of the same dimension.
    """
    rule = Rule(inside=True, same=False, opposite=False)
    return _clipped(shape.pieces, domain, rule, min(shape.size, domain.size))


def sample_around(shape: Shape, domain: Shape, num_points: int, *, seed: int) -> Array:
    """Return points (N, D) of a domain on both sides of a shape's boundary, as far from it as half the shape's width.

    Their density falls with the distance, and there may be fewer than wanted where the boundary is near that of the
    domain.

    Args:
        shape: Some of its boundary lies inside the domain.
        domain: The domain.
        num_points: Largest number N of points.
        seed: The same seed gives the same points.
    """
    on_it = sample_pieces(pieces_within(shape, domain), domain.dim, 2 * num_points, seed=seed)
    lower, upper = shape.bounds
    reach = 0.5 * float(np.min(np.asarray(upper) - np.asarray(lower)))
    distance = reach * np.random.default_rng(seed).uniform(-1.0, 1.0, len(on_it))
    points = on_it.points + distance[:, None] * on_it.normals
    inside: Array = points[domain.signed_distance(points) < -domain.rounding]
    return inside[:num_points]


def interior_rule(domain: Shape, shapes: Sequence[Shape], num_points: int) -> tuple[Array, Array]:
    """Return points (N, D) and weights (N,) of a rule over a domain, for integrands that jump between shapes.

    Args:
        domain: The domain; a mesh is not divided.
        shapes: At whose boundaries the integrand may jump.
        num_points: Number of points wanted, in each region.
    """
    rules = [region.interior_quadrature(num_points) for region in _divided(domain, shapes)]
    points, weights = zip(*rules, strict=True)
    return np.concatenate(points), np.concatenate(weights)


def part_rule(
    domain: Shape, part: str, shapes: Sequence[Shape], num_points: int
) -> tuple[Array, Array, Array]:
    """Return points (N, D), normals (N, D) and weights (N,) of a rule over a part of the boundary, cut by shapes.

    Args:
        domain: The domain.
        part: Name of the part.
        shapes: At whose boundaries the integrand may jump.
        num_points: Number of points wanted.
    """
    pieces = domain.pieces_of(part)
    for shape in shapes:
        size = min(shape.size, domain.size)
        inside = _clipped(pieces, shape, Rule(inside=True, same=True, opposite=False), size)
        outside = _clipped(pieces, shape, Rule(inside=False, same=False, opposite=True), size)
        pieces = inside + outside
    return integrate_pieces(pieces, num_points)


def _divided(domain: Shape, shapes: Sequence[Shape]) -> list[Shape]:
    """Return the regions into which the boundaries of shapes divide a domain."""
    regions = [domain]
    for shape in shapes:
        if not (domain.can_be_combined and shape.can_be_combined):
            continue
        cut: list[Shape] = []
        for region in regions:
            apart = pieces_within(shape, region)
            cut += [region & shape, region - shape] if apart else [region]
        regions = cut
    return regions


def quadrics_of(pieces: Sequence[Piece]) -> tuple[Quadric, ...] | None:
    """Return the planes and quadrics that pieces lie on, each once; None if one lies on none.

    Args:
        pieces: Pieces of boundaries.
    """
    found: list[Quadric] = []
    for piece in pieces:
        quadric = vanishing_quadric(piece)
        if quadric is None:
            return None
        points, _, _ = piece.quadrature(8)
        size = float(np.linalg.norm(np.ptp(points, axis=0))) + float(np.abs(points).max())
        if not any(_distance(other, points).max() <= _SAME * size for other in found):
            found.append(quadric)
    return tuple(found)


def missing_on(quadric: Quadric, pieces: Sequence[Piece], domain: Shape) -> Array:
    """Return points (K, D) inside a domain where a quadric vanishes, but none of the pieces is.

    Args:
        quadric: A plane or quadric.
        pieces: Pieces of it and of others.
        domain: The domain.
    """
    points = domain.sample_interior(_NUM_SAMPLES, seed=0)
    for _ in range(_PROJECTIONS):
        slope = quadric.gradient(points)
        square = np.maximum(np.sum(slope**2, axis=1), np.finfo(np.float64).tiny)
        points = points - (quadric.values(points) / square)[:, None] * slope
    on_it = _distance(quadric, points) <= _NEAR * domain.size
    points = points[on_it & (domain.signed_distance(points) < -10.0 * _NEAR * domain.size)]
    if not len(points):
        return points
    return points[nearest_of_pieces(pieces, points)[0] > _NEAR * domain.size]


def _distance(quadric: Quadric, points: Array) -> Array:
    """Return the distance (N,) to a quadric, to first order."""
    slope = np.linalg.norm(quadric.gradient(points), axis=1)
    result: Array = np.abs(quadric.values(points)) / np.maximum(slope, np.finfo(np.float64).tiny)
    return result


def _clipped(pieces: Sequence[Piece], region: Shape, rule: Rule, size: float) -> tuple[Piece, ...]:
    clip = Clip(region, rule, size)
    return tuple(kept for piece in pieces for kept in piece.cut(clip))


_SAME = 1e-9
"""Distance, relative to the size, below which two surfaces are one."""

_NEAR = 1e-6
"""Distance, relative to the domain, below which a point lies on a surface."""

_NUM_SAMPLES = 256

_PROJECTIONS = 8
