"""finetune(): from a solved problem to its neighbour, or from a fitted model to new rows, in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from pinnsolve.learning.freezing import Freezing, as_steps
from pinnsolve.learning.prepared import Prepared
from pinnsolve.learning.starts import Start
from pinnsolve.learning.transfer import finetune_solution
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared

if TYPE_CHECKING:
    from pinnsolve.learning.estimators import Regressor


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


def finetune(
    model: Start | Prepared | Regressor,
    data_or_problem: Problem | tuple[object, object],
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Solution | Regressor:
    """Fine-tune what was solved or fitted: ``finetune(solution, problem)``, ``finetune(regressor, (X, y))``.

    Args:
        model: A solution, its file, a :class:`Prepared` one, or a fitted Regressor.
        data_or_problem: The problem to be solved; or new rows (X, y).
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
    from pinnsolve.learning.estimator_transfer import finetune_estimator
    from pinnsolve.learning.estimators import Regressor

    if not isinstance(model, Regressor) or not hasattr(model, "fitted_"):
        raise ValueError(
            f"new rows are for a fitted Regressor, got {type(model).__name__}; for a solution give a Problem"
        )
    if not (isinstance(data_or_problem, tuple) and len(data_or_problem) == 2):
        raise ValueError("new rows are a pair (X, y)")
    word = freeze
    if word is None:
        word = "trunk" if adapter_rank is None else "all"
    freezing = Freezing(word, adapter_rank, as_steps(unfreeze_at), tuple(rates or ()))
    return finetune_estimator(model, *data_or_problem, freezing, seed=seed)
