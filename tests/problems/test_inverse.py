"""The shipped inverse problems: what is behind the readings solves the equations, and noise is what it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from pinnsolve.problems.inverse import (
    flow_reconstruction,
    inverse_cauchy,
    inverse_diffusivity,
    inverse_fin,
    inverse_heat_flux,
    inverse_modulus_bar,
    inverse_modulus_plate,
    inverse_ring,
    inverse_source,
    inverse_viscosity,
    inverse_wake,
)
from pinnsolve.problems.inverse import make_inverse_wake_data as wake
from pinnsolve.validation.inverse.exact import bounds_of

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.reference.finite_difference import finite_difference

NOISY = (
    "flow_reconstruction",
    "inverse_cauchy",
    "inverse_convection",
    "inverse_diffusivity",
    "inverse_fin",
    "inverse_heat_flux",
    "inverse_modulus_bar",
    "inverse_modulus_plate",
    "inverse_ring",
    "inverse_source",
    "inverse_viscosity",
    "inverse_wake",
)


@pytest.mark.parametrize("name", NOISY)
def test_noise_has_its_seed_and_its_size(name: str) -> None:
    """Two draws differ by independent Gaussian noise: the square of the difference is 2 sigma^2 on average."""
    draws = [make_problem(name, {"noise_seed": seed}).measurements for seed in ("0", "0", "1")]
    first, again, other = draws
    assert first is not None
    assert again is not None
    assert other is not None
    squares = []
    for component, values in first.values.items():
        np.testing.assert_array_equal(values, again.values[component])
        squares.append(((values - other.values[component]) / first.sigma) ** 2 / 2.0)
    mean, count = float(np.mean(squares)), np.size(squares)
    assert abs(mean - 1.0) < 4.0 * np.sqrt(2.0 / count)


def test_temperatures_of_the_source() -> None:
    """The nine published ones."""
    expected = [
        [0.054239066, 0.064295228, 0.034095359],
        [0.1590239, 0.17149505, 0.064295228],
        [0.15054176, 0.1590239, 0.054239066],
    ]
    found = inverse_source.temperature(inverse_source.sensors()).reshape(3, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_temperatures_of_the_slab() -> None:
    """The ten published ones, and the plateau that the whole triangle leaves."""
    times = np.array([0.3, 0.6, 0.9, 1.2, 1.5])
    far = [0.0133814468, 0.0993894091, 0.247678702, 0.340665479, 0.358942693]
    near = [0.123840794, 0.357832813, 0.435099039, 0.382112299, 0.361057325]
    np.testing.assert_allclose(inverse_heat_flux.temperature(1.0, times), far, rtol=1e-8)
    np.testing.assert_allclose(inverse_heat_flux.temperature(0.0, times), near, rtol=1e-8)
    assert inverse_heat_flux.temperature(0.4, np.array([20.0]))[0] == pytest.approx(0.36)
    assert inverse_heat_flux.total_heat(inverse_heat_flux.flux) == pytest.approx(0.36)
    assert inverse_heat_flux.flux_error(inverse_heat_flux.flux) == 0.0


def test_displacements_of_the_bar() -> None:
    """The three published ones, through the pole of the tangent, and du/dx = 1/E."""
    found = inverse_modulus_bar.displacement(np.array([0.25, 0.5, 1.0]))
    np.testing.assert_allclose(found, [0.192450090, 0.384900179, 1.154700538], rtol=1e-8)
    x = np.linspace(0.01, 0.99, 99)
    slope = inverse_modulus_bar.displacement(x + 1e-5) - inverse_modulus_bar.displacement(x - 1e-5)
    np.testing.assert_allclose(slope / 2e-5, 1.0 / inverse_modulus_bar.modulus(x), rtol=1e-7)
    assert inverse_modulus_bar.modulus_error(inverse_modulus_bar.modulus) == 0.0


def test_amplification_of_cauchys_problem() -> None:
    top, bottom = np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]])
    for waves, expected in ((1, 11.59), (2, 267.7), (3, 6196.0)):
        ratio = inverse_cauchy.temperature(top, waves) / inverse_cauchy.temperature(bottom, waves)
        assert ratio[0] == pytest.approx(expected, rel=1e-3)


def test_error_in_deviations() -> None:
    def found(x: np.ndarray) -> np.ndarray:
        return np.cos(2.0 * np.pi * x) + 0.3

    std = np.full(401, 0.1)
    assert inverse_cauchy.error_in_deviations(found, std, 2) == pytest.approx(3.0)
    assert inverse_cauchy.top_error(found, 2) == pytest.approx(0.3 * 2**0.5, rel=0.01)


def discrete(name: str, exact: np.ndarray, components: list[int], **size: object) -> float:
    """Return the relative difference of the formula at the sensors to finite differences with the true numbers."""
    problem = make_problem(name)
    assert problem.measurements is not None
    truths = {u.name: u.truth for u in problem.unknowns}
    solved = finite_difference(problem.bound(truths), **size)  # type: ignore[arg-type]
    found = solved.evaluate(problem.measurements.points)[:, components]
    return float(np.linalg.norm(found.ravel() - exact.ravel()) / np.linalg.norm(exact))


def test_formulas_solve_the_declarations() -> None:
    """Against finite differences of the very declarations, to their truncation error."""
    rod = inverse_diffusivity.temperature(inverse_diffusivity.sensors())
    assert discrete("inverse_diffusivity", rod, [0], shape=(48,), num_steps=200, order=4) < 1e-3
    source = inverse_source.temperature(inverse_source.sensors())
    assert discrete("inverse_source", source, [0], shape=(64, 64), order=4) < 1e-4
    fin = inverse_fin.temperature(inverse_fin.sensors())
    assert discrete("inverse_fin", fin, [0], shape=(48,), order=4) < 1e-6
    vortex = inverse_viscosity.velocity(inverse_viscosity.sensors())
    assert discrete("inverse_viscosity", vortex, [0, 1], shape=(16, 16), num_steps=16) < 3e-3


def test_the_fin_gives_off_what_its_base_takes_in() -> None:
    """-T'(0) = m^2 times the integral of T - T_air; -T'(0) = m tanh(m L) (T_base - T_air), of the textbook."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    x = inverse_fin.LENGTH * (nodes + 1.0) / 2.0
    excess = inverse_fin.temperature(x[:, None], 400.0) - inverse_fin.AIR
    lost = 400.0 * inverse_fin.LENGTH / 2.0 * float(weights @ excess)
    assert lost == pytest.approx(20.0 * np.tanh(2.0) * 80.0, rel=1e-12)
    ends = inverse_fin.temperature(np.array([[0.0], [inverse_fin.LENGTH]]), 400.0)
    assert ends == pytest.approx([100.0, 20.0 + 80.0 / np.cosh(2.0)])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_fin_is_identified_to_its_bound(seed: int) -> None:
    """Truth within three Cramer-Rao bounds, and the standard deviation that of the bound."""
    solution = ps.solve(make_problem("inverse_fin", {"noise_seed": str(seed)}))
    (found,) = solution.estimates
    assert solution.verdict is not None
    assert solution.verdict.trusted, str(solution.verdict)
    (bound,) = bounds_of(make_problem("inverse_fin")).values()
    assert bound == pytest.approx(2.10, rel=0.01)
    assert abs(found.value - inverse_fin.M_SQUARED) < 3.0 * bound
    assert found.std == pytest.approx(bound, rel=0.05)


def test_the_ring_is_free_outside_and_pressed_inside() -> None:
    """Radial stress from strains, E (e_r + nu e_t) / (1 - nu^2), by differences of the displacement."""
    e, nu, step = 2.0, 0.25, 1e-5
    for radius, expected in ((inverse_ring.INNER, -inverse_ring.PRESSURE), (inverse_ring.OUTER, 0)):
        at = np.array([[radius - step, 0.0], [radius, 0.0], [radius + step, 0.0]])
        low, middle, high = inverse_ring.displacement(at, e, nu)
        stress = e / (1 - nu**2) * ((high - low) / (2 * step) + nu * middle / radius)
        assert stress == pytest.approx(expected, abs=1e-8)


def test_the_plate_is_in_equilibrium() -> None:
    """Finite differences with the true modulus in place of the unknown one."""
    from dataclasses import replace

    problem = make_problem("inverse_modulus_plate")
    known = replace(problem.physics, youngs_modulus=inverse_modulus_plate.true_modulus)  # type: ignore[type-var]
    forward = replace(problem, physics=known, measurements=None, quantities=())
    points = inverse_modulus_plate.sensors()
    exact = inverse_modulus_plate.displacement(points)
    coarse, fine = (
        np.linalg.norm(finite_difference(forward, shape=(n, n)).evaluate(points) - exact)
        / np.linalg.norm(exact)
        for n in (16, 32)
    )
    assert fine < 2e-3
    assert coarse / fine == pytest.approx(4.0, rel=0.25)
    assert inverse_modulus_plate.modulus_error(inverse_modulus_plate.modulus) == 0.0


def small_stream() -> wake.Stream:
    return wake.Stream(num=(32, 32), step=0.01, lower=(0.0, 0.0), size=(2.0, 2.0))


def test_the_wake_solver_keeps_divergence_out() -> None:
    stream = wake.Stream(num=(40, 20), step=0.02)
    (found,) = wake.simulate(stream, [5])
    kx, ky = stream.waves
    assert np.abs(kx * found[0] + ky * found[1]).max() < 1e-9 * np.abs(found).max()


def test_advection_of_a_taylor_green_vortex_is_a_gradient() -> None:
    """So projection leaves nothing of it."""
    from scipy import fft

    stream = small_stream()
    x, y = (np.pi * axis for axis in stream.axes)
    vortex = np.stack((np.sin(x)[:, None] * np.cos(y), -np.cos(x)[:, None] * np.sin(y)))
    left = wake.projected(stream, wake.advection(stream, fft.rfft2(vortex, axes=(1, 2))))
    assert np.abs(left).max() < 1e-9


def test_series_at_nodes_and_between() -> None:
    from scipy import fft

    stream = small_stream()
    x, y = (np.pi * axis for axis in stream.axes)
    wave = np.cos(2.0 * x)[:, None] * np.sin(3.0 * y) + 0.5
    points = np.random.default_rng(0).uniform(0.0, 2.0, size=(20, 2))
    found = wake.series(stream, fft.rfft2(wave), points)
    expected = np.cos(2 * np.pi * points[:, 0]) * np.sin(3 * np.pi * points[:, 1]) + 0.5
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_shipped_samples_of_the_wake() -> None:
    points, velocity = inverse_wake.samples()
    assert points.shape == (wake.NUM_SAMPLES, 3)
    (left, right), (bottom, top) = wake.WINDOW
    assert (points >= [left, bottom, 0.0]).all()
    assert (points <= [right, top, wake.DURATION]).all()
    # a wake: slower than the stream on its axis, and swaying by tenths of the stream's velocity
    assert velocity[np.abs(points[:, 1]) < 0.2, 0].mean() < 0.9
    assert 0.1 < velocity[:, 1].std() < 0.6


def test_the_band_of_v_is_counted_point_by_point() -> None:
    """Half of the places off by one deviation, half by three."""
    points = flow_reconstruction.sensors()
    exact = flow_reconstruction.velocity(points)[:, 1]
    std = np.full(len(points), 0.01)
    off = np.where(np.arange(len(points)) % 2 == 0, 0.01, -0.03)
    assert flow_reconstruction.covered_share(exact + off, std, points) == 0.5
