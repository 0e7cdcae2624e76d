"""Regression with small networks: Levenberg-Marquardt on all rows, regularisation and noise by evidence.

The objective is ``beta/2 sum w r^2 + 1/2 sum alpha_g |theta_g|^2``; after every step the precisions are set to where
the evidence is stationary, ``alpha_g = gamma_g / |theta_g|^2`` and ``beta = (N - gamma) / sum w r^2``, with gamma the
number of parameters that the data determine (D. J. C. MacKay, "A practical Bayesian framework for backpropagation
networks", Neural Comput. 4 (1992) 448; with Gauss-Newton: F. D. Foresee & M. T. Hagan, "Gauss-Newton approximation to
Bayesian learning", ICNN 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.learning.models import FREE, SmoothModel
from pinnsolve.learning.record import FitStop
from pinnsolve.learning.rows import Rows
from pinnsolve.optimise.gram import normal_equations

_CHUNK = 2048
_LOOSE = 1e-8
"""Precision of the prior of parameters that nothing should hold."""

_LARGEST = 1e8
_MEMORY = 10
"""Steps in which a training that has not ended lowers the loss by a thousandth."""

_EXACT = 1e-20
"""Loss below which only rounding is left."""

_FIRST_STEPS = 2
"""Steps before the precisions follow the evidence: from random weights they would only learn that nothing fits."""


@dataclass(frozen=True)
class EvidenceState:
    """Where the fit of one network stands.

    Attributes:
        theta: Parameters, shape (P,).
        alpha: Precision of the prior by group, shape (G,).
        beta: Precision of the noise.
        damping: lam of the next step, as a share of the mean curvature.
        loss: Half the weighted mean square of the residual.
        objective: What the next step has to lower.
        determined: gamma, how many parameters the data determine.
        accepted: Whether the last step moved.
        step: Steps taken.
    """

    theta: Tensor
    alpha: Tensor
    beta: float
    damping: float
    loss: float
    objective: float
    determined: float = 0.0
    accepted: bool = True
    step: int = 0


@dataclass(frozen=True)
class Curvature:
    """The second-order model of the objective at some parameters.

    Attributes:
        gram: ``J^T W J``; the lower triangle is meaningful.
        gradient: ``J^T W r``.
        squares: ``sum w r^2``.
    """

    gram: Tensor
    gradient: Tensor
    squares: float


def initial_state(model: SmoothModel, rows: Rows, theta: Tensor) -> EvidenceState:
    """Return the state at the start.

    Args:
        model: The network.
        rows: What to learn from.
        theta: Initial parameters, shape (P,).
    """
    groups = model.prior_groups().to(theta.device)
    alpha = theta.new_ones(int(groups.max()) + 1)
    alpha[FREE] = _LOOSE
    squares = _squares(model, rows, theta)
    state = EvidenceState(theta, alpha, 1.0, 1e-2, 0.5 * squares / rows.total, 0.0)
    return replace(state, objective=_objective(state, groups, squares))


def evidence_steps(model: SmoothModel, rows: Rows, state: EvidenceState) -> Iterator[EvidenceState]:
    """Yield the states after each step, without end.

    Args:
        model: The network.
        rows: What to learn from.
        state: Where to begin.
    """
    groups = model.prior_groups().to(state.theta.device)
    while True:
        curvature = curvature_at(model, rows, state.theta)
        state = _descended(model, rows, state, curvature, groups)
        if state.step >= _FIRST_STEPS:
            state = _with_evidence(rows, state, curvature, groups)
        yield state


def curvature_at(model: SmoothModel, rows: Rows, theta: Tensor) -> Curvature:
    """Return the second-order model of the data's part of the objective.

    Args:
        model: The network.
        rows: What to learn from.
        theta: Where, shape (P,).
    """
    gram, gradient, residual = normal_equations(
        _weighted_chunks(model, rows, theta), model.num_parameters
    )
    return Curvature(gram, gradient, float(residual.square().sum()))


def _weighted_chunks(
    model: SmoothModel, rows: Rows, theta: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    pieces = (tensor.split(_CHUNK) for tensor in (rows.x, rows.y, rows.weight))
    for x, y, weight in zip(*pieces, strict=True):
        root = weight.sqrt()
        outputs, jacobian = model.linearised(theta, x)
        residual = root[:, None] * (outputs - y)
        yield residual.T.reshape(-1), (root[:, None] * jacobian).reshape(-1, model.num_parameters)


def _squares(model: SmoothModel, rows: Rows, theta: Tensor) -> float:
    with torch.no_grad():
        residual = model.outputs(theta, rows.x) - rows.y
        value = float((rows.weight[:, None] * residual.square()).sum())
    return value if math.isfinite(value) else math.inf


def _objective(state: EvidenceState, groups: Tensor, squares: float) -> float:
    prior = float((state.alpha[groups] * state.theta.square()).sum())
    return 0.5 * (state.beta * squares + prior)


def _descended(
    model: SmoothModel, rows: Rows, state: EvidenceState, at: Curvature, groups: Tensor
) -> EvidenceState:
    """Return the state after the first damping that lowers the objective, or the same one if none does."""
    alpha = state.alpha[groups]
    slope = state.beta * at.gradient + alpha * state.theta
    before = _objective(state, groups, at.squares)
    curvature = state.beta * at.gram
    curvature.diagonal().add_(alpha)
    mean = float(curvature.diagonal().mean())
    damping = state.damping
    for _ in range(8):
        damped = curvature.clone()
        damped.diagonal().add_(damping * mean)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if int(failed) == 0:
            theta = state.theta - torch.cholesky_solve(slope[:, None], factor)[:, 0]
            squares = _squares(model, rows, theta)
            moved = replace(state, theta=theta)
            after = _objective(moved, groups, squares)
            if after < before:
                return replace(
                    moved,
                    damping=max(damping / 4.0, 1e-14),
                    loss=0.5 * squares / rows.total,
                    objective=after,
                    accepted=True,
                    step=state.step + 1,
                )
        damping *= 5.0
    return replace(state, damping=min(damping, 1e3), accepted=False, step=state.step + 1)


def _with_evidence(
    rows: Rows, state: EvidenceState, at: Curvature, groups: Tensor
) -> EvidenceState:
    """Return the state with precisions at which the evidence is stationary, in bounded steps."""
    inverse = _inverse(at, state, groups)
    if inverse is None:
        return state
    count = state.alpha.numel()
    spread = _by_group(inverse.diagonal(), groups, count)
    squares = _by_group(state.theta.square(), groups, count)
    sizes = _by_group(torch.ones_like(state.theta), groups, count)
    determined = (sizes - state.alpha * spread).clamp(min=1e-3)
    wanted = determined / squares.clamp(min=1e-12)
    alpha = _towards(state.alpha, wanted, 4.0).clamp(1e-6, _LARGEST)
    alpha[FREE] = _LOOSE
    gamma = float(determined.sum())
    spare = max(rows.total - gamma, 0.05 * rows.total)
    wanted_beta = spare / max(2.0 * state.loss * rows.total, 1e-14 * rows.total)
    beta = min(max(wanted_beta, state.beta / 4.0), state.beta * 4.0)
    moved = replace(state, alpha=alpha, beta=beta, determined=gamma)
    squared = 2.0 * state.loss * rows.total
    return replace(moved, objective=_objective(moved, groups, squared))


def _towards(now: Tensor, wanted: Tensor, factor: float) -> Tensor:
    return torch.minimum(torch.maximum(wanted, now / factor), now * factor)


def _by_group(values: Tensor, groups: Tensor, count: int) -> Tensor:
    return values.new_zeros(count).index_add_(0, groups, values)


def _factor(at: Curvature, state: EvidenceState, groups: Tensor) -> Tensor | None:
    curvature = state.beta * at.gram
    curvature.diagonal().add_(state.alpha[groups])
    factor, failed = torch.linalg.cholesky_ex(curvature)
    return None if int(failed) else factor


def _inverse(at: Curvature, state: EvidenceState, groups: Tensor) -> Tensor | None:
    factor = _factor(at, state, groups)
    return None if factor is None else torch.cholesky_inverse(factor)


def fit_by_evidence(
    model: SmoothModel,
    rows: Rows,
    theta: Tensor,
    *,
    max_steps: int,
    note: Callable[[EvidenceState], None],
    deadline: Callable[[], bool],
) -> tuple[Tensor, FitStop]:
    """Return trained parameters and why the training ended.

    Args:
        model: The network.
        rows: What to learn from.
        theta: Initial parameters, shape (P,).
        max_steps: Most steps.
        note: Called after every step.
        deadline: Whether the time is over.
    """
    losses: list[float] = []
    refusals = 0
    for state in evidence_steps(model, rows, initial_state(model, rows, theta)):
        note(state)
        losses.append(state.loss)
        refusals = 0 if state.accepted else refusals + 1
        if not math.isfinite(state.loss):
            return state.theta, FitStop.NON_FINITE
        settled = state.step > 2 * _MEMORY and losses[-_MEMORY] - state.loss < 1e-3 * state.loss
        if refusals >= 3 or settled or state.loss < _EXACT:
            return state.theta, FitStop.CONVERGED
        if state.step >= max_steps:
            return state.theta, FitStop.MAX_STEPS
        if deadline():
            return state.theta, FitStop.MAX_SECONDS
    raise AssertionError("evidence_steps does not end")
