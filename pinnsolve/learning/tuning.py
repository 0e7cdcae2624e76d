"""tune(): settings searched by Optuna within a budget of seconds or watt-hours, with what they cost.

The first trial is the defaults, then come settings that often do well, then suggestions. Of a table the best trials are
measured again on other folds, which decide between them (:mod:`pinnsolve.learning.finals`). A study is kept in an
SQLite file if one is named; a study that was killed goes on where it was, and what it had spent counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnsolve.energy import EstimatedEnergy, Meter
from pinnsolve.learning.finals import Contender, finalists, wanted, winner
from pinnsolve.learning.library import Library
from pinnsolve.learning.search_spaces import ProblemSearch, Search
from pinnsolve.learning.studies import (
    Budget,
    errors_by_fold,
    keep_repeat,
    limit_of,
    num_ended,
    open_study,
    rivals_of,
    seconds_left,
    settings_of,
    share_left,
    tell,
    total,
)
from pinnsolve.learning.table_search import TableSearch
from pinnsolve.learning.trial_runs import Run, Task, runner
from pinnsolve.learning.tuned import Trial, Tuned
from pinnsolve.naming import near_match_text
from pinnsolve.problem import Problem

if TYPE_CHECKING:
    import optuna

OBJECTIVES = ("error", "time", "energy")
"""What may be minimised: the error, the CPU seconds of a fit or solve, the watt-hours of one."""


def tune(
    estimator_or_problem: Any,  # noqa: ANN401 - a scikit-learn estimator, or a Problem
    data: tuple[Any, Any] | None = None,
    *,
    budget_seconds: float | None = None,
    budget_wh: float | None = None,
    objectives: Sequence[str] = ("error", "time"),
    storage: str | Path | None = None,
    num_jobs: int = 1,
    cluster: str | None = None,
    library: Library | None = None,
    meter: Meter | None = None,
    watts: float | None = None,
    seed: int = 0,
    max_trials: int | None = None,
) -> Tuned:
    """Search architecture, optimiser, precision and sampling for an estimator or for a problem.

    Args:
        estimator_or_problem: A Regressor or Classifier; or a problem.
        data: Table (X, y) of the estimator; None for a problem.
        budget_seconds: CPU seconds of all trials together; the one that is running is finished.
        budget_wh: Watt-hours of all trials together.
        objectives: One or more of ``error``, ``time`` and ``energy``.
        storage: SQLite file of the study; a study that is in it is gone on with. None keeps nothing.
        num_jobs: Trials at the same time, each in a process of its own.
        cluster: Address of a Ray cluster on which trials run, or ``local``; None runs them here.
        library: Library whose nearest solution every run of a problem begins from.
        meter: Measures the energy of every trial, in the process that it runs in; None estimates it from CPU time.
        watts: Power of one busy core in W for that estimate; None takes the estimate's own.
        seed: Seed of suggestions, folds and runs.
        max_trials: Most trials; None lets the budget decide.

    Raises:
        ValueError: If there is no budget, an objective is unknown, or the storage is of another study.
    """
    _check(budget_seconds, budget_wh, objectives, num_jobs, watts, max_trials)
    meter = _meter(meter, watts)
    search, note = _search(estimator_or_problem, data, library, seed)
    study = open_study(search, tuple(objectives), storage, seed)
    budget = Budget(
        math.inf if budget_seconds is None else budget_seconds,
        math.inf if budget_wh is None else budget_wh,
    )
    with runner(search, meter, num_jobs, cluster) as run:
        share = _SHARE_OF_FINALS if search.num_repeats else 0.0
        while share_left(study, budget) > share and (
            max_trials is None or num_ended(study) < max_trials
        ):
            count = num_jobs if max_trials is None else min(num_jobs, max_trials - num_ended(study))
            trials = [study.ask() for _ in range(count)]
            chosen = [settings_of(search, trial) for trial in trials]
            tasks = [(settings, rivals_of(study), 0) for settings in chosen]
            outcomes = run(tasks, limit_of(study, budget))
            for trial, (outcome, energy) in zip(trials, outcomes, strict=True):
                tell(study, trial, outcome, energy, objectives)
        _measure_again(search, study, budget, run, num_jobs)
    return _tuned(search, study, tuple(objectives), note)


def _measure_again(
    search: Search, study: optuna.Study, budget: Budget, run: Run, num_jobs: int
) -> None:
    """Measure the finalists on other folds, as far as the budget allows."""
    chosen = finalists(_contenders(study)) if search.num_repeats else ()
    left = list(wanted(chosen, errors_by_fold(study), search.num_repeats))
    settings = {t.number: dict(t.params) for t in study.get_trials(deepcopy=False)}
    while left and seconds_left(study, budget) > 0.0:
        now, left = left[:num_jobs], left[num_jobs:]
        tasks: list[Task] = [(settings[number], None, repeat) for number, repeat in now]
        for (number, repeat), (outcome, energy) in zip(
            now, run(tasks, limit_of(study, budget)), strict=True
        ):
            keep_repeat(study, number, repeat, outcome, energy)


def _contenders(study: optuna.Study) -> list[Contender]:
    return [
        Contender(
            t.number, float(t.user_attrs["error"]), float(t.user_attrs["seconds"]), not t.params
        )
        for t in study.get_trials(deepcopy=False)
        if "error" in t.user_attrs
    ]


def _search(
    what: Any,  # noqa: ANN401
    data: tuple[Any, Any] | None,
    library: Library | None,
    seed: int,
) -> tuple[Search, str]:
    """Return what is tuned, and what a reader should know about its errors."""
    if isinstance(what, Problem):
        if data is not None:
            raise ValueError("a problem needs no data: leave data out, or give an estimator")
        start = None if library is None else library.nearest(what)
        found = ProblemSearch.on(what, start=start, seed=seed)
        begun = "nothing" if start is None else "the nearest solution of the library"
        return found, f"relative L2 error against {found.measure}; runs begin from {begun}"
    if not (hasattr(what, "fit") and hasattr(what, "set_params")):
        raise ValueError(f"tune() is for an estimator or a problem, got {type(what).__name__}")
    if not (isinstance(data, tuple) and len(data) == 2):
        raise ValueError("an estimator is tuned on a table: give data=(X, y)")
    if library is not None:
        raise ValueError("a library holds solutions of problems: leave it out for an estimator")
    return TableSearch(what, *data, seed), (
        "root mean square error or log loss over three folds; the best are measured on six more, and of those within "
        "one standard error the defaults or the quickest is taken"
    )


def _tuned(search: Search, study: optuna.Study, objectives: tuple[str, ...], note: str) -> Tuned:
    """Return what was found.

    Raises:
        ValueError: If no trial ended well.
    """
    import optuna

    states = {
        optuna.trial.TrialState.COMPLETE: "complete",
        optuna.trial.TrialState.PRUNED: "given up",
    }
    trials = tuple(
        Trial(
            number=t.number,
            settings=dict(t.params),
            error=float(t.user_attrs.get("error", math.nan)),
            seconds=float(t.user_attrs.get("seconds", math.nan)),
            watt_hours=float(t.user_attrs.get("watt_hours", math.nan)),
            state=states.get(t.state, "lost"),
            why=str(t.user_attrs.get("why", "")),
        )
        for t in study.get_trials(deepcopy=False)
        if t.state != optuna.trial.TrialState.WAITING
    )
    finished = [trial for trial in trials if trial.state == "complete"]
    if not finished:
        raise ValueError(
            "no trial ended with a finite error: "
            + "; ".join(trial.why for trial in trials if trial.why)
        )
    chosen = finalists(_contenders(study))
    if search.num_repeats:
        chosen = (winner(chosen, errors_by_fold(study), search.num_repeats),)
    best = next(trial for trial in trials if trial.number == chosen[0].number)
    sources = [t.user_attrs.get("energy_source") for t in study.get_trials(deepcopy=False)]
    return Tuned(
        best=search.made(best.settings),
        best_trial=best,
        trials=trials,
        front=tuple(sorted(t.number for t in study.best_trials))
        if len(objectives) > 1
        else (study.best_trial.number,),
        objectives=objectives,
        spent_seconds=total(study, "spent"),
        spent_wh=total(study, "spent_wh"),
        energy_source="; ".join(dict.fromkeys(str(source) for source in sources if source)),
        note=note,
    )


def _meter(meter: Meter | None, watts: float | None) -> Meter:
    if watts is None:
        return EstimatedEnergy() if meter is None else meter
    if meter is not None:
        raise ValueError("give meter or watts, not both: watts is the power of an estimate")
    return EstimatedEnergy(watts_per_core=watts)


def _check(
    budget_seconds: float | None,
    budget_wh: float | None,
    objectives: Sequence[str],
    num_jobs: int,
    watts: float | None,
    max_trials: int | None,
) -> None:
    if budget_seconds is None and budget_wh is None:
        raise ValueError("tuning needs a budget: give budget_seconds or budget_wh")
    numbers = {"budget_seconds": budget_seconds, "budget_wh": budget_wh, "watts": watts}
    for name, value in numbers.items():
        if value is not None and not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be finite and > 0, got {value}")
    if not objectives or isinstance(objectives, str):
        raise ValueError(
            f"objectives must be one or more of {', '.join(OBJECTIVES)}, got {objectives!r}"
        )
    for name in objectives:
        if name not in OBJECTIVES:
            raise ValueError(f"no objective {name!r}. {near_match_text(name, OBJECTIVES)}")
    if num_jobs < 1 or (max_trials is not None and max_trials < 1):
        raise ValueError(f"num_jobs and max_trials must be >= 1, got {num_jobs} and {max_trials}")


_SHARE_OF_FINALS = 0.25
"""Share of the budget that is kept for measuring the best trials of a table again."""
