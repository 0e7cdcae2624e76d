"""Preconditioned conjugate gradients for damped least squares, in the form that keeps the rows.

Working on ``w - J x`` instead of ``J^T w - (J^T J + lam I) x`` loses no digits to the squared
condition number (A. Bjorck, "Numerical methods for least squares problems", SIAM 1996, 7.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction


@dataclass(frozen=True)
class Solved:
    """What the iteration came to.

    Attributes:
        x: The solution, shape (P,); not finite if the input was not.
        num_iterations: Pairs of products with J and J^T.
        relative_residual: Norm of the preconditioned gradient, relative to its start.
    """

    x: Tensor
    num_iterations: int
    relative_residual: float


def damped_least_squares(
    push: Callable[[Tensor], Tensor],
    pull: Callable[[Tensor], Tensor],
    w: Tensor,
    damping: float,
    *,
    precondition: Callable[[Tensor], Tensor],
    tolerance: float,
    max_iterations: int,
    reduction: Reduction = ALONE,
) -> Solved:
    """Solve ``(J^T J + lam I) x = J^T w``.

    Every iterate lowers ``|J x - w|^2 + lam |x|^2``, so one that was cut short is a descent
    direction still.

    Args:
        push: ``v -> J v``, from (P,) to this process's rows (M,).
        pull: ``w -> J^T w``, from this process's rows (M,) to its part of the sum (P,).
        w: This process's rows, shape (M,).
        damping: lam > 0.
        precondition: A symmetric positive definite approximation of the inverse of the matrix.
        tolerance: Norm of the preconditioned gradient, relative to its start, at which to stop.
        max_iterations: Most iterations.
        reduction: Adds up over processes.
    """
    missing = w.clone()
    gradient = reduction.sum(pull(missing))
    x = gradient.new_zeros(gradient.shape)
    ahead = precondition(gradient)
    direction = ahead
    # the same on all processes, so that all stop together
    size = first = float(reduction.agreed(gradient @ ahead))
    taken = 0
    while taken < max_iterations and size > tolerance**2 * first:
        image = push(direction)
        curvature = reduction.sum(image @ image) + damping * (direction @ direction)
        length = size / float(reduction.agreed(curvature))
        x = x + length * direction
        missing = missing - length * image
        gradient = reduction.sum(pull(missing)) - damping * x
        ahead = precondition(gradient)
        before, size = size, float(reduction.agreed(gradient @ ahead))
        direction = ahead + (size / before) * direction
        taken += 1
    if not size < float("inf"):
        x = x * float("nan")
    return Solved(x, taken, (size / first) ** 0.5 if first > 0.0 and size >= 0.0 else 0.0)
