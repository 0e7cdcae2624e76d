"""finetune(): from a solved problem to its neighbour, or from a fitted model to new rows, in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from pinnsolve.learning.freezing import Freezing, as_steps
from pinnsolve.learning.prepared import Prepared
from pinnsolve.learning.starts import Start
from pinnsolve.learning.transfer import finetune_solution
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.solution import Array, Solution
from pinnsolve.solver import Compared

if TYPE_CHECKING:
    from pinnsolve.learning.estimators import Classifier, Regressor
    from pinnsolve.learning.field_model import LearnedField


@overload
def finetune(
    model: Start | Prepared,
    data_or_problem: Problem,
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Solution: ...


@overload
def finetune(
    model: Regressor,
    data_or_problem: tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Regressor: ...


@overload
def finetune(
    model: Classifier,
    data_or_problem: tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Classifier: ...


@overload
def finetune(
    model: LearnedField,
    data_or_problem: tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: None = None,
    seed: int = 0,
    reference: Compared = True,
) -> LearnedField: ...


@overload
def finetune(
    model: str | Path,
    data_or_problem: tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Regressor | Classifier | LearnedField: ...


def finetune(
    model: Start | Prepared | Regressor | Classifier | LearnedField,
    data_or_problem: Problem | tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Solution | Regressor | Classifier | LearnedField:
    """Fine-tune what was solved or fitted: ``finetune(solution, problem)``, ``finetune(regressor, (X, y))``.

    Args:
        model: A solution or a :class:`Prepared` one; a fitted Regressor or Classifier, or a learned field; or the
            file of any of these.
        data_or_problem: The problem to be solved; or new rows (X, y), for a field its
            inputs (N, D) and values (N, C).
        freeze: What is held: ``nothing``; ``trunk`` (or ``all but head``), and the head is found by least squares;
            ``all``, and adapters or (for a solution) new features are added; or a number of layers, counted from the
            inputs. None chooses: the trunk, but of a trained network that solves a problem, nothing.
        adapter_rank: Adds A B of this rank to the matrix W of every layer that is held, and trains A and B.
        unfreeze_at: Step or steps after which one more layer is trained, from the head down.
        rates: What the parameters of each layer, from the first to the head, move relative to full steps; see
            :func:`rising_rates`.
        method: Limits, points and optimiser, for a problem.
        seed: Seed of points, features and adapters.
        reference: What the solution of a problem is compared with; as for :func:`pinnsolve.solve`.

    Returns:
        The solution with its verdict; or a new estimator.

    Raises:
        ValueError: If model and data do not belong together, or nothing can be trained in this way.
    """
    if isinstance(data_or_problem, Problem):
        if not isinstance(model, Solution | Prepared | str | Path):
            raise ValueError(
                f"a problem is solved from a solution or its file, got {type(model).__name__}"
            )
        return finetune_solution(
            model,
            data_or_problem,
            freeze=freeze,
            adapter_rank=adapter_rank,
            unfreeze_at=unfreeze_at,
            rates=rates,
            method=method,
            seed=seed,
            reference=reference,
        )
    from pinnsolve.learning.estimator_transfer import finetune_estimator, finetune_fit
    from pinnsolve.learning.estimators import Classifier, Regressor
    from pinnsolve.learning.field_model import LearnedField

    if isinstance(model, str | Path):
        model = model_in(Path(model))
    if not isinstance(model, LearnedField) and not (
        isinstance(model, Regressor | Classifier) and hasattr(model, "fitted_")
    ):
        raise ValueError(
            "new rows are for a fitted Regressor or Classifier or a learned field, got "
            f"{type(model).__name__}; for a solution give a Problem"
        )
    if method is not None:
        raise ValueError("method is for problems; a fitted model takes freeze, adapter_rank, rates")
    if not (isinstance(data_or_problem, tuple) and len(data_or_problem) == 2):
        raise ValueError("new rows are a pair (X, y)")
    freezing = _freezing(freeze, adapter_rank, unfreeze_at, rates)
    if isinstance(model, Regressor):
        return finetune_estimator(model, *data_or_problem, freezing, seed=seed)
    if isinstance(model, Classifier):
        return finetune_estimator(model, *data_or_problem, freezing, seed=seed)
    points, values = _numbers(data_or_problem, len(model.coordinates))
    return replace(model, fitted=finetune_fit(model.fitted, points, values, freezing, seed=seed))


def model_in(path: Path) -> Regressor | Classifier | LearnedField:
    """Return the fitted model in a file, of whichever kind.

    Args:
        path: A file that ``save`` wrote.

    Raises:
        ValueError: If it is not the file of one.
    """
    from pinnsolve.learning.estimators import estimator_of
    from pinnsolve.learning.field_model import LearnedField
    from pinnsolve.learning.fitted import Fitted
    from pinnsolve.learning.saved import read_model

    kinds: dict[str, type[Fitted | LearnedField]] = {
        "Regressor": Fitted,
        "Classifier": Fitted,
        "FieldModel": LearnedField,
    }
    name, settings, found, classes = read_model(path, kinds)
    return (
        found if isinstance(found, LearnedField) else estimator_of(name, settings, found, classes)
    )


def _freezing(
    freeze: str | int | None,
    adapter_rank: int | None,
    unfreeze_at: int | Sequence[int] | None,
    rates: Sequence[float] | None,
) -> Freezing:
    """Return what is held of a fit: the trunk, or with adapters all, if nothing is said."""
    word = freeze
    if word is None:
        word = "trunk" if adapter_rank is None else "all"
    return Freezing(word, adapter_rank, as_steps(unfreeze_at), tuple(rates or ()))


def _numbers(data: tuple[object, object], num_inputs: int) -> tuple[Array, Array]:
    """Return samples of fields as (N, D) and (N, C).

    Raises:
        ValueError: If they do not belong together or are not finite.
    """
    points, values = (np.asarray(part, dtype=np.float64) for part in data)
    values = values.reshape(len(values), -1)
    if points.ndim != 2 or points.shape[1] != num_inputs or len(values) != len(points):
        raise ValueError(
            f"samples of a field are points (N, {num_inputs}) and values (N, C), got {points.shape} and {values.shape}"
        )
    if not (np.isfinite(points).all() and np.isfinite(values).all()):
        raise ValueError("samples of a field must be finite; leave out those that are not")
    return points, values
