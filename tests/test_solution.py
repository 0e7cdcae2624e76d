"""Solution: evaluate, differentiate, integrate - against fields that a network represents exactly.

A network with one hidden neuron is ``c + a tanh(w . x)`` in its own units, so every derivative and
integral has a closed form or a one-dimensional quadrature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import boundary_block, interior_block
from pinnsolve.estimates import Estimate
from pinnsolve.levels import Level
from pinnsolve.networks import MLP
from pinnsolve.solution import component_values
from pinnsolve.training import train

Array = np.ndarray

WIDTH, HEIGHT = 2.0, 0.5
CONDUCTIVITY = 3.0
POINTS = np.array([[0.1, 0.2], [1.7, 0.45], [1.0, 0.25], [2.0, 0.0]])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def plate(**options: object) -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (WIDTH, HEIGHT))
    sides = [ps.Dirichlet(part, temperature=20.0 * i) for i, part in enumerate(domain.parts)]
    return ps.Problem("plate", domain, ps.Heat(CONDUCTIVITY), sides, **options)


def one_neuron(
    problem: ps.Problem, slopes: list[float], outputs: list[tuple[float, float]]
) -> ps.Solution:
    """Return ``c + a tanh(slopes . s + 0.2)`` for every output ``(a, c)``, s the coordinates in [-1, 1]."""
    method = ps.Method(
        hidden=(1,), points=ps.PointCounts(20, 16, 4 if problem.time else 0), max_steps=1
    )
    solution = train(problem, method).solution
    heights, levels = zip(*outputs, strict=True)
    parameters = torch.tensor([*slopes, 0.2, *heights, *levels], dtype=torch.float64)
    assert solution.network == MLP(len(slopes), len(outputs), (1,), method.bandwidth)
    assert len(parameters) == solution.network.num_parameters
    return replace(solution, parameters=parameters, levels={})


@pytest.fixture(scope="module")
def warm() -> ps.Solution:
    return one_neuron(plate(), [0.7, -0.4], [(0.8, 0.3)])


def warm_parts(points: Array, solution: ps.Solution) -> tuple[Array, Array, Array]:
    """Return value (N,), gradient (N, 2) and Hessian (N, 2, 2) of the warm plate."""
    offset, scale = float(solution.scaling.offset[0]), float(solution.scaling.scale[0])
    slope = np.array([0.7 * 2 / WIDTH, -0.4 * 2 / HEIGHT])
    t = np.tanh((points - [WIDTH / 2, HEIGHT / 2]) @ slope + 0.2)
    first, second = 0.8 * scale * (1 - t**2), -2 * 0.8 * scale * t * (1 - t**2)
    return (
        offset + scale * (0.8 * t + 0.3),
        first[:, None] * slope,
        second[:, None, None] * np.outer(slope, slope),
    )


def over_plate(function: Callable[[Array], Array]) -> Array:
    """Integrate over the plate by 40 x 40 Gauss points."""
    x, y = 0.5 * WIDTH * (NODES + 1), 0.5 * HEIGHT * (NODES + 1)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = 0.25 * WIDTH * HEIGHT * np.outer(WEIGHTS, WEIGHTS).ravel()
    return np.tensordot(weights, function(grid), axes=(0, 0))


def over_right(function: Callable[[Array], Array]) -> Array:
    """Integrate over the right side."""
    y = 0.5 * HEIGHT * (NODES + 1)
    points = np.column_stack((np.full_like(y, WIDTH), y))
    return np.tensordot(0.5 * HEIGHT * WEIGHTS, function(points), axes=(0, 0))


def test_values(warm: ps.Solution) -> None:
    expected, _, _ = warm_parts(POINTS, warm)
    for points in (POINTS, POINTS.tolist(), torch.tensor(POINTS)):
        found = warm.at(points)
        np.testing.assert_allclose(found.temperature, expected, rtol=1e-13)
        np.testing.assert_array_equal(found["temperature"], found.temperature)
    assert found.temperature.shape == (4,)
    np.testing.assert_array_equal(component_values(warm, POINTS)[:, 0], found.temperature)


def test_derivatives(warm: ps.Solution) -> None:
    _, gradient, hessian = warm_parts(POINTS, warm)
    np.testing.assert_allclose(warm.gradient("temperature", POINTS), gradient, rtol=1e-12)
    for i, first in enumerate("xy"):
        found = warm.derivative("temperature", POINTS, first)
        np.testing.assert_allclose(found, gradient[:, i], rtol=1e-12)
        for j, second in enumerate("xy"):
            found = warm.derivative("temperature", POINTS, first, second)
            np.testing.assert_allclose(found, hessian[:, i, j], rtol=1e-11)
    value = warm.derivative("temperature", POINTS)
    np.testing.assert_array_equal(value, warm.at(POINTS).temperature)


def test_third_derivative(warm: ps.Solution) -> None:
    """More derivatives than the equations have: against a difference of the second one."""
    step = 1e-5
    ahead, behind = (
        warm.derivative("temperature", POINTS + np.array([sign * step, 0.0]), "y", "y")
        for sign in (1, -1)
    )
    found = warm.derivative("temperature", POINTS, "x", "y", "y")
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-6)


def test_derived_quantity(warm: ps.Solution) -> None:
    _, gradient, _ = warm_parts(POINTS, warm)
    np.testing.assert_allclose(warm.at(POINTS).heat_flux, -CONDUCTIVITY * gradient, rtol=1e-12)


def test_integrals_and_averages(warm: ps.Solution) -> None:
    total = over_plate(lambda p: warm_parts(p, warm)[0])
    assert float(warm.integral("temperature")) == pytest.approx(total, rel=1e-9)
    assert float(warm.average("temperature")) == pytest.approx(total / (WIDTH * HEIGHT), rel=1e-9)
    side = over_right(lambda p: warm_parts(p, warm)[0])
    assert float(warm.integral("temperature", "right")) == pytest.approx(side, rel=1e-12)
    assert float(warm.average("temperature", "right")) == pytest.approx(side / HEIGHT, rel=1e-12)
    flux = over_plate(lambda p: -CONDUCTIVITY * warm_parts(p, warm)[1])
    np.testing.assert_allclose(warm.integral("heat_flux"), flux, rtol=1e-8)


def test_outflow(warm: ps.Solution) -> None:
    expected = over_right(lambda p: -CONDUCTIVITY * warm_parts(p, warm)[1][:, 0])
    assert float(warm.outflow("temperature", "right")) == pytest.approx(expected, rel=1e-12)


def test_outflow_through_all_sides_is_the_divergence_inside(warm: ps.Solution) -> None:
    outflow = sum(float(warm.outflow("temperature", part)) for part in warm.problem.domain.parts)
    inside = over_plate(
        lambda p: -CONDUCTIVITY * np.trace(warm_parts(p, warm)[2], axis1=1, axis2=2)
    )
    assert outflow == pytest.approx(float(inside), rel=1e-11)


def test_own_law_with_the_normal(warm: ps.Solution) -> None:
    """The perimeter's closed integral of the normal vanishes; its length does not."""
    parts = warm.problem.domain.parts
    closed = sum(warm.integral(lambda f, x, n: n, part) for part in parts)
    length = sum(warm.integral(lambda f, x, n: ps.dot(n, n), part) for part in parts)
    np.testing.assert_allclose(closed, 0.0, atol=1e-12)
    assert float(length) == pytest.approx(2 * (WIDTH + HEIGHT), rel=1e-12)


def test_constant_law_fills_the_points(warm: ps.Solution) -> None:
    found = warm.evaluate(POINTS, lambda f, x, n: 0.0 * x.x + 2.0)
    np.testing.assert_array_equal(found, [2.0] * 4)


def test_many_points_are_the_same_as_few(warm: ps.Solution) -> None:
    points = np.random.default_rng(0).random((20_000, 2)) * [WIDTH, HEIGHT]
    together = warm.at(points).temperature
    apart = np.concatenate([warm.at(piece).temperature for piece in np.array_split(points, 7)])
    np.testing.assert_allclose(together, apart, rtol=1e-13)


def test_rows_of_blocks(warm: ps.Solution) -> None:
    """Unweighted and in SI units: the heat equation inside, the misfit on a side."""
    block = interior_block(warm.problem, 30, 0)
    _, _, hessian = warm_parts(block.point_sets[0].numpy(), warm)
    (rows,) = warm.block_rows(block).values()
    np.testing.assert_allclose(
        np.abs(rows), np.abs(CONDUCTIVITY * np.trace(hessian, axis1=1, axis2=2)), rtol=1e-10
    )
    condition = next(c for c in warm.problem.conditions if c.part == "top")
    block = boundary_block(warm.problem, condition, 30, 0)
    value, _, _ = warm_parts(block.point_sets[0].numpy(), warm)
    given = 20.0 * warm.problem.domain.parts.index("top")
    np.testing.assert_allclose(warm.block_rows(block)["temperature"], value - given, atol=1e-12)


def test_force_of_a_solid_is_the_traction() -> None:
    """Plane strain: sigma = lam tr(e) I + 2 mu e, from the derivatives."""
    domain = ps.Rectangle((0.0, 0.0), (WIDTH, HEIGHT))
    sides = [ps.Traction(part) for part in domain.parts[1:]]
    problem = ps.Problem(
        "block",
        domain,
        ps.Elasticity(youngs_modulus=5.0, poissons_ratio=0.25, plane="strain"),
        [ps.Dirichlet(domain.parts[0], displacement=[0.1, 0.2]), *sides],
    )
    solution = one_neuron(problem, [0.7, -0.4], [(0.8, 0.0), (-0.5, 0.3)])
    mu, lam = 5.0 / 2.5, 5.0 * 0.25 / (1.25 * 0.5)

    def stress(points: Array) -> Array:
        slopes = solution.gradient("displacement", points)
        strain = 0.5 * (slopes + slopes.transpose(0, 2, 1))
        pressure = lam * np.trace(strain, axis1=1, axis2=2)
        return pressure[:, None, None] * np.eye(2) + 2 * mu * strain

    np.testing.assert_allclose(solution.at(POINTS).stress, stress(POINTS), rtol=1e-11)
    expected = over_right(lambda p: stress(p)[:, :, 0])
    np.testing.assert_allclose(solution.outflow("displacement", "right"), expected, rtol=1e-10)


@pytest.fixture(scope="module")
def cooling() -> ps.Solution:
    """``T(x, t)`` of a rod on [1 s, 5 s]."""
    problem = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=10.0),
            ps.Initial(temperature=5.0),
        ],
        time=ps.TimeInterval(1.0, 5.0),
    )
    return one_neuron(problem, [0.6, 0.9], [(1.0, 0.0)])


def test_time_derivative_and_mean_at_a_time(cooling: ps.Solution) -> None:
    offset, scale = float(cooling.scaling.offset[0]), float(cooling.scaling.scale[0])
    x = 0.5 * (NODES + 1)
    for when in (1.0, 2.5, 5.0):
        t = np.tanh(0.6 * (2 * x - 1) + 0.9 * (when - 3) / 2 + 0.2)
        points = np.column_stack((x, np.full_like(x, when)))
        np.testing.assert_allclose(
            cooling.derivative("temperature", points, "t"), scale * 0.45 * (1 - t**2), rtol=1e-11
        )
        mean = 0.5 * WEIGHTS @ (offset + scale * t)
        assert float(cooling.average("temperature", time=when)) == pytest.approx(mean, rel=1e-10)
    last = float(cooling.average("temperature", time=5.0))
    assert float(cooling.average("temperature")) == last


def test_level_is_subtracted_with_its_time_derivative(cooling: ps.Solution) -> None:
    """3 s^2 with s in [-1, 1] over the time interval: Chebyshev (3/2, 0, 3/2)."""
    lowered = replace(cooling, levels={"temperature": Level((1.5, 0.0, 1.5), 1.0, 5.0)})
    points = np.array([[0.1, 1.0], [0.5, 2.0], [0.9, 4.5]])
    s = (points[:, 1] - 3.0) / 2.0
    fall = cooling.at(points).temperature - lowered.at(points).temperature
    np.testing.assert_allclose(fall, 3 * s**2, atol=1e-12)
    for axes, expected in {("t",): 3 * s, ("t", "t"): 1.5 + 0 * s, ("x",): 0 * s}.items():
        fall, kept = (item.derivative("temperature", points, *axes) for item in (cooling, lowered))
        np.testing.assert_allclose(fall - kept, expected, atol=1e-12)


def test_estimates_stand_for_the_unknowns() -> None:
    data = ps.Measurements([[1.0, 0.2]], {"temperature": [30.0]}, sigma=1.0)
    declared = replace(plate(), physics=ps.Heat(ps.Unknown("k", 1.0)), measurements=data)
    solution = replace(
        one_neuron(declared, [0.7, -0.4], [(0.8, 0.3)]), estimates=(Estimate("k", 7.0, 0.1),)
    )
    assert solution.physics == ps.Heat(7.0)
    assert solution.known_problem.unknowns == ()
    _, gradient, _ = warm_parts(POINTS, solution)
    np.testing.assert_allclose(solution.at(POINTS).heat_flux, -7.0 * gradient, rtol=1e-12)


def test_quantities(warm: ps.Solution) -> None:
    wanted = [
        ps.point_value("T", "temperature", (0.1, 0.2)),
        ps.point_value("q_y", "heat_flux", (0.1, 0.2), component=(1,)),
        ps.Quantity("heat", lambda solution: solution.outflow("temperature", "right")),
    ]
    solution = replace(warm, problem=replace(warm.problem, quantities=wanted))
    found = solution.quantities()
    assert list(found) == ["T", "q_y", "heat"]
    assert found["T"] == warm.at(POINTS).temperature[0]
    assert found["q_y"] == warm.at(POINTS).heat_flux[0, 1]
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.at([0.1, 0.2]), "points must be of shape (N, 2) with N >= 1, got (2,)"),
        (lambda s: s.at([[0.1]]), "points must be of shape (N, 2) with N >= 1, got (1, 1)"),
        (lambda s: s.at(np.zeros((0, 2))), "points must be of shape (N, 2) with N >= 1"),
        (lambda s: s.at([[0.1, np.nan]]), "points must be finite numbers"),
        (lambda s: s.at([[0.1, np.inf]]), "points must be finite numbers"),
        (lambda s: s.at(POINTS).temprature, "no field or derived quantity 'temprature'"),
        (lambda s: s.at(POINTS).temprature, "'temperature'"),
        (lambda s: s.integral("heatflux"), "no field or derived quantity 'heatflux'"),
        (lambda s: s.derivative("temperature", POINTS, "z"), "no coordinate 'z'"),
        (lambda s: s.derivative("temprature", POINTS, "x"), "'temprature'"),
        (lambda s: s.gradient("temprature", POINTS), "'temprature'"),
        (lambda s: s.outflow("heat", "right"), "no natural flux of 'heat'"),
        (lambda s: s.integral("temperature", "rigth"), "'rigth'"),
        (lambda s: s.average("temperature", "rigth"), "'rigth'"),
        (lambda s: s.outflow("temperature", "rigth"), "'rigth'"),
    ],
)
def test_refusals(warm: ps.Solution, ask: Callable[[ps.Solution], object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(warm)


@pytest.mark.parametrize("name", ["integral", "average"])
def test_time_outside_the_interval_is_refused(cooling: ps.Solution, name: str) -> None:
    """A network says something there, but nothing that means anything."""
    with pytest.raises(ValueError, match="time"):
        getattr(cooling, name)("temperature", time=50.0)


def test_time_of_a_steady_problem_is_refused(warm: ps.Solution) -> None:
    with pytest.raises(ValueError, match="time"):
        warm.average("temperature", time=1.0)


def test_unknown_private_attribute(warm: ps.Solution) -> None:
    """Copying and pickling ask for such names and need an AttributeError."""
    with pytest.raises(AttributeError):
        _ = warm.at(POINTS)._nothing
