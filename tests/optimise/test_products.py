"""Products without the Jacobian against products with it."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.optimise.products import jacobian_transpose_product, products


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10 * float(expected.norm()))


@pytest.mark.parametrize("held", [0, 100, 10**6])
@pytest.mark.parametrize("unknown", [False, True])
def test_products_are_those_of_the_jacobian(wall_system, held, unknown) -> None:
    system, theta = wall_system(unknown=unknown, max_points=50)
    assert len(system.groups) > 2
    chunks = list(system.linearised(theta))
    rows, jacobian = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    found = products(system, theta, held)
    v, w = torch.randn_like(theta), torch.randn_like(rows)
    close(found.rows, rows)
    close(found.push(v), jacobian @ v)
    close(found.pull(w), jacobian.T @ w)
    close(found.push(2.0 * v), 2.0 * (jacobian @ v))
    close(jacobian_transpose_product(system, theta, w), jacobian.T @ w)


@pytest.mark.parametrize("held", [0, 10**6])
def test_the_two_products_are_adjoint(wall_system, held) -> None:
    system, theta = wall_system()
    found = products(system, theta, held)
    v, w = torch.randn_like(theta), torch.randn_like(found.rows)
    assert float(found.push(v) @ w) == pytest.approx(float(v @ found.pull(w)), rel=1e-11)


def test_products_leave_no_graph_behind(wall_system) -> None:
    system, theta = wall_system()
    for held in (0, 10**6):
        found = products(system, theta, held)
        for tensor in (found.rows, found.push(theta), found.pull(found.rows)):
            assert not tensor.requires_grad
    assert not theta.requires_grad
