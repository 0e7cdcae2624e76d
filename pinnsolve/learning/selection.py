"""Which networks: candidates are judged on rows that they have not seen, mixed, and trained again on all rows.

Candidates stand on rungs from linear to large. One climbs while a rung predicts better than those below it. The
weights of the mean are those that predict the rows left out best (D. H. Wolpert, "Stacked generalization", Neural
Networks 5 (1992) 241; L. Breiman, "Stacked regressions", Machine Learning 24 (1996) 49).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.learning.models import GatedResidual, Linear, SkipMLP
from pinnsolve.learning.record import FitStop
from pinnsolve.learning.rows import Rows

Model = Linear | SkipMLP | GatedResidual


@dataclass(frozen=True)
class Recipe:
    """A network and how it is held.

    Attributes:
        model: The network.
        decay: Precision of the weights' prior; 0 where the evidence finds it.
    """

    model: Model
    decay: float = 0.0


@dataclass(frozen=True)
class Member:
    """A trained network in a weighted mean.

    Attributes:
        model: The network.
        theta: Its parameters, shape (P,).
        weight: Its share of the mean.
    """

    model: Model
    theta: Tensor
    weight: float


@dataclass(frozen=True)
class Ended:
    """One training.

    Attributes:
        theta: The parameters, shape (P,).
        loss: Mean loss on the rows it was trained on.
        stop: Why it ended.
    """

    theta: Tensor
    loss: float
    stop: FitStop


Train = Callable[[Recipe, Rows, int], Ended]
"""Trains a recipe on rows from a seed."""

Loss = Callable[[Tensor, Rows], Tensor]
"""Mean loss of predictions (N, C): numbers, or probabilities of the classes."""

Predict = Callable[[Model, Tensor, Tensor], Tensor]
"""Predictions (N, C) of a network: model, parameters, inputs."""


@dataclass(frozen=True)
class Chosen:
    """What the rows left out have decided.

    Attributes:
        recipes: The candidates that remain.
        weights: Their shares, which add up to 1.
        loss: Mean loss of their weighted mean on rows left out.
    """

    recipes: tuple[Recipe, ...]
    weights: tuple[float, ...]
    loss: float


_GAIN = 0.98
"""Factor on the loss that makes a rung worth climbing on."""

_SMALLEST_WEIGHT = 0.05


def choose(
    rungs: Sequence[Sequence[Recipe]],
    rows: Rows,
    folds: npt.NDArray[np.intp],
    train: Train,
    predict: Predict,
    loss: Loss,
    *,
    seed: int,
    deadline: Callable[[], bool],
) -> Chosen:
    """Return the candidates that predict rows left out best, and their weights.

    Args:
        rungs: Candidates from small to large; the best one of each rung is a part of the mean.
        rows: What to learn from.
        folds: Which fold each row is in, shape (N,).
        train: Trains one.
        predict: Predicts by one.
        loss: What is to be small.
        seed: Seed of the initial parameters.
        deadline: Whether the time for trying is over.
    """
    tried: list[tuple[float, Recipe, Tensor]] = []
    failures = 0
    for rung in rungs:
        before = min((found[0] for found in tried), default=np.inf)
        best: tuple[float, Recipe, Tensor] | None = None
        for recipe in rung:
            if tried and deadline():
                break
            unseen = _unseen_predictions(recipe, rows, folds, train, predict, seed)
            value = float(loss(unseen, rows))
            if best is None or value < best[0]:
                best = value, recipe, unseen
        if best is None or (tried and deadline()):
            break
        tried.append(best)
        failures = 0 if best[0] < _GAIN * before else failures + 1
        if failures >= 2 or best[0] < 1e-18:
            break
    return _mixed(tried, rows, loss)


def _unseen_predictions(
    recipe: Recipe,
    rows: Rows,
    folds: npt.NDArray[np.intp],
    train: Train,
    predict: Predict,
    seed: int,
) -> Tensor:
    found = torch.zeros_like(rows.y)
    for fold in range(int(folds.max()) + 1):
        out = torch.from_numpy(folds == fold).to(rows.x.device)
        if not bool(out.any()) or bool(out.all()):
            continue
        ended = train(recipe, rows.taken(~out), seed + fold)
        found[out] = predict(recipe.model, ended.theta, rows.x[out])
    return found


def _mixed(tried: Sequence[tuple[float, Recipe, Tensor]], rows: Rows, loss: Loss) -> Chosen:
    """Return the weighted mean that predicts best, without members that hardly count."""
    values = [value for value, _, _ in tried]
    best = int(np.argmin(values))
    # what is far from the best one only adds variance to the weights
    near = [k for k, value in enumerate(values) if value <= 2.0 * values[best] + 1e-18]
    weights = simplex_weights([tried[k][2] for k in near], rows, loss)
    kept = [
        (k, weight) for k, weight in zip(near, weights, strict=True) if weight >= _SMALLEST_WEIGHT
    ]
    total = sum(weight for _, weight in kept)
    shares = [weight / total for _, weight in kept]
    mean = sum(
        (share * tried[k][2] for share, (k, _) in zip(shares, kept, strict=True)),
        torch.zeros_like(rows.y),
    )
    return Chosen(tuple(tried[k][1] for k, _ in kept), tuple(shares), float(loss(mean, rows)))


def simplex_weights(predictions: Sequence[Tensor], rows: Rows, loss: Loss) -> list[float]:
    """Return weights >= 0 that add up to 1, of predictions whose weighted mean has the least loss.

    Exponentiated gradient steps: convex losses have one minimum (J. Kivinen & M. K. Warmuth, "Exponentiated gradient
    versus gradient descent for linear predictors", Inform. Comput. 132 (1997) 1).

    Args:
        predictions: Each of shape (N, C).
        rows: What they should have predicted.
        loss: What is to be small.
    """
    stack = torch.stack(list(predictions))
    weights = torch.full((len(stack),), 1.0 / len(stack)).to(stack)
    if len(stack) == 1:
        return [1.0]
    for number in range(200):
        at = weights.clone().requires_grad_()
        value = loss(torch.einsum("k,knc->nc", at, stack), rows)
        (slope,) = torch.autograd.grad(value, at)
        slope = slope - slope.min()
        step = slope / slope.max().clamp(min=1e-300)
        weights = weights * torch.exp(-2.0 / (1.0 + 0.2 * number) * step)
        weights = weights / weights.sum()
        if not bool(torch.isfinite(weights).all()) or float(slope.max()) < 1e-9 * float(
            value.detach()
        ):
            break
    return [float(weight) for weight in at.detach()]


def train_again(
    chosen: Chosen, rows: Rows, train: Train, *, members: int, seed: int
) -> tuple[tuple[Member, ...], FitStop]:
    """Return the chosen networks trained on all rows, several of each, and why the last one ended.

    Starts that ended in a poor minimum are left out.

    Args:
        chosen: What was chosen.
        rows: What to learn from.
        train: Trains one.
        members: Networks of each recipe; one if it is linear, which has one minimum only.
        seed: Seed of the first one.
    """
    found: list[Member] = []
    stop = FitStop.CONVERGED
    for recipe, weight in zip(chosen.recipes, chosen.weights, strict=True):
        count = 1 if isinstance(recipe.model, Linear) else members
        ended = [train(recipe, rows, seed + 101 * (k + 1)) for k in range(count)]
        least = min(one.loss for one in ended)
        good = [one for one in ended if one.loss <= 1.5 * least + 1e-18] or ended[:1]
        found += [Member(recipe.model, one.theta, weight / len(good)) for one in good]
        stop = ended[-1].stop
    return tuple(found), stop


def rounded(member: Member, dtype: torch.dtype) -> Member:
    """Return a member whose parameters are kept in another arithmetic, on the CPU."""
    return replace(member, theta=member.theta.detach().to(dtype=dtype, device="cpu"))
