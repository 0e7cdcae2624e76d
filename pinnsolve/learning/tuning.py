"""tune(): settings searched by Optuna within a budget of seconds or watt-hours, with what they cost.

The first trial is the defaults. A study is kept in an SQLite file if one is named; a study that was killed goes on
where it was, and what it had spent counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnsolve.learning.library import Library
from pinnsolve.learning.search_spaces import Outcome, ProblemSearch, Search, Settings, TableSearch
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
    watts: float = 15.0,
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
        watts: Power of one busy core in W, from which energy is estimated.
        seed: Seed of suggestions, folds and runs.
        max_trials: Most trials; None lets the budget decide.

    Raises:
        ValueError: If there is no budget, an objective is unknown, or the storage is of another study.
    """
    _check(budget_seconds, budget_wh, objectives, num_jobs, watts, max_trials)
    search, note = _search(estimator_or_problem, data, library, seed)
    study = _study(search, tuple(objectives), storage, seed)
    budget = min(
        math.inf if budget_seconds is None else budget_seconds,
        math.inf if budget_wh is None else budget_wh * 3600.0 / watts,
    )
    run = _runner(search, num_jobs, cluster)
    while _spent(study) < budget and (max_trials is None or _ended(study) < max_trials):
        count = num_jobs if max_trials is None else min(num_jobs, max_trials - _ended(study))
        trials = [study.ask() for _ in range(count)]
        chosen = [_settings_of(search, trial) for trial in trials]
        outcomes = run(chosen, _best_error(study), _limit(study, budget))
        for trial, settings, outcome in zip(trials, chosen, outcomes, strict=True):
            _tell(study, trial, settings, outcome, objectives, watts)
    return _tuned(search, study, tuple(objectives), watts, note)


Run = Callable[[Sequence[Settings], float, float], Sequence[Outcome]]
"""Evaluates several settings, given the best error so far and the time limit of one fit."""


def _runner(search: Search, num_jobs: int, cluster: str | None) -> Run:
    """Return what evaluates trials: here, in processes, or on a Ray cluster."""

    def here(chosen: Sequence[Settings], best: float, limit: float) -> Sequence[Outcome]:
        return [search.evaluate(settings, best, limit) for settings in chosen]

    def in_processes(chosen: Sequence[Settings], best: float, limit: float) -> Sequence[Outcome]:
        from joblib import Parallel, delayed

        tasks = (delayed(search.evaluate)(settings, best, limit) for settings in chosen)
        found: Sequence[Outcome] = Parallel(n_jobs=num_jobs, backend="loky")(tasks)
        return found

    def on_cluster(chosen: Sequence[Settings], best: float, limit: float) -> Sequence[Outcome]:
        import ray

        if not ray.is_initialized():
            ray.init(
                address=None if cluster == "local" else cluster,
                num_cpus=num_jobs if cluster == "local" else None,
            )
        remote = ray.remote(search.evaluate.__func__)  # type: ignore[attr-defined]
        found: Sequence[Outcome] = ray.get(
            [remote.remote(search, settings, best, limit) for settings in chosen]
        )
        return found

    if cluster is not None:
        return on_cluster
    return here if num_jobs == 1 else in_processes


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
    return TableSearch(what, *data, seed), "root mean square error or log loss over three folds"


def _study(
    search: Search, objectives: tuple[str, ...], storage: str | Path | None, seed: int
) -> optuna.Study:
    """Return a new study, or the one in the file with its lost trials put in line again.

    Raises:
        ValueError: If the file is of another study, or is no study.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    identity = f"{search.identity()} for {', '.join(objectives)}"
    place = None if storage is None else f"sqlite:///{Path(storage)}"
    if storage is not None and not Path(storage).parent.is_dir():
        raise ValueError(f"{storage}: there is no folder {Path(storage).parent}; create it first")
    try:
        study = optuna.create_study(
            study_name=_NAME,
            storage=place,
            directions=["minimize"] * len(objectives),
            load_if_exists=True,
        )
        found = study.user_attrs.get(_IDENTITY)
        count = len(study.trials)
    except (ValueError, SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise ValueError(
            f"{storage}: not the file of a study ({type(error).__name__}); give another one"
        ) from error
    study.sampler = optuna.samplers.TPESampler(seed=seed + count, n_startup_trials=_RANDOM)
    if found is None and not count:
        study.set_user_attr(_IDENTITY, identity)
    elif found != identity:
        raise ValueError(
            f"{storage}: holds another study (other data, estimator, problem or objectives); give another file"
        )
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        if trial.params:
            study.enqueue_trial(trial.params)
    return study


def _settings_of(search: Search, trial: optuna.trial.Trial) -> dict[str, Any]:
    """Return the settings of a trial; the first is the defaults, again if it was lost."""
    import optuna

    lost = optuna.trial.TrialState.FAIL
    known = trial.study.get_trials(deepcopy=False)
    if not any(_DEFAULTS in t.user_attrs and t.state != lost for t in known):
        trial.set_user_attr(_DEFAULTS, True)
        return {}
    return search.suggest(trial)


def _tell(
    study: optuna.Study,
    trial: optuna.trial.Trial,
    settings: Settings,
    outcome: Outcome,
    objectives: Sequence[str],
    watts: float,
) -> None:
    """Write down what a trial gave."""
    import optuna

    del settings
    for name, value in (
        ("spent", outcome.spent),
        ("seconds", outcome.seconds),
        ("why", outcome.why),
    ):
        trial.set_user_attr(name, value)
    if not math.isfinite(outcome.error):
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return
    trial.set_user_attr("error", outcome.error)
    watt_hours = outcome.seconds * watts / 3600.0
    values = {"error": outcome.error, "time": outcome.seconds, "energy": watt_hours}
    study.tell(trial, [values[name] for name in objectives])


def _spent(study: optuna.Study) -> float:
    """Return the CPU seconds of all trials that ended."""
    return sum(float(t.user_attrs.get("spent", 0.0)) for t in study.get_trials(deepcopy=False))


def _ended(study: optuna.Study) -> int:
    return sum("spent" in t.user_attrs for t in study.get_trials(deepcopy=False))


def _best_error(study: optuna.Study) -> float:
    found = (t.user_attrs.get("error") for t in study.get_trials(deepcopy=False))
    return min((float(error) for error in found if error is not None), default=math.inf)


def _limit(study: optuna.Study, budget: float) -> float:
    """Return how long one fit or solve may take: a few times what the defaults took, within the budget."""
    for trial in study.get_trials(deepcopy=False):
        if _DEFAULTS in trial.user_attrs and "seconds" in trial.user_attrs:
            slow = _SLOWER * float(trial.user_attrs["seconds"])
            return max(_LEAST_LIMIT, min(slow, budget - _spent(study)))
    return max(_LEAST_LIMIT, budget / 2.0)


def _tuned(
    search: Search, study: optuna.Study, objectives: tuple[str, ...], watts: float, note: str
) -> Tuned:
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
            watt_hours=float(t.user_attrs.get("seconds", math.nan)) * watts / 3600.0,
            state=states.get(t.state, "lost"),
            why=str(t.user_attrs.get("why", "")),
        )
        for t in study.get_trials(deepcopy=False)
    )
    finished = [trial for trial in trials if trial.state == "complete"]
    if not finished:
        raise ValueError(
            "no trial ended with a finite error: "
            + "; ".join(trial.why for trial in trials if trial.why)
        )
    best = min(finished, key=lambda trial: trial.error)
    defaults = next((t for t in finished if not t.settings), None)
    if defaults is not None and defaults.error <= best.error:
        best = defaults
    spent = _spent(study)
    return Tuned(
        best=search.made(best.settings),
        best_trial=best,
        trials=trials,
        front=tuple(sorted(t.number for t in study.best_trials))
        if len(objectives) > 1
        else (study.best_trial.number,),
        objectives=objectives,
        spent_seconds=spent,
        spent_wh=spent * watts / 3600.0,
        energy_source=f"estimated: CPU seconds times {watts:g} W",
        note=note,
    )


def _check(
    budget_seconds: float | None,
    budget_wh: float | None,
    objectives: Sequence[str],
    num_jobs: int,
    watts: float,
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


_NAME = "pinnsolve"
"""Name of the one study in a file."""

_IDENTITY = "identity"
"""Attribute that says what a study is of."""

_DEFAULTS = "defaults"
"""Attribute of the trial with default settings."""

_RANDOM = 8
"""Trials before suggestions follow what was seen."""

_SLOWER = 5.0
"""How many times longer than the defaults a fit may take."""

_LEAST_LIMIT = 2.0
"""Least time limit of a fit or solve, in s."""
