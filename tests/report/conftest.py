"""Results of every kind of problem, barely trained: reports show bad answers too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.interop.hdf5 import Companions
from pinnsolve.reference import Reference
from pinnsolve.report.comparison import reference_values
from pinnsolve.report.result import Result, gather
from pinnsolve.solution import component_values

ResultOf = Callable[..., Result]


def _rod() -> ps.Problem:
    return ps.Problem(
        "rod <1>",
        ps.Interval(0.0, 2.0),
        ps.Heat(conductivity=2.0),
        [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
        exact=lambda x: {"temperature": 1.0 + 2.0 * x.x},
        quantities=[
            ps.point_value(
                "T & middle", "temperature", (1.0,), unit="K", target=3.0, tolerance=1e-9
            ),
            ps.Quantity("broken", lambda solution: 1.0 / 0.0, unit="m2"),
            ps.Quantity("free", lambda solution: 7.0),
        ],
        description="a rod with 'quotes' & <tags>",
    )


def _block() -> ps.Problem:
    domain = ps.Box((0.0, 0.0, 0.0), (1.0, 0.5, 0.75))
    sides = [ps.Traction(part) for part in domain.parts[1:-1]]
    return ps.Problem(
        "block",
        domain,
        ps.Elasticity(youngs_modulus=1e9, poissons_ratio=0.3),
        [ps.Fixed(domain.parts[0]), *sides, ps.Traction(domain.parts[-1], pressure=1e6)],
    )


def _problem(name: str) -> ps.Problem:
    own = {"rod": _rod, "block": _block}
    return own[name]() if name in own else make_problem(name)


FAMILY = ("rod", "heat_rod", "nafems_t4", "nafems_le1", "taylor_green", "cooling_plate", "block")


@pytest.fixture(scope="session")
def result_of() -> ResultOf:
    """``result_of("heat_rod", reference=True)``: a result; its reference is 1 % above the solution."""
    known: dict[tuple[str, bool], Result] = {}

    def make(name: str, *, reference: bool = False) -> Result:
        if (name, reference) not in known:
            known[name, reference] = _result(_problem(name), with_reference=reference)
        return known[name, reference]

    return make


def _result(problem: ps.Problem, *, with_reference: bool) -> Result:
    counts = ps.PointCounts(40, 24, 16 if problem.time is not None else 0)
    solution = ps.solve(
        problem, ps.Method(hidden=(5,), points=counts, max_steps=3), reference=False
    )
    if not with_reference:
        return gather(solution, Companions(command="pinnsolve solve it"))

    def above(points: np.ndarray) -> np.ndarray:
        return 1.01 * component_values(solution, points)

    errors = dict.fromkeys(problem.field_shapes, 1e-4)
    reference = Reference(
        "one percent more", above, errors, num_unknowns=1, seconds=0.0, note="made up"
    )
    return gather(solution, Companions(reference_values(solution, reference), "pinnsolve solve it"))
