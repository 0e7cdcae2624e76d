"""Which axes a declaration makes periodic, and that the network then needs no rows for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import periodic_axes, satisfied_conditions, satisfied_rows
from pinnsolve.blocks import make_blocks
from pinnsolve.networks import MLP, Fourier, Identity, Periodic, Transformed
from pinnsolve.scaling import find_scaling
from pinnsolve.training import prepare, train

PLATE = ps.Rectangle((1.0, 2.0), (3.0, 5.0))
HEAT = ps.Heat(conductivity=1.0, source=1.0)


def strip(domain: ps.Shape = PLATE, *pairs: tuple[str, str], **values: object) -> ps.Problem:
    joined = {name for pair in pairs for name in pair}
    values = values or {"temperature": 1.0}
    rest = [ps.Dirichlet(p, **values) for p in domain.parts if p not in joined]
    physics = HEAT if "temperature" in values else ps.NavierStokes(dynamic_viscosity=0.1)
    return ps.Problem("strip", domain, physics, [*(ps.Periodic(*pair) for pair in pairs), *rest])


def unsteady_rod() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 0.5),
        ps.Heat(conductivity=1.0, density=1.0, specific_heat=1.0),
        [
            ps.Periodic("right", "left"),
            ps.Initial(temperature=lambda x: ps.sin(12.566370614359172 * x.x)),
        ],
        time=ps.TimeInterval(0.0, 1e-2),
    )


BOX = ps.Box((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
HALVES = PLATE.with_part("low", of="left", where=lambda p: p[:, 1] < 3.5).with_part(
    "right low", of="right", where=lambda p: p[:, 1] < 3.5
)
FAMILY = [
    (strip(), ()),
    (strip(PLATE, ("left", "right")), (0,)),
    (strip(PLATE, ("top", "bottom")), (1,)),
    (strip(BOX, ("left", "right"), ("bottom", "top")), (0, 2)),
    (strip(PLATE - ps.Disk((2.0, 3.0), 0.4), ("left", "right")), (0,)),
    (strip(HALVES, ("left", "right")), ()),
    (strip(HALVES, ("left", "right"), ("low", "right low")), (0,)),
    (unsteady_rod(), (0,)),
]


@pytest.mark.parametrize(("problem", "axes"), FAMILY)
def test_opposite_sides_that_are_one_make_an_axis_periodic(problem, axes) -> None:
    assert periodic_axes(problem) == tuple((axis, 2.0) for axis in axes)
    network = ps.Method(hidden=(5,)).network_for(problem)
    assert isinstance(network, MLP)
    assert network.embedding == (Periodic(periodic_axes(problem)) if axes else Identity())
    counts = ps.PointCounts(16, 16, 16)
    scaling = find_scaling(problem, make_blocks(problem, counts, seed=0))
    pairs = tuple(i for i, c in enumerate(problem.conditions) if isinstance(c, ps.Periodic))
    met = satisfied_conditions(problem, network, scaling)
    assert met == (pairs if axes else ())
    plain = ps.Method(hidden=(5,), embedding="none").network_for(problem)
    assert satisfied_rows(problem, plain, scaling) == frozenset()


def test_periodic_flow_has_no_rows_for_its_periods() -> None:
    problem = strip(PLATE, ("left", "right"), velocity=[1.0, 0.0])
    method = ps.Method(hidden=(6, 6), points=ps.PointCounts(64, 32))
    system, _ = prepare(problem, method, seed=0)
    assert "periodic" not in {block.kind for block in system.blocks}
    rows, _ = prepare(problem, ps.Method(hidden=(6, 6), embedding="none"), seed=0)
    assert "periodic" in {block.kind for block in rows.blocks}


def test_periods_and_exact_values_together() -> None:
    problem = strip(PLATE, ("left", "right"))
    method = ps.Method(hidden=(6, 6), max_steps=4, resample_every=2, boundary="exact")
    trained = train(problem, method, seed=0)
    network = trained.solution.network
    assert isinstance(network, Transformed)
    assert network.inner.embedding == Periodic(((0, 2.0),))
    assert {block.kind for block in trained.system.blocks} == {"interior"}
    heights = np.linspace(2.0, 5.0, 7)
    left, right = (np.column_stack((np.full(7, x), heights)) for x in (1.0, 3.0))
    for axes in ((), ("x",), ("x", "x"), ("x", "y")):
        a, b = (trained.solution.derivative("temperature", at, *axes) for at in (left, right))
        np.testing.assert_allclose(a, b, rtol=0.0, atol=1e-12 * max(1.0, np.abs(a).max()))
    assert np.abs(trained.solution.at(left[[0, -1]]).temperature - 1.0).max() < 1e-13


def test_a_distance_that_breaks_the_period_keeps_the_rows() -> None:
    problem = strip(PLATE - ps.Disk((1.8, 3.0), 0.4), ("left", "right"))
    scaling = find_scaling(problem, make_blocks(problem, ps.PointCounts(16, 16), seed=0))
    network = ps.Method(hidden=(5,), boundary="exact").network_for(problem, scaling)
    met = satisfied_conditions(problem, network, scaling)
    assert 0 not in met
    assert len(met) == 3


def test_own_embeddings_are_taken() -> None:
    own = Fourier.random(2, scales=(1.0,), per_scale=4)
    network = ps.Method(hidden=(5,), embedding=own).network_for(strip())
    assert network == MLP(2, 1, (5,), 2.0, own)


def test_unknowns_do_not_hinder() -> None:
    rate = ps.Unknown("k", 2.0)
    data = ps.Measurements([[2.0, 3.0]], {"temperature": [1.0]}, sigma=0.1)
    problem = ps.Problem(
        "inverse",
        PLATE,
        ps.Heat(conductivity=rate, source=1.0),
        [
            ps.Periodic("left", "right"),
            *(ps.Dirichlet(p, temperature=1.0) for p in ("top", "bottom")),
        ],
        measurements=data,
    )
    system, theta = prepare(problem, ps.Method(hidden=(5,), boundary="exact"), seed=0)
    assert {block.kind for block in system.blocks} == {"interior", "data"}
    assert torch.isfinite(system.residual(theta)).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"embedding": "fourier"}, "embedding must be 'auto', 'none' or an Embedding"),
        ({"boundary": "hard"}, "boundary must be one of penalty, exact, got 'hard'"),
        ({"velocity": "curl"}, "velocity must be one of components, stream function, got 'curl'"),
    ],
)
def test_unknown_choices_are_refused(arguments: dict[str, str], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ps.Method(**arguments)  # type: ignore[arg-type]
