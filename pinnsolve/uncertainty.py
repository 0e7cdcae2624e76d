"""Standard deviation of identified numbers, with the physics as a hard constraint on the field.

The information matrix of network parameters t and unknowns z is ``H = S J_p^T J_p + J_d^T J_d``: Jacobian rows of the
measurements, divided by their noise, and of the physics, times a large stiffness S. Marginalised over t, the
information on z is the Schur complement ``H_zz - H_zt H_tt^-1 H_tz``; its inverse is the covariance (Laplace
approximation; the Cramer-Rao bound of the linearised problem). Directions of the field that the physics leaves open,
a boundary without condition say, are settled by the data alone and widen the interval as they should.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsolve.estimates import Estimate
from pinnsolve.optimise import ReducedNewton
from pinnsolve.residuals import System


def estimate_unknowns(
    system: System, theta: Tensor, regularisation: float = 1e-12
) -> tuple[Estimate, ...]:
    """Return the unknowns' values with standard deviations.

    Args:
        system: The trained system.
        theta: Its parameters, the unknowns' search variables last.
        regularisation: Added to the network's block, relative to its largest diagonal entry.
    """
    count = system.network.num_parameters
    share = _data_share(system)
    gram = theta.new_zeros(system.num_parameters, system.num_parameters, dtype=torch.float64)
    measured = {block.name for block in system.blocks if block.noise is not None}
    for members, (_, jacobian) in zip(system.chunks, system.linearised(theta), strict=True):
        wide = jacobian.to(torch.float64)
        is_data = members[0][0].block in measured  # measurements never share a group with physics
        gram += (1.0 if is_data else _STIFFNESS) * (wide.T @ wide)
    covariance = share**2 * _marginal_inverse(gram, count, regularisation)
    if not measured:
        covariance = torch.full_like(covariance, float("inf"))
    return _estimates(system, theta, covariance)


def estimate_following(system: System, theta: Tensor) -> tuple[Estimate, ...]:
    """Return the unknowns' values with standard deviations, where the field follows from the unknowns.

    Args:
        system: The trained system, of a network with a fixed trunk.
        theta: Its parameters, the unknowns' search variables last.
    """
    covariance = torch.from_numpy(ReducedNewton().linearised(system, theta).covariance)
    if not any(block.noise is not None for block in system.blocks):
        covariance = torch.full_like(covariance, float("inf"))
    return _estimates(system, theta, covariance)


def _estimates(system: System, theta: Tensor, covariance: Tensor) -> tuple[Estimate, ...]:
    count = system.network.num_parameters
    result = []
    for k, unknown in enumerate(system.unknowns):
        z = theta[count + k].to(torch.float64)
        std = abs(unknown.slope(float(z))) * float(covariance[k, k].clamp_min(0.0).sqrt())
        value = float(unknown.value(z))
        result.append(Estimate(unknown.name, value, std, unknown.unit, unknown.truth))
    return tuple(result)


_STIFFNESS = 1e3
"""Factor on the physics, beyond its weight in training, at which it no longer gives way to the data."""


def _data_share(system: System) -> float:
    """Return the factor on the measurements in training; 1 if there are none."""
    measured = {block.name for block in system.blocks if block.noise is not None}
    shares = {weight for key, weight in system.weights.items() if key.block in measured}
    if len(shares) > 1:
        raise ValueError(f"measurements must share one weight, got {sorted(shares)}")
    return shares.pop() if shares else 1.0


def _marginal_inverse(gram: Tensor, count: int, regularisation: float) -> Tensor:
    """Return the inverse of the Schur complement; infinite where the data say nothing."""
    network, mixed = gram[:count, :count].clone(), gram[:count, count:]
    network.diagonal().add_(regularisation * float(network.diagonal().max()))
    response = -torch.linalg.solve(network, mixed)
    # the quadratic form of the plain matrix: the regularisation then enters to second order only
    along = torch.cat((response, torch.eye(mixed.shape[1], dtype=gram.dtype, device=gram.device)))
    information = along.T @ (gram @ along)
    inverse: Tensor
    inverse, failed = torch.linalg.inv_ex(information)
    if int(failed) != 0 or bool((inverse.diagonal() <= 0.0).any()):
        return torch.full_like(information, float("inf"))
    return inverse
