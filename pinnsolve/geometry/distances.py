"""Exact signed distances of the primitives, negative inside."""

from __future__ import annotations

import numpy as np

from pinnsolve.geometry.checks import Array, Mask


def box_distance(points: Array, lower: Array, upper: Array) -> Array:
    """Return the signed distance (N,) of points (N, D) to the box between two corners (D,)."""
    excess = np.maximum(lower - points, points - upper)
    outside: Array = np.linalg.norm(np.maximum(excess, 0.0), axis=1)
    outside += np.minimum(np.max(excess, axis=1), 0.0)
    return outside


def ball_distance(points: Array, center: Array, radius: float) -> Array:
    """Return the signed distance (N,) of points (N, D) to the ball."""
    reach: Array = np.linalg.norm(points - center, axis=1)
    return reach - radius


def ellipse_distance(points: Array, semi_axes: tuple[float, float]) -> Array:
    """Return the signed distance (N,) to the ellipse around the origin along the axes.

    The nearest point (a^2 x/(t + a^2), b^2 y/(t + b^2)) belongs to the greatest root t of
    (a x/(t + a^2))^2 + (b y/(t + b^2))^2 = 1, which is bracketed and bisected
    (D. Eberly, "Distance from a Point to an Ellipse, an Ellipsoid, or a Hyperellipsoid", 2013).

    Args:
        points: Positions relative to the center, along the semi-axes, (N, 2).
        semi_axes: The semi-axes in m.
    """
    swap = semi_axes[1] > semi_axes[0]
    long, short = (semi_axes[1], semi_axes[0]) if swap else semi_axes
    # In units of the short axis: u >= 0 along the long one, v >= 0 along the short one.
    u, v = np.abs(points[:, ::-1] if swap else points).T / short
    ratio = (long / short) ** 2
    low = v - 1.0
    high = np.hypot(np.sqrt(ratio) * u, v) - 1.0
    for _ in range(64):
        middle = 0.5 * (low + high)
        is_right = _ellipse_excess(u, v, ratio, middle) > 0.0
        low = np.where(is_right, middle, low)
        high = np.where(is_right, high, middle)
    root = 0.5 * (low + high)
    tiny = np.finfo(np.float64).tiny
    near_u = np.clip(ratio * u / np.maximum(root + ratio, tiny), 0.0, np.sqrt(ratio))
    # Near the boundary the root is near 0 and the quotient keeps all digits; the square root is
    # for points near the long axis, where the quotient is 0/0.
    by_root = np.sqrt(np.maximum(1.0 - near_u**2 / ratio, 0.0))
    near_v = np.where(root > -0.5, v / np.maximum(root + 1.0, 0.5), by_root)
    distance = np.hypot(u - near_u, v - near_v)
    inside = u**2 / ratio + v**2 < 1.0
    signed: Array = short * np.where(inside, -distance, distance)
    return signed


def _ellipse_excess(u: Array, v: Array, ratio: float, root: Array) -> Array:
    """Return the function (N,) whose greatest zero is sought; 0/0 on the long axis counts as 0."""
    tiny = np.finfo(np.float64).tiny
    along = u / np.maximum(root + ratio, tiny)
    across = v / np.maximum(root + 1.0, tiny)
    excess: Array = ratio * along**2 + np.minimum(across, 1e100) ** 2 - 1.0
    return excess


def polygon_distance(points: Array, vertices: Array) -> Array:
    """Return the signed distance (N,) of points (N, 2) to the polygon with vertices (K, 2)."""
    squared = np.full(len(points), np.inf)
    inside = np.zeros(len(points), dtype=bool)
    for start, stop in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        along = stop - start
        offset = points - start
        t = np.clip(offset @ along / (along @ along), 0.0, 1.0)
        squared = np.minimum(squared, np.sum((offset - t[:, None] * along) ** 2, axis=1))
        inside ^= _ray_hits(points, start, stop)
    distance: Array = np.sqrt(squared)
    return np.where(inside, -distance, distance)


def cylinder_distance(points: Array, radius: float, height: float) -> Array:
    """Return the signed distance (N,) to the cylinder on the origin along axis 2."""
    radial = np.hypot(points[:, 0], points[:, 1]) - radius
    axial = np.abs(points[:, 2] - 0.5 * height) - 0.5 * height
    outside = np.hypot(np.maximum(radial, 0.0), np.maximum(axial, 0.0))
    return outside + np.minimum(np.maximum(radial, axial), 0.0)


def _ray_hits(points: Array, start: Array, stop: Array) -> Mask:
    """Tell for which points (N,) a ray along the first coordinate axis crosses a segment."""
    straddles = (start[1] > points[:, 1]) != (stop[1] > points[:, 1])
    rise = stop[1] - start[1] if stop[1] != start[1] else 1.0
    crossing = start[0] + (points[:, 1] - start[1]) * (stop[0] - start[0]) / rise
    hits: Mask = straddles & (points[:, 0] < crossing)
    return hits
