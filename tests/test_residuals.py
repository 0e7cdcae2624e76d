"""The least-squares system: rows against their fields, Jacobian against autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import (
    Convection,
    Dirichlet,
    Fixed,
    Initial,
    Insulated,
    NoSlip,
    Outlet,
    Periodic,
    Symmetry,
    Traction,
)
from pinnsolve.geometry import Box, Interval, Rectangle, TimeInterval
from pinnsolve.jets import as_jet, div, grad, sin
from pinnsolve.measurements import Measurements
from pinnsolve.networks import MLP
from pinnsolve.optimise.gram import normal_equations
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.scaling import Scaling, find_scaling
from pinnsolve.streams import fields_of_streams, needed_streams
from pinnsolve.unknowns import Unknown

PLATE = Rectangle((0.0, 0.0), (0.6, 1.0))
SENSORS = np.array([[0.1, 0.2], [0.3, 0.7], [0.5, 0.5]])


def measured(**values: float) -> Measurements:
    columns = {name: value + np.arange(3.0) for name, value in values.items()}
    return Measurements(SENSORS, columns, sigma=np.array([0.1, 0.2, 0.3]))


def heat() -> Problem:
    return Problem(
        "heat",
        PLATE,
        Heat(Unknown("k", 52.0, bounds=(1.0, 500.0)), source=100.0),
        [
            Dirichlet("bottom", temperature=100.0),
            Insulated("left"),
            Convection("right", Unknown("h", 750.0), 0.0),
            Convection("top", 750.0, 10.0),
        ],
        measurements=measured(temperature=20.0),
    )


def flow() -> Problem:
    return Problem(
        "flow",
        PLATE,
        NavierStokes(1.2, Unknown("mu", 0.02, bounds=(1e-3, 1.0))),
        [
            Dirichlet("left", velocity=lambda x: [x.y * (1.0 - x.y), 0.0]),
            NoSlip("top"),
            NoSlip("bottom"),
            Outlet("right"),
        ],
        measurements=measured(velocity_x=0.1),
    )


def solid() -> Problem:
    return Problem(
        "solid",
        PLATE,
        Elasticity(Unknown("E", 2e5), Unknown("nu", 0.3, bounds=(0.0, 0.5)), "stress"),
        [
            Fixed("bottom"),
            Symmetry("left"),
            Traction("right", pressure=3.0),
            Traction("top", [Unknown("pull", 5.0), 1.0]),
        ],
        measurements=measured(displacement_y=1e-5),
    )


def ring() -> Problem:
    """Unsteady, periodic, advected: two point sets for a block, and time."""
    return Problem(
        "ring",
        Interval(0.0, 2.0),
        Heat(0.3, density=1.5, specific_heat=2.0, source=lambda x: sin(3.0 * x.x)),
        [Periodic("left", "right"), Initial(temperature=lambda x: sin(math.pi * x.x))],
        time=TimeInterval(1.0, 1.5),
    )


def cell() -> Problem:
    return Problem(
        "cell",
        Rectangle((0.0, 0.0), (1.0, 1.0)),
        Boussinesq(NavierStokes(1.0, 0.1), 0.2, 1.5, 0.5, (0.0, -9.81)),
        [
            NoSlip("left"),
            NoSlip("right"),
            Dirichlet("left", temperature=1.0),
            Dirichlet("right", temperature=0.0),
            Periodic("bottom", "top"),
        ],
    )


def block_of_steel() -> Problem:
    return Problem(
        "block",
        Box((0.0, 0.0, 0.0), (1.0, 2.0, 1.0)),
        Elasticity(2.0, 0.3),
        [
            Fixed("left"),
            Traction("right", [1.0, 0.0, 0.0]),
            *(Symmetry(part) for part in ("bottom", "top", "front", "back")),
        ],
    )


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "heat": heat,
    "flow": flow,
    "solid": solid,
    "ring": ring,
    "cell": cell,
    "block": block_of_steel,
}
COUNTS = PointCounts(20, 40, 12)


@cache
def scaling_of(name: str, seed: int) -> Scaling:
    problem = PROBLEMS[name]()
    return find_scaling(problem, make_blocks(problem, COUNTS, seed=seed))


def system_of(problem: Problem, *, seed: int = 0, max_points: int = 4096) -> tuple[System, Tensor]:
    blocks = make_blocks(problem, COUNTS, seed=seed)
    scaling = (
        scaling_of(problem.name, seed)
        if problem.name in PROBLEMS
        else find_scaling(problem, blocks)
    )
    net = MLP(problem.frame.num_axes, len(problem.component_names), (5, 4))
    system = build_system(
        blocks, problem.field_shapes, problem.frame, net, scaling, problem.unknowns,
        max_points=max_points,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    parameters = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    starts = torch.tensor([u.start + 0.1 for u in problem.unknowns], dtype=torch.float64)
    return system, torch.cat((parameters, starts))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", PROBLEMS)
def test_jacobian_rows(name, seed) -> None:
    system, theta = system_of(PROBLEMS[name](), seed=seed)
    pairs = list(system.linearised(theta))
    rows, jacobian = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    assert rows.shape == (system.num_rows,)
    assert jacobian.shape == (system.num_rows, system.num_parameters)
    expected_rows = system.residual(theta)
    torch.testing.assert_close(
        rows, expected_rows, rtol=1e-12, atol=1e-13 * float(rows.abs().max())
    )
    expected = torch.func.jacrev(system.residual)(theta)
    size = expected.norm(dim=1, keepdim=True)
    assert float(((jacobian - expected).abs() / size).max()) < 1e-10
    assert not rows.requires_grad
    assert not jacobian.requires_grad


@pytest.mark.parametrize("name", ["heat", "solid", "flow"])
def test_every_unknown_moves_some_row(name) -> None:
    problem = PROBLEMS[name]()
    system, theta = system_of(problem)
    jacobian = torch.cat([j for _, j in system.linearised(theta)])
    columns = jacobian[:, system.network.num_parameters :]
    assert columns.shape[1] == len(problem.unknowns) > 0
    assert (columns.abs().max(dim=0).values > 0).all()


@pytest.mark.parametrize("max_points", [3, 16])
@pytest.mark.parametrize("name", PROBLEMS)
def test_chunks_change_nothing(name, max_points) -> None:
    problem = PROBLEMS[name]()
    whole, theta = system_of(problem)
    cut, _ = system_of(problem, max_points=max_points)
    assert len(cut.blocks) > len(whole.blocks)
    ours, theirs = cut.rows_by_key(theta), whole.rows_by_key(theta)
    assert ours.keys() == theirs.keys()
    for key, rows in ours.items():
        torch.testing.assert_close(rows, theirs[key], rtol=1e-11, atol=1e-12)
    sums = [normal_equations(s.linearised(theta), s.num_parameters) for s in (cut, whole)]
    # a gram matrix is its lower triangle; the order of the rows is a matter of the chunks
    views = ((gram.tril(), slope, all_rows.sort().values) for gram, slope, all_rows in sums)
    for a, b in zip(*views, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12 * float(b.abs().max()))


@pytest.mark.parametrize("max_points", [7, 16, 33])
@pytest.mark.parametrize("name", PROBLEMS)
def test_no_batch_has_more_points_than_allowed(name, max_points) -> None:
    system, _ = system_of(PROBLEMS[name](), max_points=max_points)
    assert max(group.num_points for group in system.groups) <= max_points


@pytest.mark.parametrize("max_points", [9, 4096])
@pytest.mark.parametrize("name", PROBLEMS)
def test_rows_come_in_one_order_everywhere(name, max_points) -> None:
    system, theta = system_of(PROBLEMS[name](), max_points=max_points)
    found: dict[RowKey, list[Tensor]] = {}
    linearised = list(system.linearised(theta))
    for members, (rows, _) in zip(system.chunks, linearised, strict=True):
        for (key, _), piece in zip(members, rows.split([n for _, n in members]), strict=True):
            found.setdefault(key, []).append(piece)
    by_key = system.rows_by_key(theta)
    assert found.keys() == by_key.keys()
    for key, pieces in found.items():
        torch.testing.assert_close(torch.cat(pieces), by_key[key], rtol=1e-12, atol=1e-13)
    together = torch.cat([rows for rows, _ in linearised])
    torch.testing.assert_close(system.residual(theta), together, rtol=1e-12, atol=1e-13)


def test_rows_are_the_equations_at_the_points() -> None:
    """The energy equation of the heat problem, written with nested autograd in SI units."""
    problem = heat()
    system, theta = system_of(problem)
    interior = next(b for b in system.blocks if b.kind == "interior")
    points = interior.point_sets[0].clone().requires_grad_()
    parameters = theta[: system.network.num_parameters]
    unit = system.scaling.to_unit(points)
    raw = system.network.streams(parameters, unit, ((),))[0, :, 0]
    temperature = system.scaling.offset[0] + system.scaling.scale[0] * raw
    k = problem.unknowns[0].value(theta[-2])
    (slope,) = torch.autograd.grad(temperature.sum(), points, create_graph=True)
    second = sum(
        torch.autograd.grad(slope[:, i].sum(), points, create_graph=True)[0][:, i] for i in range(2)
    )
    expected = (-k * second - 100.0) / math.sqrt(20.0)
    found = system.rows_by_key(theta)[RowKey("interior", "energy")]
    torch.testing.assert_close(found, expected.detach(), rtol=1e-10, atol=1e-10)


def test_periodic_rows_compare_the_two_ends() -> None:
    system, theta = system_of(ring())
    pair = next(b for b in system.blocks if b.kind == "periodic")
    here, there = pair.point_sets
    torch.testing.assert_close(there[:, 0] - here[:, 0], torch.full_like(here[:, 0], 2.0))
    assert torch.equal(here[:, 1], there[:, 1])
    ends = []
    for points in (here, there):
        streams = system.network.streams(theta, system.scaling.to_unit(points), ((), (0,)))
        ends.append(system.fields(streams, ((), (0,))).temperature)
    rows = system.rows_by_key(theta)
    root = math.sqrt(len(here))
    value = (ends[0].value - ends[1].value) / root
    slope = -(ends[0].d(0) - ends[1].d(0)) / root  # the outward normal on the left is -1
    torch.testing.assert_close(rows[RowKey(pair.name, "temperature")], value)
    torch.testing.assert_close(rows[RowKey(pair.name, "temperature slope")], slope)


def test_fields_of_streams_follow_the_chain_rule() -> None:
    scaling = Scaling(
        torch.tensor([1.0, -2.0]).double(),
        torch.tensor([3.0, 6.0]).double(),
        torch.tensor([5.0, 0.0]).double(),
        torch.tensor([10.0, 2.0]).double(),
    )
    problem_frame = heat().frame
    indices = ((), (0,), (1,), (0, 1))
    streams = torch.arange(16.0).double().reshape(4, 2, 2)
    f = fields_of_streams(streams, indices, scaling, {"a": (), "b": ()}, problem_frame)
    assert torch.equal(f.a.value, 5.0 + 10.0 * streams[0, :, 0])
    assert torch.equal(f.a.d(0), 10.0 * streams[1, :, 0])
    assert torch.equal(f.b.d(1), 2.0 / 4.0 * streams[2, :, 1])
    assert torch.equal(f.b.d(1, 0), 2.0 / 4.0 * streams[3, :, 1])


def test_measured_rows_are_divided_by_their_noise() -> None:
    system, theta = system_of(heat())
    points = torch.tensor(SENSORS)
    value = system.network.streams(
        theta[: system.network.num_parameters], system.scaling.to_unit(points), ((),)
    )
    expected = system.fields(value, ((),)).temperature.value - torch.tensor([20.0, 21.0, 22.0])
    rows = system.rows_by_key(theta)[RowKey("measurements", "temperature")]
    torch.testing.assert_close(rows, expected / torch.tensor([0.1, 0.2, 0.3]).double())


def test_scaling_maps_the_box_to_the_unit_cube() -> None:
    problem = ring()
    scaling = find_scaling(problem, make_blocks(problem, COUNTS, seed=0))
    corners = torch.tensor([[0.0, 1.0], [2.0, 1.5], [1.0, 1.25]], dtype=torch.float64)
    assert scaling.to_unit(corners).tolist() == [[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]


def test_blocks_ask_only_for_the_streams_they_need() -> None:
    problem = heat()
    values = {u.name: u.initial for u in problem.unknowns}
    wanted = {}
    for block in make_blocks(problem, COUNTS, seed=0):
        indices, _ = needed_streams(block, problem.field_shapes, problem.frame, values)
        wanted[block.name] = indices
    assert wanted["interior"] == ((), (0,), (1,), (0, 0), (1, 1))
    assert wanted["bottom: Dirichlet temperature"] == ((),)
    assert wanted["right: Convection"] == ((), (0,), (1,))
    assert wanted["measurements"] == ((),)


def test_an_unknown_that_starts_at_zero_is_not_taken_for_a_structural_zero() -> None:
    def advection(f, x, m):
        return as_jet(m.speed, x.frame) * grad(f.u)[0] + f.u

    problem = Problem(
        "advection",
        PLATE,
        CustomPhysics({"u": ()}, advection, {"speed": Unknown("speed", 0.0, bounds=(-1.0, 1.0))}),
        [Dirichlet(part, u=1.0) for part in PLATE.parts],
        measurements=measured(u=1.0),
    )
    system, theta = system_of(problem)
    expected = torch.func.jacrev(system.residual)(theta)
    jacobian = torch.cat([j for _, j in system.linearised(theta)])
    torch.testing.assert_close(jacobian, expected, rtol=1e-9, atol=1e-12)


def test_two_conditions_on_one_part_weigh_as_much_as_one() -> None:
    def plate(*conditions) -> System:
        others = [Traction(part, [1.0, 0.0]) for part in ("right", "top", "bottom")]
        physics = Elasticity(1.0, 0.3, "stress")
        return system_of(Problem("plate", PLATE, physics, [*conditions, *others]))[0]

    joint = plate(Dirichlet("left", displacement=[0.0, 0.0]))
    single = plate(Dirichlet("left", displacement_x=0.0), Dirichlet("left", displacement_y=0.0))
    assert factor_of(single) == factor_of(joint)


def factor_of(system: System) -> float:
    """Return the factor of the rows of ``displacement_x`` on the left side."""
    block = next(b for b in system.blocks if b.name.startswith("left"))
    return float(system.factor(block, "displacement_x"))


def test_residual_is_differentiable_and_pure() -> None:
    system, theta = system_of(solid())
    before = theta.clone()
    first, second = system.residual(theta), system.residual(theta)
    assert torch.equal(first, second)
    list(system.linearised(theta))
    assert torch.equal(theta, before)
    assert not theta.requires_grad


def test_single_precision_system() -> None:
    problem = flow()
    blocks = make_blocks(problem, COUNTS, seed=0)
    scaling = find_scaling(problem, blocks)
    low = scaling.to(dtype=torch.float32, device=torch.device("cpu"))
    net = MLP(2, 3, (5, 4))
    args = (problem.field_shapes, problem.frame, net)
    system = build_system(blocks, *args, low, problem.unknowns)
    exact = build_system(blocks, *args, scaling, problem.unknowns)
    _, theta = system_of(problem)
    rows = torch.cat([r for r, _ in system.linearised(theta.float())])
    jacobian = torch.cat([j for _, j in system.linearised(theta.float())])
    assert rows.dtype == jacobian.dtype == torch.float32
    reference = exact.residual(theta)
    assert float((rows - reference).norm() / reference.norm()) < 1e-5


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_tensor_names_its_device(name, explicit_device) -> None:
    problem = PROBLEMS[name]()
    blocks = make_blocks(problem, COUNTS, seed=0)
    scaling = find_scaling(problem, blocks)
    net = MLP(problem.frame.num_axes, len(problem.component_names), (4,))
    system = build_system(
        blocks, problem.field_shapes, problem.frame, net, scaling, problem.unknowns
    )
    theta = torch.full((system.num_parameters,), 0.1, dtype=torch.float64, device=explicit_device)
    for rows, jacobian in system.linearised(theta):
        assert rows.device == jacobian.device == explicit_device


def test_same_seed_same_points() -> None:
    for problem in (heat(), ring()):
        first, again, other = (make_blocks(problem, COUNTS, seed=s) for s in (0, 0, 1))
        for a, b in zip(first, again, strict=True):
            assert all(torch.equal(p, q) for p, q in zip(a.point_sets, b.point_sets, strict=True))
        assert not torch.equal(first[0].point_sets[0], other[0].point_sets[0])


def test_blocks_say_what_they_are() -> None:
    blocks = make_blocks(cell(), COUNTS, seed=0)
    assert [(b.name, b.kind) for b in blocks] == [
        ("interior", "interior"),
        ("left: NoSlip", "boundary"),
        ("right: NoSlip", "boundary"),
        ("left: Dirichlet temperature", "boundary"),
        ("right: Dirichlet temperature", "boundary"),
        ("bottom = top: Periodic", "periodic"),
        ("level of pressure", "gauge"),
    ]


def test_measurement_rows_carry_values_and_noise() -> None:
    block = next(b for b in make_blocks(heat(), COUNTS, seed=0) if b.kind == "data")
    assert block.noise is not None
    assert block.noise.tolist() == [0.1, 0.2, 0.3]
    assert block.point_sets[0].tolist() == SENSORS.tolist()
    half = block.taken(slice(1, 3))
    assert half.noise is not None
    assert half.noise.tolist() == [0.2, 0.3]
    assert half.data["temperature"].tolist() == [21.0, 22.0]


def test_initial_points_lie_at_the_start_inside_and_on_the_boundary() -> None:
    block = next(b for b in make_blocks(ring(), COUNTS, seed=0) if b.kind == "initial")
    points = block.point_sets[0]
    assert torch.equal(points[:, 1], torch.full_like(points[:, 1], 1.0))
    assert {0.0, 2.0} <= set(points[:, 0].tolist())


def test_unsteady_points_fill_the_time_interval() -> None:
    for block in make_blocks(ring(), PointCounts(200, 200, 10), seed=0):
        times = block.point_sets[0][:, 1]
        if block.kind in ("interior", "boundary", "periodic"):
            counts = torch.histc(times, bins=4, min=1.0, max=1.5)
            assert float(counts.min()) >= 0.2 * len(times)


@pytest.mark.parametrize("counts", [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_point_counts_are_positive(counts) -> None:
    with pytest.raises(ValueError, match="point counts must be >= 1"):
        PointCounts(*counts)


def test_own_divergence_form_equals_the_packaged_heat_equation() -> None:
    own = CustomPhysics(
        {"temperature": ()},
        lambda f, x, m: -div(52.0 * grad(f.temperature)) - 100.0,
        fluxes=lambda f, x, m: {"temperature": -52.0 * grad(f.temperature)},
    )
    conditions = [
        Dirichlet("bottom", temperature=100.0),
        *(Insulated(p) for p in ("left", "right", "top")),
    ]
    rows = []
    for physics in (Heat(52.0, source=100.0), own):
        system, theta = system_of(Problem("plate", PLATE, physics, conditions))
        rows.append(system.residual(theta))
    torch.testing.assert_close(*rows, rtol=1e-12, atol=1e-12)
