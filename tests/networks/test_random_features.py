"""Fixed features with a linear head, against nested autograd of the formula and of a plain head."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.multi_index import VALUE, MultiIndex, lower_set
from pinnsolve.networks import MLP, RandomFeatures, draw_features
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling

CPU = torch.device("cpu")
SIZES = [(dim, outputs) for dim in (1, 2, 3) for outputs in (1, 2, 3)]


def random_tensor(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def features(dim: int, outputs: int, seed: int = 0, number: int = 7) -> RandomFeatures:
    generator = torch.Generator().manual_seed(seed)
    bandwidth = torch.linspace(0.7, 2.0, dim, dtype=torch.float64)
    slopes, offsets = draw_features(number, bandwidth, generator)
    slopes[0], offsets[0] = 0.0, 1.0  # a constant among them, as in use
    return RandomFeatures(slopes, offsets, outputs)


def based(dim: int, outputs: int) -> RandomFeatures:
    """Features on top of a network of layers."""
    below = MLP(dim, outputs, (4, 3))
    generator = torch.Generator().manual_seed(5)
    parameters = below.initial_parameters(generator, dtype=torch.float64, device=CPU)
    return replace(features(dim, outputs), base=(below, parameters))


def plain(network: RandomFeatures, head: Tensor, points: Tensor) -> Tensor:
    """The formula as everybody writes it, shape (N, C)."""
    values = torch.tanh(points @ network.slopes.T + network.offsets)
    outputs = torch.stack([values @ weights for weights in head.chunk(network.num_outputs)], dim=1)
    if network.base is None:
        return outputs
    below, parameters = network.base
    return outputs + below.streams(parameters, points, (VALUE,))[0]


def all_indices(dim: int, order: int) -> tuple[MultiIndex, ...]:
    return lower_set(combinations_with_replacement(range(dim), order))


@pytest.mark.parametrize("make", [features, based])
@pytest.mark.parametrize(("dim", "outputs"), SIZES)
def test_streams_are_partial_derivatives(check_derivatives, make, dim, outputs) -> None:
    """Of the network, against nested autograd of the formula."""
    network = make(dim, outputs)
    head = random_tensor(network.num_parameters, seed=dim + outputs)

    def streams(points: Tensor, indices: tuple[MultiIndex, ...]) -> Tensor:
        if points.requires_grad:
            return plain(network, head, points)[None]
        return network.streams(head, points, indices)

    check_derivatives(streams, dim, 3)


@pytest.mark.parametrize("make", [features, based])
@pytest.mark.parametrize(("dim", "outputs"), SIZES)
def test_pullback_gives_the_row_jacobian(make, dim, outputs) -> None:
    network, indices = make(dim, outputs), all_indices(dim, 3)
    head, points = random_tensor(network.num_parameters, seed=1), random_tensor(5, dim, seed=2)
    streams, pullback = network.linearised(head, points, indices)
    cotangent = random_tensor(*streams.shape, seed=3)
    cotangent[1] = 0.0  # a derivative that a row does not use
    full = torch.autograd.functional.jacobian(
        lambda theta: network.streams(theta, points, indices), head
    )
    expected = torch.einsum("snc,sncp->np", cotangent, full)
    jacobian = torch.zeros(5, network.num_parameters, dtype=torch.float64)
    for times in (1.0, 2.0):
        pullback(cotangent, jacobian)
        scale = float(expected.abs().max())
        torch.testing.assert_close(jacobian, times * expected, rtol=0.0, atol=1e-12 * scale)
    assert torch.equal(streams, network.streams(head, points, indices))
    assert not streams.requires_grad


@pytest.mark.parametrize("make", [features, based])
def test_streams_are_affine_in_the_head(make) -> None:
    network, indices = make(2, 2), all_indices(2, 2)
    points = random_tensor(6, 2, seed=0)
    a, b = (random_tensor(network.num_parameters, seed=seed) for seed in (1, 2))
    at = network.tabulate(points, indices).streams
    zero = at(torch.zeros_like(a))
    torch.testing.assert_close(
        at(2.0 * a - 3.0 * b) - zero, 2.0 * (at(a) - zero) - 3.0 * (at(b) - zero)
    )
    if network.base is None:
        assert not zero.any()
    else:
        below, parameters = network.base
        assert torch.equal(zero, below.streams(parameters, points, indices))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_head_on_features_on_a_head_is_their_sum(seed) -> None:
    first, second = features(2, 2, seed=seed), features(2, 2, seed=seed + 10, number=5)
    below, above = (random_tensor(n.num_parameters, seed=seed) for n in (first, second))
    points, indices = random_tensor(6, 2, seed=seed), all_indices(2, 2)
    stacked = replace(second, base=(first, below))
    torch.testing.assert_close(
        stacked.streams(above, points, indices),
        first.streams(below, points, indices) + second.streams(above, points, indices),
        rtol=1e-13,
        atol=1e-13,
    )


def test_a_zero_slope_is_a_constant() -> None:
    network = features(2, 1)
    head = torch.zeros(network.num_parameters, dtype=torch.float64)
    head[0] = 3.0
    streams = network.streams(head, random_tensor(4, 2, seed=0), all_indices(2, 2))
    torch.testing.assert_close(streams[0], 3.0 * torch.ones_like(streams[0]) * math.tanh(1.0))
    assert not streams[1:].any()


def test_a_head_starts_at_zero() -> None:
    network = features(2, 3)
    start = network.initial_parameters(torch.Generator(), dtype=torch.float32, device=CPU)
    assert torch.equal(start, torch.zeros(network.num_parameters, dtype=torch.float32))


@pytest.mark.parametrize("make", [features, based])
def test_single_precision_stays_single(make) -> None:
    network, indices = make(2, 2), all_indices(2, 2)
    head, points = random_tensor(network.num_parameters, seed=0), random_tensor(5, 2, seed=1)
    streams, pullback = network.linearised(head.float(), points.float(), indices)
    out = torch.zeros(5, network.num_parameters, dtype=torch.float32)
    pullback(torch.ones_like(streams), out)
    assert streams.dtype == torch.float32
    torch.testing.assert_close(
        streams.double(), network.streams(head, points, indices), rtol=1e-3, atol=1e-3
    )


def system(network: RandomFeatures | MLP) -> System:
    """A nonlinear, unsteady problem with groups of every kind: values, slopes, periodic pairs, an unknown."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: object) -> ps.Jet:
        return ps.dt(f.u) + f.u * f.u.d(0) - m.viscosity * ps.laplacian(f.u)

    problem = ps.Problem(
        "waves",
        ps.Rectangle((0.0, 0.0), (1.0, 2.0)),
        ps.CustomPhysics({"u": ()}, equations, {"viscosity": ps.Unknown("nu", 0.3)}),
        [
            ps.Periodic("left", "right"),
            ps.Dirichlet("bottom", u=1.0),
            ps.Dirichlet("top", u=lambda x: x.x),
            ps.Initial(u=lambda x: ps.sin(x.y)),
        ],
        time=ps.TimeInterval(0.0, 1.0),
        measurements=ps.Measurements([[0.5, 0.5, 0.5]], {"u": [1.0]}, sigma=0.1),
        scales={"u": 1.0},
    )
    blocks = make_blocks(problem, PointCounts(20, 16, 8), seed=0)
    scaling = find_scaling(problem, blocks)
    return build_system(
        blocks, problem.field_shapes, problem.frame, network, scaling, problem.unknowns
    )


@pytest.mark.parametrize("make", [features, based])
def test_tabulated_systems_are_the_same_systems(make) -> None:
    plain_one = system(make(3, 1))
    tabulated = plain_one.tabulated()
    assert plain_one.tables == ()
    assert len(tabulated.tables) == len(tabulated.groups) >= 3
    theta = random_tensor(plain_one.num_parameters, seed=1)
    assert torch.equal(tabulated.residual(theta), plain_one.residual(theta))
    pairs = list(zip(tabulated.linearised(theta), plain_one.linearised(theta), strict=True))
    for (rows, jacobian), (wanted, expected) in pairs:
        assert torch.equal(rows, wanted)
        assert torch.equal(jacobian, expected)
    jacobian = torch.cat([found for (_, found), _ in pairs])
    expected = torch.autograd.functional.jacobian(tabulated.residual, theta)
    scale = float(expected.abs().max())
    torch.testing.assert_close(jacobian, expected, rtol=0.0, atol=1e-10 * scale)


def test_tables_know_their_size() -> None:
    table = features(2, 3).tabulate(random_tensor(5, 2, seed=0), all_indices(2, 2))
    assert table.num_bytes == 6 * 5 * 7 * 8


@pytest.mark.parametrize("bandwidth", [(1.0,), (0.5, 4.0), (1.0, 2.0, 8.0)])
def test_features_are_as_steep_as_the_bandwidth_and_centred_near_the_domain(bandwidth) -> None:
    wanted = torch.tensor(bandwidth, dtype=torch.float64)
    slopes, offsets = draw_features(4000, wanted, torch.Generator().manual_seed(0))
    torch.testing.assert_close(slopes.std(dim=0), wanted, rtol=0.05, atol=0.0)
    # the hyperplane w . x + b = 0 meets the box [-1.1, 1.1]^D
    assert bool((offsets.abs() <= 1.1 * slopes.abs().sum(dim=1)).all())
    again = draw_features(4000, wanted, torch.Generator().manual_seed(0))
    other = draw_features(4000, wanted, torch.Generator().manual_seed(1))
    assert torch.equal(slopes, again[0])
    assert torch.equal(offsets, again[1])
    assert not torch.equal(slopes, other[0])


def test_every_tensor_names_its_device(explicit_device) -> None:
    generator = torch.Generator(device=explicit_device).manual_seed(0)
    bandwidth = torch.ones(2, dtype=torch.float64, device=explicit_device)
    network = RandomFeatures(*draw_features(6, bandwidth, generator), 2)
    parameters = network.initial_parameters(generator, dtype=torch.float64, device=explicit_device)
    points = torch.ones(3, 2, dtype=torch.float64, device=explicit_device)
    streams, pullback = network.linearised(parameters, points, ((), (0,), (0, 0)))
    pullback(torch.ones_like(streams), parameters.new_zeros(3, network.num_parameters))


def test_what_is_printed_are_sizes() -> None:
    assert repr(features(2, 3)) == "RandomFeatures(7 features of 2 inputs, 3 outputs)"
    assert repr(based(2, 3)).endswith(f"3 outputs, on top of {MLP(2, 3, (4, 3))!r})")


@pytest.mark.parametrize(
    ("slopes", "offsets", "outputs", "match"),
    [
        ((4,), (4,), 1, r"slopes of shape \(F, D\) and offsets of shape \(F,\), got \(4,\) and"),
        ((4, 2), (3,), 1, r"got \(4, 2\) and \(3,\)"),
        ((4, 2), (4, 1), 1, r"got \(4, 2\) and \(4, 1\)"),
        ((4, 2), (4,), 0, "num_outputs must be >= 1, got 0"),
    ],
)
def test_shapes_that_do_not_belong_together_are_refused(slopes, offsets, outputs, match) -> None:
    with pytest.raises(ValueError, match=match):
        RandomFeatures(torch.zeros(slopes), torch.zeros(offsets), outputs)


def test_only_a_fixed_trunk_has_tables() -> None:
    with pytest.raises(ValueError, match=r"network with a fixed trunk has tables, got MLP\("):
        system(MLP(3, 1, (4,))).tabulated()
