"""Unknown functions: splines against SciPy's, their prior, and where they may stand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.estimated_functions import EstimatedFunction
from pinnsolve.jets import Coordinates, Frame, div, grad
from pinnsolve.networks import MLP
from pinnsolve.optimise.weights import balanced
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling
from pinnsolve.unknown_functions import (
    UnknownFunction,
    find_functions,
    with_smoothness,
)
from pinnsolve.unknowns import bind, find_unknowns

GENERATOR = np.random.default_rng(4)
LOW, HIGH = -1.0, 2.0
LINE = Frame(1)


def function(**settings: object) -> UnknownFunction:
    return UnknownFunction("k", **{"of": {"x": (LOW, HIGH)}, "num": 9, **settings})


def bound(item: UnknownFunction, coefficients: np.ndarray) -> UnknownFunction:
    names = [u.name for u in find_unknowns(item)]
    values = torch.from_numpy(coefficients).unbind(0)
    return bind(item, dict(zip(names, values, strict=True)))


def along(values: np.ndarray, frame: Frame = LINE) -> Coordinates:
    points = torch.from_numpy(np.asarray(values)).reshape(-1, frame.num_axes)
    return Coordinates(points, frame)


def scipys(item: UnknownFunction, coefficients: np.ndarray) -> BSpline:
    cells = len(coefficients) - item.degree
    h = (HIGH - LOW) / cells
    knots = LOW + h * np.arange(-item.degree, len(coefficients) + 1)
    return BSpline(knots, coefficients, item.degree)


@pytest.mark.parametrize("degree", [1, 3])
def test_the_spline_and_its_derivatives_are_scipys(degree) -> None:
    coefficients = GENERATOR.normal(size=9)
    item = function(degree=degree)
    x = np.sort(GENERATOR.uniform(LOW, HIGH, 50))
    found, known = bound(item, coefficients)(along(x)), scipys(item, coefficients)
    for order in range(degree + 1):
        np.testing.assert_allclose(
            found.d(*(0,) * order).numpy(),
            known.derivative(order)(x) if order else known(x),
            rtol=1e-10,
            atol=1e-10,
        )
    assert found.parts[0].derivative((0,) * (degree + 1)) == 0.0
    np.testing.assert_allclose(item.basis(x) @ coefficients, known(x), rtol=1e-12, atol=1e-12)


def test_beyond_its_interval_it_keeps_the_value_at_the_end() -> None:
    found = bound(function(), GENERATOR.normal(size=9))(along(np.array([-7.0, LOW, HIGH, 5.0])))
    value, slope = found.value, found.d(0)
    assert float(value[0]) == float(value[1])
    assert float(value[3]) == float(value[2])
    assert float(slope[0]) == float(slope[3]) == 0.0


def test_equal_coefficients_make_a_constant() -> None:
    x = along(np.linspace(LOW, HIGH, 7))
    plain = bound(function(initial=3.0, scale=2.0), np.full(9, 0.5))(x)
    np.testing.assert_allclose(plain.value, 4.0, rtol=1e-14)
    positive = bound(function(initial=3.0, positive=True), np.full(9, -0.5))(x)
    np.testing.assert_allclose(positive.value, 3.0 * math.exp(-0.5), rtol=1e-14)
    np.testing.assert_allclose(positive.d(0), 0.0, atol=1e-13)


def test_a_tensor_product_has_the_derivatives_of_its_factors() -> None:
    item = UnknownFunction("k", of={"y": (LOW, HIGH), "t": (LOW, HIGH)}, num=(6, 5))
    first, second = GENERATOR.normal(size=6), GENERATOR.normal(size=5)
    frame = Frame(2, has_time=True)
    points = GENERATOR.uniform(LOW, HIGH, (40, 3))
    found = bound(item, np.outer(first, second).ravel())(along(points, frame))
    a, b = scipys(item, first), scipys(item, second)
    y, t = points[:, 1], points[:, 2]
    np.testing.assert_allclose(found.value, a(y) * b(t), rtol=1e-10, atol=1e-12)
    mixed = a.derivative(2)(y) * b.derivative(1)(t)
    np.testing.assert_allclose(found.d(1, 1, 2), mixed, rtol=1e-9, atol=1e-9)
    assert found.parts[0].derivative((0,)) == 0.0


def test_a_coefficient_per_point_is_taken_at_its_point() -> None:
    x = np.linspace(LOW, HIGH, 5)
    rows = GENERATOR.normal(size=(5, 9))
    item = function()
    names = [u.name for u in find_unknowns(item)]
    values = dict(zip(names, torch.from_numpy(rows).unbind(1), strict=True))
    alone = [
        float(bound(item, row)(along(p)).value[0]) for row, p in zip(rows, x[:, None], strict=True)
    ]
    np.testing.assert_allclose(bind(item, values)(along(x)).value, alone, rtol=1e-13)


def rms_of_second_derivative(item: UnknownFunction, coefficients: np.ndarray) -> float:
    xi = (np.arange(4000) + 0.5) / 4000
    second = bound(item, coefficients)(along(LOW + (HIGH - LOW) * xi)).d(0, 0).numpy()
    return float((second**2).mean() * (HIGH - LOW) ** 4) ** 0.5


@pytest.mark.parametrize("num", [40, 80])
def test_the_prior_is_the_mean_square_of_the_second_derivative(num) -> None:
    item = function(num=num)
    centres = (np.arange(num) - 1.0) / (num - 3)
    coefficients = np.sin(7.0 * centres)
    rows = item.second_differences() @ coefficients
    assert np.linalg.norm(rows) == pytest.approx(
        rms_of_second_derivative(item, coefficients), rel=0.05
    )
    np.testing.assert_allclose(item.second_differences() @ centres, 0.0, atol=1e-8)


def test_the_prior_of_two_coordinates_leaves_planes_alone_and_counts_directions_alike() -> None:
    item = UnknownFunction("k", of={"x": (0.0, 1.0), "y": (0.0, 1.0)}, num=(7, 9))
    a, b = np.meshgrid(np.arange(7.0) / 4, np.arange(9.0) / 6, indexing="ij")
    rows = item.second_differences()
    np.testing.assert_allclose(rows @ (1.0 + a - 3.0 * b).ravel(), 0.0, atol=1e-10)
    wide = UnknownFunction("k", of={"x": (0.0, 1.0), "y": (0.0, 1.0)}, num=60)
    a, b = np.meshgrid(np.arange(60.0) / 57, np.arange(60.0) / 57, indexing="ij")
    squares = [np.sum((wide.second_differences() @ f.ravel()) ** 2) for f in (a**2, b**2, a * b)]
    assert squares == pytest.approx([4.0, 4.0, 2.0], rel=0.12)


def bar(smoothness: float | None = None, **settings: object) -> ps.Problem:
    k = ps.UnknownFunction(
        "k", of={"x": (0.0, 1.0)}, num=6, initial=2.0, positive=True, smoothness=smoothness
    )
    data = ps.Measurements([[0.25], [0.5]], {"temperature": [1.0, 2.0]}, sigma=0.1)
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=-3.0)]
    return ps.Problem(
        "bar", ps.Interval(0.0, 1.0), ps.Heat(conductivity=k), ends, measurements=data, **settings
    )


def system_of(problem: ps.Problem) -> tuple[System, torch.Tensor]:
    blocks = make_blocks(problem, PointCounts(20, 2), seed=0)
    network = MLP(1, 1, (5,))
    scaling = find_scaling(problem, blocks)
    system = build_system(
        blocks, problem.field_shapes, problem.frame, network, scaling, problem.unknowns
    )
    theta = torch.from_numpy(GENERATOR.normal(size=system.num_parameters))
    return system, theta


def test_the_jacobian_of_coefficients_is_that_of_automatic_differentiation() -> None:
    system, theta = system_of(bar())
    system = balanced(system, theta)
    expected = torch.autograd.functional.jacobian(system.residual, theta)
    rows, jacobian = (torch.cat(parts) for parts in zip(*system.linearised(theta), strict=True))
    torch.testing.assert_close(rows, system.residual(theta))
    torch.testing.assert_close(jacobian, expected, rtol=1e-9, atol=1e-12)


def test_the_smoothness_is_the_inverse_noise_of_its_rows() -> None:
    theta = system_of(bar())[1]
    rows = {s: system_of(bar(s))[0].rows_by_key(theta) for s in (0.1, 0.2, None)}
    (key,) = [key for key in rows[0.1] if key.block == "smoothness of k"]
    assert key.equation == "k"
    torch.testing.assert_close(rows[0.2][key], 2.0 * rows[0.1][key])
    torch.testing.assert_close(rows[None][key], 3.0 * rows[0.1][key])
    changed = with_smoothness(bar().physics, {"k": 0.2})
    (item,) = find_functions(changed)
    assert item.smoothness == 0.2
    assert len(item.coefficients) == 6
    assert with_smoothness(changed, {"other": 1.0}) is changed


def test_a_conductivity_gives_its_gradient_to_the_residual() -> None:
    coefficients = GENERATOR.normal(size=9)
    k = bound(function(initial=2.0, positive=True, scale=0.3), coefficients)
    x = along(np.linspace(-0.5, 1.5, 6))
    temperature = ps.sin(x.x)
    physics = ps.Heat(conductivity=k)
    fields = type("F", (), {"temperature": temperature})()
    expected = -div(k(x) * grad(temperature)).value
    torch.testing.assert_close(physics.residual(fields, x)["energy"].value, expected)


def test_an_estimate_is_evaluated_with_its_spread() -> None:
    coefficients, covariance = GENERATOR.normal(size=9), np.diag(np.full(9, 0.04))
    x = np.linspace(LOW, HIGH, 11)
    item = bound(function(initial=2.0, scale=3.0), coefficients)
    found = EstimatedFunction(item, covariance)
    np.testing.assert_allclose(found(x), item(along(x)).value, rtol=1e-12)
    expected = 3.0 * 0.2 * np.linalg.norm(item.basis(x), axis=1)
    np.testing.assert_allclose(found.std(x), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="the covariance of 'k' is not known"):
        EstimatedFunction(item).std(x)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("positive", [False, True])
def test_the_interval_holds_as_many_draws_as_it_says(positive, seed) -> None:
    generator = np.random.default_rng(seed)
    centre, root = generator.normal(size=9), 0.3 * generator.normal(size=(9, 9))
    item = function(initial=2.0, scale=0.5, positive=positive)
    x = np.linspace(LOW, HIGH, 7)
    low, high = EstimatedFunction(bound(item, centre), root @ root.T).interval(x, 0.8)
    draws = np.array(
        [
            EstimatedFunction(bound(item, centre + root @ generator.normal(size=9)))(x)
            for _ in range(1000)
        ]
    )
    inside = np.mean((draws > low) & (draws < high), axis=0)
    np.testing.assert_allclose(inside, 0.8, atol=4.0 * math.sqrt(0.8 * 0.2 / 1000))
    assert (low > 0.0).all() or not positive
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 1"):
        EstimatedFunction(bound(item, centre), root @ root.T).interval(x, 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num": 3}, "num must be at least 4 for each coordinate, its degree being 3, got 3"),
        ({"num": 2, "degree": 1}, "num must be at least 3"),
        ({"num": (5, 5)}, "num must be at least 4 for each"),
        ({"degree": 2}, "degree must be 1 or 3, got 2"),
        ({"smoothness": 0.0}, "smoothness must be finite and > 0, or None"),
        ({"smoothness": -1.0}, "smoothness must be finite and > 0, or None"),
        ({"initial": 0.0, "positive": True}, "initial must be finite and > 0 with positive=True"),
        ({"initial": math.nan}, "initial must be finite, got nan"),
        ({"scale": 0.0}, "scale must be finite and > 0"),
        ({"of": {}}, "must name one or two coordinates"),
        ({"of": {"x": (1.0, 1.0)}}, "the interval of 'x' must be finite with low < high"),
        ({"coefficients": (1.0,)}, "1 coefficients for a spline of 9"),
    ],
)
def test_refusals(settings, message) -> None:
    with pytest.raises(ValueError, match="unknown function 'k'.*" + message):
        function(**settings)


def test_a_coordinate_that_the_problem_does_not_have_is_refused() -> None:
    h = ps.UnknownFunction("h", of={"t": (0.0, 1.0)}, initial=3.0, positive=True)
    data = ps.Measurements([[0.25]], {"temperature": [1.0]}, sigma=0.1)
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Convection("right", h, 1.0)]
    message = "'h' is of 't', which is no coordinate of this problem; it has x"
    with pytest.raises(ValueError, match=message):
        ps.Problem("bar", ps.Interval(0.0, 1.0), ps.Heat(1.0), ends, measurements=data)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two different unknown functions are named 'k'"):
        find_functions(ps.Heat(function()), ps.Convection("left", function(num=7)))


def test_a_gaussian_source_has_its_strength_and_its_place() -> None:
    place = ps.Unknown("x0", 0.4), ps.Unknown("y0", 0.6)
    source = ps.GaussianSource(place, width=0.05, strength=3.0)
    assert find_unknowns(ps.Heat(1.0, source=source)) == place
    grid = (np.arange(200) + 0.5) / 200
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    values = bind(source, {"x0": 0.4, "y0": 0.6})(along(points, Frame(2))).value.numpy()
    assert values.mean() == pytest.approx(3.0, rel=1e-6)
    assert (values @ points / values.sum()).tolist() == pytest.approx([0.4, 0.6])
    with pytest.raises(ValueError, match="the width of a GaussianSource must be finite and > 0"):
        ps.GaussianSource((0.0,), width=0.0)
    with pytest.raises(ValueError, match="needs 1 coordinates here, got 2"):
        source(along(grid))
