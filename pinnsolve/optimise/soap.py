"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner, weight matrix by weight matrix.

For a weight matrix W with gradient G the running means L of G G^T and R of G^T G have eigenbases
Q_L and Q_R; Adam's second moment is kept for the rotated gradient ``Q_L^T G Q_R``. The bases
follow L and R by one step of orthogonal iteration now and then (N. Vyas et al., "SOAP: Improving
and stabilizing Shampoo using Adam", 2024, arXiv:2409.11321). Biases, and unknowns that are searched
for, get plain Adam.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.networks import MLP
from pinnsolve.optimise.first_order import UndampedState, check_first_order
from pinnsolve.optimise.learning_rate import WarmUpCosine
from pinnsolve.optimise.mixed import Gradient, Scales, initial_scales, loss_and_gradient
from pinnsolve.optimise.precision import FLOAT64, Policy
from pinnsolve.residuals import System


@dataclass(frozen=True)
class Side:
    """The preconditioner of one side of a weight matrix.

    Attributes:
        covariance: Running mean of G G^T (or G^T G), shape (n, n).
        basis: Its approximate eigenvectors as columns, shape (n, n).
    """

    covariance: Tensor
    basis: Tensor


@dataclass(frozen=True)
class SOAPState(UndampedState):
    """Where SOAP stands.

    Attributes:
        theta: Parameters, shape (P,).
        loss: Half the sum of squared rows where the last gradient was taken.
        first: Running mean of the gradient, shape (P,).
        second: Running mean of the square of the rotated gradient, shape (P,).
        sides: Left and right preconditioner of every weight matrix; empty before the first update.
        scales: Of mixed precision.
        updates: Updates made.
        skipped: Updates left out because a value was not finite.
        accepted: Whether the last step made any update.
        rung: Arithmetic, by the name of its policy.
    """

    theta: Tensor
    loss: float
    first: Tensor
    second: Tensor
    sides: tuple[tuple[Side, Side], ...]
    scales: Scales
    updates: int = 0
    skipped: int = 0
    accepted: bool = True
    rung: str = "float64"


@dataclass(frozen=True)
class SOAP:
    """Adam in Shampoo's eigenbasis.

    Attributes:
        learning_rate: By number of updates.
        policy: Arithmetic; ``autocast`` makes it mixed precision.
        updates_per_step: Updates on the same points in one :meth:`step`.
        decay_first: Memory of the mean of the gradient.
        decay_second: Memory of the mean square, and of L and R.
        epsilon: Added to the root of the mean square.
        refresh_every: Updates after which the bases follow L and R.
    """

    learning_rate: WarmUpCosine = field(default_factory=WarmUpCosine)
    policy: Policy = FLOAT64
    updates_per_step: int = 1
    decay_first: float = 0.95
    decay_second: float = 0.95
    epsilon: float = 1e-12
    refresh_every: int = 10

    def __post_init__(self) -> None:
        """Refuse memories outside of [0, 1), steps without updates and bases that never follow."""
        check_first_order(self.decay_first, self.decay_second, self.updates_per_step)
        if self.refresh_every < 1:
            raise ValueError(f"refresh_every must be >= 1, got {self.refresh_every}")

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> SOAPState:
        """Return the state at the start.

        Args:
            system: The least-squares system, in ``policy.residual``, with an MLP.
            theta: Initial parameters, shape (P,), in ``policy.residual``.
            reduction: Adds up over processes.

        Raises:
            ValueError: If the network has no weight matrices to go by.
        """
        matrix_spans(system)
        zero = torch.zeros_like(theta)
        scales = initial_scales(system, self.policy, reduction)
        return SOAPState(theta, math.inf, zero, zero, (), scales, rung=self.policy.name)

    def step(self, system: System, state: SOAPState, reduction: Reduction = ALONE) -> SOAPState:
        """Make ``updates_per_step`` updates; those with values that are not finite are skipped.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """
        before = state.updates
        for _ in range(self.updates_per_step):
            state = self._updated(system, state, reduction)
        return replace(state, accepted=state.updates > before)

    def _updated(self, system: System, state: SOAPState, reduction: Reduction) -> SOAPState:
        evaluated = loss_and_gradient(system, state.theta, self.policy, state.scales, reduction)
        return self.moved(state, evaluated, matrix_spans(system), reduction)

    def moved(
        self, state: SOAPState, evaluated: Gradient, spans: Spans, reduction: Reduction = ALONE
    ) -> SOAPState:
        """Make one update by a gradient, whatever it is the gradient of; skip it if it is not finite.

        Args:
            state: Where the last update ended.
            evaluated: The loss's gradient there, over all processes.
            spans: Where in theta each weight matrix lies, and its shape.
            reduction: Agrees on the parameters over processes.
        """
        if not evaluated.finite:
            return replace(state, scales=evaluated.scales, skipped=state.skipped + 1)
        gradient, count = evaluated.value, state.updates + 1
        matrices = [gradient[span].view(shape) for span, shape in spans]
        sides = state.sides or tuple((_side(g @ g.T), _side(g.T @ g)) for g in matrices)

        first = torch.lerp(gradient, state.first, self.decay_first)
        rotated = _rotated(gradient, spans, sides, forward)
        squares = rotated.square() if state.sides else _isotropic(rotated.square(), spans)
        second = torch.lerp(squares, state.second, self.decay_second)
        mean = _rotated(first, spans, sides, forward) / (1.0 - self.decay_first**count)
        root = (second / (1.0 - self.decay_second**count)).sqrt()
        direction = _rotated(mean / (root + self.epsilon), spans, sides, backward)

        sides = tuple(
            (
                self._remembered(left, g @ g.T),
                self._remembered(right, g.T @ g),
            )
            for (left, right), g in zip(sides, matrices, strict=True)
        )
        if count % self.refresh_every == 0:
            sides, second = _refreshed(sides, second, spans)
        return replace(
            state,
            theta=reduction.agreed(state.theta - self.learning_rate.at(count) * direction),
            loss=evaluated.loss,
            first=first,
            second=second,
            sides=sides,
            scales=evaluated.scales,
            updates=count,
        )

    def _remembered(self, side: Side, product: Tensor) -> Side:
        return replace(side, covariance=torch.lerp(product, side.covariance, self.decay_second))


Spans = list[tuple[slice, tuple[int, int]]]
"""Where in theta each weight matrix lies, and its shape."""


def matrix_spans(system: System) -> Spans:
    """Return where in theta each weight matrix lies, with its shape (outputs, inputs).

    Args:
        system: A system whose network is an MLP.

    Raises:
        ValueError: If the network is not an MLP.
    """
    if not isinstance(system.network, MLP):
        raise ValueError(
            f"SOAP needs the weight matrices of an MLP, got a network of class "
            f"{type(system.network).__name__}; use Adam"
        )
    spans: Spans = []
    start = 0
    for rows, columns in system.network.layers:
        spans.append((slice(start, start + rows * columns), (rows, columns)))
        start += rows * columns + rows
    return spans


def forward(matrix: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return a matrix (m, n) in the bases: ``Q_L^T G Q_R``."""
    return left.T @ matrix @ right


def backward(matrix: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return a matrix (m, n) from the bases: ``Q_L G Q_R^T``."""
    return left @ matrix @ right.T


def _rotated(
    flat: Tensor,
    spans: Spans,
    sides: tuple[tuple[Side, Side], ...],
    turn: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:
    """Return a copy of ``flat`` (P,) with every weight matrix turned; biases stay as they are."""
    result = flat.clone()
    for (span, shape), (left, right) in zip(spans, sides, strict=True):
        result[span] = turn(flat[span].view(shape), left.basis, right.basis).flatten()
    return result


def _side(product: Tensor) -> Side:
    """Return a preconditioner with the exact eigenbasis of the first gradient's product."""
    vectors = torch.linalg.eigh(product).eigenvectors
    return Side(product, vectors.flip(1))


def _isotropic(squares: Tensor, spans: Spans) -> Tensor:
    """Return squares (P,) with those of every weight matrix replaced by their mean.

    The first gradient is diagonal in its own bases: its other entries are rounding, and to divide them by their own
    size would make steps of them.
    """
    result = squares.clone()
    for span, _ in spans:
        result[span] = squares[span].mean()
    return result


def _refreshed(
    sides: tuple[tuple[Side, Side], ...], second: Tensor, spans: Spans
) -> tuple[tuple[tuple[Side, Side], ...], Tensor]:
    """Return sides after one orthogonal iteration, and the second moments in the same order."""
    moved = second.clone()
    fresh = []
    for (span, shape), (left, right) in zip(spans, sides, strict=True):
        (new_left, rows), (new_right, columns) = _iterated(left), _iterated(right)
        moved[span] = second[span].view(shape)[rows][:, columns].flatten()
        fresh.append((new_left, new_right))
    return tuple(fresh), moved


def _iterated(side: Side) -> tuple[Side, Tensor]:
    """Return one step of orthogonal iteration, with the order by falling eigenvalue estimate it took."""
    estimates = (side.basis * (side.covariance @ side.basis)).sum(dim=0)
    order = torch.argsort(estimates, descending=True, stable=True)
    basis = torch.linalg.qr(side.covariance @ side.basis[:, order]).Q
    return replace(side, basis=basis), order
