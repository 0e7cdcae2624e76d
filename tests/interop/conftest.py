"""Solutions of every kind of problem, with random networks: nothing here is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import make_blocks
from pinnsolve.estimates import Estimate
from pinnsolve.levels import Level
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.scaling import find_scaling


def rod() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(-1.0, 3.0),
        ps.Heat(conductivity=2.0),
        [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
        origin="rod.py",
        parameters={"length": 4.0, "fine": True, "data": None},
    )


def heated_rod() -> ps.Problem:
    return ps.Problem(
        "heated_rod",
        ps.Interval(0.0, 0.1),
        ps.Heat(conductivity=35.0, density=7200.0, specific_heat=440.5),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=100.0),
            ps.Initial(temperature=0.0),
        ],
        time=ps.TimeInterval(1.0, 3.0),
    )


def plate_with_hole() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (2.0, 1.0)) - ps.Disk((0.7, 0.5), 0.25)
    conditions = [ps.Dirichlet(part, temperature=float(i)) for i, part in enumerate(domain.parts)]
    return ps.Problem("plate_with_hole", domain, ps.Heat(conductivity=1.0), conditions)


def flow() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.5))
    walls = [ps.NoSlip(part) for part in domain.parts if part != "top"]
    return ps.Problem(
        "flow",
        domain,
        ps.NavierStokes(density=1.0, dynamic_viscosity=0.1),
        [*walls, ps.Dirichlet("top", velocity=[1.0, 0.0]), ps.Initial(velocity=[0.0, 0.0])],
        time=ps.TimeInterval(0.0, 2.0),
    )


def block_under_load() -> ps.Problem:
    domain = ps.Box((0.0, 0.0, 0.0), (1.0, 0.5, 0.75))
    sides = [ps.Traction(part) for part in domain.parts[1:-1]]
    return ps.Problem(
        "block_under_load",
        domain,
        ps.Elasticity(youngs_modulus=1e9, poissons_ratio=0.3),
        [ps.Fixed(domain.parts[0]), *sides, ps.Traction(domain.parts[-1], pressure=1e6)],
    )


def meshed() -> ps.Problem:
    from pinnsolve.catalogue import make_problem

    return make_problem("nafems_le1")


FAMILY = (rod, heated_rod, plate_with_hole, flow, block_under_load, meshed)


def level_of(problem: ps.Problem) -> Level:
    """Return a level that changes with time, if there is time."""
    if problem.time is None:
        return Level((0.125,))
    return Level((0.125, 0.5, -0.25), problem.time.start, problem.time.end)


def untrained(problem: ps.Problem, seed: int = 0) -> ps.Solution:
    """Return a solution with random parameters, and with something in all of its attributes."""
    network = ps.Method(hidden=(7, 5)).network_for(problem)
    counts = ps.PointCounts(64, 64, 64 if problem.time is not None else 0)
    generator = torch.Generator().manual_seed(seed)
    cpu = torch.device("cpu")
    history = tuple(
        StepRecord(k, 0.1 * k, 0.5**k, float("inf") if k < 3 else 0.1**k, 1.0) for k in (1, 2, 3)
    )
    return ps.Solution(
        problem=problem,
        network=network,
        parameters=network.initial_parameters(generator, dtype=torch.float64, device=cpu),
        scaling=find_scaling(problem, make_blocks(problem, counts, seed=0)),
        estimates=(),
        record=RunRecord(
            status=ps.Status.of(ps.StopReason.STALLED, "detail"),
            history=history,
            seconds=1.25,
            seed=seed,
            precision="float64",
            device="cpu",
            num_parameters=network.num_parameters,
            num_points={"interior": 64, "left": 2},
            network=repr(network),
            versions={"pinnsolve": "0.0.0"},
        ),
        levels={name: level_of(problem) for name in problem.floating_fields},
        verdict=ps.Verdict(
            (ps.Check("a", 0.5, 1.0, "n"), ps.Check("b", float("inf"), 1.0)), 1e-3, ("note",)
        ),
    )


@pytest.fixture(params=FAMILY, ids=lambda make: make.__name__)
def solution(request: pytest.FixtureRequest) -> ps.Solution:
    """A solution of every member of the family."""
    return untrained(request.param())


@pytest.fixture
def solution_of() -> Callable[..., ps.Solution]:
    """``solution_of("rod")``: one member of the family."""

    def make(name: str, seed: int = 0) -> ps.Solution:
        return untrained({item.__name__: item for item in FAMILY}[name](), seed)

    return make


@pytest.fixture
def inverse_solution() -> ps.Solution:
    """A solution with an identified unknown."""
    problem = replace(
        rod(),
        physics=ps.Heat(conductivity=ps.Unknown("k", 1.0, truth=2.0)),
        measurements=ps.Measurements([[0.5]], {"temperature": [1.0]}, sigma=0.1),
    )
    known = untrained(rod())
    return replace(known, problem=problem, estimates=(Estimate("k", 1.9, 0.1, "W/(m K)", 2.0),))
