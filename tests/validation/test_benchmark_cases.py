"""The cases ask both tools for the same thing: truth, equations, conditions, sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pinnsolve.validation.benchmarks import truth
from pinnsolve.validation.benchmarks.cases import CASE_NAMES, Case, case_named
from pinnsolve.validation.benchmarks.classical import run_classical
from pinnsolve.validation.benchmarks.own import run_own
from pinnsolve.validation.benchmarks.peer_models import PEERS, PeerSettings

import pinnsolve as ps

PI = math.pi
TINY = PeerSettings((3,), 4, 4, 4, 1, "for a test")


@pytest.fixture(scope="module", params=CASE_NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return case_named(request.param)


def test_truth_is_given_at_points_of_the_domain(case: Case) -> None:
    problem = case.problem()
    assert problem.name == case.name
    assert len(case.points) == len(case.truth) >= 900
    assert np.isfinite(case.truth).all()
    space = case.points[:, : problem.domain.dim]
    assert problem.domain.contains(space, 1e-9).all()
    lower, upper = problem.bounds
    assert ((case.points >= lower) & (case.points <= upper)).all()


def test_error_is_relative(case: Case) -> None:
    assert case.error(lambda points: case.truth) == 0.0
    assert case.error(lambda points: 0.0 * case.truth) == 1.0
    assert case.error(lambda points: 1.25 * case.truth) == pytest.approx(0.25)


def test_sizes_said_to_be_the_default_are(case: Case) -> None:
    problem, settings = case.problem(), PEERS[case.name][1]
    if "same network" in settings.reason:
        network = ps.Method().network_for(problem)
        points = ps.Method().points_for(problem, network)
        assert network.hidden == settings.hidden
        assert (points.interior, points.boundary) == (settings.num_domain, settings.num_boundary)


def test_unknown_case() -> None:
    with pytest.raises(ValueError, match=r"no benchmark case 'burger'.*Did you mean 'burgers'"):
        case_named("burger")


def test_rod_series() -> None:
    """The target of the standard; the ends; and the equation by central differences."""
    assert truth.rod_temperature(np.array([[0.08, 32.0]]))[0, 0] == pytest.approx(
        36.603116, abs=1e-4
    )
    ends = truth.rod_temperature(np.array([[0.0, 9.0], [0.1, 9.0]]))[:, 0]
    np.testing.assert_allclose(ends, [0.0, 100 * math.sin(PI / 40 * 9)], atol=1e-9)
    late = np.column_stack((np.linspace(0.0, 0.1, 11), np.linspace(1.0, 32.0, 11)))
    np.testing.assert_allclose(
        truth.rod_temperature(late, 100), truth.rod_temperature(late, 2000), atol=1e-6
    )
    h, step = 1e-3, 1e-2
    left, here, right = (
        truth.rod_temperature(np.array([[x, 20.0]])) for x in (0.06 - h, 0.06, 0.06 + h)
    )
    before, after = (truth.rod_temperature(np.array([[0.06, t]])) for t in (20 - step, 20 + step))
    diffusion = 35.0 / (7200.0 * 440.5) * (left - 2 * here + right) / h**2
    assert diffusion == pytest.approx((after - before) / (2 * step), rel=1e-3)


def test_kirsch_stress_is_that_of_the_declared_displacement() -> None:
    case = case_named("kirsch")
    problem = case.problem()
    assert problem.exact is not None
    x = ps.Coordinates(torch.as_tensor(case.points), problem.frame)
    exact: Any = problem.exact(x)["displacement"]
    f = ps.Fields({"displacement": ps.Jet((2,), tuple(e.parts[0] for e in exact), problem.frame)})
    physics: Any = problem.physics
    stress = physics.stress(f, x).value.numpy()
    found = np.stack([stress[:, i, j] for i, j in ((0, 0), (1, 1), (0, 1))], axis=1)
    assert np.abs(found - case.truth).max() < 1e-11 * 10e6


def test_compared_columns_of_a_solution() -> None:
    case = case_named("kirsch")
    found = run_own(
        case,
        seed=0,
        max_seconds=60.0,
        method=ps.Method(hidden=(4,), points=ps.PointCounts(30, 20), max_steps=2),
    )
    assert len(found["errors"]) == len(found["seconds"]) == found["num_iterations"] == 2
    assert found["seconds"] == sorted(found["seconds"])
    assert found["stopped"] == "max_steps"


def test_finite_differences_on_growing_grids() -> None:
    found = run_classical(case_named("poisson"), max_seconds=3.0)
    for order in (2, 4):
        errors = [grid["error"] for grid in found["grids"] if grid["order"] == order]
        assert errors[0] / errors[1] > 0.8 * 2**order
    assert found["errors"] == sorted(found["errors"], reverse=True)


def test_no_finite_differences_around_a_hole() -> None:
    found = run_classical(case_named("kirsch"), max_seconds=0.5)
    assert found["grids"] == found["errors"] == []
    assert "not an axis-aligned box" in found["reason"]


Function = Callable[[torch.Tensor], torch.Tensor]


def kirsch_fields(x: torch.Tensor) -> torch.Tensor:
    """Displacement and stress in units of a, S and E."""
    nu, r2 = 0.3, (x**2).sum(dim=1, keepdim=True)
    kappa, near = (3 - nu) / (1 + nu), 1.0 / r2
    a, b = x[:, 0:1], x[:, 1:2]
    c3, s3 = (a**2 - 3 * b**2) / r2, (3 * a**2 - b**2) / r2
    scale = (1 + nu) / 4
    u = scale * a * (kappa + 1 + 2 * near * (kappa + 1 + c3) - 2 * near**2 * c3)
    v = scale * b * (kappa - 3 + 2 * near * (1 - kappa + s3) - 2 * near**2 * s3)
    angle = torch.atan2(b, a)
    c2, s2, c4, s4 = (
        torch.cos(2 * angle),
        torch.sin(2 * angle),
        torch.cos(4 * angle),
        torch.sin(4 * angle),
    )
    xx = 1 - near * (1.5 * c2 + c4) + 1.5 * near**2 * c4
    yy = -near * (0.5 * c2 - c4) - 1.5 * near**2 * c4
    xy = -near * (0.5 * s2 + s4) + 1.5 * near**2 * s4
    return torch.cat((u, v, xx, yy, xy), dim=1)


def kovasznay_fields(x: torch.Tensor) -> torch.Tensor:
    rate = 20 - math.sqrt(400 + 4 * PI**2)
    a, b = x[:, 0:1], x[:, 1:2]
    decay = torch.exp(rate * a)
    u, v = 1 - decay * torch.cos(2 * PI * b), rate / (2 * PI) * decay * torch.sin(2 * PI * b)
    return torch.cat((u, v, 0.5 * (1 - decay**2)), dim=1)


def rod_mode(x: torch.Tensor) -> torch.Tensor:
    """A decaying sine, in the peer's units."""
    rate = 35.0 / (7200.0 * 440.5) * 32.0 / 0.1**2 * PI**2
    return torch.sin(PI * x[:, 0:1]) * torch.exp(-rate * x[:, 1:2])


def burgers_wave(x: torch.Tensor) -> torch.Tensor:
    """A travelling wave of speed 1/2: u = (1 - tanh((x - t / 2) / (4 nu))) / 2."""
    return 0.5 * (1 - torch.tanh((x[:, 0:1] - 0.5 * x[:, 1:2]) / (4 * 0.01 / PI)))


def allen_cahn_wave(x: torch.Tensor) -> torch.Tensor:
    """A standing wall: u = tanh(x sqrt(5 / (2 d)))."""
    return torch.tanh(x[:, 0:1] * math.sqrt(5 / 0.002))


EXACT: dict[str, Function] = {
    "poisson": lambda x: torch.sin(PI * x[:, 0:1]) * torch.sin(PI * x[:, 1:2]),
    "heat_rod": rod_mode,
    "kirsch": kirsch_fields,
    "kovasznay": kovasznay_fields,
    "burgers": burgers_wave,
    "helmholtz": lambda x: torch.sin(PI * x[:, 0:1]) * torch.sin(4 * PI * x[:, 1:2]),
    "allen_cahn": allen_cahn_wave,
}


def recorder() -> Any:
    """Stand in for the peer: derivatives by autograd, everything else kept as it was passed."""

    def jacobian(y: torch.Tensor, x: torch.Tensor, i: int = 0, j: int = 0) -> torch.Tensor:
        (found,) = torch.autograd.grad(y[:, i].sum(), x, create_graph=True)
        return found[:, j : j + 1]

    def hessian(
        y: torch.Tensor, x: torch.Tensor, component: int = 0, i: int = 0, j: int = 0
    ) -> torch.Tensor:
        return jacobian(jacobian(y, x, component, i), x, 0, j)

    def kept(*values: object, **options: object) -> Any:
        return SimpleNamespace(
            values=values, options=options, on_boundary=None, apply_output_transform=lambda f: None
        )

    names = ("Rectangle", "Disk", "CSGDifference", "Interval", "TimeDomain", "GeometryXTime")
    return SimpleNamespace(
        grad=SimpleNamespace(jacobian=jacobian, hessian=hessian),
        geometry=SimpleNamespace(**dict.fromkeys(names, kept)),
        icbc=SimpleNamespace(DirichletBC=kept, IC=kept, OperatorBC=kept, PointSetBC=kept),
        data=SimpleNamespace(PDE=kept, TimePDE=kept),
        nn=SimpleNamespace(FNN=kept),
    )


@pytest.mark.parametrize("name", EXACT)
def test_peer_solves_the_same_equation(name: str) -> None:
    """An exact solution of the equation leaves no residual in the peer's own words."""
    made = PEERS[name][0](recorder(), torch, TINY)
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand((50, 2), generator=generator, dtype=torch.float64)
    x = (1.5 * unit + (1.0 if name == "kirsch" else -0.5)).requires_grad_()
    residuals = made.data.values[1](x, EXACT[name](x))
    for residual in residuals if isinstance(residuals, list) else [residuals]:
        assert float(residual.detach().abs().max()) < 1e-9


@pytest.mark.parametrize("name", ["kirsch", "kovasznay"])
def test_peer_is_given_the_same_boundary_values(name: str) -> None:
    made = PEERS[name][0](recorder(), torch, TINY)
    box = {"kirsch": ((0.0, 4.0), (0.0, 4.0)), "kovasznay": ((-0.5, 1.0), (-0.5, 1.5))}[name]
    checked = 0
    for axis, at in ((k, end) for k in (0, 1) for end in box[k]):
        along = (
            np.linspace(*box[1 - axis], 7)[1:-1]
            if name == "kovasznay"
            else np.linspace(1.2, 3.8, 5)
        )
        points = np.empty((5, 2))
        points[:, axis], points[:, 1 - axis] = at, along
        exact = EXACT[name](torch.as_tensor(points)).numpy()
        for condition in made.data.values[2]:
            if "component" not in condition.options:
                continue  # the free hole
            _, given, where = condition.values
            if where(points[0], True):
                column = exact[:, condition.options["component"]]
                np.testing.assert_allclose(
                    np.broadcast_to(given(points), (5, 1))[:, 0], column, atol=1e-12
                )
                checked += 1
    assert checked == {"kirsch": 8, "kovasznay": 9}[name]
