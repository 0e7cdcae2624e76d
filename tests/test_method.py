"""How to solve: defaults made from the declaration, and refusals."""

from __future__ import annotations

import math
import re

import pytest
import torch

import pinnsolve as ps
from pinnsolve.networks import MLP

HEAT = ps.Heat(conductivity=1.0, source=1.0)
FLOW = ps.NavierStokes(density=1.0, dynamic_viscosity=1.0)


def problem(
    domain: ps.Shape, physics: ps.Physics, *, unsteady: bool = False, **values: object
) -> ps.Problem:
    conditions: list[ps.Condition] = [ps.Dirichlet(part, **values) for part in domain.parts]
    if unsteady:
        conditions.append(ps.Initial(**values))
    time = ps.TimeInterval(0.0, 1.0) if unsteady else None
    return ps.Problem("a problem", domain, physics, conditions, time=time)


SQUARE = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
BOX = ps.Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
DEFAULTS = {
    "rod": (problem(ps.Interval(0.0, 1.0), HEAT, temperature=0.0), (12, 12)),
    "unsteady rod": (
        problem(
            ps.Interval(0.0, 1.0),
            ps.Heat(1.0, density=1.0, specific_heat=1.0, source=1.0),
            unsteady=True,
            temperature=0.0,
        ),
        (16,) * 4,
    ),
    "plate": (problem(SQUARE, HEAT, temperature=0.0), (16,) * 4),
    "flow": (problem(SQUARE, FLOW, velocity=[1.0, 0.0]), (20,) * 4),
    "block": (problem(BOX, HEAT, temperature=0.0), (20,) * 4),
    "unsteady flow in 3-D": (
        problem(BOX, FLOW, unsteady=True, velocity=[1.0, 0.0, 0.0]),
        (24,) * 4,
    ),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_network_fits_the_declaration(name: str) -> None:
    declared, hidden = DEFAULTS[name]
    network = ps.Method().network_for(declared)
    assert isinstance(network, MLP)
    assert (network.num_inputs, network.num_outputs) == (
        declared.frame.num_axes,
        len(declared.component_names),
    )
    assert network.hidden == hidden


@pytest.mark.parametrize("name", DEFAULTS)
def test_points_give_more_rows_than_parameters(name: str) -> None:
    declared, _ = DEFAULTS[name]
    network = ps.Method().network_for(declared)
    counts = ps.Method().points_for(declared, network)
    components = len(declared.component_names)
    rows = counts.interior * components
    if declared.frame.num_axes > 1:
        rows += (counts.boundary + counts.initial) * components
    assert 2.5 * network.num_parameters < rows < 5.0 * network.num_parameters
    assert (counts.initial > 0) == (declared.time is not None)


def test_own_network_and_points_are_taken() -> None:
    declared, _ = DEFAULTS["plate"]
    method = ps.Method(hidden=(7, 5), points=ps.PointCounts(31, 17), bandwidth=3.0)
    network = method.network_for(declared)
    assert network == MLP(2, 1, (7, 5), 3.0)
    assert method.points_for(declared, network) == ps.PointCounts(31, 17)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("auto", torch.float64),
        ("float64", torch.float64),
        ("float32", torch.float32),
        ("bf16-mixed", torch.float64),
        ("fp16-mixed", torch.float64),
    ],
)
def test_precision(precision: str, dtype: torch.dtype) -> None:
    assert ps.Method(precision=precision).dtype == dtype


def test_device_is_the_cpu_unless_said() -> None:
    assert ps.Method().torch_device == torch.device("cpu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"adaptive_share": 1.0}, "adaptive_share must lie in [0, 1), got 1.0"),
        ({"adaptive_share": -0.1}, "adaptive_share must lie in [0, 1), got -0.1"),
        ({"adaptive_share": math.nan}, "adaptive_share must lie in [0, 1), got nan"),
        ({"max_steps": 0}, "max_steps must be >= 1, got 0"),
        ({"max_seconds": 0.0}, "max_seconds must be finite and > 0, got 0.0"),
        ({"max_seconds": math.inf}, "max_seconds must be finite and > 0, got inf"),
        ({"max_seconds": math.nan}, "max_seconds must be finite and > 0, got nan"),
        ({"precision": "float16"}, "precision must be one of auto, float64, float32"),
        ({"device": "abacus"}, "no such device: 'abacus'"),
        ({"device": "meta"}, "device 'meta' is not supported; use cpu or cuda"),
        ({"trunk": "none"}, "trunk must be one of auto, random, trained, got 'none'"),
        ({"max_features": 0}, "max_features must be >= 1, got 0"),
        ({"trunk": "random", "hidden": (8,)}, "leave hidden, embedding, boundary"),
        ({"trunk": "random", "boundary": "exact"}, "or use trunk='trained'"),
        ({"trunk": "random", "precision": "float32"}, "fixed features in float64"),
    ],
)
def test_refusals(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ps.Method(**arguments)  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="torch sees no CUDA device; use device='cpu'"):
        ps.Method(device="cuda")


@pytest.mark.parametrize("counts", [(0, 10, 0), (10, 0, 0), (10, 10, -1)])
def test_point_counts_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="point counts must be >= 1"):
        ps.PointCounts(*counts)


@pytest.mark.parametrize("hidden", [(), (0,), (8, -1)])
def test_network_without_neurons_is_refused(hidden: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="positive widths and at least one hidden layer"):
        ps.Method(hidden=hidden).network_for(DEFAULTS["plate"][0])


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan])
def test_bandwidth_must_be_positive(bandwidth: float) -> None:
    with pytest.raises(ValueError, match="bandwidth must be > 0"):
        ps.Method(bandwidth=bandwidth).network_for(DEFAULTS["plate"][0])


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_batch_points", 0), ("resample_every", -1)],
)
def test_counts_that_allow_nothing_are_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        ps.Method(**{name: value})  # type: ignore[arg-type]
