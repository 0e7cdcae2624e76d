"""Large tables: a few networks, each trained on mini-batches of rows and stopped by the rows that it does not see."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pinnsolve.distributed import Reduction, process_group
from pinnsolve.fingerprint import Fingerprint
from pinnsolve.learning.arithmetic import POLICIES, chosen_policy
from pinnsolve.learning.candidates import Task, rungs_for
from pinnsolve.learning.journal import FitJournal
from pinnsolve.learning.minibatch import BatchState, Recipe, epoch_steps, first_state
from pinnsolve.learning.record import EpochRecord, FitStop
from pinnsolve.learning.rows import Array, Rows, folds_of
from pinnsolve.learning.selection import Member, Model, rounded
from pinnsolve.learning.settings import Found, Settings
from pinnsolve.networks import MLP, Fourier, Identity
from pinnsolve.optimise.precision import FLOAT32
from pinnsolve.training.checkpoint import refuse_another_run
from pinnsolve.training.frozen_values import classes_of, put_together, take_apart
from pinnsolve.value_file import (
    UNREADABLE,
    Kind,
    NotThisFileError,
    packed,
    read_value,
    write_value,
)

KIND = Kind(
    "pinnsolve fit checkpoint",
    "the checkpoint of a fit",
    1,
    "delete it to begin anew, or name another file",
)
"""What the checkpoint is."""

_MEMBERS = 3
_UPDATES = 3000
"""Updates of one network that are planned, whatever the number of rows."""

_DECAY = 0.02
_PATIENCE = 12


@dataclass(frozen=True)
class Progress:
    """How far a fit has come.

    Attributes:
        policy: Arithmetic, by its name.
        why: Why that one.
        members: Networks that are done, each of weight 1.
        losses: Validation loss of each.
        stop: Why the last one ended.
        state: Where the present one stands; None before it begins.
        epochs: All epochs so far.
        seconds: Wall time so far.
    """

    policy: str
    why: str
    members: tuple[Member, ...] = ()
    losses: tuple[float, ...] = ()
    stop: FitStop = FitStop.CONVERGED
    state: BatchState | None = None
    epochs: tuple[EpochRecord, ...] = ()
    seconds: float = 0.0


def fit_large(
    task: Task,
    rows: Rows,
    raw: Array,
    settings: Settings,
    journal: FitJournal,
    optimiser: str,
    checkpoint: Path | None,
) -> Found:
    """Return networks that were trained on mini-batches.

    Args:
        task: The sizes.
        rows: Standardised rows, float64 on the CPU.
        raw: The inputs as they were given, which splits go by, shape (N, F).
        settings: What the user asked for.
        journal: Clock and observer.
        optimiser: ``adamw`` or ``soap``.
        checkpoint: The file to go on from and to write to, or None.

    Raises:
        ValueError: If the checkpoint is of another fit or damaged, or the device lacks the arithmetic.
    """
    model = rungs_for(task, settings.architecture, optimiser)[0][0].model
    labels = rows.y.argmax(1).numpy() if task.classify else np.zeros(len(raw), dtype=np.intp)
    count = max(2, round(1.0 / settings.validation_share))
    folds = torch.from_numpy(folds_of(raw, labels, count, settings.seed)).to(settings.device)
    recipe = _recipe(task, model, optimiser, settings, rows)
    made_of = _made_of(rows, recipe, settings)
    with process_group(settings.device) as reduction:
        wanted = POLICIES.get(settings.precision, FLOAT32)
        rows = _moved(rows, settings.device, wanted.residual)
        progress = None if checkpoint is None else _resumed(checkpoint, made_of)
        if progress is None:
            progress = _begun(settings.precision, recipe, rows, reduction)
        journal.resume(progress.epochs, progress.seconds)
        recipe = replace(recipe, policy=POLICIES[progress.policy])
        rows = _moved(rows, settings.device, recipe.policy.residual)
        keep = checkpoint if reduction.rank == 0 else None
        while len(progress.members) < min(_MEMBERS, count):
            out = folds == len(progress.members)
            progress = _trained(recipe, rows, out, progress, journal, made_of, keep, reduction)
            if progress.stop is FitStop.MAX_SECONDS:
                break
    return Found(
        _averaged(progress),
        optimiser,
        progress.policy,
        progress.why,
        f"{len(progress.members)} of {count} folds, one for each network",
        sum(progress.losses) / len(progress.losses),
        progress.stop,
    )


def _recipe(task: Task, model: Model, optimiser: str, settings: Settings, rows: Rows) -> Recipe:
    batch = min(256 if len(rows.x) < 100_000 else 1024, max(len(rows.x) // 4, 1))
    planned = max(10, round(_UPDATES * batch / len(rows.x)))
    return Recipe(
        model=model,
        classify=task.classify,
        method=optimiser,
        policy=FLOAT32,
        batch=batch,
        epochs=min(settings.max_steps, planned),
        decay=_DECAY,
        patience=_PATIENCE,
        seed=settings.seed,
    )


def _begun(wanted: str, recipe: Recipe, rows: Rows, reduction: Reduction) -> Progress:
    policy, why = chosen_policy(wanted, recipe, rows)
    # every process measures, the first one decides
    names = list(POLICIES)
    agreed = names[round(reduction.agreed_number(float(names.index(policy.name))))]
    return Progress(agreed, why)


def _trained(
    recipe: Recipe,
    rows: Rows,
    out: torch.Tensor,
    progress: Progress,
    journal: FitJournal,
    made_of: Fingerprint,
    keep: Path | None,
    reduction: Reduction,
) -> Progress:
    """Return the progress after one more network."""
    number = len(progress.members)
    own = replace(recipe, seed=recipe.seed + 7919 * number)
    learned, unseen = rows.taken(~out), rows.taken(out)
    journal.next_network(own.model.describe(), number)
    begin = progress.state or first_state(own, learned, reduction)
    state, stop = begin, FitStop.MAX_STEPS
    for state in epoch_steps(own, learned, unseen, begin, reduction):
        journal.note(
            state.loss,
            validation_loss=state.validation_loss,
            gradient_norm=state.gradient_norm,
            learning_rate=state.peak,
        )
        progress = replace(progress, state=state, epochs=journal.epochs, seconds=journal.seconds)
        if keep is not None:
            _write(keep, made_of, progress)
        if reduction.agreed_number(float(journal.time_is_over())) > 0.0:
            stop = FitStop.MAX_SECONDS
            break
    if stop is not FitStop.MAX_SECONDS and state.epoch < own.epochs:
        stop = FitStop.EARLY_STOPPING
    member = rounded(Member(own.model, state.best_theta, 1.0), state.best_theta.dtype)
    progress = replace(
        progress,
        members=(*progress.members, member),
        losses=(*progress.losses, state.best_loss),
        stop=stop,
        state=None,
    )
    if keep is not None and stop is not FitStop.MAX_SECONDS:
        _write(keep, made_of, progress)
    return progress


def _averaged(progress: Progress) -> tuple[Member, ...]:
    """Return the networks with equal weights, without those that went astray."""
    least = min(progress.losses)
    pairs = zip(progress.members, progress.losses, strict=True)
    good = [member for member, loss in pairs if loss <= 2.0 * least + 1e-18]
    good = good or list(progress.members[:1])
    return tuple(replace(member, weight=1.0 / len(good)) for member in good)


def _moved(rows: Rows, device: torch.device, dtype: torch.dtype) -> Rows:
    return Rows(*(part.to(device=device, dtype=dtype) for part in (rows.x, rows.y, rows.weight)))


def _made_of(rows: Rows, recipe: Recipe, settings: Settings) -> Fingerprint:
    """Return what a fit is made of: two with the same fingerprint give the same numbers."""
    digest = 0
    for part in (rows.x, rows.y, rows.weight):
        digest = zlib.crc32(part.contiguous().numpy().tobytes(), digest)
    return {
        "the architecture": recipe.model.describe(),
        "the optimiser": recipe.method,
        "the precision": settings.precision,
        "the number of epochs": str(recipe.epochs),
        "the share left out": repr(settings.validation_share),
        "the seed": str(settings.seed),
        "the number of rows": str(len(rows.x)),
        "the data": f"{digest:08x}",
    }


def _write(path: Path, made_of: Fingerprint, progress: Progress) -> None:
    tensors: list[torch.Tensor] = []
    item = {"made of": dict(made_of), "progress": take_apart(progress, tensors)}
    write_value(path, packed(KIND, item, tensors))


def _resumed(path: Path, made_of: Fingerprint) -> Progress | None:
    """Return how far a fit had come, or None if there is no checkpoint yet."""
    if not path.exists():
        return None
    item, tensors = read_value(path, KIND)
    try:
        refuse_another_run(path, item["made of"], made_of)
        classes = classes_of(Progress, MLP, Identity, Fourier)
        progress = put_together(item["progress"], tensors, classes)
    except NotThisFileError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{path}: damaged ({error}); {KIND.cure}") from error
    if not isinstance(progress, Progress):
        raise ValueError(f"{path}: damaged (it holds a {type(progress).__name__}); {KIND.cure}")
    return progress
