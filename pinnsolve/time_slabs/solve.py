"""Time slabs: a long time interval solved piece by piece, each from the end of the one before.

Over a long time a network must meet everything that happens at once, and least squares may prefer a wrong steady state
to the right history: causality gets lost (S. Wang, S. Sankaran & P. Perdikaris, "Respecting causality is all you need
for training physics-informed neural networks", arXiv:2203.07404). A slab is short, starts from what is known, and has
a network and a scaling of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pinnsolve.collocation import in_full
from pinnsolve.continuation import counting_on, file_of, with_share_of_time
from pinnsolve.energy import Meter
from pinnsolve.judging import field_differences
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.progress import bar_on_stderr
from pinnsolve.solution import Solution, component_values
from pinnsolve.solver import Announce, Answer, Compared, judged_answer, see_that_it_can_be_kept
from pinnsolve.status import StopReason
from pinnsolve.time_slabs.joined import Slab, joined
from pinnsolve.time_slabs.problems import edges_of, refuse_slabs, slab_problem
from pinnsolve.training import STOP_SHARE, Observer, train
from pinnsolve.verdict import Check


def solve_in_slabs(
    problem: Problem,
    slabs: int | Sequence[float],
    method: Method | None = None,
    *,
    seed: int = 0,
    reference: Compared = True,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
) -> Solution:
    """Solve an unsteady problem slab by slab, and judge the whole.

    Each slab begins with the values at the end of the one before and is warm-started from them. The accuracy asked of
    it is the problem's over the number of slabs, since errors may add up, relative to the largest fields so far.
    Quantities of interest, and the exact solution, are for the whole only.

    Args:
        problem: The declaration; without unknowns and measurements.
        slabs: How many slabs of equal length, or all their edges in s, the start and the end included.
        method: How to solve each slab; the time limit is for all together. None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        reference: Whether to compare with an independent classical solution, or one that was computed before.
        progress: Whether to show a progress bar, where standard error is a terminal.
        checkpoint: Each slab keeps its state in a file of its own beside this one: ``run.1.h5``, ``run.2.h5`` ... for
            ``run.h5``; the same call goes on from them.
        checkpoint_seconds: Time between two writes, in s.

    Returns:
        One solution over the whole time, with its verdict. If a slab was interrupted, or its residual is not finite, a
        solution that ends with this slab: its problem has a shorter time and no quantities of interest.

    Raises:
        ValueError: If the problem is steady, has unknowns or measurements, or second derivatives in time; if the edges
            do not ascend from its start to its end; if boundary values are to be met exactly; or for a checkpoint as
            :func:`solve` says.
    """
    how = method if method is not None else Method()
    goal = STOP_SHARE * problem.accuracy
    with bar_on_stderr(goal=goal, max_seconds=how.max_seconds, wanted=progress) as bar:
        judged = answer_in_slabs(
            problem,
            slabs,
            how,
            seed=seed,
            reference=reference,
            observer=bar,
            announce=bar.phase,
            checkpoint=checkpoint,
            checkpoint_seconds=checkpoint_seconds,
        )
    return judged.solution


def answer_in_slabs(
    problem: Problem,
    slabs: int | Sequence[float],
    method: Method,
    *,
    seed: int = 0,
    reference: Compared = True,
    observer: Observer | None = None,
    announce: Announce | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
    meter: Meter | None = None,
) -> Answer:
    """Solve as :func:`solve_in_slabs`, and return the reference as well.

    Args:
        problem: The declaration.
        slabs: Number of slabs, or their edges.
        method: How to solve each slab.
        seed: Seed of points and initial parameters.
        reference: As for :func:`solve_in_slabs`.
        observer: Called after every step of every slab; steps and seconds count on from one to the next.
        announce: Told before each slab, and before each phase that follows training.
        checkpoint: As for :func:`solve_in_slabs`.
        checkpoint_seconds: As for :func:`solve_in_slabs`.
        meter: As for :func:`pinnsolve.solve`; the record has the energy of all slabs.
    """
    refuse_slabs(problem, method)
    see_that_it_can_be_kept(reference)
    edges = edges_of(problem, slabs)
    total, steps, seconds = len(edges) - 1, 0, 0.0
    done: list[Slab] = []
    for number, (begin, end) in enumerate(pairwise(edges), start=1):
        if announce is not None:
            announce(f"slab {number} of {total}")
        solved = [slab.solution for slab in done]
        trained = train(
            slab_problem(problem, begin, end, solved, total, seed=seed),
            with_share_of_time(method, seconds, total + 1 - number),
            seed=seed,
            observer=counting_on(observer, steps, seconds),
            checkpoint=file_of(checkpoint, number),
            checkpoint_seconds=checkpoint_seconds,
            start=solved[-1] if solved else None,
            meter=meter,
        )
        done.append(Slab.of(trained, first=number == 1))
        record = trained.solution.record
        steps, seconds = steps + record.num_steps, seconds + record.seconds
        if record.status.reason in (StopReason.INTERRUPTED, StopReason.NON_FINITE):
            break
    whole = joined(problem, done, edges[: len(done) + 1], total, seed=seed)
    judged = judged_answer(whole, seed=seed, reference=reference, announce=announce)
    return replace(judged, solution=_with_edges_checked(judged.solution, done, edges, seed=seed))


def _with_edges_checked(
    whole: Solution, slabs: Sequence[Slab], edges: Sequence[float], *, seed: int
) -> Solution:
    """Return a judged solution whose verdict also says how far the slabs differ where they meet."""
    if whole.verdict is None or len(slabs) < 2:
        return whole
    problem = whole.problem
    space = problem.domain.sample_interior(_NUM_POINTS, seed=seed + _FRESH)
    jumps = []
    for (one, other), time in zip(pairwise(slabs), edges[1:-1], strict=False):
        points = in_full(problem, space, seed=seed + _FRESH, time=time).numpy()
        before, after = (component_values(slab.solution, points) for slab in (one, other))
        jumps.append(after - before)
    jump = np.concatenate(jumps)
    everywhere = in_full(problem, np.tile(space, (len(jumps), 1)), seed=seed + _FRESH).numpy()
    values = component_values(whole, everywhere)
    found = field_differences(whole, values + jump, values)
    note = "difference where one slab ends and the next begins, relative to the field at all times"
    checks = tuple(
        Check(f"{name} across the edges of the slabs", value, problem.accuracy, note)
        for name, value in found.items()
        if name not in problem.floating_fields
    )
    verdict = replace(whole.verdict, checks=(*whole.verdict.checks, *checks))
    return replace(whole, verdict=verdict)


_NUM_POINTS = 512
"""Points on an edge at which slabs are compared."""

_FRESH = 1_000_033
"""What is added to the seed for these points."""
