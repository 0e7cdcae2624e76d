"""finetune() for solutions: a solved problem as the start of its neighbour, as much of it held as is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.learning.descent import record_of
from pinnsolve.learning.freezing import Freezing, as_steps
from pinnsolve.learning.held_trunk import correction_steps, head_steps
from pinnsolve.learning.layers import layer_steps
from pinnsolve.learning.prepared import Prepared, prepared_steps
from pinnsolve.learning.starts import Start, start_of, stretched
from pinnsolve.learning.steps import Moved
from pinnsolve.method import Method
from pinnsolve.networks import MLP, Network, RandomFeatures, Transformed
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared, judged_answer
from pinnsolve.status import Status, StopReason
from pinnsolve.threads import one_torch_thread
from pinnsolve.training import Trained, Watcher, train
from pinnsolve.training.present import present_solution
from pinnsolve.uncertainty import estimates_of, is_open, laplace, stiffness_of, with_profiles


def finetune_solution(
    start: Start | Prepared,
    problem: Problem,
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    seed: int = 0,
    reference: Compared = True,
) -> Solution:
    """Solve a problem from the solution of a neighbouring one, and judge the answer as solve() does.

    Args:
        start: A solution, its file, or a :class:`Prepared` one. Its domain is stretched to the problem's.
        problem: What is to be solved, with the same fields and coordinates.
        freeze: What is held: ``nothing``; ``trunk`` (or ``all but head``), and the head is solved for; ``all``, and
            new features or adapters are added; or a number of layers, counted from the inputs. None chooses:
            the trunk of random features, or all of them where their heads are large, and nothing of a trained network.
        adapter_rank: Adds A B of this rank to the matrix W of every layer that is held, and trains A and B.
        unfreeze_at: Step or steps after which one more layer is trained, from the head down.
        rates: What the parameters of each layer, from the first to the head, move relative to full steps.
        method: Limits, points and optimiser; None chooses.
        seed: Seed of points, features and adapters.
        reference: As for :func:`pinnsolve.solve`.

    Returns:
        The solution with its verdict.

    Raises:
        ValueError: If fields or coordinates differ, the file is damaged, the start's field rests on data, or nothing
            can be trained in this way.
    """
    trained = finetune_trained(
        start,
        problem,
        freeze=freeze,
        adapter_rank=adapter_rank,
        unfreeze_at=unfreeze_at,
        rates=rates,
        method=method,
        seed=seed,
    )
    return judged_answer(trained, seed=seed, reference=reference).solution


def finetune_trained(
    start: Start | Prepared,
    problem: Problem,
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    seed: int = 0,
    watcher: Watcher | None = None,
) -> Trained:
    """Fine-tune as :func:`finetune_solution`, without a reference and a verdict.

    Args:
        start: As there.
        problem: As there.
        freeze: As there.
        adapter_rank: As there.
        unfreeze_at: As there.
        rates: As there.
        method: As there.
        seed: As there.
        watcher: Called after every step with the seconds so far and the solution that would be returned now.
    """
    how = method if method is not None else Method()
    whole = start.solution if isinstance(start, Prepared) else start
    begun = stretched(start_of(whole, problem), problem)
    if is_open(begun.network):
        raise ValueError(
            f"the field of {begun.problem.name!r} rests on data and on an expected spread of its features' weights, "
            "which fine-tuning would leave out: its intervals would be far too narrow; solve again"
        )
    unfrozen, given = as_steps(unfreeze_at), tuple(rates or ())
    word = freeze
    if word is None:
        word = _chosen(begun, adapter_rank, unfrozen, given)
    freezing = Freezing(word, adapter_rank, unfrozen, given)
    if isinstance(start, Prepared):
        if freeze is not None or adapter_rank is not None or unfrozen or given:
            raise ValueError(
                "a prepared start holds its trunk: leave freeze, adapter_rank, unfreeze_at and rates out, or give its "
                "solution"
            )
        return _run(prepared_steps(problem, start, how), problem, how, seed, watcher)
    plain = adapter_rank is None and not unfrozen and not given
    if plain and word == "nothing" and not isinstance(_inner(begun.network), MLP):
        return train(problem, how, seed=seed, start=begun, watcher=watcher)
    if plain and word in ("trunk", "all but head"):
        return _run(head_steps(problem, begun, how, seed=seed), problem, how, seed, watcher)
    if plain and word == "all":
        return _run(correction_steps(problem, begun, how, seed=seed), problem, how, seed, watcher)
    return _run(layer_steps(problem, begun, how, freezing, seed=seed), problem, how, seed, watcher)


def _chosen(
    start: Solution, adapter_rank: int | None, unfrozen: Sequence[int], rates: Sequence[float]
) -> str | int:
    """Return what is held if nothing is said."""
    if adapter_rank is not None:
        return "all"
    if unfrozen:
        return "trunk"
    if isinstance(start.network, RandomFeatures) and not rates:
        return "trunk" if start.network.num_parameters <= _SMALL_HEAD else "all"
    return "nothing"


def _inner(network: Network) -> Network:
    return network.inner if isinstance(network, Transformed) else network


def _run(
    steps: Iterator[Moved], problem: Problem, method: Method, seed: int, watcher: Watcher | None
) -> Trained:
    """Take all steps and return the last place with its record; Ctrl-C returns the last good one."""
    history: list[StepRecord] = []
    moved: Moved | None = None
    status = Status.of(StopReason.INTERRUPTED)
    with one_torch_thread():
        try:
            for moved in steps:
                history.append(moved.record)
                if watcher is not None:
                    system, theta = _whole(moved)
                    watcher(moved.record.seconds, present_solution(problem, system, theta))
        except KeyboardInterrupt:
            if moved is None:
                raise
        if moved is None:
            raise RuntimeError("fine-tuning took no step")
        system, theta = _whole(moved)
        solution = present_solution(problem, system, theta)
        if problem.unknowns:
            known = laplace(moved.system, moved.theta, stiffness=stiffness_of(problem))
            known = with_profiles(known, moved.system, moved.theta, problem)
            estimates = estimates_of(known)
            if (
                moved.system.network is not moved.network
            ):  # the root is of the part that was trained
                known = replace(known, root=np.zeros((0, 0)))
            solution = replace(solution, estimates=estimates, posterior=known)
    ended = moved.stop if moved.stop is not None else status
    record = record_of(history, ended, system, seed=seed, device=method.device)
    return Trained(replace(solution, record=record), system, theta)


def _whole(moved: Moved) -> tuple[System, Tensor]:
    """Return the system with the whole network, and its parameters with the unknowns' search variables."""
    system = replace(moved.system, network=moved.network, tables=())
    unknowns = moved.theta[moved.system.network.num_parameters :]
    return system, torch.cat((moved.parameters.detach(), unknowns.detach()))


_SMALL_HEAD = 1200
"""Parameters of a head that is solved for again within a fraction of a second."""
