"""Compute the cavity under the lid ``4 x (1 - x)`` at Re 100 and write ``data/parabolic_ldc_Re100.csv``.

Legendre-Galerkin method for the stream function psi, velocity (psi_y, -psi_x), with clamped basis
functions (J. Shen, "Efficient spectral-Galerkin method I", SIAM J. Sci. Comput. 15 (1994)); independent
of the library. With this lid the shear at the upper corners depends on the direction of approach. The
local solution of the biharmonic equation that has this jump is put into the boundary lift, so that what
is left is smoother and the series converges fast. Two resolutions are computed; their largest difference
is written into the file as its error bar.

``python -m pinnsolve.validation.benchmarks.make_cavity_reference``
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

VISCOSITY = 0.01
COARSE, FINE = 36, 48
"""Number of basis functions per axis."""

STATIONS = np.arange(1, 32) / 32.0


@dataclass(frozen=True)
class Field:
    """Derivatives of a stream function on a tensor grid, each of shape (num_x, num_y).

    Attributes:
        x: psi_x.
        y: psi_y.
        laplacian: psi_xx + psi_yy.
    """

    x: Array
    y: Array
    laplacian: Array


def corner_solution(a: Array, b: Array) -> dict[str, Array]:
    """Return the local solution with psi_y = 4 a on the lid b = 0 and no motion of the wall a = 0.

    ``P = pi b^2 - 2 theta (a^2 + b^2) - 2 a b`` with theta = atan2(b, a) is biharmonic.

    Args:
        a: Distance from the side wall.
        b: Distance from the lid.
    """
    theta, square = np.arctan2(b, a), a**2 + b**2
    return {
        "": np.pi * b**2 - 2.0 * theta * square - 2.0 * a * b,
        "a": -4.0 * a * theta,
        "b": 2.0 * np.pi * b - 4.0 * b * theta - 4.0 * a,
        "aa": -4.0 * theta + 4.0 * a * b / square,
        "bb": 2.0 * np.pi - 4.0 * theta - 4.0 * a * b / square,
    }


def lift(x: Array, y: Array) -> Field:
    """Return ``y^2 ((1 - x)^2 P(x, 1 - y) + x^2 P(1 - x, 1 - y))``, which meets all given velocities."""
    columns, rows = np.meshgrid(x, y, indexing="ij")
    left, right = _half_lift(columns, rows), _half_lift(1.0 - columns, rows)
    return Field(left.x - right.x, left.y + right.y, left.laplacian + right.laplacian)


def _half_lift(a: Array, y: Array) -> Field:
    p, fade = corner_solution(a, 1.0 - y), (1.0 - a) ** 2
    slope, square = -2.0 * (1.0 - a), y**2
    along = square * (slope * p[""] + fade * p["a"])
    across = fade * (2.0 * y * p[""] - square * p["b"])
    second = square * (2.0 * p[""] + 2.0 * slope * p["a"] + fade * p["aa"])
    second = second + fade * (2.0 * p[""] - 4.0 * y * p["b"] + square * p["bb"])
    return Field(along, across, second)


def basis(number: int, x: Array) -> tuple[Array, Array, Array]:
    """Return clamped functions on [0, 1] with first and second derivatives, each (len(x), number)."""
    k = np.arange(number)
    table = np.zeros((number + 4, number))
    table[k, k] = 1.0
    table[k + 2, k] = -2.0 * (2 * k + 5) / (2 * k + 7)
    table[k + 4, k] = (2 * k + 3) / (2 * k + 7)
    table /= np.sqrt(2.0 * (2 * k + 3) ** 2 * (2 * k + 5))  # unit second derivatives

    def values(order: int) -> Array:
        series = np.polynomial.legendre.legder(table, order, scl=2.0)
        return np.asarray(np.polynomial.legendre.legval(2.0 * x - 1.0, series).T)

    return values(0), values(1), values(2)


def solve(number: int, stations: Array) -> tuple[Array, Array]:
    """Return both velocity components on the tensor grid of the stations, shape (num_x, num_y).

    Args:
        number: Basis functions per axis.
        stations: Coordinates in (0, 1).

    Raises:
        RuntimeError: If Newton's method does not converge.
    """
    from scipy.linalg import lu_factor, lu_solve
    from scipy.sparse.linalg import LinearOperator, gmres

    nodes, weights = np.polynomial.legendre.leggauss(4 * number)
    nodes, weights = 0.5 * (nodes + 1.0), 0.5 * weights
    b0, b1, b2 = basis(number, nodes)
    w, lifted = np.outer(weights, weights), lift(nodes, nodes)

    def field(c: Array) -> Field:
        return Field(b1 @ c @ b0.T, b0 @ c @ b1.T, b2 @ c @ b0.T + b0 @ c @ b2.T)

    def tested(diffusion: Array, along: Array, across: Array) -> Array:
        """Return the integrals of diffusion * laplacian(phi) + along * phi_x + across * phi_y."""
        d, a, b = w * diffusion, w * along, w * across
        return np.asarray(b2.T @ d @ b0 + b0.T @ d @ b2 + b1.T @ a @ b0 + b0.T @ b @ b1)

    def total(c: Array) -> Field:
        own = field(c)
        return Field(own.x + lifted.x, own.y + lifted.y, own.laplacian + lifted.laplacian)

    def jacobian(at: Field, flat: Array) -> Array:
        d = field(flat.reshape(number, number))
        along = d.laplacian * at.y + at.laplacian * d.y
        across = -d.laplacian * at.x - at.laplacian * d.x
        return tested(VISCOSITY * d.laplacian, along, across).ravel()

    products = [[p.T @ (weights[:, None] * q) for q in (b0, b2)] for p in (b0, b2)]
    stiffness = sum(np.kron(products[i][j], products[1 - i][1 - j]) for i in (0, 1) for j in (0, 1))
    factor = lu_factor(VISCOSITY * stiffness)
    size = (number**2, number**2)
    inverse = LinearOperator(size, matvec=lambda r: lu_solve(factor, r), dtype=np.float64)
    c = np.zeros((number, number))
    for _ in range(12):
        at = total(c)
        residual = tested(VISCOSITY * at.laplacian, at.laplacian * at.y, -at.laplacian * at.x)
        operator = LinearOperator(size, matvec=lambda v, at=at: jacobian(at, v), dtype=np.float64)
        step, info = gmres(operator, -residual.ravel(), M=inverse, rtol=1e-11, restart=200)
        c = c + step.reshape(number, number)
        if info == 0 and np.abs(step).max() < 1e-11:
            e0, e1, _ = basis(number, stations)
            ends = lift(stations, stations)
            return e0 @ c @ e1.T + ends.y, -(e1 @ c @ e0.T + ends.x)
    raise RuntimeError(f"Newton's method did not converge with {number} functions per axis")


def main() -> None:
    """Compute both resolutions and write the finer one."""
    coarse, fine = (np.stack(solve(number, STATIONS)) for number in (COARSE, FINE))
    lines = [
        "# lid u = 4 x (1 - x) at y = 1 of the unit square, Re = 100",
        f"# Legendre-Galerkin with {FINE} functions per axis; largest difference to {COARSE}: "
        f"{np.abs(fine - coarse).max():.1e}",
        "x,y,u,v",
    ]
    for i, x in enumerate(STATIONS.tolist()):
        for j, y in enumerate(STATIONS.tolist()):
            lines.append(f"{x:.6g},{y:.6g},{fine[0, i, j]:.10g},{fine[1, i, j]:.10g}")
    path = Path(__file__).resolve().parent.parent / "data" / "parabolic_ldc_Re100.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
