"""Two materials are solved to many digits, and the flux goes through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.judging import exact_errors, judge
from pinnsolve.reference import NoReference
from pinnsolve.training import Trained, train


def solved(problem: ps.Problem, seed: int, method: ps.Method | None = None) -> Trained:
    trained = train(problem, method or ps.Method(max_seconds=300.0), seed=seed)
    verdict = judge(
        trained.solution, trained.system, trained.theta, NoReference("not asked for"), seed=99
    )
    assert verdict.trusted, str(verdict)
    return trained


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_disk_inclusion_is_exact_to_many_digits(seed) -> None:
    solution = solved(make_problem("disk_inclusion"), seed).solution
    assert exact_errors(solution, seed=5)["temperature"] < 1e-6
    angles = np.linspace(0.0, 6.0, 7)
    normals = np.column_stack((np.cos(angles), np.sin(angles)))
    inner, outer = (
        np.sum(solution.at(0.3 * (1.0 + s * 1e-6) * normals).heat_flux * normals, axis=1)
        for s in (-1.0, 1.0)
    )
    np.testing.assert_allclose(inner, outer, atol=2e-5)


@pytest.mark.parametrize("name", ["composite_wall", "conjugate_channel"])
def test_exact_walls_are_met(name) -> None:
    solution = solved(make_problem(name), 0).solution
    assert exact_errors(solution, seed=5)["temperature"] < 1e-8


def square_potentials(powers: int) -> float:
    """Return sigma_yy in MPa at (1, 0) of what takes 50 / r^2 off the sides of |x|, |y| <= 10."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z = 10.0 + 5.0j * (nodes + 1.0)

    def stresses(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sums, differences = [], []
        for p in (4 * k + 1 for k in range(powers)):  # phi = z^p
            bent = p * (p - 1) * z ** max(p - 2, 0) / 10.0 ** (p - 1)
            sums.append(4.0 * (p * (z / 10.0) ** (p - 1)).real)
            differences.append(2.0 * z.conj() * bent)
        for p in (4 * k + 3 for k in range(powers)):  # psi = z^p
            sums.append(0.0 * z.real)
            differences.append(2.0 * p * (z / 10.0) ** (p - 1))
        s, d = np.array(sums).T, np.array(differences).T
        return (s - d.real) / 2.0, (s + d.real) / 2.0, d.imag / 2.0

    far = 50.0 / np.abs(z) ** 2 * np.exp(2.0j * np.angle(z))
    xx, _, xy = stresses(z)
    root = np.sqrt(np.concatenate((weights, weights)))
    rows, right = np.vstack((xx, xy)), np.concatenate((far.real, far.imag))
    solution = np.linalg.lstsq(rows * root[:, None], right * root, rcond=1e-15)[0]
    return float((stresses(np.array([1.0 + 0.0j]))[1] @ solution)[0])


def test_hot_spot_is_met() -> None:
    """The published 50 MPa belong to the infinite membrane; in the square it is 50.446 MPa."""
    target = 50.0 + square_potentials(12)
    assert target == pytest.approx(50.446, abs=1e-5)
    (value,) = solved(make_problem("nafems_t1"), 0).solution.quantities().values()
    assert value / 1e6 == pytest.approx(target, rel=1e-4)


def test_unsteady_layers_with_a_manufactured_solution() -> None:
    """T = (1 + t) g(x), continuous, with k g' continuous at x = 0.4: from the physics' own residual."""
    layer = ps.Interval(0.0, 0.4)

    def exact(x: ps.Coordinates) -> ps.Jet:
        bent = ps.sin(x.x - 0.4)
        return (1.0 + x.t) * (1.0 + ps.where(x.x <= 0.4, bent, 4.0 * bent + bent**2))

    physics = ps.Heat(
        conductivity=ps.by_region({layer: 4.0}, otherwise=1.0),
        density=ps.by_region({layer: 2.0}, otherwise=3.0),
        specific_heat=1.0,
    )

    def source(x: ps.Coordinates) -> ps.Jet:
        return physics.residual(ps.Fields({"temperature": exact(x)}), x)["energy"]

    problem = ps.Problem(
        "layers",
        ps.Interval(0.0, 1.0),
        replace(physics, source=source),
        [
            ps.Dirichlet("left", temperature=exact),
            ps.Dirichlet("right", temperature=exact),
            ps.Interface(layer),
            ps.Initial(temperature=exact),
        ],
        time=ps.TimeInterval(0.0, 0.5),
        exact=lambda x: {"temperature": exact(x)},
        accuracy=1e-5,
    )
    solved(problem, 0)
