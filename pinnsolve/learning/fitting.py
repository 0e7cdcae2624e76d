"""From rows to trained networks, whatever the estimator is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.learning.candidates import (
    FIRST_ORDER,
    Task,
    optimiser_for,
    rungs_for,
)
from pinnsolve.learning.evidence import EvidenceState, fit_by_evidence
from pinnsolve.learning.journal import FitJournal
from pinnsolve.learning.large import fit_large
from pinnsolve.learning.models import SmoothModel
from pinnsolve.learning.rows import Array, Rows, folds_of
from pinnsolve.learning.selection import (
    Chosen,
    Ended,
    Model,
    Recipe,
    choose,
    rounded,
    train_again,
)
from pinnsolve.learning.settings import Found, Settings
from pinnsolve.learning.softmax import fit_by_lbfgs, negative_log_likelihood

_MEMBERS = 3
_SHARE_FOR_CHOOSING = 0.7
"""Share of the time limit that candidates may take; the rest is for training the chosen ones again."""

_STEPS_TO_CHOOSE = 50
"""Steps after which candidates are compared."""


def fit_rows(
    task: Task,
    rows: Rows,
    raw: Array,
    settings: Settings,
    journal: FitJournal,
    checkpoint: Path | None = None,
) -> Found:
    """Return the networks that were trained on rows.

    Args:
        task: The sizes.
        rows: Standardised rows, float64 on the CPU.
        raw: The inputs as they were given, which splits go by, shape (N, F).
        settings: What the user asked for.
        journal: Clock and observer.
        checkpoint: The file that first-order training goes on from, or None.

    Raises:
        ValueError: If settings contradict each other, or the checkpoint is of another fit.
    """
    optimiser = optimiser_for(task, settings.architecture, settings.optimiser)
    if optimiser in FIRST_ORDER:
        return fit_large(task, rows, raw, settings, journal, optimiser, checkpoint)
    if checkpoint is not None:
        raise ValueError(
            f"a checkpoint is for first-order training, but the optimiser is {optimiser!r}, which takes seconds; "
            "leave it out, or give optimiser='adamw'"
        )
    precision, why = _precision(settings.precision, optimiser)
    dtype = getattr(torch, precision)
    rows = Rows(*(part.to(settings.device, dtype) for part in (rows.x, rows.y, rows.weight)))
    rungs = rungs_for(task, settings.architecture, optimiser)
    train = _Trainer(task, settings, journal)
    shorter = replace(settings, max_steps=min(settings.max_steps, _STEPS_TO_CHOOSE))
    labels = rows.y.argmax(1).cpu().numpy() if task.classify else np.zeros(len(raw), dtype=np.intp)
    folds = folds_of(raw, labels, max(2, round(1.0 / settings.validation_share)), settings.seed)
    only = len(rungs) == 1 and len(rungs[0]) == 1
    if only:
        chosen, validation = Chosen((rungs[0][0],), (1.0,), float("nan")), "none: one candidate"
    else:
        chosen = choose(
            rungs,
            rows,
            folds,
            _Trainer(task, shorter, journal),
            _probabilities if task.classify else _numbers,
            class_loss if task.classify else square_loss,
            seed=settings.seed,
            deadline=lambda: journal.seconds > _SHARE_FOR_CHOOSING * settings.max_seconds,
        )
        validation = f"{int(folds.max()) + 1} folds"
    members, stop = train_again(chosen, rows, train, members=_MEMBERS, seed=settings.seed)
    return Found(
        tuple(rounded(member, dtype) for member in members),
        optimiser,
        precision,
        why,
        validation,
        chosen.loss,
        stop,
    )


@dataclass(frozen=True)
class _Trainer:
    """Trains one recipe on all of the rows it is given."""

    task: Task
    settings: Settings
    journal: FitJournal

    def __call__(self, recipe: Recipe, rows: Rows, seed: int) -> Ended:
        model, journal = recipe.model, self.journal
        journal.next_network(model.describe())
        generator = torch.Generator().manual_seed(seed)
        theta = model.initial_parameters(generator, dtype=rows.x.dtype, device=rows.x.device)
        if self.task.classify:
            theta, stop = fit_by_lbfgs(
                model,
                rows,
                theta,
                decay=recipe.decay,
                max_steps=self.settings.max_steps,
                note=lambda loss, slope: journal.note(loss, gradient_norm=slope),
                deadline=journal.time_is_over,
            )
            with torch.no_grad():
                fit = negative_log_likelihood(model.outputs(theta, rows.x), rows)
            return Ended(theta, float(fit) / float(rows.weight.sum()), stop)
        if not isinstance(model, SmoothModel):
            raise TypeError(f"{model.describe()} has no Jacobian in closed form")
        last = [float("inf")]

        def note(state: EvidenceState) -> None:
            last[0] = state.loss
            journal.note(state.loss)

        theta, stop = fit_by_evidence(
            model,
            rows,
            theta,
            max_steps=self.settings.max_steps,
            note=note,
            deadline=journal.time_is_over,
        )
        return Ended(theta, last[0], stop)


def _precision(wanted: str, optimiser: str) -> tuple[str, str]:
    if wanted == "auto":
        return "float64", f"{optimiser} needs its digits"
    if wanted in ("float64", "float32"):
        return wanted, "asked for"
    raise ValueError(
        f"precision {wanted!r} is for first-order training, but the optimiser is {optimiser!r}; use "
        "precision='auto', or optimiser='adamw'"
    )


def square_loss(predictions: Tensor, rows: Rows) -> Tensor:
    """Return the weighted mean square of the difference to the targets."""
    squares = (predictions - rows.y).square() * rows.weight[:, None]
    return squares.sum() / (rows.weight.sum() * rows.y.shape[1])


def class_loss(probabilities: Tensor, rows: Rows) -> Tensor:
    """Return the weighted mean of ``-log p`` of the classes that were seen."""
    seen = (probabilities * rows.y).sum(1).clamp(min=1e-12)
    return -(rows.weight * seen.log()).sum() / rows.weight.sum()


def _numbers(model: Model, theta: Tensor, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model.outputs(theta, x)


def _probabilities(model: Model, theta: Tensor, x: Tensor) -> Tensor:
    return torch.softmax(_numbers(model, theta, x), dim=1)


def columns_of_classes(labels: npt.NDArray[np.intp], count: int) -> Array:
    """Return one column per class, 1 where a row is of that class, shape (N, count)."""
    hot: Array = np.eye(count)[labels]
    return hot
