"""Gauss-Newton on the unknowns alone, the field being the solution of its equations for them.

Where equations and conditions determine the field c for given unknowns z, data are to settle z, and nothing else. The
triangle of the physics rows, columns of the field first, ``[R_cc R_cz; 0 R_zz]``, gives the field's Newton step
``-R_cc^-1 q_c`` and its sensitivity ``S = -R_cc^-1 R_cz``; with it the data rows become rows of z, ``J_c S + J_z``, a
small least-squares problem of statistical weight one. R_zz is left out: it is no information, only how far the features
are from meeting the equations. Weighed against the data in one system it would bias the estimate, and the data would
bend the field.

The misfit is known as well as the field meets its equations, to a ``doubt``: the residual, as a share of that of no
field at all, on readings as large as they are. Along an unknown that the data hardly tell, the width of a narrow source
say, the least misfit may lie where the features cannot follow, by no merit of the data. So a step is taken if it lowers
the sum of misfit and doubt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.orthogonal import Triangle, triangularise
from pinnsolve.residuals import System

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ReducedState:
    """Where the iteration stands.

    Attributes:
        theta: Head weights that meet the equations for the unknowns, then their search variables, shape (P,).
        loss: Half the sum of squared rows at theta.
        misfit: Half the sum of squared data rows, each over its noise.
        sensitivity: How the head follows the search variables, shape (P - K, K).
        triangle: The least-squares problem of the K search variables, linearised.
        damping: Damping of the next step, relative to the columns' norms.
        doubt: Half the sum of squares of what the residual of the equations may do to the data rows.
        accepted: Whether the last step moved.
        converged: Whether a further step would move the unknowns by a small part of their standard deviation.
    """

    theta: Tensor
    loss: float
    misfit: float
    sensitivity: Tensor
    triangle: Triangle
    damping: float = 0.0
    doubt: float = 0.0
    accepted: bool = True
    converged: bool = False

    @property
    def merit(self) -> float:
        """What a step has to lower: misfit and doubt."""
        return self.misfit + self.doubt

    @property
    def covariance(self) -> Array:
        """Covariance of the search variables, shape (K, K); huge where neither data nor priors say anything."""
        return covariance_of(self.triangle)

    def at(self, theta: Tensor) -> Tensor:
        """Return theta with the search variables of another one, the head following them, linearised.

        Args:
            theta: Its search variables are last; its head may be of another size.
        """
        count, number = self.sensitivity.shape
        move = theta[len(theta) - number :] - self.theta[count:]
        return self.theta + torch.cat((self.sensitivity @ move, move))


@dataclass(frozen=True)
class ReducedNewton:
    """Levenberg-Marquardt steps on the unknowns; each trial solves the equations of the field anew.

    Attributes:
        regularisation: Tikhonov term of the physics relative to the columns' norms, near the arithmetic's precision.
        tolerance: Fall of the misfit that counts as none: 1e-5 is a move by 0.4 % of a standard deviation.
        damping: The first damping of the unknowns.
        trials: Most dampings that are tried in a step.
        corrections: Most Newton steps of the field to begin with.
    """

    regularisation: float = 1e-14
    tolerance: float = 1e-5
    damping: float = 0.0
    trials: int = 5
    corrections: int = 8

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> ReducedState:
        """Return the state at the start: the field is solved for, the unknowns are as they were.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            theta: Head weights and search variables of unknowns, shape (P,).
            reduction: Adds up over processes.
        """
        physics = part_of(system, measured=False)
        theta, sensitivity, before = self._solved(physics, theta, reduction, self.corrections)
        nothing = torch.cat(
            (torch.zeros_like(theta[: len(sensitivity)]), theta[len(sensitivity) :])
        )
        if before > _NEAR**2 * _loss(physics, nothing, reduction):
            return self.linearised(system, theta, reduction)
        return self._state(system, theta, sensitivity, reduction, damping=self.damping)

    def linearised(
        self, system: System, theta: Tensor, reduction: Reduction = ALONE
    ) -> ReducedState:
        """Return the state at a head that meets the equations already.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            theta: Head weights and search variables of unknowns, shape (P,).
            reduction: Adds up over processes.
        """
        physics = part_of(system, measured=False)
        theta, sensitivity, _ = self._corrected(physics, theta, reduction)
        return self._state(system, theta, sensitivity, reduction, damping=self.damping)

    def settled(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> Tensor:
        """Return theta with the head that meets the equations for the unknowns as they are.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            theta: Head weights to begin with, then search variables of unknowns, shape (P,).
            reduction: Adds up over processes.
        """
        physics = part_of(system, measured=False)
        return self._solved(physics, theta, reduction, self.corrections)[0]

    def step(
        self, system: System, state: ReducedState, reduction: Reduction = ALONE
    ) -> ReducedState:
        """Take one step; if nothing lowers misfit and doubt together, stay and return ``accepted=False``.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """
        physics = part_of(system, measured=False)
        if _fall(state) < self.tolerance:
            return replace(state, accepted=True, converged=True)
        damping = state.damping
        for _ in range(self.trials):
            move = torch.from_numpy(state.triangle.step(damping)).to(state.theta)
            present = state.theta[len(state.theta) - len(move) :]
            move = _within_bounds(system, present + move) - present
            along = torch.cat((state.sensitivity @ move, move))
            trial = reduction.agreed(state.theta + along)
            theta, sensitivity, _ = self._solved(physics, trial, reduction, _FOLLOW)
            found = self._state(system, theta, sensitivity, reduction, damping=_less(damping))
            if found.merit < state.merit:
                return found
            damping = max(_MORE * damping, _LEAST_DAMPING)
        return replace(state, accepted=False, converged=True)

    def _solved(
        self, physics: System, theta: Tensor, reduction: Reduction, most: int
    ) -> tuple[Tensor, Tensor, float]:
        """Return theta after at most so many Newton steps of the field; sensitivity and loss before the last one."""
        sensitivity, before = theta, 0.0
        for _ in range(most):
            before = _loss(physics, theta, reduction)
            theta, sensitivity, promised = self._corrected(physics, theta, reduction)
            after = _loss(physics, theta, reduction)
            if after <= _ENOUGH * promised or after > _HARDLY * before:
                break
        return theta, sensitivity, before

    def _corrected(
        self, physics: System, theta: Tensor, reduction: Reduction
    ) -> tuple[Tensor, Tensor, float]:
        """Return theta after a Newton step of the field, its sensitivity, and the loss that the step promised."""
        from scipy.linalg import solve_triangular

        count = physics.network.num_parameters
        triangle = triangularise(
            lambda: physics.linearised(theta),
            physics.num_parameters,
            physics.num_rows,
            damping=self.regularisation,
            reduction=reduction,
        )
        factor, norms = triangle.factor, triangle.column_norms
        sides = np.column_stack((triangle.right[:count], factor[:count, count:]))
        scaled = solve_triangular(factor[:count, :count], -sides, check_finite=False)
        solved = torch.from_numpy(scaled / norms[:count, None]).to(theta)
        sensitivity = solved[:, 1:] * torch.from_numpy(norms[count:]).to(theta)
        left = float(np.sum(triangle.right[count:] ** 2))
        promised = triangle.least_loss + 0.5 * left
        correction = torch.cat((solved[:, 0], theta.new_zeros(len(theta) - count)))
        before = _loss(physics, theta, reduction)
        for share in _SHARES:
            trial = reduction.agreed(theta + share * correction)
            if _loss(physics, trial, reduction) < before:
                return trial, sensitivity, promised
        return theta, sensitivity, promised

    def _state(
        self,
        system: System,
        theta: Tensor,
        sensitivity: Tensor,
        reduction: Reduction,
        *,
        damping: float,
    ) -> ReducedState:
        data = part_of(system, measured=True)
        triangle = reduced_triangle(data, theta, sensitivity, reduction)
        misfit = _loss(data, theta, reduction)
        loss = _loss(system, theta, reduction)
        doubt = doubt_at(part_of(system, measured=False), data, theta, reduction)
        return ReducedState(theta, loss, misfit, sensitivity, triangle, damping, doubt)


def doubt_at(physics: System, data: System, theta: Tensor, reduction: Reduction = ALONE) -> float:
    """Return half the sum of squares of what the residual of the equations may do to the data rows.

    A residual of a share of that of no field at all is taken for an error of that share in all readings.

    Args:
        physics: The rows without a noise, as they are weighted.
        data: The rows with a noise; those of priors know nothing of the field and do not count.
        theta: Head weights and search variables of unknowns, shape (P,).
        reduction: Adds up over processes.
    """
    kinds = [data.blocks[group.blocks[0]].kind for group in data.groups]
    kept = [i for i, kind in enumerate(kinds) if kind == "data"]
    data = replace(
        data,
        groups=tuple(data.groups[i] for i in kept),
        tables=tuple(data.tables[i] for i in kept) if data.tables else (),
    )
    count = physics.network.num_parameters
    nothing = torch.cat((torch.zeros_like(theta[:count]), theta[count:]))
    most, readings = _loss(physics, nothing, reduction), _loss(data, nothing, reduction)
    return readings * min(_loss(physics, theta, reduction) / most, 1.0) if most > 0.0 else 0.0


def part_of(system: System, *, measured: bool) -> System:
    """Return the rows with a noise, each of statistical weight one, or the others, as they are weighted.

    Args:
        system: The system.
        measured: Which ones.
    """
    kept = [
        i
        for i, group in enumerate(system.groups)
        if (system.blocks[group.blocks[0]].noise is not None) == measured
    ]
    names = {block.name for block in system.blocks if block.noise is not None}
    weights = {k: w for k, w in system.weights.items() if k.block not in names}
    return replace(
        system,
        groups=tuple(system.groups[i] for i in kept),
        tables=tuple(system.tables[i] for i in kept) if system.tables else (),
        weights=weights if measured else system.weights,
    )


def reduced_triangle(
    data: System, theta: Tensor, sensitivity: Tensor, reduction: Reduction = ALONE
) -> Triangle:
    """Return the least-squares problem of the search variables, the field following them.

    Args:
        data: The rows with a noise.
        theta: Where it is linearised, shape (P,).
        sensitivity: How the head follows the search variables, shape (P - K, K).
        reduction: Adds up over processes.
    """
    count, number = sensitivity.shape

    def chunks() -> Iterator[tuple[Tensor, Tensor]]:
        for rows, jacobian in data.linearised(theta):
            yield rows, jacobian[:, :count] @ sensitivity + jacobian[:, count:]

    return triangularise(
        chunks, number, data.num_rows, damping=_LEAST_INFORMATION, reduction=reduction
    )


def covariance_of(triangle: Triangle) -> Array:
    """Return the inverse of the information in a reduced triangle, shape (K, K).

    Args:
        triangle: Made by :func:`reduced_triangle`.
    """
    from scipy.linalg import solve_triangular

    identity = np.eye(len(triangle.right))
    inverse = solve_triangular(triangle.factor, identity, check_finite=False)
    root = inverse / triangle.column_norms[:, None]
    return np.asarray(root @ root.T)


def _fall(state: ReducedState) -> float:
    """Return by how much a full step would lower the misfit, if all were linear."""
    return max(state.misfit - state.triangle.least_loss, 0.0)


def _within_bounds(system: System, z: Tensor) -> Tensor:
    """Return search variables that stay where the values of unknowns with bounds can still be told from these."""
    far = [math.inf if u.bounds is None else _FARTHEST for u in system.unknowns]
    limit = z.new_tensor(far)
    return torch.minimum(torch.maximum(z, -limit), limit)


def _loss(system: System, theta: Tensor, reduction: Reduction) -> float:
    with torch.no_grad():
        rows = system.residual(theta) if system.groups else theta.new_zeros(0)
        return half_square(rows, reduction)


def _less(damping: float) -> float:
    """Return the damping after a step that did well."""
    return 0.0 if damping <= _LEAST_DAMPING else damping / _MORE


_SHARES = (1.0, 0.5, 0.25)
"""Lengths of the field's step that are tried."""

_ENOUGH = 1.2
"""Loss over the linearised minimum at which a further step of the field would gain nothing."""

_HARDLY = 0.5
"""Share of the loss that is left after a step of the field where a further one would gain nothing."""

_NEAR = 0.01
"""Residual, as a share of that of no field at all, from which on the sensitivity is taken before the field moves."""

_FARTHEST = 8.0
"""Largest search variable of an unknown with bounds: its value is then within 1e-3 of one of them."""

_FOLLOW = 3
"""Most Newton steps of the field after the unknowns have moved; one if it is linear for given unknowns."""

_LEAST_DAMPING = 1e-2

_MORE = 10.0

_LEAST_INFORMATION = 1e-10
"""Tikhonov term of the unknowns relative to the columns' norms, for combinations that nothing tells."""
