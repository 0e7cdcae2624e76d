"""Every optimiser takes the same step on shards, with sums over processes, as on the whole system.

The processes are threads here: what they exchange is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import Dirichlet
from pinnsolve.distributed import Reduction
from pinnsolve.geometry import Rectangle
from pinnsolve.networks import MLP, RandomFeatures, draw_features
from pinnsolve.optimise import (
    SOAP,
    Adam,
    GaussNewton,
    HandOver,
    HeadNewton,
    Ladder,
    MatrixFree,
    Optimiser,
    Schedule,
    Stage,
    WarmUpCosine,
)
from pinnsolve.optimise.ladder import mixed_normal_equations
from pinnsolve.optimise.mixed import initial_scales, loss_and_gradient
from pinnsolve.optimise.orthogonal import triangularise
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT64, FP16_MIXED
from pinnsolve.physics import Heat
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling


@dataclass
class Table:
    """Where threads lay their tensors for the others."""

    size: int
    tensors: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tensors = [torch.empty(0)] * self.size
        self.barrier = threading.Barrier(self.size, timeout=60.0)


@dataclass(frozen=True)
class Threads(Reduction):
    """A reduction over the threads of one process."""

    table: Table = field(default_factory=lambda: Table(1))

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        self.table.tensors[self.rank] = tensor.detach().clone()
        self.table.barrier.wait()
        found = list(self.table.tensors)
        self.table.barrier.wait()
        return found

    def sum(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(torch.stack(self.gathered(tensor)).sum(dim=0))

    def agreed(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(self.gathered(tensor)[0])

    def largest(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(torch.stack(self.gathered(tensor)).amax(dim=0))


def together(size: int, work: Callable[[Reduction], Any]) -> list[Any]:
    """Return what each of ``size`` threads comes to."""
    table = Table(size)

    def one(rank: int) -> Any:
        try:
            return work(Threads(rank, size, table))
        except BaseException:
            table.barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(one, range(size)))


def steps(optimiser: Optimiser, system: System, theta: Tensor, count: int) -> Callable[..., Any]:
    """Return the work of one process: the state after some steps on its own rows."""

    def work(reduction: Reduction) -> Any:
        own = system.shard(reduction.rank, reduction.size)
        state = optimiser.init(own, theta, reduction)
        for _ in range(count):
            state = optimiser.step(own, state, reduction)
        return state

    return work


def fixed_trunk(power: float = 0.0, features: int = 30) -> tuple[System, Tensor]:
    """A plate whose conductivity may depend on the temperature, on random features, tabulated."""
    square = Rectangle((0.0, 0.0), (1.0, 1.0))
    walls = [Dirichlet(part, temperature=lambda x: x.x * x.y) for part in square.parts]
    law = Heat(lambda t, x: 1.0 + power * t, source=3.0) if power else Heat(1.0, source=3.0)
    problem = Problem("plate", square, law, walls)
    blocks = make_blocks(problem, PointCounts(90, 40), seed=0)
    generator = torch.Generator().manual_seed(0)
    slopes = torch.full((2,), 1.5, dtype=torch.float64)
    network = RandomFeatures(*draw_features(features, slopes, generator), 1)
    scaling = find_scaling(problem, blocks)
    system = build_system(blocks, problem.field_shapes, problem.frame, network, scaling, ())
    return system.tabulated(), torch.zeros(features, dtype=torch.float64)


WARM = WarmUpCosine(peak=1e-2, warm_up=2, total=50)
# the floor of the damping keeps the step unique; below it rounding decides in the flat directions
FIRM = GaussNewton(smallest_damping=1e-4)
SCHEDULE = Schedule((Stage(Adam(WARM), FLOAT64, HandOver(share=0.5)), Stage(FIRM, FLOAT64)))
CASES: dict[str, tuple[Optimiser, float]] = {
    "Gauss-Newton": (FIRM, 1e-9),
    "matrix-free": (MatrixFree(smallest_damping=1e-4, rank=40, tolerance=1e-10), 1e-8),
    "Adam": (Adam(WARM, updates_per_step=3), 1e-9),
    "schedule": (SCHEDULE, 1e-9),
}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_steps_on_shards_are_those_on_the_whole(plate_system, name: str, size: int) -> None:
    optimiser, tolerance = CASES[name]
    system, theta = plate_system(0, hidden=(6, 6), points=60)
    alone = steps(optimiser, system, theta, 6)(Reduction.alone())
    found = together(size, steps(optimiser, system, theta, 6))
    for state in found:
        assert torch.equal(state.theta, found[0].theta)
        assert (state.loss, state.accepted, state.rung) == (
            found[0].loss,
            found[0].accepted,
            found[0].rung,
        )
    assert found[0].loss == pytest.approx(alone.loss, rel=1e-6)
    torch.testing.assert_close(found[0].theta, alone.theta, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", [2, 3])
def test_soap_on_shards(plate_system, size: int) -> None:
    """After the first update rounding chooses among the vectors of a double eigenvalue, alike on all processes."""
    system, theta = plate_system(0, hidden=(6, 6), points=60)
    one = SOAP(WARM)
    alone = steps(one, system, theta, 1)(Reduction.alone())
    for state in together(size, steps(one, system, theta, 1)):
        torch.testing.assert_close(state.theta, alone.theta, rtol=1e-9, atol=1e-9)
    many = SOAP(WARM, updates_per_step=3, refresh_every=4)
    alone = steps(many, system, theta, 6)(Reduction.alone())
    found = together(size, steps(many, system, theta, 6))
    assert all(torch.equal(state.theta, found[0].theta) for state in found)
    assert found[0].loss == pytest.approx(alone.loss, rel=1e-2)


def test_a_schedule_hands_over_on_all_processes_at_once(plate_system) -> None:
    system, theta = plate_system(0, hidden=(6, 6), points=60)

    def work(reduction: Reduction) -> Any:
        own = system.shard(reduction.rank, reduction.size)
        state = SCHEDULE.init(own, theta, reduction)
        for spent in (0.3, 0.6, 0.7):
            state = SCHEDULE.step(own, state, reduction, spent=spent)
        return state

    first, second = together(2, work)
    assert first.steps == second.steps == (2, 1)
    assert torch.equal(first.theta, second.theta)


def test_the_ladder_sums_its_low_precision_matrices(plate_system) -> None:
    system, theta = plate_system(0, hidden=(6, 6), points=60)
    whole = mixed_normal_equations(system, theta, torch.float64)

    def work(reduction: Reduction) -> Any:
        own = system.shard(reduction.rank, reduction.size)
        return mixed_normal_equations(own, theta, torch.float64, reduction)

    for gram, gradient, rows in together(2, work):
        torch.testing.assert_close(gram.tril(), whole[0].tril(), rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(gradient, whole[1], rtol=1e-12, atol=1e-13)
        assert len(rows) < len(whole[2])


def test_the_ladder_is_climbed_on_all_processes_at_once(plate_system) -> None:
    system, theta = plate_system(0, hidden=(6, 6), points=60)
    alone = steps(Ladder(), system, theta, 24)(Reduction.alone())
    first, second = together(2, steps(Ladder(), system, theta, 24))
    assert first.rung == second.rung == alone.rung == "float64"
    assert "reached the noise floor" in first.why
    assert torch.equal(first.theta, second.theta)
    assert 0.5 * alone.loss < first.loss < 2.0 * alone.loss


@pytest.mark.parametrize(("power", "count"), [(0.0, 1), (0.5, 2)])
@pytest.mark.parametrize("size", [2, 3])
def test_newton_on_the_head(power: float, count: int, size: int) -> None:
    """Only until it has converged: from then on rounding decides which steps lower the loss."""
    system, theta = fixed_trunk(power)
    alone = steps(HeadNewton(), system, theta, count)(Reduction.alone())
    assert alone.loss < 0.1 * HeadNewton().init(system, theta).loss
    found = together(size, steps(HeadNewton(), system, theta, count))
    assert all(torch.equal(state.theta, found[0].theta) for state in found)
    assert found[0].loss == pytest.approx(alone.loss, rel=1e-9)
    assert [state.converged for state in found] == [alone.converged] * size
    torch.testing.assert_close(found[0].theta, alone.theta, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("max_rows", [8192, 7])
@pytest.mark.parametrize("rows", [400, 35, 4])
def test_triangles_merge_to_that_of_all_rows(rows: int, max_rows: int) -> None:
    """R is unique up to signs; fewer rows than parameters are made up for by the Tikhonov term."""
    generator = torch.Generator().manual_seed(0)
    J = torch.randn(rows, 30, generator=generator, dtype=torch.float64)
    J[:, 3] = 0.0
    r = torch.randn(rows, generator=generator, dtype=torch.float64)
    whole = triangularise(lambda: [(r, J)], 30, rows, damping=1e-3)

    def work(reduction: Reduction) -> Any:
        own = slice(reduction.rank, None, reduction.size)
        chunks = [(r[own], J[own])]
        return triangularise(
            lambda: chunks, 30, len(r[own]), damping=1e-3, max_rows=max_rows, reduction=reduction
        )

    for triangle in together(4, work):
        factor = torch.from_numpy(triangle.factor)
        expected = torch.from_numpy(whole.factor)
        torch.testing.assert_close(factor.T @ factor, expected.T @ expected)
        torch.testing.assert_close(
            torch.from_numpy(triangle.step()), torch.from_numpy(whole.step())
        )
        assert triangle.least_loss == pytest.approx(whole.least_loss, rel=1e-9)


def test_shards_of_tabulated_systems_are_tabulated() -> None:
    system, theta = fixed_trunk()
    theta = theta + 0.3
    own = system.shard(1, 2)
    assert len(own.tables) == len(own.groups)
    rows = replace(own, tables=()).residual(theta)
    torch.testing.assert_close(own.residual(theta), rows, rtol=1e-12, atol=1e-13)
    by_group = torch.cat([group.residual(theta) for group in system.by_group])
    assert torch.equal(by_group, system.residual(theta))


def test_an_overflow_on_one_process_is_an_overflow_of_all(plate_system) -> None:
    """The same scale is halved everywhere, though only one process has the row at fault."""
    system, theta = plate_system(0, hidden=(6, 6), points=60)
    low, single = system.to(dtype=torch.float32), theta.float()

    def work(reduction: Reduction) -> Any:
        own = low.shard(reduction.rank, reduction.size)
        if reduction.rank == 1:
            far = replace(own.groups[0], unit_points=1e5 * own.groups[0].unit_points)
            own = replace(own, groups=(far, *own.groups[1:]))
        scales = replace(initial_scales(own, FP16_MIXED, reduction), orders=(1.0, 2.0**17, 1.0))
        return loss_and_gradient(own, single, FP16_MIXED, scales, reduction)

    first, second = together(2, work)
    assert not first.finite
    assert first.scales == second.scales
    assert first.scales.orders != (1.0, 2.0**17, 1.0) or first.scales.loss < 2.0**16


def test_scales_are_those_of_the_highest_derivative_of_any_process(plate_system) -> None:
    system, _ = plate_system(0, hidden=(6, 6), points=60)
    low = [group for group in system.groups if max(map(len, group.indices)) == 0]
    assert 0 < len(low) < len(system.groups)
    values_only = replace(system, groups=tuple(low))
    found = together(
        2, lambda red: initial_scales((system, values_only)[red.rank], BF16_MIXED, red)
    )
    assert found[0] == found[1] == initial_scales(system, BF16_MIXED)
    assert isinstance(system.network, MLP)
