"""Make ``inverse_wake_velocities.csv``: velocities in the wake of a cylinder, at random places and times.

A cylinder of diameter 1 m in a stream of 1 m/s and density 1 kg/m3 with viscosity 0.01 Pa s, Reynolds number 100,
sheds vortices. The flow is computed by Fourier series on a periodic region: advection by Adams and Bashforth's second
order, viscosity exactly, freedom of divergence by projection. The cylinder is a body force that brings the velocity to
zero, smeared over a cell or two, and another one makes the stream uniform again before it comes back. So shape and
drag are approximate; but no force acts in the window behind the cylinder that is sampled, and there the samples are
those of a solution of the Navier-Stokes equations, whatever it was that made the vortices.

``python make_inverse_wake_data.py`` writes the file anew, in a minute, and says how accurate it is.

P. Angot, C.-H. Bruneau & P. Fabrie, "A penalization method to take into account obstacles in incompressible viscous
flows", Numer. Math. 81 (1999) 497-520.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import fft

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]

VISCOSITY = 0.01
"""Dynamic viscosity, Pa s; density and velocity of the stream are 1."""

WINDOW = (2.0, 4.0), (-1.0, 1.0)
"""Where samples are taken, m, with the centre of the cylinder at (0, 0)."""

DURATION = 2.0
"""How long samples are taken, s: about a third of a period."""

INTERVAL = 0.05
"""Time between two frames that samples are taken from, s."""

NUM_SAMPLES, SEED = 5000, 0


@dataclass(frozen=True)
class Stream:
    """The periodic region, its grid and the time step.

    Attributes:
        num: Number of grid points along x and y.
        step: Time step in s.
        lower: Corner of the region in m.
        size: Lengths of the region in m.
    """

    num: tuple[int, int] = (320, 160)
    step: float = 0.0125  # 80 steps to a second, four to a frame
    lower: tuple[float, float] = (-3.0, -5.0)
    size: tuple[float, float] = (20.0, 10.0)

    @cached_property
    def axes(self) -> tuple[Array, Array]:
        """Coordinates of the grid points, m."""
        (left, bottom), (width, height), (nx, ny) = self.lower, self.size, self.num
        x = np.linspace(left, left + width, nx, endpoint=False)
        y = np.linspace(bottom, bottom + height, ny, endpoint=False)
        return x, y

    @cached_property
    def waves(self) -> tuple[Array, Array]:
        """Wave numbers along x and y, 1/m, shapes (Nx, 1) and (1, Ny / 2 + 1)."""
        turn = 2.0 * np.pi
        x: Array = turn * fft.fftfreq(self.num[0], self.size[0] / self.num[0])
        y: Array = turn * fft.rfftfreq(self.num[1], self.size[1] / self.num[1])
        return x[:, None], y[None, :]

    @cached_property
    def forces(self) -> Array:
        """Rate in 1/s at which the velocity is drawn to the wanted one, shape (2, Nx, Ny): body, fringe."""
        x, y = self.axes
        cell = self.size[0] / self.num[0]
        radius = np.hypot(x[:, None], y[None, :])
        body = 0.5 * (1.0 - np.tanh((radius - 0.5) / (2.0 * cell)))
        end = self.lower[0] + self.size[0]
        fringe = np.exp(-(((x - (end - 2.0)) / 1.0) ** 4))[:, None] * np.ones_like(y)
        return np.stack((200.0 * body, 2.0 * fringe))

    @cached_property
    def kept(self) -> Array:
        """What is kept of each wave in products; without it the edge of the body would ring through the window."""
        x, y = self.waves
        return np.asarray(np.exp(-36.0 * ((x / np.abs(x).max()) ** 8 + (y / np.abs(y).max()) ** 8)))


def advection(stream: Stream, u: Spectrum) -> Spectrum:
    """Return ``u x curl u``, minus the advection but for a gradient, in m/s2, shape (2, Nx, Ny / 2 + 1)."""
    kx, ky = stream.waves
    vorticity = fft.irfft2(1j * (kx * u[1] - ky * u[0]), s=stream.num)
    across = fft.irfft2(u, s=stream.num, axes=(1, 2))
    turned = np.stack((across[1] * vorticity, -across[0] * vorticity))
    return np.asarray(stream.kept * fft.rfft2(turned, axes=(1, 2)))


def projected(stream: Stream, u: Spectrum) -> Spectrum:
    """Return the part of a velocity that is free of divergence."""
    kx, ky = stream.waves
    square = kx**2 + ky**2
    square[0, 0] = 1.0
    potential = (kx * u[0] + ky * u[1]) / square
    return np.stack((u[0] - kx * potential, u[1] - ky * potential))


def simulate(stream: Stream, counts: Sequence[int]) -> list[Spectrum]:
    """Return the velocity after numbers of steps from an impulsive start, each of shape (2, Nx, Ny / 2 + 1).

    Args:
        stream: Grid and time step.
        counts: Numbers of steps.
    """
    kx, ky = stream.waves
    decay = np.exp(-VISCOSITY * (kx**2 + ky**2) * stream.step)
    body, fringe = stream.forces * stream.step
    x, y = stream.axes
    kick = 0.5 * np.exp(-((x[:, None] - 1.0) ** 2) - y[None, :] ** 2)
    start = np.stack((np.ones(stream.num), kick))
    u = projected(stream, fft.rfft2(start, axes=(1, 2)))
    before = advection(stream, u)
    found: dict[int, Spectrum] = {}
    for count in range(1, max(counts) + 1):
        now = advection(stream, u)
        u = decay * (u + stream.step * (1.5 * now - 0.5 * decay * before))
        before = now
        drawn = fft.irfft2(projected(stream, u), s=stream.num, axes=(1, 2))
        drawn[0] += fringe  # towards 1 m/s along x
        u = projected(stream, fft.rfft2(drawn / (1.0 + body + fringe), axes=(1, 2)))
        if count in counts:
            found[count] = u
    return [found[count] for count in counts]


def series(stream: Stream, spectrum: Spectrum, points: Array) -> Array:
    """Return a Fourier series at points, shape (N,).

    Args:
        stream: The region.
        spectrum: Shape (Nx, Ny / 2 + 1).
        points: Places, m, shape (N, 2).
    """
    kx, ky = stream.waves
    along_x = np.exp(1j * (points[:, :1] - stream.lower[0]) * kx.T)
    along_y = np.exp(1j * (points[:, 1:] - stream.lower[1]) * ky)
    twice = np.where((ky > 0.0) & (ky < ky.max()), 2.0, 1.0)  # waves and their conjugates
    total = np.einsum("nk,kl,nl->n", along_x, spectrum, twice * along_y, optimize=True)
    return np.asarray(total.real / (stream.num[0] * stream.num[1]))


@dataclass(frozen=True)
class Accuracy:
    """How well a computed flow fulfils the vorticity equation in the window.

    Attributes:
        residual: What is left of it, relative to the change of vorticity with time.
        factor: The factor on its advection that fits it best; 1 is wanted.
        viscosity: The viscosity that fits it best, Pa s.
    """

    residual: float
    factor: float
    viscosity: float


def accuracy(stream: Stream, frames: Sequence[Spectrum]) -> Accuracy:
    """Return how well a flow fulfils the vorticity equation, with differences in time.

    All terms are smoothed over about 5 cm, less than what the samples resolve: the body's edge rings on the scale of
    the grid, in second derivatives of the vorticity much more than in velocities.

    Args:
        stream: Grid and time step.
        frames: The velocity at three steps, one after the other.
    """
    kx, ky = stream.waves
    smooth = np.exp(-(kx**2 + ky**2) / 20.0**2)
    curls = [1j * (kx * u[1] - ky * u[0]) for u in frames]
    x, y = stream.axes
    (left, right), (bottom, top) = WINDOW
    inside = np.ix_((x > left) & (x < right), (y > bottom) & (y < top))

    def at_nodes(spectrum: Spectrum) -> Array:
        return np.asarray(fft.irfft2(spectrum, s=stream.num))

    def in_window(spectrum: Spectrum) -> Array:
        return at_nodes(smooth * spectrum)[inside].ravel()

    change = in_window(curls[2] - curls[0]) / (2.0 * stream.step)
    product = at_nodes(frames[1][0]) * at_nodes(1j * kx * curls[1])
    product += at_nodes(frames[1][1]) * at_nodes(1j * ky * curls[1])
    carried = in_window(fft.rfft2(product))
    spread = in_window(-(kx**2 + ky**2) * curls[1])
    left_over = np.linalg.norm(change + carried - VISCOSITY * spread) / np.linalg.norm(change)
    fitted = np.linalg.lstsq(np.stack((-carried, spread), axis=1), change, rcond=None)[0]
    return Accuracy(float(left_over), float(fitted[0]), float(fitted[1]))


def samples(stream: Stream, start: float) -> tuple[Array, Accuracy]:
    """Return samples in the window, and how accurate the flow is in the middle of their time.

    Args:
        stream: Grid and time step.
        start: Time in s after the impulsive start at which sampling begins.

    Returns:
        Columns x, y, t in m and s and the velocity in m/s, shape (NUM_SAMPLES, 5); the accuracy.
    """
    first = round(start / stream.step)
    num_frames = round(DURATION / INTERVAL) + 1
    counts = [first + k * round(INTERVAL / stream.step) for k in range(num_frames)]
    middle = counts[num_frames // 2]
    found = simulate(stream, [*counts, middle - 1, middle + 1])
    frames = found[:num_frames]
    reached = accuracy(stream, [found[-2], frames[num_frames // 2], found[-1]])
    draw = np.random.default_rng(SEED)
    lower, upper = np.array(WINDOW).T
    places = np.round(draw.uniform(lower, upper, size=(NUM_SAMPLES, 2)), 4)  # as in the file
    which = np.sort(draw.integers(num_frames, size=NUM_SAMPLES))
    velocity = np.empty((NUM_SAMPLES, 2))
    for k, frame in enumerate(frames):
        for axis in (0, 1):
            velocity[which == k, axis] = series(stream, frame[axis], places[which == k])
    return np.column_stack((places, INTERVAL * which, velocity)), reached


def write_csv(path: Path) -> Accuracy:
    """Write the samples as a comma-separated table with a header, and return how accurate they are.

    Args:
        path: File to write.
    """
    table, reached = samples(Stream(), start=80.0)
    lines = ["x_m,y_m,t_s,u_m_s,v_m_s"]
    lines += [f"{x:.4f},{y:.4f},{t:.2f},{u:.6f},{v:.6f}" for x, y, t, u, v in table]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return reached


if __name__ == "__main__":
    made = write_csv(Path(__file__).with_name("inverse_wake_velocities.csv"))
    sys.stdout.write(
        f"vorticity equation in the window: {made.residual:.1e} of the change with time is left; it is fitted best by "
        f"a factor of {made.factor:.5f} and a viscosity of {made.viscosity:.6f}\n"
    )
