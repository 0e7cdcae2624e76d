"""finetune() for fitted estimators: new rows, and the networks as they were for a prior.

What is trained is found by ridge regression about where it was, linearised as often as need be (once for a head, on
which the outputs depend linearly). The width of the prior is the one with the smallest leave-one-out error, which ridge
regression has in closed form (G. H. Golub, M. Heath & G. Wahba, Technometrics 21 (1979) 215-223). Classes have the
likelihood in place of the sum of squares (:mod:`pinnsolve.learning.likelihood_moves`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from pinnsolve.learning.estimators import Classifier, Regressor
from pinnsolve.learning.fitted import Fitted
from pinnsolve.learning.fitting import columns_of_classes
from pinnsolve.learning.freezing import Freezing
from pinnsolve.learning.likelihood_moves import likeliest_move
from pinnsolve.learning.models import TableModel
from pinnsolve.learning.rows import Array
from pinnsolve.learning.selection import Member
from pinnsolve.naming import near_match_text
from pinnsolve.networks import LowRank

Estimator = TypeVar("Estimator", Regressor, Classifier)


def finetune_estimator(
    estimator: Estimator, x: object, y: object, freezing: Freezing, *, seed: int = 0
) -> Estimator:
    """Return an estimator fine-tuned on new rows; the one that is given stays as it is.

    Args:
        estimator: A fitted Regressor or Classifier.
        x: New inputs, as for its ``predict``.
        y: New targets, shape (N,) or (N, C); or classes (N,) that the model knows, not necessarily all.
        freezing: What is held.
        seed: Seed of adapters.

    Raises:
        ValueError: If the shapes do not fit, values are not finite, a class is new, or there is too much to train.
    """
    from sklearn.utils.validation import check_array, check_consistent_length

    table = estimator._table(x)
    if isinstance(estimator, Classifier):
        targets = _known_classes(estimator, y)
    else:
        targets = check_array(y, dtype="float64", ensure_2d=False, input_name="y")
        targets = targets.reshape(len(targets), -1)
    check_consistent_length(table, targets)
    tuned = copy.copy(estimator)
    tuned.fitted_ = finetune_fit(estimator.fitted_, table, targets, freezing, seed=seed)
    return tuned


def _known_classes(estimator: Classifier, y: object) -> Array:
    """Return 1 for the class of each row, shape (N, C).

    Raises:
        ValueError: If a class was not there when the model was fitted.
    """
    from sklearn.utils.validation import column_or_1d

    labels, known = column_or_1d(y), estimator.classes_
    strange = [label for label in labels.tolist() if label not in known.tolist()]
    if strange:
        text = near_match_text(str(strange[0]), [str(label) for label in known])
        raise ValueError(
            f"y: the model has no class {strange[0]!r}. {text} For new classes fit again"
        )
    return columns_of_classes(np.searchsorted(known, labels), len(known))


def finetune_fit(
    fitted: Fitted, table: Array, targets: Array, freezing: Freezing, *, seed: int = 0
) -> Fitted:
    """Return a fit, fine-tuned on new rows.

    Args:
        fitted: The fit.
        table: New inputs, shape (N, F).
        targets: New targets, or 1 for the class of each row, shape (N, C).
        freezing: What is held.
        seed: Seed of adapters.

    Raises:
        ValueError: If the shapes do not fit, or there is too much to train.
    """
    scaled = fitted.targets
    if targets.shape[1] != len(fitted.record.target_names):
        raise ValueError(
            f"y has {targets.shape[1]} columns, but the model has the targets "
            f"{', '.join(fitted.record.target_names)}"
        )
    inputs = torch.from_numpy(fitted.inputs.forward(table))
    wanted = torch.from_numpy(targets if scaled is None else scaled.forward(targets))
    move = likeliest_move if scaled is None else _least_squares_move
    members = tuple(
        _moved(member, inputs, wanted, freezing, move, seed=seed) for member in fitted.members
    )
    return replace(fitted, members=members, record=replace(fitted.record, num_rows=len(table)))


Move = Callable[[Tensor, Tensor, Tensor], Tensor]
"""How far to move (K,), given a Jacobian (C, N, K), outputs (N, C), and what these should be."""


def _least_squares_move(jacobian: Tensor, outputs: Tensor, wanted: Tensor) -> Tensor:
    return ridge(jacobian.flatten(0, 1), (wanted - outputs).T.flatten())


def _moved(
    member: Member, x: Tensor, y: Tensor, freezing: Freezing, move: Move, *, seed: int
) -> Member:
    """Return one network of the mean, fine-tuned."""
    model, whole = member.model, member.theta.to(dtype=torch.float64, device="cpu")
    if not model.layers:  # linear
        every = torch.arange(model.num_parameters)
        plain = _Place(whole, every, torch.ones(len(every), dtype=torch.float64))
        return replace(member, theta=plain.stepped(model, None, x, y, move))
    adapted = _adapters_on(model, freezing)
    if adapted is not None:
        whole = adapted.begun_at(whole, torch.Generator().manual_seed(seed))
    last = freezing.unfreeze_at[-1] if freezing.unfreeze_at else 0
    head_only = freezing.num_held(len(model.layers)) == len(model.layers) - 1
    steps = 1 if head_only and adapted is None and not last else last + _STEPS
    for step in range(steps):
        whole = _place(whole, model, freezing, step).stepped(model, adapted, x, y, move)
    return replace(member, theta=whole if adapted is None else adapted.merged(whole))


@dataclass(frozen=True)
class _Place:
    """Where fine-tuning stands: the prior is centred here.

    Attributes:
        whole: All parameters, shape (P,), those of adapters included.
        columns: Which are trained, shape (K,).
        rates: What they move relative to full steps, shape (K,).
    """

    whole: Tensor
    columns: Tensor
    rates: Tensor

    def stepped(
        self, model: TableModel, adapted: LowRank | None, x: Tensor, y: Tensor, move: Move
    ) -> Tensor:
        """Return all parameters after one move, the outputs linearised here.

        Args:
            model: The network.
            adapted: Its adapters.
            x: Standardised inputs, shape (N, F).
            y: What the outputs should be, shape (N, C).
            move: How far to move.

        Raises:
            ValueError: If rows and parameters are too many for one dense system.
        """
        entries = y.numel() * len(self.columns)
        if entries > _MOST_ENTRIES:
            raise ValueError(
                f"{len(x)} rows with {y.shape[1]} outputs and {len(self.columns)} parameters of "
                f"{model.describe()!r} are too many to fine-tune at once: hold more (freeze='trunk'), give fewer "
                "rows, or fit again on all rows"
            )
        at = self.whole if adapted is None else adapted.merged(self.whole)
        outputs, rows = [], []
        for part in x.split(max(1, _CHUNK_ENTRIES // (y.shape[1] * len(at)))):
            found, jacobian = model.linearised(at, part)
            if adapted is not None:
                jacobian = _with_adapters(jacobian, adapted, self.whole)
            outputs.append(found)
            rows.append(jacobian[:, :, self.columns] * self.rates)
        before, chosen = torch.cat(outputs), torch.cat(rows, dim=1)
        step = move(chosen, before, y)
        along = (chosen @ step).T
        for halvings in range(_HALVINGS):
            share = 0.5**halvings
            after = self.whole.index_add(0, self.columns, share * self.rates * step)
            found = model.outputs(after if adapted is None else adapted.merged(after), x)
            off = float((found - before - share * along).norm())
            if off <= _NONLINEAR * share * float(along.norm()):
                return after
        return self.whole


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


def _place(whole: Tensor, model: TableModel, freezing: Freezing, step: int) -> _Place:
    """Return what is trained at a step; the linear part is trained with the head."""
    columns, rates = freezing.trained_of(model.layers, step)
    if len(columns):
        first = model.layers[0].start
        columns = torch.cat((torch.arange(first), columns))
        rates = torch.cat((rates[-1:].expand(first), rates))
    extra = torch.arange(model.num_parameters, len(whole))
    rates = torch.cat((rates, torch.ones(len(extra), dtype=torch.float64)))
    return _Place(whole, torch.cat((columns, extra)), rates)


def _adapters_on(model: TableModel, freezing: Freezing) -> LowRank | None:
    held = freezing.num_held(len(model.layers))
    if freezing.adapter_rank is None:
        if held == len(model.layers):
            raise ValueError("freeze='all' leaves nothing to train; give adapter_rank")
        return None
    if held == 0:
        raise ValueError(
            "adapter_rank: adapters are for layers that are held, and none is; use freeze='all' or 'trunk'"
        )
    first, last = model.layers[0].start, model.layers[held - 1].stop
    matrices = [(span, shape) for span, shape in model.spans if first <= span.start < last]
    return LowRank(tuple(matrices), freezing.adapter_rank, model.num_parameters)


def _with_adapters(jacobian: Tensor, adapted: LowRank, whole: Tensor) -> Tensor:
    """Return a Jacobian (C, N, P) with the columns of adapters after it: ``dA = dW B^T``, ``dB = A^T dW``."""
    pieces: Sequence[Tensor] = [jacobian]
    for span, a, b in adapted.adapters(whole):
        matrices = jacobian[:, :, span].unflatten(2, (len(a), b.shape[1]))
        pieces = [*pieces, (matrices @ b.T).flatten(2), (a.T @ matrices).flatten(2)]
    return torch.cat(list(pieces), dim=2)


_STEPS = 6
"""Linearisations where the outputs are not linear in what is trained."""

_EXPONENTS = (-10, 4)
"""Decades of the prior's weight, relative to the largest squared singular value, that are tried."""

_NONLINEAR = 0.3
"""By what share of its change the outputs may miss what was linearised; longer moves are halved."""

_HALVINGS = 10
"""Most halvings of a move; one that still misses is not made."""

_MOST_ENTRIES = 50_000_000
"""Most entries of a Jacobian that is factorised: 0.4 GB."""

_CHUNK_ENTRIES = 20_000_000
"""Entries of the Jacobian by all parameters that are there at a time."""
