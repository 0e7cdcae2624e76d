"""The field that belongs to other values of the unknowns, by cheap steps.

A Newton step of the field needs a new triangle of the physics rows. The one at the solution does nearly as well: with
``J^T J = R^T R`` there, ``d = -R^-1 R^-T J^T r`` needs a gradient only, and Anderson's mixing of the last steps makes
up for the change of J (D. G. Anderson, "Iterative procedures for nonlinear integral equations", J. ACM 12 (1965)
547-560). Where the field itself rests on the data, the rows of these join, the physics being stiff
(:mod:`pinnsolve.uncertainty.marginal`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.residuals import System
from pinnsolve.uncertainty.linearisation import Linearisation
from pinnsolve.uncertainty.marginal import STIFFNESS

Array = npt.NDArray[np.float64]

_MOST = 12
"""Most steps of the field for one set of values."""

_STILL = 0.02
"""Change of all readings together, in standard deviations, below which the field is found."""

_MIXED = 5
"""How many of the last steps are mixed."""


@dataclass(frozen=True)
class Follower:
    """Finds the field for given unknowns.

    Attributes:
        physics: The rows without a noise, as they are weighted.
        data: The rows with a noise, each of statistical weight one.
        upper: R, columns scaled to norm one, shape (P, P).
        norms: What the columns were divided by, shape (P,).
        stiff: Factor on the physics' rows beside those of the data; 0 leaves the data out.
    """

    physics: System
    data: System
    upper: Array
    norms: Array
    stiff: float

    def at(self, theta: Tensor) -> tuple[Tensor, Array] | None:
        """Return theta with the field that belongs to its search variables, and the rows of data and priors.

        None if the steps do not come to rest.

        Args:
            theta: A field to begin with, the unknowns' search variables last, shape (P + K,).
        """
        places: list[Array] = []
        steps: list[Array] = []
        rows = self._rows(theta)
        for _ in range(_MOST):
            step = self._whitened_step(theta)
            place = self._whitened(theta)
            places, steps = [*places, place][-_MIXED:], [*steps, step][-_MIXED:]
            theta = self._with_field(theta, _mixed(places, steps))
            before, rows = rows, self._rows(theta)
            if not np.isfinite(rows).all():
                return None
            if np.linalg.norm(rows - before) < _STILL:
                return theta, rows
        return None

    def _rows(self, theta: Tensor) -> Array:
        with torch.no_grad():
            return np.asarray(self.data.residual(theta).cpu().numpy())

    def _whitened_step(self, theta: Tensor) -> Array:
        """Return ``-R^-T J^T r``, the step in coordinates in which the sum of squares is a sphere."""
        from scipy.linalg import solve_triangular

        count = len(self.norms)
        inner = theta.detach().requires_grad_()
        with torch.enable_grad():
            total = 0.5 * self.physics.residual(inner).square().sum()
            if self.stiff > 0.0:
                total = self.stiff**2 * total + 0.5 * self.data.residual(inner).square().sum()
        (slope,) = torch.autograd.grad(total, inner)
        scaled = slope[:count].cpu().numpy() / self.norms
        return -np.asarray(solve_triangular(self.upper, scaled, trans="T", check_finite=False))

    def _whitened(self, theta: Tensor) -> Array:
        field = theta[: len(self.norms)].detach().cpu().numpy()
        return np.asarray(self.upper @ (self.norms * field))

    def _with_field(self, theta: Tensor, whitened: Array) -> Tensor:
        from scipy.linalg import solve_triangular

        field = solve_triangular(self.upper, whitened, check_finite=False) / self.norms
        return torch.cat((torch.from_numpy(field).to(theta), theta[len(self.norms) :].detach()))


def follower(system: System, rows: Linearisation, stiffness: float) -> Follower:
    """Return what finds the field near a solution.

    Args:
        system: The system, float64, its network linear in its parameters.
        rows: The same, linear about the solution.
        stiffness: k, as of :func:`pinnsolve.uncertainty.marginal.marginalise`.
    """
    system = system.tabulated()
    count, norms, factor = rows.num_network, rows.physics.column_norms, rows.physics.factor
    upper, stiff = factor[:count, :count], 0.0
    if stiffness <= STIFFNESS and rows.data:
        data = np.concatenate([item.jacobian[:, :count] for item in rows.data])
        seen = float(np.linalg.norm(data)) / float(np.linalg.norm(norms[:count]))
        stiff = stiffness * seen
        stacked = np.vstack((stiff * upper, data / norms[:count]))
        upper = np.asarray(np.linalg.qr(stacked, mode="r"))
    return Follower(
        part_of(system, measured=False),
        part_of(system, measured=True),
        upper,
        norms[:count],
        stiff,
    )


def _mixed(places: list[Array], steps: list[Array]) -> Array:
    """Return Anderson's next place: where the steps would vanish if they changed linearly with the places."""
    place, step = places[-1], steps[-1]
    if len(places) == 1:
        return np.asarray(place + step)
    moved = np.stack([place - item for item in places[:-1]], axis=1)
    changed = np.stack([step - item for item in steps[:-1]], axis=1)
    shares = np.linalg.lstsq(changed, step, rcond=1e-10)[0]
    return np.asarray(place + step - (moved + changed) @ shares)
