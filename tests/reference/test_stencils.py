"""Stencils and node sets: exactness on polynomials, observed orders, symmetry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pinnsolve.reference.grids import make_grid
from pinnsolve.reference.stencils import derivative_matrix, fornberg_weights, stencil_window

UNIFORM = np.linspace(-1.0, 2.0, 13)
CENTRES = 0.5 * (UNIFORM[1:] + UNIFORM[:-1])
CLOSED = np.concatenate((UNIFORM[:1], CENTRES, UNIFORM[-1:]))
LINES = {"uniform": UNIFORM, "centres": CENTRES, "closed": CLOSED}


@pytest.mark.parametrize(
    ("nodes", "derivative", "expected"),
    [
        ((-1.0, 0.0, 1.0), 1, (-0.5, 0.0, 0.5)),
        ((-1.0, 0.0, 1.0), 2, (1.0, -2.0, 1.0)),
        ((0.0, 1.0, 2.0), 1, (-1.5, 2.0, -0.5)),
        ((-2.0, -1.0, 0.0, 1.0, 2.0), 2, (-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12)),
        ((-0.5, 0.5), 0, (0.5, 0.5)),
        ((-0.5, 0.5), 1, (-1.0, 1.0)),
    ],
)
def test_weights_are_the_tabulated_ones(
    nodes: tuple[float, ...], derivative: int, expected: tuple[float, ...]
) -> None:
    weights = fornberg_weights(0.0, np.array(nodes), derivative)
    np.testing.assert_allclose(weights, expected, atol=1e-15)


@pytest.mark.parametrize("source", LINES)
@pytest.mark.parametrize("target", LINES)
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("derivative", [0, 1, 2, 3])
def test_polynomials_up_to_the_order_are_exact(
    source: str, target: str, order: int, derivative: int
) -> None:
    matrix = derivative_matrix(LINES[source], LINES[target], derivative, order)
    for degree in range(derivative + order):
        polynomial = np.polynomial.Polynomial([0.0] * degree + [1.0])
        expected = polynomial.deriv(derivative)(LINES[target])
        found = matrix @ polynomial(LINES[source])
        np.testing.assert_allclose(found, expected, atol=2e-9)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_observed_order(order: int, derivative: int) -> None:
    errors = []
    sizes = np.array([40, 80, 160])
    for size in sizes:
        faces = np.linspace(0.0, 1.0, size + 1)
        centres = 0.5 * (faces[1:] + faces[:-1])
        found = derivative_matrix(faces, centres, derivative, order) @ np.sin(3.0 * faces)
        exact = 3.0**derivative * np.sin(3.0 * centres + 0.5 * math.pi * derivative)
        errors.append(np.max(np.abs(found - exact)))
    slope = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert abs(slope - order) < 0.2


@pytest.mark.parametrize(
    ("derivative", "order", "points"), [(1, 2, 3), (2, 2, 3), (1, 4, 5), (2, 4, 5), (0, 2, 1)]
)
def test_the_shortest_symmetric_stencil_is_used_at_nodes(
    derivative: int, order: int, points: int
) -> None:
    window = stencil_window(UNIFORM, UNIFORM[6], derivative, order)
    assert window.stop - window.start == points
    assert window.start + window.stop - 1 == 12


@pytest.mark.parametrize("order", [2, 4])
def test_mirror_images_have_mirrored_stencils(order: int) -> None:
    matrix = derivative_matrix(CLOSED, UNIFORM, 2, order).toarray()
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-9)


def test_too_few_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="take a finer grid"):
        derivative_matrix(np.linspace(0.0, 1.0, 4), np.array([0.1]), 2, 4)


def test_flows_are_staggered_and_solids_are_not() -> None:
    lower, upper = np.zeros(2), np.array([1.0, 2.0])
    flow = make_grid({"velocity": (2,), "pressure": ()}, lower, upper, (4, 6), 2)
    assert [nodes.shape for nodes in flow.nodes] == [(5, 8), (6, 7), (4, 6)]
    assert flow.side(2, 0, 1) is None
    solid = make_grid({"displacement": (2,)}, lower, upper, (4, 6), 2)
    assert [nodes.shape for nodes in solid.nodes] == [(5, 7), (5, 7)]


@pytest.mark.parametrize("shapes", [{"phi": ()}, {"velocity": (2,), "pressure": ()}])
def test_mean_is_exact_for_cubics(shapes: dict[str, tuple[int, ...]]) -> None:
    grid = make_grid(shapes, np.zeros(2), np.array([1.0, 2.0]), (6, 8), 2)
    component = len(grid.names) - 1
    x, y = grid.nodes[component].points.T
    mean = grid.mean_weights(component) @ (x**3 + x * y**3)
    assert mean == pytest.approx(0.25 + 0.5 * 2.0, rel=1e-12)


def test_mixed_derivatives_are_products() -> None:
    grid = make_grid({"phi": ()}, np.zeros(2), np.ones(2), (6, 6), 2)
    x, y = grid.nodes[0].points.T
    found = grid.operator(0, grid.nodes[0], (0, 1, 1)) @ (x**2 * y**3)
    np.testing.assert_allclose(found, 12.0 * x * y, atol=1e-10)
