"""Standard deviation of identified numbers, with the physics as a constraint on the field.

A change dz of the unknowns changes the field by ``d theta = -(A + eps I)^-1 B dz`` where ``A =
J_t^T J_t`` and ``B = J_t^T J_z`` come from the physics rows alone. The data rows then respond by
``S = D_z - D_t (A + eps I)^-1 B`` (divided by the noise), and the covariance of z is ``(S^T
S)^-1``: the Cramer-Rao bound of the linearised problem (Gauss-Newton / Laplace approximation).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsolve.estimates import Estimate
from pinnsolve.residuals import System


def estimate_unknowns(
    system: System, theta: Tensor, regularisation: float = 1e-10
) -> tuple[Estimate, ...]:
    """Return the unknowns' values with standard deviations.

    Args:
        system: The trained system.
        theta: Its parameters, the unknowns' search variables last.
        regularisation: eps, relative to the largest diagonal entry of A.
    """
    count = system.network.num_parameters
    size = system.num_parameters
    gram = theta.new_zeros(size, size, dtype=torch.float64)
    data_rows: list[Tensor] = []
    measured = {block.name for block in system.blocks if block.noise is not None}
    for members, (_, jacobian) in zip(system.chunks, system.linearised(theta), strict=True):
        key = members[0][0]
        wide = jacobian.to(torch.float64)
        if key.block in measured:
            data_rows.append(wide / system.weights.get(key, 1.0))
        else:
            gram += wide.T @ wide
    z = theta[count:].tolist()
    covariance = _covariance(gram, data_rows, count, regularisation)
    result = []
    for k, unknown in enumerate(system.unknowns):
        value = float(unknown.value(theta[count + k].to(torch.float64)))
        std = abs(unknown.slope(z[k])) * float(covariance[k, k].clamp_min(0.0).sqrt())
        result.append(Estimate(unknown.name, value, std, unknown.unit, unknown.truth))
    return tuple(result)


def _covariance(gram: Tensor, data_rows: list[Tensor], count: int, regularisation: float) -> Tensor:
    """Return the covariance of the search variables; infinite where the data say nothing."""
    network, mixed = gram[:count, :count].clone(), gram[:count, count:]
    network.diagonal().add_(regularisation * float(network.diagonal().max()))
    response = torch.linalg.solve(network, mixed)
    rows = torch.cat(data_rows) if data_rows else gram.new_zeros(0, gram.shape[0])
    sensitivity = rows[:, count:] - rows[:, :count] @ response
    information = sensitivity.T @ sensitivity
    inverse: Tensor
    inverse, failed = torch.linalg.inv_ex(information)
    if int(failed) != 0:
        return torch.full_like(information, float("inf"))
    return inverse
