"""Singular functions of a wall at the start: the heat equation, the recurrence, and what is known of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, special
from torch import Tensor

from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks import RandomFeatures, StartCornerFunctions
from pinnsolve.networks.start_corners import damped_integrals, damped_slopes, repeated_integrals

LEFT = StartCornerFunctions(-1.0, 0.3, (0, 1, 2, 3, 8))
RIGHT = replace(LEFT, wall=1.0)
IMAGE = replace(LEFT, wall=3.0)
FLUX = replace(LEFT, transfer=0.0)
COOLED = replace(RIGHT, transfer=4.0)
BY_COOLING = replace(COOLED, by_transfer=True)
ALL = [LEFT, RIGHT, IMAGE, FLUX, COOLED, BY_COOLING]
BY_DIFFUSIVITY = [replace(f, by_diffusivity=j) for j in (1, 2) for f in (RIGHT, IMAGE, COOLED)]
PLACES = (0.0, 1e-3, 0.3, 0.999, 1.0, 2.0, 4.0, 8.0, 20.0)


def points(number: int = 40) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 1.98 * torch.rand(number, 2, generator=generator, dtype=torch.float64) - 0.99


@pytest.mark.parametrize("order", [0, 1, 2, 5, 8])
@pytest.mark.parametrize("z", PLACES)
def test_repeated_integrals_are_those_of_the_definition(order: int, z: float) -> None:
    """i^n erfc(z) = 2 / (sqrt(pi) n!) int_z^oo (s - z)^n exp(-s^2) ds, relative to exp(-z^2), which it falls with."""
    whole, _ = integrate.quad(
        lambda s: s**order * math.exp(-s * s - 2.0 * s * z), 0.0, np.inf, epsabs=0.0, epsrel=1e-12
    )
    wanted = 2.0 / (math.sqrt(math.pi) * math.factorial(order)) * whole * math.exp(-z * z)
    found = repeated_integrals(torch.tensor([z], dtype=torch.float64), 0, 8)[order]
    assert float(found) == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("order", range(1, 9))
def test_values_at_zero(order: int) -> None:
    found = repeated_integrals(torch.zeros(1, dtype=torch.float64), 0, 8)[order]
    assert float(found) == pytest.approx(
        1.0 / (2.0**order * special.gamma(0.5 * order + 1.0)), rel=1e-14
    )


def test_recurrence_from_derivatives_to_integrals() -> None:
    """2 n i^n erfc = i^(n-2) erfc - 2 z i^(n-1) erfc, also where n is negative."""
    z = torch.tensor(PLACES, dtype=torch.float64)
    family = repeated_integrals(z, -5, 9)
    for n in range(-3, 10):
        size = family[n - 2].abs() + (2.0 * z * family[n - 1]).abs()
        left = family[n - 2] - 2.0 * z * family[n - 1] - 2.0 * n * family[n]
        assert bool((left.abs() <= 1e-14 * size).all()), n


def test_far_away_there_is_nothing() -> None:
    far = torch.tensor([30.0, 1e6, 1e12], dtype=torch.float64)
    assert all(bool((v == 0.0).all()) for v in repeated_integrals(far, -6, 8).values())


@pytest.mark.parametrize("functions", [LEFT, RIGHT, IMAGE])
def test_streams_are_partial_derivatives(
    check_derivatives, functions: StartCornerFunctions
) -> None:
    def streams(at: Tensor, indices: tuple[MultiIndex, ...]) -> Tensor:
        if not at.requires_grad:
            return functions.streams(at, indices)
        return plain(functions, at)[None]

    check_derivatives(streams, 2, 4)


def plain(functions: StartCornerFunctions, at: Tensor) -> Tensor:
    """The formula by the recurrence upwards, shape (N, F)."""
    towards = math.copysign(1.0, functions.wall)
    depth = torch.sqrt(4.0 * functions.diffusivity * (at[:, 1] + 1.0))
    z = (abs(functions.wall) - towards * at[:, 0]) / depth
    family = [2.0 / math.sqrt(math.pi) * torch.exp(-(z**2)), torch.special.erfc(z)]
    for n in range(1, max(functions.orders) + 1):
        family.append((family[-2] - 2.0 * z * family[-1]) / (2.0 * n))
    deepest = math.sqrt(8.0 * functions.diffusivity)
    columns = []
    for m in functions.orders:
        at_the_end = deepest**m / (2.0**m * special.gamma(0.5 * m + 1.0))
        columns.append(depth**m * family[m + 1] / at_the_end)
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.7, 1.2, 5.0, 80.0])
@pytest.mark.parametrize("z", [0.0, 0.3, 1.0, 3.0])
def test_damped_integrals_are_those_of_the_definition(z: float, rate: float) -> None:
    at, rates = (torch.tensor([v], dtype=torch.float64) for v in (z, rate))
    found = damped_integrals(at, rates, -1, 8)
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(120))
    reach = min(8.0, 40.0 / (2.0 * rate + 1e-9))
    y, w = 0.5 * reach * (nodes + 1.0), 0.5 * reach * weights
    plain = repeated_integrals(z + y, -1, 8)
    for n in range(-1, 9):
        wanted = float((w * plain[n] * torch.exp(-2.0 * rate * y)).sum())
        assert float(found[n]) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("transfer", [0.0, 0.2, 4.0, 300.0])
def test_walls_that_exchange_heat_see_the_other_functions(transfer: float) -> None:
    """eta R_m - dR_m / dd = V_m, each with its value at the end; so a given flux has V_(m+1)."""
    orders = (0, 2, 4)
    damped = StartCornerFunctions(-1.0, 0.3, orders, transfer)
    plain = StartCornerFunctions(-1.0, 0.3, orders)
    at = points()
    value, slope = damped.streams(at, (VALUE, (0,)))
    found = transfer * value - slope
    wanted = plain.streams(at, (VALUE,))[0]
    ratio = found.abs().amax(dim=0) / wanted.abs().amax(dim=0)
    torch.testing.assert_close(found, ratio * wanted, rtol=1e-10, atol=1e-12 * float(ratio.max()))


def test_a_given_flux_is_a_value_of_the_next_order() -> None:
    next_ones = replace(FLUX, orders=tuple(m + 1 for m in FLUX.orders), transfer=None)
    indices: tuple[MultiIndex, ...] = (VALUE, (0,), (1,), (0, 0))
    torch.testing.assert_close(
        FLUX.streams(points(), indices),
        next_ones.streams(points(), indices),
        rtol=1e-12,
        atol=1e-13,
    )


@pytest.mark.parametrize("functions", [*ALL, *BY_DIFFUSIVITY])
def test_streams_of_all_are_differences(functions: StartCornerFunctions) -> None:
    at, step = points(), 1e-5
    for axis in (0, 1):
        move = torch.zeros(2, dtype=torch.float64)
        move[axis] = step
        (ahead, behind) = (functions.streams(at + s * move, (VALUE,))[0] for s in (1.0, -1.0))
        slope = functions.streams(at, ((axis,),))[0]
        near = (at[:, 1] > -0.9)[:, None]
        gap = ((ahead - behind) / (2.0 * step) - slope).where(near, torch.zeros_like(slope))
        assert float(gap.abs().max()) < 1e-7


@pytest.mark.parametrize("functions", ALL)
def test_all_solve_the_heat_equation(functions: StartCornerFunctions) -> None:
    by_time, curvature = functions.streams(points(), ((1,), (0, 0)))
    left = by_time - functions.diffusivity * curvature
    assert float(left.abs().max()) <= 1e-14 * float(by_time.abs().max())


def ends(functions: StartCornerFunctions) -> Tensor:
    """What the functions are divided by: their values on the wall at the end."""
    depth = torch.tensor([math.sqrt(8.0 * functions.diffusivity)], dtype=torch.float64)
    zero, highest = torch.zeros_like(depth), max(functions.orders)
    if functions.transfer is None:
        plain = repeated_integrals(zero, 0, highest)
        return torch.cat([depth**m * plain[m] for m in functions.orders])
    rate = 0.5 * functions.transfer * depth
    if functions.by_transfer:
        slopes = damped_slopes(zero, rate, 0, highest)
        return torch.cat([0.5 * depth ** (m + 2) * slopes[m] for m in functions.orders])
    damped = damped_integrals(zero, rate, 0, highest)
    return torch.cat([depth ** (m + 1) * damped[m] for m in functions.orders])


@pytest.mark.parametrize("functions", [RIGHT, IMAGE, COOLED])
@pytest.mark.parametrize("index", [VALUE, (0,), (1,), (0, 1), (0, 0), (1, 1)], ids=str)
def test_derivatives_by_diffusivity_are_differences(
    functions: StartCornerFunctions, index: MultiIndex
) -> None:
    """kappa dV / dkappa, and its own: (kappa d/dkappa)^2 V = kappa dV/dkappa + kappa^2 d^2V/dkappa^2."""
    at = points()[points()[:, 1] > -0.8]
    step = 1e-4

    def raised(by: float, before: StartCornerFunctions) -> Tensor:
        other = replace(before, diffusivity=functions.diffusivity * math.exp(by))
        parent = replace(other, by_diffusivity=0)
        return other.streams(at, (index,))[0] * ends(parent)

    def slope(before: StartCornerFunctions) -> Tensor:
        return (raised(step, before) - raised(-step, before)) / (2.0 * step)

    first, second = (replace(functions, by_diffusivity=j) for j in (1, 2))
    size = float(raised(0.0, functions).abs().max())
    torch.testing.assert_close(raised(0.0, first), slope(functions), rtol=1e-6, atol=1e-6 * size)
    wanted = slope(first) - raised(0.0, first)
    torch.testing.assert_close(raised(0.0, second), wanted, rtol=1e-6, atol=1e-6 * size)


@pytest.mark.parametrize("transfer", [0.01, 1.0, 4.0, 300.0])
@pytest.mark.parametrize("index", [VALUE, (0,), (1,), (0, 0)], ids=str)
def test_derivatives_by_transfer_are_differences(transfer: float, index: MultiIndex) -> None:
    at, step = points()[points()[:, 1] > -0.8], 1e-4 * transfer

    def values(eta: float) -> Tensor:
        functions = replace(COOLED, transfer=eta)
        return functions.streams(at, (index,))[0] * ends(functions)

    wanted = (values(transfer + step) - values(transfer - step)) / (2.0 * step)
    functions = replace(BY_COOLING, transfer=transfer)
    found = functions.streams(at, (index,))[0] * ends(functions)
    for one, other in zip(found.T, wanted.T, strict=True):
        assert float((one - other).abs().max()) <= 1e-6 * float(other.abs().max())


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.7, 1.2, 5.0, 80.0, 1e4])
@pytest.mark.parametrize("z", [0.0, 0.3, 1.0, 3.0])
def test_damped_slopes_are_those_of_the_definition(z: float, rate: float) -> None:
    at, rates = (torch.tensor([v], dtype=torch.float64) for v in (z, rate))
    found = damped_slopes(at, rates, -1, 8)
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(120))
    reach = min(8.0, 40.0 / (2.0 * rate + 1e-9))
    y, w = 0.5 * reach * (nodes + 1.0), 0.5 * reach * weights
    plain = repeated_integrals(z + y, -1, 8)
    for n in range(-1, 9):
        wanted = float((-2.0 * y * w * plain[n] * torch.exp(-2.0 * rate * y)).sum())
        assert float(found[n]) == pytest.approx(wanted, rel=1e-8)


def test_derivatives_belong_to_the_family() -> None:
    """dV_m / dd = -V_(m-1) and dV_m / dtau = kappa V_(m-2), each with its value at the end."""
    functions = replace(LEFT, orders=(2, 3, 4))
    lower = replace(LEFT, orders=(1, 2, 3)), replace(LEFT, orders=(0, 1, 2))

    def sizes_of(orders: tuple[int, ...]) -> Tensor:
        sizes = [(2.0 * 0.3) ** (0.5 * m) / special.gamma(0.5 * m + 1.0) for m in orders]
        return torch.tensor(sizes, dtype=torch.float64)

    by_place, by_time = functions.streams(points(), ((0,), (1,))) * sizes_of(functions.orders)
    first, second = (f.streams(points(), (VALUE,))[0] * sizes_of(f.orders) for f in lower)
    torch.testing.assert_close(by_place, -first, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(by_time, 0.3 * second, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("functions", [LEFT, RIGHT])
def test_on_the_wall_they_are_powers_of_the_root_of_time(functions: StartCornerFunctions) -> None:
    times = torch.linspace(-0.9, 1.0, 9, dtype=torch.float64)
    at = torch.stack([torch.full_like(times, functions.wall), times], dim=1)
    wanted = torch.stack([(0.5 * (times + 1.0)) ** (0.5 * m) for m in functions.orders], dim=1)
    torch.testing.assert_close(functions.streams(at, (VALUE,))[0], wanted, rtol=1e-13, atol=0.0)


@pytest.mark.parametrize("functions", ALL)
def test_at_the_start_they_and_their_derivatives_are_zero(functions: StartCornerFunctions) -> None:
    at = torch.tensor([[-1.0, -1.0], [0.3, -1.0], [1.0, -1.0]], dtype=torch.float64)
    assert float(functions.streams(at, (VALUE, (0,), (1,), (0, 0))).abs().max()) == 0.0


def test_they_are_features_after_the_ridges() -> None:
    slopes = torch.tensor([[0.0, 0.0], [1.0, -0.5]], dtype=torch.float64)
    offsets = torch.tensor([1.0, 0.2], dtype=torch.float64)
    network = RandomFeatures(slopes, offsets, 1, corners=(LEFT, RIGHT))
    assert "12 features of 2 inputs, 1 outputs, 10 of them singular at corners" in repr(network)
    head = torch.zeros(12, dtype=torch.float64)
    head[2 + 5 + 1] = 1.0
    found = network.streams(head, points(), (VALUE, (1,)))[:, :, 0]
    torch.testing.assert_close(found, RIGHT.streams(points(), (VALUE, (1,)))[:, :, 1])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"wall": 0.5}, "wall must not be within the interval, .*, got 0.5"),
        ({"wall": math.nan}, "wall must not be within"),
        ({"diffusivity": 0.0}, "diffusivity must be finite and > 0, got 0.0"),
        ({"diffusivity": math.inf}, "diffusivity must be finite"),
        ({"transfer": -1.0}, "transfer must be finite and >= 0, got -1.0"),
        ({"transfer": math.nan}, "transfer must be finite"),
        ({"by_diffusivity": -1}, "by_diffusivity must be >= 0, got -1"),
        ({"by_transfer": True}, "no derivative by_transfer where the wall gives the value"),
        ({"orders": ()}, r"need orders >= 0, got \(\)"),
        ({"orders": (0, -1)}, r"need orders >= 0, got \(0, -1\)"),
    ],
)
def test_refusals(change: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(LEFT, **change)
