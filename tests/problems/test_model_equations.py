"""Exact and reference solutions of the model equations and of Kirsch's plate, held to independent numbers."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from pinnsolve.problems.elasticity.kirsch import kirsch
from pinnsolve.problems.model_equations.burgers import burgers, cole_hopf
from pinnsolve.validation.benchmarks import make_allen_cahn_reference as chebyshev
from pinnsolve.validation.benchmarks import make_cavity_reference as galerkin

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.jets import as_jet
from pinnsolve.reference.finite_difference import finite_difference


def at(problem: ps.Problem, points: object) -> ps.Coordinates:
    return ps.Coordinates(torch.as_tensor(points, dtype=torch.float64), problem.frame)


def test_burgers_has_the_published_values() -> None:
    points = [[-0.5, 0.25], [0.1, 0.5], [0.25, 0.5], [0.01, 0.75], [0.5, 0.99]]
    found = cole_hopf(at(burgers(), points), 0.01 / math.pi).value.numpy()
    given = [0.803198421, -0.958159553, -0.847354524, -0.761036629, -0.378996290]
    np.testing.assert_allclose(found, given, atol=6e-10)


def test_burgers_has_the_published_slope() -> None:
    """Basdevant et al. 1986: -152.00516 at t = 1.6037 / pi."""
    u = cole_hopf(at(burgers(), [[0.0, 1.6037 / math.pi]]), 0.01 / math.pi)
    assert float(ps.grad(u)[0].value) == pytest.approx(-152.005162, abs=1e-6)


def test_burgers_has_no_exact_solution_where_the_quadrature_fails() -> None:
    assert burgers(viscosity=0.001).exact is None
    assert burgers(end_time=2.0).exact is None


def test_kirsch_in_si_units() -> None:
    """Equilibrium, and the stress that the displacement gives at the hole: 3 S and -S."""
    problem = kirsch()
    assert problem.exact is not None
    angle = np.linspace(0.0, 0.5 * math.pi, 7)
    x = at(problem, 0.1 * np.column_stack((np.cos(angle), np.sin(angle))))
    exact = problem.exact(x)
    f = ps.Fields({"displacement": as_jet(exact["displacement"], problem.frame)})
    physics = problem.physics
    assert isinstance(physics, ps.Elasticity)
    stress = physics.stress(f, x).value.numpy()
    assert stress[-1, 0, 0] == pytest.approx(30e6, rel=1e-12)
    assert stress[0, 1, 1] == pytest.approx(-10e6, rel=1e-12)
    residual = physics.residual(f, x)["equilibrium"].value.numpy()
    assert np.abs(residual).max() < 1e-12 * 10e6 / 0.1


def test_allen_cahn_reference_agrees_with_finite_differences() -> None:
    problem = shipped_problem("allen_cahn")
    solved = finite_difference(problem, shape=(400,), num_steps=400, order=4)
    times, stations = np.linspace(0.0, 1.0, 5), np.linspace(-0.9, 0.9, 37)
    reference = chebyshev.solve(300, 1e-9, stations, times)
    for t, row in zip(times, reference, strict=True):
        points = np.column_stack((stations, np.full(len(stations), t)))
        assert np.abs(solved.evaluate(points)[:, 0] - row).max() < 2e-4


def test_differentiation_and_interpolation_are_exact_for_polynomials() -> None:
    nodes, matrix = chebyshev.differentiation_matrix(12)
    stations = np.array([-1.0, -0.3, 0.0, 0.77, 1.0])
    np.testing.assert_allclose(matrix @ nodes**7, 7 * nodes**6, atol=1e-11)
    values = chebyshev.interpolation(nodes, stations) @ nodes**7
    np.testing.assert_allclose(values, stations**7, atol=1e-13)


def test_cavity_lift_meets_the_given_velocities() -> None:
    """psi_y is the lid's speed on the lid, and there is no motion on the other sides."""
    x = np.linspace(0.01, 0.99, 15)
    ends = np.array([1e-12, 1.0 - 1e-12])
    horizontal, vertical = galerkin.lift(x, ends), galerkin.lift(ends, x)
    np.testing.assert_allclose(horizontal.y[:, 1], 4 * x * (1 - x), atol=1e-10)
    for still in (horizontal.y[:, 0], horizontal.x, vertical.x, vertical.y):
        np.testing.assert_allclose(still, 0.0, atol=1e-10)


def test_cavity_reference_agrees_with_finite_differences() -> None:
    """Their difference is the error of second-order differences: a quarter on half the spacing."""
    problem = shipped_problem("lid_driven_cavity", lid="parabolic")
    stations = np.arange(1, 16) / 16.0
    points = np.stack(np.meshgrid(stations, stations, indexing="ij"), axis=-1).reshape(-1, 2)
    coarse, fine = (
        finite_difference(problem, shape=(n, n)).evaluate(points)[:, :2] for n in (24, 48)
    )
    spectral, finer = (np.stack(galerkin.solve(n, stations), axis=-1) for n in (16, 24))
    given, size = finer.reshape(-1, 2), float(np.linalg.norm(finer))
    assert np.linalg.norm(spectral - finer) < 1e-4 * size
    errors = [float(np.linalg.norm(values - given)) for values in (coarse, fine)]
    assert 3.2 < errors[0] / errors[1] < 4.5
    assert np.linalg.norm(fine + (fine - coarse) / 3.0 - given) < 2e-3 * size


def test_shipped_cavity_values_are_those_of_the_script() -> None:
    problem = shipped_problem("lid_driven_cavity", lid="parabolic")
    assert [quantity.name for quantity in problem.quantities] == [
        "u rel. L2 error",
        "v rel. L2 error",
    ]
    assert not shipped_problem("lid_driven_cavity", lid="parabolic", reynolds=50).quantities
    u, v = galerkin.solve(20, galerkin.STATIONS)
    table = benchmark_table("parabolic_ldc_Re100.csv")
    assert np.abs(table[:, 2] - u.ravel()).max() < 5e-5
    assert np.abs(table[:, 3] - v.ravel()).max() < 5e-5


def test_shipped_allen_cahn_values_are_those_of_the_script() -> None:
    table = benchmark_table("allen_cahn.csv").reshape(41, 101, 3)
    u = chebyshev.solve(300, 1e-8, table[0, :, 0], table[:, 0, 1])
    assert np.abs(table[..., 2] - u).max() < 2e-5


def benchmark_table(name: str) -> np.ndarray:
    path = Path(str(files("pinnsolve.validation").joinpath("data", name)))
    return np.loadtxt(path, delimiter=",", skiprows=3)
