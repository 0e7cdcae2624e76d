"""Identities of vector calculus, and gradients of closed forms, on smooth random fields."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.jets import (
    Coordinates,
    Frame,
    Jet,
    advect,
    as_jet,
    cos,
    curl,
    div,
    dot,
    dt,
    exp,
    grad,
    identity,
    inner,
    laplacian,
    outer,
    sin,
    sym_grad,
    trace,
    transpose,
)

FRAMES = [Frame(2), Frame(3), Frame(2, has_time=True), Frame(3, has_time=True)]
FRAME_IDS = ["2-D", "3-D", "2-D + t", "3-D + t"]


def coordinates(frame: Frame, seed: int = 0) -> Coordinates:
    generator = torch.Generator().manual_seed(seed)
    return Coordinates(
        2.0 * torch.rand(9, frame.num_axes, generator=generator, dtype=torch.float64) - 1.0, frame
    )


def wave(x: Coordinates, seed: int) -> Jet:
    """A smooth scalar field that depends on all coordinates."""
    generator = torch.Generator().manual_seed(seed)
    c = (2.0 * torch.rand(2, x.frame.num_axes + 1, generator=generator).double() - 1.0).tolist()
    phases = [sum((c[k][i] * x[i] for i in range(x.frame.num_axes)), c[k][-1]) for k in (0, 1)]
    return sin(2.0 * phases[0]) * exp(phases[1]) + cos(phases[0] * phases[1])


def vector(x: Coordinates, seed: int) -> Jet:
    parts = [wave(x, 10 * seed + i) for i in range(x.frame.space_dim)]
    return as_jet(parts, x.frame)


def assert_same(left: Jet, right: Jet) -> None:
    assert left.shape == right.shape
    a, b = left.value, right.value.expand_as(left.value)
    torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11 * max(1.0, float(b.abs().max())))


def assert_zero(jet: Jet, size: float) -> None:
    assert float(jet.value.abs().max()) <= 1e-12 * size


@pytest.fixture(params=[0, 1, 2])
def seed(request) -> int:
    return request.param


@pytest.fixture(params=FRAMES, ids=FRAME_IDS)
def x(request, seed) -> Coordinates:
    return coordinates(request.param, seed)


def test_curl_of_a_gradient_vanishes(x, seed) -> None:
    f = wave(x, seed)
    assert_zero(curl(grad(f)), float(grad(grad(f)).value.abs().max()))


@pytest.mark.parametrize("frame", [Frame(3), Frame(3, has_time=True)], ids=["3-D", "3-D + t"])
def test_divergence_of_a_curl_vanishes(frame, seed) -> None:
    x = coordinates(frame, seed)
    v = vector(x, seed)
    assert_zero(div(curl(v)), float(grad(curl(v)).value.abs().max()))


def test_divergence_product_rule(x, seed) -> None:
    f, v = wave(x, seed + 40), vector(x, seed)
    assert_same(div(f * v), f * div(v) + dot(grad(f), v))


def test_laplacian_is_divergence_of_gradient(x, seed) -> None:
    f, v = wave(x, seed), vector(x, seed)
    assert_same(laplacian(f), div(grad(f)))
    assert_same(laplacian(v), div(grad(v)))


def test_trace_of_the_symmetric_gradient_is_the_divergence(x, seed) -> None:
    v = vector(x, seed)
    assert_same(trace(sym_grad(v)), div(v))
    assert_same(trace(grad(v)), div(v))
    assert_same(sym_grad(v), transpose(sym_grad(v)))


def test_divergence_of_the_transposed_gradient_is_the_gradient_of_the_divergence(x, seed) -> None:
    v = vector(x, seed)
    assert_same(div(transpose(grad(v))), grad(div(v)))


@pytest.mark.parametrize("frame", [Frame(3), Frame(3, has_time=True)], ids=["3-D", "3-D + t"])
def test_lamb_form_of_advection(frame, seed) -> None:
    x = coordinates(frame, seed)
    u = vector(x, seed)
    w = curl(u)
    cross = as_jet(
        [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]], frame
    )
    assert_same(advect(u, u), grad(0.5 * dot(u, u)) - cross)


@pytest.mark.parametrize("frame", [Frame(2), Frame(2, has_time=True)], ids=["2-D", "2-D + t"])
def test_lamb_form_of_advection_in_the_plane(frame, seed) -> None:
    x = coordinates(frame, seed)
    u = vector(x, seed)
    cross = as_jet([u[1] * curl(u), -(u[0] * curl(u))], frame)
    assert_same(advect(u, u), grad(0.5 * dot(u, u)) - cross)


@pytest.mark.parametrize("frame", [Frame(3), Frame(3, has_time=True)], ids=["3-D", "3-D + t"])
def test_double_curl(frame, seed) -> None:
    v = vector(coordinates(frame, seed), seed)
    assert_same(curl(curl(v)), grad(div(v)) - laplacian(v))


def test_divergence_of_a_dyad(x, seed) -> None:
    u, v = vector(x, seed), vector(x, seed + 3)
    assert_same(div(outer(u, v)), u * div(v) + advect(v, u))


def test_position_vector(x) -> None:
    dim = x.frame.space_dim
    r = x.position
    assert_same(grad(r), identity(x.frame))
    assert_same(div(r), as_jet(float(dim), x.frame))
    assert_zero(curl(r), 1.0)
    assert_same(laplacian(dot(r, r)), as_jet(2.0 * dim, x.frame))


def test_gradient_convention_is_row_by_field_column_by_axis() -> None:
    x = coordinates(Frame(2))
    v = as_jet([3.0 * x.y, 5.0 * x.x], x.frame)
    assert grad(v).value[0].tolist() == [[0.0, 3.0], [5.0, 0.0]]
    assert float(curl(v).value[0]) == 2.0


def test_divergence_contracts_the_last_index() -> None:
    x = coordinates(Frame(2))
    tensor = as_jet([[x.x, 2.0 * x.y], [3.0 * x.y, 4.0 * x.x]], x.frame)
    assert div(tensor).value[0].tolist() == [3.0, 0.0]


def test_space_words_leave_time_alone() -> None:
    x = coordinates(Frame(2, has_time=True))
    f = x.t**3 * x.x**2
    assert grad(f).shape == (2,)
    assert_same(laplacian(f), 2.0 * x.t**3)
    assert_same(dt(f), 3.0 * x.t**2 * x.x**2)
    assert_same(dt(dt(f)), 6.0 * x.t * x.x**2)
    assert_same(grad(dt(f)), as_jet(list(dt(grad(f))), x.frame))


def test_contractions_agree_with_einsum(x, seed) -> None:
    u, v, g, h = vector(x, seed), vector(x, seed + 1), grad(vector(x, 5)), grad(vector(x, 6))
    cases = [
        (dot(u, v), "ni,ni->n", u, v),
        (dot(g, v), "nij,nj->ni", g, v),
        (dot(v, g), "ni,nij->nj", v, g),
        (dot(g, h), "nij,njk->nik", g, h),
        (inner(g, h), "nij,nij->n", g, h),
        (outer(u, v), "ni,nj->nij", u, v),
    ]
    for jet, rule, a, b in cases:
        torch.testing.assert_close(jet.value, torch.einsum(rule, a.value, b.value))


def test_dot_with_plain_numbers() -> None:
    x = coordinates(Frame(2))
    assert_same(dot(x.position, [2.0, -1.0]), 2.0 * x.x - x.y)
