"""What the right answer is at the points where errors are measured, and from where it is known."""

from __future__ import annotations

import csv
import math
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import torch

import pinnsolve as ps
from pinnsolve.jets import as_jet

Array = npt.NDArray[np.float64]


def exact_fields(problem: ps.Problem, points: Array) -> Array:
    """Return all components of a problem's exact solution at points, shape (N, C).

    Args:
        problem: A problem with an exact solution.
        points: Shape (N, D), SI units.

    Raises:
        ValueError: If it has none.
    """
    if problem.exact is None:
        raise ValueError(f"problem {problem.name!r} has no exact solution")
    located = torch.as_tensor(points, dtype=torch.float64)
    given = problem.exact(ps.Coordinates(located, problem.frame))
    columns = []
    for name, shape in problem.field_shapes.items():
        value = as_jet(given[name], problem.frame).value
        columns.append(value.expand(len(points), *shape).reshape(len(points), -1).numpy())
    return np.concatenate(columns, axis=1)


def kirsch_stress(points: Array, radius: float, tension: float) -> Array:
    """Return sigma_xx, sigma_yy and sigma_xy in Pa of Kirsch's plate, shape (N, 3).

    Timoshenko & Goodier, Theory of Elasticity, art. 35, turned from polar to Cartesian components.

    Args:
        points: Shape (N, 2), outside the hole, in m.
        radius: Of the hole, in m.
        tension: Far away along x, in Pa.
    """
    ratio = (radius / np.hypot(points[:, 0], points[:, 1])) ** 2
    angle = np.arctan2(points[:, 1], points[:, 0])
    double, four = np.cos(2 * angle), np.cos(4 * angle)
    xx = 1.0 - ratio * (1.5 * double + four) + 1.5 * ratio**2 * four
    yy = -ratio * (0.5 * double - four) - 1.5 * ratio**2 * four
    xy = -ratio * (0.5 * np.sin(2 * angle) + np.sin(4 * angle))
    xy = xy + 1.5 * ratio**2 * np.sin(4 * angle)
    return tension * np.column_stack((xx, yy, xy))


def rod_temperature(points: Array, num_terms: int = 2000) -> Array:
    """Return the temperature of the shipped heated rod from its Fourier series, shape (N, 1).

    With w = T - (x / L) g(t), g(t) = A sin(omega t), every sine coefficient of w solves
    ``b' + lambda b = -c g'``, where c is that of x / L. The slowest part of it, ``-c g' / lambda``, is summed in closed
    form, ``-g' L^2 / kappa (xi - xi^3) / 6`` with ``xi = x / L``.

    Args:
        points: Shape (N, 2): x in m, t in s.
        num_terms: Number of sine functions; the terms fall with the fifth power of their number, but for the first
            moments, ``lambda t < 1``.
    """
    length, amplitude, omega = 0.1, 100.0, math.pi / 40.0
    diffusivity = 35.0 / (7200.0 * 440.5)
    xi, t = points[:, 0] / length, points[:, 1]
    slope = amplitude * omega * np.cos(omega * t)
    total = amplitude * np.sin(omega * t) * xi
    total -= slope * length**2 / diffusivity * (xi - xi**3) / 6.0
    for n in range(1, num_terms + 1):
        rate = diffusivity * (n * math.pi / length) ** 2
        share = 2.0 * (-1) ** (n + 1) / (n * math.pi)
        swing = rate * np.cos(omega * t) + omega * np.sin(omega * t) - rate * np.exp(-rate * t)
        b = -share * amplitude * omega / (rate**2 + omega**2) * swing
        total = total + (b + share * slope / rate) * np.sin(n * math.pi * xi)
    return np.asarray(total[:, None])


def table(name: str) -> Array:
    """Return the numbers of a file in ``validation/data``.

    Args:
        name: A CSV file with comments and one line of names.
    """
    text = files("pinnsolve.validation").joinpath("data", name).read_text(encoding="utf-8")
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    return np.array(rows[1:], dtype=np.float64)
