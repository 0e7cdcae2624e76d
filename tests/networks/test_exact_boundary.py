"""Exact boundary and initial values: exact on every shape that allows it, refused with the reason elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import exact_boundary_for, satisfied_conditions, satisfied_rows
from pinnsolve.blocks import boundary_block, initial_block, make_blocks
from pinnsolve.conditions import Initial
from pinnsolve.multi_index import VALUE
from pinnsolve.networks import Transformed
from pinnsolve.scaling import Scaling, find_scaling
from pinnsolve.streams import fields_of_streams

CPU = torch.device("cpu")
HEAT = ps.Heat(conductivity=2.0, density=3.0, specific_heat=4.0, source=1.0)
STEADY = ps.Heat(conductivity=2.0, source=1.0)


def wave(x: ps.Coordinates) -> object:
    return 2.0 + ps.sin(3.0 * x[0] + x[x.frame.space_dim - 1]) * ps.exp(0.2 * x[0])


def moving(x: ps.Coordinates) -> object:
    return ps.sin(3.0 * x.x + 2.0 * x.t) + x.t


def given_on(
    domain: ps.Shape, value: object = wave, *others: ps.Condition, unsteady: bool = False
) -> ps.Problem:
    """Heat with one value on every part that ``others`` do not name."""
    taken = {condition.part for condition in others}
    conditions = [ps.Dirichlet(p, temperature=value) for p in domain.parts if p not in taken]
    time = ps.TimeInterval(1.0, 3.0) if unsteady else None
    start = [ps.Initial(temperature=value)] if unsteady else []
    physics = HEAT if unsteady else STEADY
    return ps.Problem("given", domain, physics, [*others, *conditions, *start], time=time)


def plate() -> ps.Rectangle:
    return ps.Rectangle((1.0, -2.0), (1.5, 3.0))


def ring() -> ps.Problem:
    domain = ps.Disk((1.0, 2.0), 2.0, name="outer") - ps.Disk((1.2, 2.0), 0.5, name="inner")
    hot = ps.Dirichlet("inner", temperature=lambda x: 5.0 + x.y)
    return given_on(domain, 1.0, hot)


def mixed() -> ps.Problem:
    loose = [ps.Insulated("left"), ps.Convection("right", coefficient=5.0, ambient=1.0)]
    return given_on(plate(), lambda x: x.x * x.y, *loose)


def tube() -> ps.Problem:
    domain = ps.Cylinder((0.0, 0.0, 0.0), 0.5, 2.0)
    return given_on(domain, lambda x: x.z, ps.Insulated("side"))


def flow() -> ps.Problem:
    domain = plate()
    walls = [ps.NoSlip("bottom"), ps.NoSlip("top")]
    inlet = ps.Inlet("left", velocity=lambda x: [(x.y + 2.0) * (3.0 - x.y), 0.0])
    physics = ps.NavierStokes(density=1.0, dynamic_viscosity=0.1)
    return ps.Problem("flow", domain, physics, [*walls, inlet, ps.Outlet("right")])


def block() -> ps.Problem:
    domain = ps.Box((0.0, 0.0, 0.0), (1.0, 0.5, 0.75))
    sides = [ps.Traction(part) for part in domain.parts if part not in ("left", "right")]
    lid = ps.Dirichlet("right", displacement=[0.0, 0.0, 1e-3])
    physics = ps.Elasticity(youngs_modulus=1e9, poissons_ratio=0.3)
    return ps.Problem("block", domain, physics, [ps.Fixed("left"), *sides, lid])


FAMILY: dict[str, tuple[Callable[[], ps.Problem], int]] = {
    "interval": (lambda: given_on(ps.Interval(100.0, 101.0)), 2),
    "unsteady interval": (lambda: given_on(ps.Interval(0.0, 0.1), moving, unsteady=True), 3),
    "rectangle": (lambda: given_on(plate()), 4),
    "unsteady rectangle": (lambda: given_on(plate(), moving, unsteady=True), 5),
    "box": (lambda: given_on(ps.Box((0.0, 1.0, 2.0), (1.0, 3.0, 5.0))), 6),
    "disk": (lambda: given_on(ps.Disk((1.0, 2.0), 3.0)), 1),
    "unsteady disk": (lambda: given_on(ps.Disk((1.0, 2.0), 3.0), moving, unsteady=True), 2),
    "ellipse": (lambda: given_on(ps.Ellipse((1.0, 2.0), (3.0, 1.0), 0.4)), 1),
    "sphere": (lambda: given_on(ps.Sphere((1.0, 2.0, 3.0), 0.1)), 1),
    "cylinder": (tube, 2),
    "triangle": (lambda: given_on(ps.Polygon([(0.0, 0.0), (2.0, 0.0), (1.0, 2.0)])), 3),
    "ring": (ring, 2),
    "some sides": (mixed, 2),
    "flow": (flow, 3),
    "block": (block, 2),
}


def scaling_of(problem: ps.Problem) -> Scaling:
    return find_scaling(problem, make_blocks(problem, ps.PointCounts(64, 64, 64), seed=0))


def network_of(problem: ps.Problem, scaling: Scaling) -> Transformed:
    network = ps.Method(hidden=(6, 5), boundary="exact").network_for(problem, scaling)
    assert isinstance(network, Transformed)
    return network


def misfit(problem: ps.Problem, scaling: Scaling, network: Transformed, condition) -> float:
    """Largest misfit of a condition, relative to the scale of its component, for random parameters."""
    parameters = 3.0 * torch.randn(network.num_parameters, dtype=torch.float64)
    if isinstance(condition, Initial):
        at = initial_block(problem, condition, 200, 3)
    else:
        at = boundary_block(problem, condition, 200, 3)
    streams = network.streams(parameters, scaling.to_unit(at.point_sets[0]), (VALUE,))
    f = fields_of_streams(streams, (VALUE,), scaling, problem.field_shapes, problem.frame)
    rows = at.rows((f,), at.coordinates(problem.frame), {})
    names = problem.component_names
    return max(
        float((row.value / scaling.scale[names.index(name)]).abs().max())
        for name, row in rows.items()
    )


@pytest.mark.parametrize("name", FAMILY)
def test_given_values_are_exact(name: str) -> None:
    make, count = FAMILY[name]
    problem = make()
    scaling = scaling_of(problem)
    network = network_of(problem, scaling)
    met = satisfied_conditions(problem, network, scaling)
    assert len(met) == count
    for i in met:
        assert misfit(problem, scaling, network, problem.conditions[i]) <= 1e-13
    assert not any(key.block == "interior" for key in satisfied_rows(problem, network, scaling))


@pytest.mark.parametrize("name", FAMILY)
def test_derivatives_and_jacobian(name: str, check_network) -> None:
    problem = FAMILY[name][0]()
    check_network(network_of(problem, scaling_of(problem)), problem.frame.num_axes, 2)


@pytest.mark.parametrize("name", ["rectangle", "disk", "ring", "unsteady interval", "cylinder"])
def test_the_slope_at_the_boundary_stays_free(name: str) -> None:
    problem = FAMILY[name][0]()
    scaling = scaling_of(problem)
    network = network_of(problem, scaling)
    for condition in problem.conditions:
        if isinstance(condition, ps.Insulated | Initial):
            continue
        at = boundary_block(problem, condition, 50, 3)
        unit = scaling.to_unit(at.point_sets[0])
        item = network.transform.components[0]
        u = ps.Coordinates(unit, problem.frame)
        slopes = torch.stack([item.distance(u).d(a) for a in range(problem.domain.dim)], dim=1)
        across = (slopes / scaling.half_lengths[: problem.domain.dim] * at.normals).sum(dim=1)
        assert float(across.abs().max()) > 0.05


def test_equal_constants_are_continued_as_that_constant() -> None:
    problem = given_on(plate(), 7.0)
    transform = exact_boundary_for(problem, scaling_of(problem))
    u = ps.Coordinates(2.0 * torch.rand(9, 2, dtype=torch.float64) - 1.0, problem.frame)
    assert bool((transform.components[0].values.jet(u).value == 7.0).all())


def test_coons_reproduces_bilinear_values() -> None:
    problem = given_on(plate(), lambda x: 1.0 + x.x - 2.0 * x.y + 3.0 * x.x * x.y)
    scaling = scaling_of(problem)
    transform = exact_boundary_for(problem, scaling)
    unit = 2.0 * torch.rand(50, 2, dtype=torch.float64) - 1.0
    x, y = (scaling.half_lengths * unit + 0.5 * (scaling.lower + scaling.upper)).unbind(1)
    found = transform.components[0].values.jet(ps.Coordinates(unit, problem.frame)).value
    torch.testing.assert_close(found, 1.0 + x - 2.0 * y + 3.0 * x * y)


def test_components_that_nothing_gives_pass_unchanged() -> None:
    problem = flow()
    network = network_of(problem, scaling_of(problem))
    assert [item is None for item in network.transform.components] == [False, False, True]
    parameters = torch.randn(network.num_parameters, dtype=torch.float64)
    points = torch.rand(5, 2, dtype=torch.float64)
    pressure = network.streams(parameters, points, ((), (0,)))[:, :, 2]
    assert torch.equal(pressure, network.inner.streams(parameters, points, ((), (0,)))[:, :, 2])


def test_it_is_a_value_made_the_same_way_again() -> None:
    problem = mixed()
    scaling = scaling_of(problem)
    first, again = (network_of(problem, scaling) for _ in range(2))
    assert first == again
    assert repr(first) == repr(again)
    assert " at 0x" not in repr(first)


def test_single_precision_stays_single() -> None:
    problem = ring()
    scaling = scaling_of(problem).to(dtype=torch.float32, device=CPU)
    network = network_of(problem, scaling)
    parameters = torch.randn(network.num_parameters, dtype=torch.float32)
    points = torch.rand(5, 2, dtype=torch.float32) * 0.5
    assert network.streams(parameters, points, ((), (0,))).dtype == torch.float32


def test_training_needs_no_rows_for_what_is_exact() -> None:
    from pinnsolve.training import train

    problem = given_on(plate(), wave)
    method = ps.Method(hidden=(8, 8), max_steps=6, resample_every=3, boundary="exact")
    trained = train(problem, method, seed=0)
    assert {block.kind for block in trained.system.blocks} == {"interior"}
    edge = problem.domain.sample_part("left", 20, seed=1).points
    expected = wave(ps.Coordinates(torch.tensor(edge), problem.frame)).value.numpy()
    assert np.abs(trained.solution.at(edge).temperature - expected).max() < 1e-13
    assert trained.solution.record.history[-1].loss < trained.solution.record.history[0].loss


def unknown_value() -> ps.Problem:
    value = ps.Unknown("T0", 1.0)
    readings = ps.Measurements([[1.2, 0.0]], {"temperature": [1.0]}, sigma=0.1)
    conditions = [ps.Dirichlet(part, temperature=value) for part in plate().parts]
    return ps.Problem("sought", plate(), STEADY, conditions, measurements=readings)


def split_side() -> ps.Problem:
    domain = plate().with_part("low", of="left", where=lambda p: p[:, 1] < 0.0)
    loose = [ps.Insulated(p) for p in ("low", "right", "bottom", "top")]
    return given_on(domain, 1.0, *loose)


def notch() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (2.0, 2.0)) - ps.Rectangle((1.0, 1.0), (2.5, 2.5))
    return given_on(domain, wave)


def table(x: ps.Coordinates) -> object:
    return ps.Tabulated(("y",), [[-2.0], [0.0], [3.0]], [0.0, 1.0, 0.0])(x)


def kinked(x: ps.Coordinates) -> object:
    return ps.where(x.y > 0.1, x.y - 0.1, 0.0)


REFUSED: dict[str, tuple[Callable[[], ps.Problem], str]] = {
    "nothing given": (
        lambda: ps.catalogue.make_problem("nafems_le1"),
        "has no condition that gives values without unknowns",
    ),
    "unknown": (unknown_value, "has no condition that gives values without unknowns"),
    "split side": (split_side, "'left' and 'low' lie on one surface, but temperature is given on"),
    "notch": (notch, "goes on through the inside of the domain, where temperature is not given"),
    "corner": (
        lambda: given_on(plate(), 1.0, ps.Dirichlet("left", temperature=0.0)),
        "disagrees by 1 with what is given where it meets another part",
    ),
    "start": (
        lambda: replace(
            given_on(plate(), 1.0, unsteady=True),
            conditions=[
                *(ps.Dirichlet(p, temperature=1.0) for p in plate().parts),
                ps.Initial(temperature=0.0),
            ],
        ),
        "disagrees by 1 with what is given where it meets another part",
    ),
    "table": (lambda: given_on(plate(), table), "is not smooth along y"),
    "kink": (lambda: given_on(plate(), kinked), "is not smooth along y"),
    "triangle": (
        lambda: given_on(
            ps.Polygon([(0.0, 0.0), (2.0, 0.0), (1.0, 2.0)]),
            1.0,
            ps.Dirichlet("side0", temperature=lambda x: 1.0 + x.x * (2.0 - x.x)),
        ),
        "this is not a box, so no smooth function takes both",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_why_and_what_to_do(name: str) -> None:
    make, match = REFUSED[name]
    problem = make()
    with pytest.raises(ValueError, match=match) as caught:
        exact_boundary_for(problem, scaling_of(problem))
    assert "use boundary='penalty'" in str(caught.value)


def test_a_mesh_of_curved_sides_is_refused() -> None:
    problem = ps.catalogue.make_problem("nafems_le1")
    mesh = problem.domain
    curved = ps.Problem(
        "curved", mesh, STEADY, [ps.Dirichlet(part, temperature=1.0) for part in mesh.parts]
    )
    with pytest.raises(ValueError, match="lies on no plane, ellipse, sphere or cylinder"):
        exact_boundary_for(curved, scaling_of(curved))


def test_exact_values_and_stream_functions_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        ps.Method(boundary="exact", velocity="stream function")


def test_the_scaling_is_needed() -> None:
    with pytest.raises(ValueError, match=r"network_for\(problem, scaling\)"):
        ps.Method(boundary="exact").network_for(mixed())


def test_pi_is_as_exact_as_the_point() -> None:
    """A circle about the origin of a far coordinate system is met to the rounding of its points."""
    problem = given_on(ps.Disk((1000.0, 0.0), math.pi), lambda x: x.y)
    scaling = scaling_of(problem)
    network = network_of(problem, scaling)
    assert misfit(problem, scaling, network, problem.conditions[0]) < 1e-11
