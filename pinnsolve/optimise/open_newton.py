"""Gauss-Newton for a field that rests on data, where conditions are missing.

Infinitely many fields meet the equations then, and readings have noise. So three things share one least-squares
problem: readings, each over its noise; the equations, as if their rows were read with the small noise 1/k; and the
weights of the features, expected to be zero give or take s, which makes the smoother of two fields the likelier one.
``k`` is the reciprocal weight of the measurements in a system, ``s`` the network's ``spread``. They are judged by the
evidence of the readings, ``p(readings | equations) = p(readings, equations) / p(equations)``, each of which a triangle
has in its diagonal (D. J. C. MacKay, "Bayesian interpolation", Neural Computation 4 (1992) 415-447).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.networks import RandomFeatures
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.orthogonal import upper_triangle
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.residuals import System

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OpenTriangle:
    """The linearised problem of P weights and K unknowns as ``min |R d + q|^2``, of unit noise.

    Attributes:
        factor: Upper triangle R of all rows, shape (P + K, P + K).
        right: q, shape (P + K,).
        least: Half the sum of squares at the minimiser.
        log_evidence: Logarithm of the density of the readings, but for a constant of the readings alone.
    """

    factor: Array
    right: Array
    least: float
    log_evidence: float

    def step(self) -> Array:
        """Return the minimiser d, shape (P + K,)."""
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(self.factor, -self.right, check_finite=False))

    def of_unknowns(self, number: int) -> Array:
        """Return the triangle of the information on the unknowns, the field eliminated, shape (K, K).

        Args:
            number: K.
        """
        first = len(self.right) - number
        return self.factor[first:, first:]


@dataclass(frozen=True)
class OpenState:
    """Where the iteration stands.

    Attributes:
        theta: Head weights and search variables of unknowns, shape (P + K,).
        loss: Half the sum of squares of all rows, of unit noise.
        triangle: The problem linearised where the last step began; None before the first one.
        accepted: Whether the last step moved.
        converged: Whether a further step would gain nothing that the noise does not hide.
    """

    theta: Tensor
    loss: float
    triangle: OpenTriangle | None = None
    accepted: bool = True
    converged: bool = False


@dataclass(frozen=True)
class OpenNewton:
    """Gauss-Newton with a full step or a shorter one.

    Attributes:
        shares: Lengths of step that are tried.
        tolerance: Loss above the linearised minimum that counts as none; 1/2 is one standard deviation.
    """

    shares: tuple[float, ...] = (1.0, 0.5, 0.25, 0.1)
    tolerance: float = 0.02

    def init(self, system: System, theta: Tensor) -> OpenState:
        """Return the state at the start.

        Args:
            system: The system of random features with a finite spread, tabulated.
            theta: Head weights and search variables of unknowns, shape (P + K,).
        """
        return OpenState(theta, _loss(system, theta))

    def step(self, system: System, state: OpenState) -> OpenState:
        """Take one step; if nothing lowers the loss, stay and return ``accepted=False``.

        Args:
            system: The system of random features with a finite spread, tabulated.
            state: Where the last step ended.
        """
        return self.stepped(system, state, open_triangle(system, state.theta))

    def stepped(self, system: System, state: OpenState, triangle: OpenTriangle) -> OpenState:
        """Take one step along a triangle that is known already.

        Args:
            system: The system of random features with a finite spread, tabulated.
            state: Where the last step ended.
            triangle: The system linearised there.
        """
        move = torch.from_numpy(triangle.step()).to(state.theta)
        for share in self.shares:
            theta = _within(system, state.theta + share * move)
            loss = _loss(system, theta)
            if loss < state.loss:
                done = share == 1.0 and loss - triangle.least < self.tolerance
                return OpenState(theta, loss, triangle, converged=done)
        return replace(state, triangle=triangle, accepted=False, converged=True)


def fitted_to_data(system: System, theta: Tensor) -> Tensor:
    """Return theta with the weights that fit the readings alone, the equations left out.

    Args:
        system: The system of random features with a finite spread, tabulated.
        theta: Where readings are linearised, shape (P + K,).
    """
    from scipy.linalg import solve_triangular

    count = system.network.num_parameters
    rows = _stacked(_data_rows(system, theta), len(theta))
    rows = np.vstack((np.delete(rows, np.s_[count:-1], axis=1), _expected(system, theta, count)))
    upper = upper_triangle(rows)
    move = solve_triangular(upper[:count, :count], -upper[:count, -1], check_finite=False)
    return torch.cat((theta[:count] + torch.from_numpy(move).to(theta), theta[count:]))


def open_triangle(system: System, theta: Tensor) -> OpenTriangle:
    """Return the problem linearised at theta.

    Args:
        system: The system of random features with a finite spread.
        theta: Shape (P + K,).
    """
    count, size = system.network.num_parameters, len(theta)
    stiffness = stiffness_in(system)
    physics = part_of(system, measured=False)
    held = np.zeros((physics.num_rows + count, size + 1), order="F")
    filled = 0
    for rows, jacobian in physics.linearised(theta):
        held[filled : filled + len(rows), :-1] = stiffness * jacobian.numpy()
        held[filled : filled + len(rows), -1] = stiffness * rows.numpy()
        filled += len(rows)
    held[filled:] = _expected(system, theta, size)
    before = upper_triangle(held)
    data = _stacked(_data_rows(system, theta), size)
    after = upper_triangle(np.asfortranarray(np.vstack((before, data))))
    least = 0.5 * float(np.sum(after[size:, -1] ** 2))
    evidence = _log_determinant(before[:count]) - _log_determinant(after[:size])
    evidence += 0.5 * float(np.sum(before[count:, -1] ** 2)) - least
    return OpenTriangle(after[:size, :size], after[:size, -1], least, evidence)


def stiffness_in(system: System) -> float:
    """Return k, the reciprocal weight of the measurements.

    Args:
        system: The system.

    Raises:
        ValueError: If its measurements have several weights.
    """
    names = {block.name for block in system.blocks if block.noise is not None}
    found = {weight for key, weight in system.weights.items() if key.block in names}
    if len(found) != 1:
        raise ValueError(f"measurements need one weight among them, got {sorted(found)}")
    return 1.0 / found.pop()


def with_stiffness(system: System, stiffness: float, spread: float) -> System:
    """Return the system with another noise of its equations and another spread of its weights.

    Args:
        system: The system of random features.
        stiffness: k.
        spread: s.
    """
    if not isinstance(system.network, RandomFeatures):
        raise TypeError(f"only random features have a spread, got {system.network!r}")
    names = {block.name for block in system.blocks if block.noise is not None}
    weights = {
        key: 1.0 / stiffness if key.block in names else weight
        for key, weight in system.weights.items()
    }
    return replace(system, weights=weights, network=replace(system.network, spread=spread))


def _spread(system: System) -> float:
    network = system.network
    spread = network.spread if isinstance(network, RandomFeatures) else math.inf
    if not math.isfinite(spread):
        raise ValueError(
            f"weights of {network!r} need a finite spread where the field rests on data; set RandomFeatures.spread"
        )
    return spread


def _expected(system: System, theta: Tensor, columns: int) -> Array:
    """Return the rows that say what is expected of the weights, shape (P, columns + 1)."""
    count, spread = system.network.num_parameters, _spread(system)
    rows = np.zeros((count, columns + 1))
    np.fill_diagonal(rows, 1.0 / spread)
    rows[:, -1] = theta[:count].numpy() / spread
    return rows


def _data_rows(system: System, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return the rows of readings and priors of unknowns, of unit noise."""
    return list(part_of(system, measured=True).linearised(theta))


def _stacked(pieces: list[tuple[Tensor, Tensor]], size: int) -> Array:
    """Return rows (M', size + 1) as good as all pieces, but fewer where readings are many.

    A reading of one component sees the weights of this one only, so each piece is reduced on its own columns.
    """
    reduced = [np.zeros((0, size + 1))]
    for rows, jacobian in pieces:
        seen = np.flatnonzero((jacobian != 0.0).any(dim=0).numpy())
        part = np.column_stack((jacobian[:, seen].numpy(), rows.numpy()))
        upper = upper_triangle(np.asfortranarray(part)) if len(part) > len(seen) + 1 else part
        wide = np.zeros((len(upper), size + 1))
        wide[:, seen], wide[:, -1] = upper[:, :-1], upper[:, -1]
        reduced.append(wide)
    return np.concatenate(reduced)


def _log_determinant(upper: Array) -> float:
    return float(np.log(np.abs(np.diagonal(upper))).sum())


def _within(system: System, theta: Tensor) -> Tensor:
    """Return theta with search variables that stay where the values of bounded unknowns can still be told apart."""
    count = system.network.num_parameters
    far = [math.inf if u.bounds is None else _FARTHEST for u in system.unknowns]
    limit = theta.new_tensor(far)
    return torch.cat((theta[:count], torch.clamp(theta[count:], -limit, limit)))


def _loss(system: System, theta: Tensor) -> float:
    count, stiffness = system.network.num_parameters, stiffness_in(system)
    with torch.no_grad():
        rows = half_square(part_of(system, measured=False).residual(theta)) * stiffness**2
        rows += half_square(part_of(system, measured=True).residual(theta))
        return rows + half_square(theta[:count] / _spread(system))


_FARTHEST = 8.0
"""Largest search variable of an unknown with bounds: its value is then within 1e-3 of one of them."""
