"""Going to the optimum of data and priors along the physics: reduced Gauss-Newton from a solution nearby.

The steps of training weigh the physics and the data against each other, so that what a weak direction of the unknowns
asks for drowns. Here every step takes the field back onto the physics and moves the unknowns along it, by the problem
with the field eliminated (:mod:`pinnsolve.uncertainty.marginal`). A linear problem takes one step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pinnsolve.optimise import GaussNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.residuals import System
from pinnsolve.uncertainty.laplace import unknowns_given
from pinnsolve.uncertainty.linearisation import linearise
from pinnsolve.uncertainty.marginal import marginalise

_RIDGE = 1e-3
"""Tikhonov term of a step: directions of the network that hardly matter are left where they are."""

_LONGEST = 0.5
"""Largest change of a search variable in one step."""

_WORSE = 10.0
"""Growth of the loss of the physics up to which the field is still on it."""

_SMALL_LOSS = 1e-6
"""Loss of the physics, in units of equations whose Jacobians have norm one, that is small in any case."""

_DONE = 0.02
"""Largest step, in standard deviations, after which no further one is taken."""


def settled(system: System, theta: Tensor, *, max_steps: int = 8) -> Tensor:
    """Return the optimum near theta, on the same points.

    Args:
        system: The system; its weights do not matter, its noise does.
        theta: Where to begin.
        max_steps: Most steps.
    """
    place, limit = theta, max(_WORSE * _physics_loss(system, theta), _SMALL_LOSS)
    for _ in range(max_steps):
        rows = linearise(system, place, _RIDGE)
        marginal = marginalise(rows)
        known = unknowns_given(marginal, rows.priors)
        longest = float(np.abs(known.step).max(initial=0.0))
        step = known.step * min(1.0, _LONGEST / max(longest, 1e-300))
        change = np.concatenate((marginal.correction + marginal.response @ step, step))
        if not np.isfinite(change).all():
            break
        place = place + torch.from_numpy(change).to(place)
        done = (np.abs(known.step) <= _DONE * np.linalg.norm(known.root, axis=1)).all()
        if done and _physics_loss(system, place) <= limit:
            return place
    return _by_small_steps(system, theta)


def _by_small_steps(system: System, theta: Tensor) -> Tensor:
    """Return where the optimiser of training gets to, which never goes uphill."""
    optimiser = GaussNewton(initial_damping=1e-10)
    state = optimiser.init(system, theta)
    for _ in range(10):
        state = optimiser.step(system, state)
        if not state.accepted:
            break
    return state.theta


def _physics_loss(system: System, theta: Tensor) -> float:
    """Return half the sum of squares of all rows but those of data and priors; infinite if it is not finite."""
    noisy = {block.name for block in system.blocks if block.noise is not None}
    with torch.no_grad():
        rows = system.rows_by_key(theta)
    return sum(half_square(row) for key, row in rows.items() if key.block not in noisy)
