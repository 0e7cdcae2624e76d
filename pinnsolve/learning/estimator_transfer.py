"""finetune() for fitted estimators: new rows, and the networks as they were for a prior.

What is trained is found by ridge regression about where it was, linearised as often as need be (once for a head, on
which the outputs depend linearly). The width of the prior is the one with the smallest leave-one-out error, which ridge
regression has in closed form (G. H. Golub, M. Heath & G. Wahba, Technometrics 21 (1979) 215-223).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.learning.estimators import Regressor
from pinnsolve.learning.fitted import Fitted
from pinnsolve.learning.freezing import Freezing
from pinnsolve.learning.models import Linear, SkipMLP
from pinnsolve.learning.rows import Array
from pinnsolve.learning.selection import Member
from pinnsolve.networks import MLP, Adapted


def finetune_estimator(
    estimator: Regressor, x: object, y: object, freezing: Freezing, *, seed: int = 0
) -> Regressor:
    """Return an estimator fine-tuned on new rows; the one that is given stays as it is.

    Args:
        estimator: A fitted Regressor.
        x: New inputs, as for its ``predict``.
        y: New targets, shape (N,) or (N, C).
        freezing: What is held.
        seed: Seed of adapters.

    Raises:
        ValueError: If the shapes do not fit, values are not finite, or its networks have no layers to hold.
    """
    from sklearn.utils.validation import check_array, check_consistent_length

    fitted, table = estimator.fitted_, estimator._table(x)
    targets = check_array(y, dtype="float64", ensure_2d=False, input_name="y")
    check_consistent_length(table, targets)
    tuned = copy.copy(estimator)
    tuned.fitted_ = finetune_fit(
        fitted, table, targets.reshape(len(targets), -1), freezing, seed=seed
    )
    return tuned


def finetune_fit(
    fitted: Fitted, table: Array, targets: Array, freezing: Freezing, *, seed: int = 0
) -> Fitted:
    """Return a fit, fine-tuned on new rows.

    Args:
        fitted: The fit.
        table: New inputs, shape (N, F).
        targets: New targets, shape (N, C).
        freezing: What is held.
        seed: Seed of adapters.

    Raises:
        ValueError: If it is a fit of classes, the shapes do not fit, or its networks have no layers to hold.
    """
    scaled = fitted.targets
    if scaled is None:
        raise ValueError("fine-tuning is for numbers, and this model has classes; fit it again")
    if targets.shape[1] != len(fitted.record.target_names):
        raise ValueError(
            f"y has {targets.shape[1]} columns, but the model has the targets "
            f"{', '.join(fitted.record.target_names)}"
        )
    inputs = torch.from_numpy(fitted.inputs.forward(table))
    wanted = torch.from_numpy(scaled.forward(targets))
    members = tuple(
        _moved(member, inputs, wanted, freezing, seed=seed) for member in fitted.members
    )
    return replace(fitted, members=members, record=replace(fitted.record, num_rows=len(table)))


def _moved(member: Member, x: Tensor, y: Tensor, freezing: Freezing, *, seed: int) -> Member:
    """Return one network of the mean, fine-tuned."""
    model, theta = member.model, member.theta.to(dtype=torch.float64, device="cpu")
    if isinstance(model, Linear):
        columns = torch.arange(model.num_parameters)
        plain = _Place(theta, columns, torch.ones(len(columns), dtype=torch.float64))
        return replace(member, theta=plain.stepped(*model.linearised(theta, x), y))
    if not isinstance(model, SkipMLP):
        raise ValueError(
            f"fine-tuning is for tanh networks (architecture 'mlp' or 'fourier'), got {model.describe()}"
        )
    network, first = model.network, model.num_outputs * model.num_inputs
    adapted = _adapters_on(network, freezing)
    generator = torch.Generator().manual_seed(seed)
    held = theta[first:] if adapted is None else adapted.begun_at(theta[first:], generator)
    last = freezing.unfreeze_at[-1] if freezing.unfreeze_at else 0
    head_only = freezing.num_held(len(network.layers)) == len(network.layers) - 1
    steps = 1 if head_only and adapted is None and not last else last + _STEPS
    whole = torch.cat((theta[:first], held))
    for step in range(steps):
        place = _place(whole, network, first, freezing, step)
        merged = (
            whole if adapted is None else torch.cat((whole[:first], adapted.merged(whole[first:])))
        )
        outputs, jacobian = model.linearised(merged, x)
        if adapted is not None:
            jacobian = _with_adapters(jacobian, adapted, whole[first:], first)
        whole = place.stepped(outputs, jacobian, y)
    if adapted is not None:
        whole = torch.cat((whole[:first], adapted.merged(whole[first:])))
    return replace(member, theta=whole)


@dataclass(frozen=True)
class _Place:
    """Where fine-tuning stands: the prior is centred here.

    Attributes:
        whole: All parameters, shape (P,).
        columns: Which are trained, shape (K,).
        rates: What they move relative to full steps, shape (K,).
    """

    whole: Tensor
    columns: Tensor
    rates: Tensor

    def stepped(self, outputs: Tensor, jacobian: Tensor, y: Tensor) -> Tensor:
        """Return all parameters after one ridge regression.

        Args:
            outputs: At the place, shape (N, C).
            jacobian: Of the outputs, shape (C, N, P).
            y: What they should be, shape (N, C).
        """
        chosen = (jacobian[:, :, self.columns] * self.rates).flatten(0, 1)
        moves = self.rates * ridge(chosen, (y - outputs).T.flatten())
        return self.whole.index_add(0, self.columns, moves)


def ridge(matrix: Tensor, right: Tensor) -> Tensor:
    """Return the minimiser of ``|A d - b|^2 + w |d|^2`` with the w of the smallest leave-one-out error, shape (K,).

    Args:
        matrix: A, shape (M, K).
        right: b, shape (M,).
    """
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    along = u.T @ right
    best, least = torch.zeros_like(s), float("inf")
    for exponent in range(*_EXPONENTS):
        width = (10.0**exponent) * float(s[0]) ** 2
        shrink = s.square() / (s.square() + width)
        missing = right - u @ (shrink * along)
        left_out = missing / (1.0 - (u.square() @ shrink)).clamp_min(1e-6)
        error = float(left_out.square().mean())
        if error < least:
            best, least = s / (s.square() + width) * along, error
    found: Tensor = vt.T @ best
    return found


def _place(whole: Tensor, network: MLP, first: int, freezing: Freezing, step: int) -> _Place:
    """Return what is trained at a step; the linear part is trained with the head."""
    columns, rates = freezing.trained(network, step)
    columns = columns + first
    if len(columns):
        columns = torch.cat((torch.arange(first), columns))
        rates = torch.cat((rates[-1:].expand(first), rates))
    extra = torch.arange(first + network.num_parameters, len(whole))
    rates = torch.cat((rates, torch.ones(len(extra), dtype=torch.float64)))
    return _Place(whole, torch.cat((columns, extra)), rates)


def _adapters_on(network: MLP, freezing: Freezing) -> Adapted | None:
    held = freezing.num_held(len(network.layers))
    if freezing.adapter_rank is None:
        if held == len(network.layers):
            raise ValueError("freeze='all' leaves nothing to train; give adapter_rank")
        return None
    if held == 0:
        raise ValueError(
            "adapter_rank: adapters are for layers that are held, and none is; use freeze='all' or 'trunk'"
        )
    return Adapted(network, freezing.adapter_rank, tuple(range(held)))


def _with_adapters(jacobian: Tensor, adapted: Adapted, parameters: Tensor, first: int) -> Tensor:
    """Return a Jacobian (C, N, P) with the columns of adapters after it: ``dA = dW B^T``, ``dB = A^T dW``."""
    pieces: Sequence[Tensor] = [jacobian]
    for span, a, b in adapted.adapters(parameters):
        columns = jacobian[:, :, first + span.start : first + span.stop]
        matrices = columns.unflatten(2, (len(a), b.shape[1]))
        pieces = [*pieces, (matrices @ b.T).flatten(2), (a.T @ matrices).flatten(2)]
    return torch.cat(list(pieces), dim=2)


_STEPS = 6
"""Linearisations where the outputs are not linear in what is trained."""

_EXPONENTS = (-10, 4)
"""Decades of the prior's weight, relative to the largest squared singular value, that are tried."""
