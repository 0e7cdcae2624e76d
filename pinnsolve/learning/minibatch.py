"""Training on mini-batches: AdamW or SOAP, a learning rate that is found, a cosine, early stopping.

Batches are drawn from the seed, the network and the epoch, so that a run which was killed goes on to the same numbers.
Processes that torchrun started share every batch and add up one flat gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.learning.rows import Rows
from pinnsolve.learning.selection import Model
from pinnsolve.learning.softmax import negative_log_likelihood
from pinnsolve.optimise import SOAP, Adam, AdamState, Policy, SOAPState, WarmUpCosine
from pinnsolve.optimise.mixed import Gradient, Scales

_FINDER_UPDATES = 60
_LOWEST, _HIGHEST = 1e-5, 0.3


@dataclass(frozen=True)
class Recipe:
    """How one network is trained on mini-batches.

    Attributes:
        model: The network.
        classify: Whether its outputs are logits.
        method: ``adamw`` or ``soap``.
        policy: Arithmetic.
        batch: Rows of one update, over all processes.
        epochs: Passes over the rows until the cosine ends.
        decay: Decoupled weight decay (I. Loshchilov & F. Hutter, "Decoupled weight decay regularization", 2019,
            arXiv:1711.05101).
        patience: Epochs without a better validation loss after which training ends.
        seed: Seed of parameters and batches.
    """

    model: Model
    classify: bool
    method: str
    policy: Policy
    batch: int
    epochs: int
    decay: float
    patience: int
    seed: int


@dataclass(frozen=True)
class BatchState:
    """Where the training of one network stands after an epoch.

    Attributes:
        optimiser: State of the optimiser.
        peak: Largest learning rate, as found.
        epoch: Epochs made.
        loss: Mean loss on the training rows over the last epoch.
        validation_loss: Mean loss on the rows left out.
        gradient_norm: Norm of the last gradient.
        best_theta: Parameters with the least validation loss.
        best_loss: That loss.
        best_epoch: When.
    """

    optimiser: AdamState | SOAPState
    peak: float
    epoch: int
    loss: float
    validation_loss: float
    gradient_norm: float
    best_theta: Tensor
    best_loss: float
    best_epoch: int


def first_state(recipe: Recipe, rows: Rows, reduction: Reduction = ALONE) -> BatchState:
    """Return the state before the first epoch, with a learning rate that suits.

    Args:
        recipe: How to train.
        rows: What to learn from.
        reduction: Adds up over processes.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    theta = recipe.model.initial_parameters(generator, dtype=rows.x.dtype, device=rows.x.device)
    reduction.agreed(theta)
    start = optimiser_state(recipe, theta)
    peak = found_learning_rate(recipe, rows, start, reduction)
    return BatchState(start, peak, 0, math.inf, math.inf, math.nan, theta, math.inf, 0)


def optimiser_state(recipe: Recipe, theta: Tensor) -> AdamState | SOAPState:
    """Return the optimiser's state at given parameters."""
    zero = torch.zeros_like(theta)
    small = recipe.policy.autocast is torch.float16
    scales = Scales((1.0,), 2.0**16, 200) if small else Scales((1.0,))
    name = recipe.policy.name
    if recipe.method == "soap":
        return SOAPState(theta, math.inf, zero, zero, (), scales, rung=name)
    return AdamState(theta, math.inf, zero, zero, scales, rung=name)


def batch_gradient(
    recipe: Recipe, batch: Rows, theta: Tensor, scales: Scales, reduction: Reduction = ALONE
) -> Gradient:
    """Return the mean loss of a batch and its gradient; processes share the rows and get the same.

    Args:
        recipe: How to train.
        batch: The rows of all processes together.
        theta: Parameters, shape (P,).
        scales: That of the loss keeps small gradients within float16.
        reduction: Adds up over processes.
    """
    total = float(batch.weight.sum())
    own = batch
    if reduction.size > 1:
        own = batch.taken(torch.arange(reduction.rank, len(batch.x), reduction.size))
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        value = summed_loss(recipe, own, variable) / total
        (slope,) = torch.autograd.grad(scales.loss * value, variable)
    sums = reduction.sum(torch.cat((slope, value.detach()[None])))
    gradient, loss = sums[:-1] / scales.loss, float(sums[-1])
    finite = math.isfinite(loss) and bool(torch.isfinite(gradient).all())
    following = scales.grown() if finite else scales.backed_off(None)
    return Gradient(loss, gradient, finite, following)


def summed_loss(recipe: Recipe, rows: Rows, theta: Tensor) -> Tensor:
    """Return the weighted sum of losses: half squares over the targets, or ``-log p``."""
    outputs = recipe.model.outputs(theta, rows.x, recipe.policy.autocast)
    if recipe.classify:
        return negative_log_likelihood(outputs, rows)
    squares = (outputs - rows.y).square().mean(1)
    return 0.5 * (rows.weight * squares).sum()


def mean_loss(recipe: Recipe, rows: Rows, theta: Tensor) -> float:
    """Return the mean loss on rows, in the arithmetic of the parameters."""
    plain = replace(recipe, policy=replace(recipe.policy, autocast=None))
    with torch.no_grad():
        sums = [
            summed_loss(plain, rows.taken(piece), theta)
            for piece in torch.arange(len(rows.x), device=rows.x.device).split(8192)
        ]
    return float(torch.stack(sums).sum()) / float(rows.weight.sum())


def batches(recipe: Recipe, rows: Rows, epoch: int) -> Iterator[Rows]:
    """Yield the batches of an epoch, in an order that only seed and epoch decide."""
    generator = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)
    order = torch.randperm(len(rows.x), generator=generator).to(rows.x.device)
    for chosen in order.split(recipe.batch):
        if 2 * len(chosen) >= recipe.batch or len(order) < recipe.batch:
            yield rows.taken(chosen)


def updated(
    recipe: Recipe,
    state: AdamState | SOAPState,
    batch: Rows,
    schedule: WarmUpCosine,
    reduction: Reduction = ALONE,
) -> tuple[AdamState | SOAPState, Gradient]:
    """Return the state after one update, and the gradient it went by."""
    gradient = batch_gradient(recipe, batch, state.theta, state.scales, reduction)
    before = state.updates
    if isinstance(state, SOAPState):
        soap = SOAP(learning_rate=schedule, policy=recipe.policy, epsilon=1e-8)
        state = soap.moved(state, gradient, recipe.model.spans, reduction)
    else:
        adam = Adam(learning_rate=schedule, policy=recipe.policy, epsilon=1e-8)
        state = adam.moved(state, gradient, reduction)
    if state.updates > before and recipe.decay > 0.0:
        theta = state.theta.clone()
        for span, _ in recipe.model.spans:
            theta[span] *= 1.0 - schedule.at(state.updates) * recipe.decay
        state = replace(state, theta=theta)
    return state, gradient


def found_learning_rate(
    recipe: Recipe, rows: Rows, start: AdamState | SOAPState, reduction: Reduction = ALONE
) -> float:
    """Return a learning rate a few times below the one at which the loss no longer falls.

    The rate rises from update to update (L. N. Smith, "Cyclical learning rates for training neural networks", 2017,
    arXiv:1506.01186); the parameters of these updates are thrown away.

    Args:
        recipe: How to train.
        rows: What to learn from.
        start: State at the initial parameters, which is left alone.
        reduction: Adds up over processes.
    """
    state, smooth, best, rate_at_best = start, math.nan, math.inf, _LOWEST
    ratio = (_HIGHEST / _LOWEST) ** (1.0 / (_FINDER_UPDATES - 1))
    number, epoch = 0, -1
    while number < _FINDER_UPDATES:
        epoch -= 1
        for batch in batches(recipe, rows, epoch % 65_521):
            rate = _LOWEST * ratio**number
            constant = WarmUpCosine(peak=rate, warm_up=0, total=1, final_share=1.0)
            state, gradient = updated(recipe, state, batch, constant, reduction)
            loss = gradient.loss
            smooth = loss if math.isnan(smooth) else 0.8 * smooth + 0.2 * loss
            number += 1
            if smooth < best:
                best, rate_at_best = smooth, rate
            if not math.isfinite(smooth) or smooth > 4.0 * best or number >= _FINDER_UPDATES:
                return min(max(rate_at_best / 4.0, 1e-4), 5e-3)
    return min(max(rate_at_best / 4.0, 1e-4), 5e-3)


def epoch_steps(
    recipe: Recipe, rows: Rows, left_out: Rows, state: BatchState, reduction: Reduction = ALONE
) -> Iterator[BatchState]:
    """Yield the state after each epoch, until the last one or until nothing gets better.

    Args:
        recipe: How to train.
        rows: What to learn from.
        left_out: What decides when to stop.
        state: Where to go on.
        reduction: Adds up over processes.
    """
    per_epoch = sum(1 for _ in batches(recipe, rows, 0))
    total = max(per_epoch * recipe.epochs, 2)
    schedule = WarmUpCosine(state.peak, min(2 * per_epoch, total // 10), total, 0.01)
    while state.epoch < recipe.epochs and state.epoch - state.best_epoch < recipe.patience:
        epoch, optimiser, losses = state.epoch + 1, state.optimiser, []
        norm = math.nan
        for batch in batches(recipe, rows, epoch):
            optimiser, gradient = updated(recipe, optimiser, batch, schedule, reduction)
            losses.append(gradient.loss)
            norm = float(gradient.value.norm())
        validation = reduction.agreed_number(mean_loss(recipe, left_out, optimiser.theta))
        state = replace(
            state,
            optimiser=optimiser,
            epoch=epoch,
            loss=sum(losses) / len(losses),
            validation_loss=validation,
            gradient_norm=norm,
        )
        if validation < state.best_loss:
            state = replace(
                state, best_theta=optimiser.theta, best_loss=validation, best_epoch=epoch
            )
        yield state
