"""Velocities from a stream function: free of divergence in SI units, whatever the box and the parameters."""

from __future__ import annotations

import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import satisfied_conditions, satisfied_rows, stream_function_for
from pinnsolve.jets import Coordinates, Jet, div, grad
from pinnsolve.multi_index import lower_set
from pinnsolve.networks import MLP, StreamFunction, Transformed
from pinnsolve.residuals import RowKey
from pinnsolve.scaling import Scaling
from pinnsolve.streams import fields_of_streams

CPU = torch.device("cpu")


def channel(*, unsteady: bool = False, warm: bool = False) -> ps.Problem:
    """A long, thin channel off the origin, in SI units far from one."""
    domain = ps.Rectangle((3.0, 0.01), (7.0, 0.012))
    flow = ps.NavierStokes(density=1000.0, dynamic_viscosity=1e-3)
    physics = (
        ps.Boussinesq(
            flow=flow, conductivity=0.6, specific_heat=4000.0, expansion=2e-4, gravity=(0.0, -9.81)
        )
        if warm
        else flow
    )
    values = {"velocity": [0.3, 0.0], **({"temperature": 5.0} if warm else {})}
    conditions = [ps.Dirichlet(part, **values) for part in domain.parts]
    start = [ps.Initial(**values)] if unsteady else []
    time = ps.TimeInterval(0.0, 2.0) if unsteady else None
    return ps.Problem("channel", domain, physics, [*conditions, *start], time=time)


def made(problem: ps.Problem):
    lower, upper = (torch.tensor(bound, dtype=torch.float64) for bound in problem.bounds)
    sizes = {"pressure": 2e3, "temperature": 5.0}
    scale = torch.tensor([sizes.get(n, 0.3) for n in problem.component_names], dtype=torch.float64)
    scaling = Scaling(lower, upper, torch.zeros_like(scale), scale)
    network = ps.Method(hidden=(6, 5), velocity="stream function").network_for(problem, scaling)
    parameters = network.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=CPU
    )
    return scaling, network, parameters


@pytest.mark.parametrize(
    ("dim", "transform"),
    [
        (2, StreamFunction(3, (0, 1), (2.0, 0.5), (1.0, 3.0))),
        (3, StreamFunction(4, (1, 2), (0.1, 7.0), (1.0, 1.0))),
    ],
)
def test_derivatives_and_jacobian(dim: int, transform: StreamFunction, check_network) -> None:
    check_network(Transformed(MLP(dim, transform.num_inner_outputs, (5, 4)), transform), dim, 2)


@pytest.mark.parametrize("unsteady", [False, True])
@pytest.mark.parametrize("warm", [False, True])
def test_no_divergence_in_si_units(unsteady: bool, warm: bool) -> None:
    problem = channel(unsteady=unsteady, warm=warm)
    scaling, network, parameters = made(problem)
    assert network.transform == stream_function_for(problem, scaling)
    points = 2.0 * torch.rand(200, problem.frame.num_axes, dtype=torch.float64) - 1.0
    indices = lower_set([(0, 0), (0, 1), (1, 1)])
    streams = network.streams(parameters, points, indices)
    f = fields_of_streams(streams, indices, scaling, problem.field_shapes, problem.frame)
    slopes = grad(f.velocity).value
    assert float(div(f.velocity).value.abs().max()) < 1e-14 * float(slopes[:, 0, 0].abs().max())
    assert float(slopes[:, 0, 0].abs().max()) > 0.0
    rows = satisfied_rows(problem, network, scaling)
    assert rows == {RowKey("interior", "continuity")}
    assert satisfied_conditions(problem, network, scaling) == ()


def test_velocity_is_the_curl_of_the_stream_function() -> None:
    problem = channel(warm=True)
    scaling, network, parameters = made(problem)
    points = 2.0 * torch.rand(20, 2, dtype=torch.float64) - 1.0
    order = lower_set([(0,), (1,)])
    inner = dict(zip(order, network.inner.streams(parameters, points, order), strict=True))
    outer = network.streams(parameters, points, ((),))[0]
    velocity = outer[:, :2] * scaling.scale[:2] + scaling.offset[:2]
    psi_y = inner[1,][:, 0] / scaling.half_lengths[1]
    psi_x = inner[0,][:, 0] / scaling.half_lengths[0]
    factor = velocity[:, 0] / psi_y
    torch.testing.assert_close(factor, factor[0].expand(20))
    torch.testing.assert_close(velocity[:, 1], -factor * psi_x)
    assert torch.equal(outer[:, 2:], inner[()][:, 1:])


def test_training_leaves_continuity_out_and_keeps_rows_enough() -> None:
    from pinnsolve.training import train

    problem = ps.catalogue.make_problem("kovasznay")
    method = ps.Method(hidden=(8, 8), max_steps=3, velocity="stream function")
    trained = train(problem, method, seed=0)
    keys = {key for chunk in trained.system.chunks for key, _ in chunk}
    assert RowKey("interior", "continuity") not in keys
    assert RowKey("interior", "momentum_x") in keys
    assert trained.system.num_rows > 2.0 * trained.system.num_parameters
    points = ps.Coordinates(torch.zeros(1, 2, dtype=torch.float64), problem.frame).points.numpy()

    def divergence(f: ps.Fields, x: Coordinates, n: Jet) -> Jet:
        return div(f.velocity)

    assert abs(trained.solution.evaluate(points, divergence)[0]) < 1e-13


def test_a_problem_without_plane_velocity_is_refused() -> None:
    plate = ps.catalogue.make_problem("nafems_t4")
    with pytest.raises(ValueError, match="needs a velocity with two components; Heat in 2-D has"):
        made(plate)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ((3, (0, 0), (1.0, 1.0), (1.0, 1.0)), "two positions among 3 components"),
        ((3, (1, 3), (1.0, 1.0), (1.0, 1.0)), "two positions among 3 components"),
        ((3, (0, 1), (0.0, 1.0), (1.0, 1.0)), "half_lengths and scales must be finite and > 0"),
        ((3, (0, 1), (1.0, 1.0), (1.0, float("nan"))), "must be finite and > 0"),
    ],
)
def test_sizes_must_make_sense(values: tuple, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        StreamFunction(*values)
