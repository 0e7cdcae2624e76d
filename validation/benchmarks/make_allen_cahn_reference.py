"""Compute the reference solution of the shipped ``allen_cahn`` problem and write ``data/allen_cahn.csv``.

Chebyshev collocation in space (L. N. Trefethen, "Spectral Methods in MATLAB", SIAM 2000, programs 6 and
13) and the implicit Runge-Kutta method Radau IIA of order 5 in time, independent of the library. Two
resolutions are computed; their largest difference is written into the file as its error bar.

``python -m pinnsolve.validation.benchmarks.make_allen_cahn_reference``
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DIFFUSION = 0.001
NUM_STATIONS, NUM_TIMES = 101, 41
COARSE, FINE = (400, 1e-10), (560, 1e-11)
"""Number of collocation intervals and relative tolerance in time."""


def differentiation_matrix(intervals: int) -> tuple[Array, Array]:
    """Return Chebyshev points from 1 to -1, shape (n + 1,), and the matrix that differentiates there."""
    nodes = np.cos(np.pi * np.arange(intervals + 1) / intervals)
    ends = np.ones(intervals + 1)
    ends[[0, -1]] = 2.0
    signs = ends * (-1.0) ** np.arange(intervals + 1)
    distances = nodes[:, None] - nodes[None, :] + np.eye(intervals + 1)
    matrix = np.outer(signs, 1.0 / signs) / distances
    return nodes, matrix - np.diag(matrix.sum(axis=1))


def solve(intervals: int, rtol: float, stations: Array, times: Array) -> Array:
    """Return u at stations and times, shape (num_times, num_stations).

    Args:
        intervals: Number of collocation intervals.
        rtol: Relative tolerance in time.
        stations: Where, in [-1, 1].
        times: When, from 0 on.

    Raises:
        RuntimeError: If the time integration fails.
    """
    from scipy.integrate import solve_ivp

    nodes, first = differentiation_matrix(intervals)
    second = (first @ first)[1:-1]
    inner, ends = DIFFUSION * second[:, 1:-1], -DIFFUSION * (second[:, 0] + second[:, -1])

    def rate(t: float, u: Array) -> Array:
        del t
        return np.asarray(inner @ u + ends + 5.0 * (u - u**3))

    def jacobian(t: float, u: Array) -> Array:
        del t
        return np.asarray(inner + np.diag(5.0 - 15.0 * u**2))

    start = nodes[1:-1] ** 2 * np.cos(np.pi * nodes[1:-1])
    span, options = (times[0], times[-1]), {"rtol": rtol, "atol": 0.1 * rtol, "jac": jacobian}
    found = solve_ivp(rate, span, start, method="Radau", t_eval=times, **options)
    if not found.success:
        raise RuntimeError(f"time integration failed: {found.message}")
    edge = -np.ones(len(times))
    values = np.vstack((edge, found.y, edge))
    return np.asarray((interpolation(nodes, stations) @ values).T)


def interpolation(nodes: Array, stations: Array) -> Array:
    """Return the barycentric interpolation from Chebyshev points (n + 1,) to stations (m,), a matrix."""
    weights = (-1.0) ** np.arange(len(nodes))
    weights[[0, -1]] *= 0.5
    distances = stations[:, None] - nodes[None, :]
    hits = np.isclose(distances, 0.0, rtol=0.0, atol=1e-15)
    kernel = weights / np.where(hits, 1.0, distances)
    matrix = kernel / kernel.sum(axis=1, keepdims=True)
    on_node = hits.any(axis=1)
    matrix[on_node] = hits[on_node]
    return np.asarray(matrix)


def main() -> None:
    """Compute both resolutions and write the finer one."""
    stations, times = np.linspace(-1.0, 1.0, NUM_STATIONS), np.linspace(0.0, 1.0, NUM_TIMES)
    coarse, fine = (solve(*resolution, stations, times) for resolution in (COARSE, FINE))
    lines = [
        f"# u_t = {DIFFUSION} u_xx + 5 (u - u^3); u(x, 0) = x^2 cos(pi x), u(-1, t) = u(1, t) = -1",
        f"# Chebyshev collocation with {FINE[0]} intervals and Radau IIA with rtol {FINE[1]:g}; largest "
        f"difference to {COARSE[0]} intervals and rtol {COARSE[1]:g}: {np.abs(fine - coarse).max():.1e}",
        "x,t,u",
    ]
    for t, row in zip(times.tolist(), fine.tolist(), strict=True):
        lines += [f"{x:.4g},{t:.4g},{u:.9f}" for x, u in zip(stations.tolist(), row, strict=True)]
    path = Path(__file__).resolve().parent.parent / "data" / "allen_cahn.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
