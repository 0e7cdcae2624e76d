"""Every residual against the same equation in torch.autograd, on random smooth fields."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.jets import Frame, grad, laplacian
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes, Stokes

FRAMES = [Frame(2), Frame(3), Frame(2, has_time=True), Frame(3, has_time=True)]
FRAME_IDS = ["2-D", "3-D", "2-D + t", "3-D + t"]


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    size = float(expected.detach().abs().max())
    assert size > 1e-3, "the oracle must not vanish"
    torch.testing.assert_close(
        actual, expected.detach().expand_as(actual), rtol=0.0, atol=1e-10 * size
    )


@pytest.fixture(params=[0, 1, 2])
def seed(request) -> int:
    return request.param


@pytest.mark.parametrize("frame", [Frame(1), *FRAMES], ids=["1-D", *FRAME_IDS])
def test_heat_with_conductivity_of_temperature_and_place(frame, seed, smooth_fields, d) -> None:
    made = smooth_fields({"temperature": ()}, frame, seed=seed)
    rho, c = 2.7, 0.8
    physics = Heat(
        conductivity=lambda T, x: 2.0 + 0.3 * T * T + x.x * T,
        density=rho,
        specific_heat=c,
        source=lambda x: x.x**2 + 1.0,
    )
    T, x = made.values["temperature"], made.columns
    k = 2.0 + 0.3 * T * T + x[0] * T
    fluxes = [-k * d(T, x[i]) for i in range(frame.space_dim)]
    expected = sum(d(q, x[i]) for i, q in enumerate(fluxes)) - (x[0] ** 2 + 1.0)
    if frame.has_time:
        expected = expected + rho * c * d(T, x[-1])
    assert_close(physics.residual(made.fields, made.x)["energy"].value, expected)
    assert_close(physics.heat_flux(made.fields, made.x).value, torch.stack(fluxes, dim=1))


def momentum_oracle(made, frame, d, rho, mu):
    """rho (u_t + u_j d_j u_i) + d_i p - mu d_jj u_i, and d_j u_j."""
    u, p, x = made.values["velocity"], made.values["pressure"], made.columns
    space = range(frame.space_dim)
    rows = []
    for i in space:
        row = d(p, x[i]) + sum(
            rho * u[j] * d(u[i], x[j]) - mu * d(d(u[i], x[j]), x[j]) for j in space
        )
        rows.append(row + rho * d(u[i], x[-1]) if frame.has_time else row)
    return torch.stack(rows, dim=1), sum(d(u[j], x[j]) for j in space)


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_navier_stokes(frame, seed, smooth_fields, d) -> None:
    physics = NavierStokes(1.3, 0.7, body_force=[0.5, -2.0, 1.0][: frame.space_dim])
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame, seed=seed)
    momentum, continuity = momentum_oracle(made, frame, d, 1.3, 0.7)
    force = torch.tensor([0.5, -2.0, 1.0][: frame.space_dim], dtype=torch.float64)
    rows = physics.residual(made.fields, made.x)
    assert list(rows) == ["momentum", "continuity"]
    assert_close(rows["momentum"].value, momentum - force)
    assert_close(rows["continuity"].value, continuity)


@pytest.mark.parametrize("frame", FRAMES[:2], ids=FRAME_IDS[:2])
def test_stokes(frame, seed, smooth_fields, d) -> None:
    physics = Stokes(0.7, body_force=[0.5, -2.0, 1.0][: frame.space_dim])
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame, seed=seed)
    momentum, continuity = momentum_oracle(made, frame, d, 0.0, 0.7)
    force = torch.tensor([0.5, -2.0, 1.0][: frame.space_dim], dtype=torch.float64)
    rows = physics.residual(made.fields, made.x)
    assert list(rows) == ["momentum", "continuity"]
    assert_close(rows["momentum"].value, momentum - force)
    assert_close(rows["continuity"].value, continuity)


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_boussinesq(frame, seed, smooth_fields, d) -> None:
    rho, mu, k, c, beta, reference = 1.3, 0.7, 0.9, 2.1, 0.4, 0.25
    gravity = (1.5, -9.81, 0.6)[: frame.space_dim]
    physics = Boussinesq(
        NavierStokes(rho, mu), k, c, beta, gravity, reference, source=lambda x: x.x
    )
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame, seed=seed)
    u, T, x = made.values["velocity"], made.values["temperature"], made.columns
    space = range(frame.space_dim)
    momentum, continuity = momentum_oracle(made, frame, d, rho, mu)
    weight = rho * beta * (T - reference)[:, None] * torch.tensor(gravity, dtype=torch.float64)
    energy = sum(rho * c * u[j] * d(T, x[j]) - d(k * d(T, x[j]), x[j]) for j in space) - x[0]
    if frame.has_time:
        energy = energy + rho * c * d(T, x[-1])
    rows = physics.residual(made.fields, made.x)
    assert_close(rows["momentum"].value, momentum + weight)
    assert_close(rows["continuity"].value, continuity)
    assert_close(rows["energy"].value, energy)


PLANES = [("stress", 2), ("strain", 2), (None, 3)]


def hooke_stress(strain: torch.Tensor, E: float, nu: float, plane: str | None) -> torch.Tensor:
    """Solve ``eps = (1 + nu)/E sigma - nu/E tr(sigma) I`` for the stress."""
    n, dim = len(strain), strain.shape[-1]
    padded = torch.zeros(n, 3, 3, dtype=torch.float64)
    padded[:, :dim, :dim] = strain
    if plane == "stress":  # sigma_zz = 0 fixes eps_zz
        padded[:, 2, 2] = -nu / (1 - nu) * (strain[:, 0, 0] + strain[:, 1, 1])
    unit = torch.eye(9, dtype=torch.float64)
    eye = torch.eye(3, dtype=torch.float64).flatten()
    compliance = (1 + nu) / E * unit - nu / E * torch.outer(eye, eye)
    return torch.linalg.solve(compliance, padded.reshape(n, 9).T).T.reshape(n, 3, 3)


@pytest.mark.parametrize(("plane", "dim"), PLANES)
def test_elasticity(plane, dim, seed, smooth_fields, d) -> None:
    E, nu = 3.0, 0.31
    frame = Frame(dim)
    force = [0.4, -1.0, 2.0][:dim]
    physics = Elasticity(E, nu, plane, body_force=force)
    made = smooth_fields({"displacement": (dim,)}, frame, seed=seed)
    u, x = made.values["displacement"], made.columns
    slopes = [[d(u[i], x[j]) for j in range(dim)] for i in range(dim)]
    strain = torch.stack(
        [
            torch.stack([0.5 * (slopes[i][j] + slopes[j][i]) for j in range(dim)], -1)
            for i in range(dim)
        ],
        dim=1,
    )
    stress = hooke_stress(strain, E, nu, plane)
    if plane == "stress":
        assert float(stress.detach()[:, 2, 2].abs().max()) < 1e-12
    rows = [sum(d(stress[:, i, j], x[j]) for j in range(dim)) + force[i] for i in range(dim)]
    derived = physics.derived(made.fields, made.x)
    assert_close(physics.residual(made.fields, made.x)["equilibrium"].value, torch.stack(rows, 1))
    assert_close(derived["stress"].value, stress[:, :dim, :dim])
    assert_close(derived["strain"].value, strain)
    deviator = (
        stress - stress.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] / 3 * torch.eye(3).double()
    )
    assert_close(derived["von_mises"].value, (1.5 * deviator.square().sum((1, 2))).sqrt())


@pytest.mark.parametrize(("plane", "dim"), PLANES)
def test_elasticity_is_the_gradient_of_a_positive_energy(plane, dim, smooth_fields) -> None:
    made = smooth_fields({"displacement": (dim,)}, Frame(dim))
    for nu in (-0.9, 0.0, 0.3, 0.49):
        derived = Elasticity(1.0, nu, plane).derived(made.fields, made.x)
        assert float((derived["stress"].value * derived["strain"].value).sum((1, 2)).min()) > 0.0


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_vorticity(frame, smooth_fields, d) -> None:
    physics = NavierStokes()
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame)
    u, x = made.values["velocity"], made.columns
    spin = d(u[1], x[0]) - d(u[0], x[1])
    vorticity = physics.derived(made.fields, made.x)["vorticity"].value
    assert_close(vorticity if frame.space_dim == 2 else vorticity[:, 2], spin)


def test_own_physics_is_the_function(smooth_fields, d) -> None:
    """The Kuramoto-Sivashinsky operator needs derivatives to order four."""
    frame = Frame(1)

    def equations(f, x, m):
        u = f.height
        return m.tension * laplacian(u) + laplacian(laplacian(u)) + m.slope(x) * u * grad(u)[0]

    physics = CustomPhysics(
        fields={"height": ()},
        equations=equations,
        parameters={"tension": 1.5, "slope": lambda x: 1.0 + x.x},
    )
    made = smooth_fields({"height": ()}, frame)
    u, (x,) = made.values["height"], made.columns
    second = d(d(u, x), x)
    expected = 1.5 * second + d(d(second, x), x) + (1.0 + x) * u * d(u, x)
    assert_close(physics.residual(made.fields, made.x)["equation"].value, expected)


def test_own_fluxes_are_passed_through(smooth_fields, d) -> None:
    physics = CustomPhysics(
        fields={"phi": ()},
        equations=lambda f, x, m: laplacian(f.phi),
        fluxes=lambda f, x, m: {"phi": m.a * grad(f.phi)},
        parameters={"a": 4.0},
    )
    made = smooth_fields({"phi": ()}, Frame(2))
    phi, x = made.values["phi"], made.columns
    expected = torch.stack([4.0 * d(phi, column) for column in x], dim=1)
    assert_close(physics.natural_fluxes(made.fields, made.x)["phi"].value, expected)
