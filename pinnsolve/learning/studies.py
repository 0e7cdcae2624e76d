"""The Optuna study behind tune(): opened from a file or made, told what trials gave, asked what is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnsolve.energy import WATTS_PER_CORE, Energy
from pinnsolve.learning.search_spaces import Outcome, Rivals, Search

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Budget:
    """What all trials together may take.

    Attributes:
        seconds: CPU seconds.
        watt_hours: Energy in Wh.
    """

    seconds: float
    watt_hours: float


def open_study(
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
        study.enqueue_trial({})  # the defaults
        for settings in search.known:
            study.enqueue_trial(dict(settings))
    elif found != identity:
        raise ValueError(
            f"{storage}: holds another study (other data, estimator, problem or objectives); give another file"
        )
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        _put_in_line_again(study, trial)
    return study


def settings_of(search: Search, trial: optuna.trial.Trial) -> dict[str, Any]:
    """Return the settings of a trial; the first is the defaults, again if it was lost."""
    import optuna

    lost = optuna.trial.TrialState.FAIL
    known = trial.study.get_trials(deepcopy=False)
    if not any(_DEFAULTS in t.user_attrs and t.state != lost for t in known):
        _put_in_line_again(trial.study, known[trial.number])
        trial.set_user_attr(_DEFAULTS, True)
        return {}
    return search.suggest(trial)


def _put_in_line_again(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """Let another trial try what this one was to try; the defaults come without being put in line."""
    wanted = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    if wanted and _DEFAULTS not in trial.user_attrs:
        study.enqueue_trial(wanted)


def tell(
    study: optuna.Study,
    trial: optuna.trial.Trial,
    outcome: Outcome,
    energy: Energy,
    objectives: Sequence[str],
) -> None:
    """Write down what a trial gave; one fit has its share, by CPU time, of the energy of the trial."""
    import optuna

    spent_wh = 1e3 * energy.kwh
    watt_hours = spent_wh * outcome.seconds / outcome.spent if outcome.spent > 0.0 else spent_wh
    for name, value in (
        ("spent_wh", spent_wh),
        ("watt_hours", watt_hours),
        ("energy_source", energy.source),
        ("seconds", outcome.seconds),
        ("why", outcome.why),
        ("spent", outcome.spent),
        ("screen", outcome.screen),
        ("parts", list(outcome.parts)),
    ):
        trial.set_user_attr(name, value)
    if not math.isfinite(outcome.error):
        if tuple(objectives) == ("error",) and (outcome.parts or math.isfinite(outcome.screen)):
            value = outcome.parts[-1] if outcome.parts else outcome.screen
            trial.report(value, len(outcome.parts))  # suggestions learn from it
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return
    trial.set_user_attr("error", outcome.error)
    values = {"error": outcome.error, "time": outcome.seconds, "energy": watt_hours}
    study.tell(trial, [values[name] for name in objectives])


def keep_repeat(
    study: optuna.Study, number: int, repeat: int, outcome: Outcome, energy: Energy
) -> None:
    """Write down what a trial gave on other folds."""
    kept = [*study.user_attrs.get(_REPEATS, ())]
    item = {"number": number, "repeat": repeat, "parts": list(outcome.parts)}
    kept.append({**item, "spent": outcome.spent, "spent_wh": 1e3 * energy.kwh})
    study.set_user_attr(_REPEATS, kept)


def errors_by_fold(study: optuna.Study) -> dict[tuple[int, int], list[float]]:
    """Return the errors by fold of every trial (repeat 0) and of those that were measured again."""
    found = {(t.number, 0): t.user_attrs.get("parts", []) for t in study.get_trials(deepcopy=False)}
    again = study.user_attrs.get(_REPEATS, ())
    return found | {(item["number"], item["repeat"]): item["parts"] for item in again}


def rivals_of(study: optuna.Study) -> Rivals:
    """Return what all trials gave so far."""
    trials = study.get_trials(deepcopy=False)
    screens = (float(t.user_attrs.get("screen", math.nan)) for t in trials)
    parts = [t.user_attrs["parts"] for t in trials if t.user_attrs.get("parts")]
    ended = [t for t in trials if "error" in t.user_attrs]
    best = min(ended, key=lambda t: float(t.user_attrs["error"]), default=None)
    return Rivals(
        tuple(screen for screen in screens if math.isfinite(screen)),
        tuple(float(part[0]) for part in parts),
        () if best is None else tuple(best.user_attrs.get("parts", ())),
    )


def total(study: optuna.Study, name: str) -> float:
    """Return the sum of an attribute over all trials that ended and what was measured again."""
    parts = (
        *(t.user_attrs for t in study.get_trials(deepcopy=False)),
        *study.user_attrs.get(_REPEATS, ()),
    )
    return sum(float(part.get(name, 0.0)) for part in parts)


def seconds_left(study: optuna.Study, budget: Budget) -> float:
    """Return the CPU seconds that are left; those of the watt-hours by the power so far."""
    spent, spent_wh = total(study, "spent"), total(study, "spent_wh")
    watts = 3600.0 * spent_wh / spent if spent * spent_wh > 0.0 else WATTS_PER_CORE
    return min(budget.seconds - spent, 3600.0 * (budget.watt_hours - spent_wh) / watts)


def share_left(study: optuna.Study, budget: Budget) -> float:
    """Return the share of the budget that is left, of seconds or watt-hours, whichever is less."""
    spent, spent_wh = total(study, "spent"), total(study, "spent_wh")
    return min(1.0 - spent / budget.seconds, 1.0 - spent_wh / budget.watt_hours)


def num_ended(study: optuna.Study) -> int:
    """Return the number of trials that ended; one lost in the middle did not."""
    import optuna

    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return len(study.get_trials(deepcopy=False, states=ended))


def limit_of(study: optuna.Study, budget: Budget) -> float:
    """Return how long one fit or solve may take: a few times what the defaults took, within the budget."""
    for trial in study.get_trials(deepcopy=False):
        if _DEFAULTS in trial.user_attrs and "seconds" in trial.user_attrs:
            slow = _SLOWER * float(trial.user_attrs["seconds"])
            return max(_LEAST_LIMIT, min(slow, seconds_left(study, budget)))
    return max(_LEAST_LIMIT, seconds_left(study, budget) / 2.0)


_NAME = "pinnsolve"
"""Name of the one study in a file."""

_IDENTITY = "identity"
"""Attribute that says what a study is of."""

_REPEATS = "repeats"
"""Attribute with what was measured again on other folds."""

_DEFAULTS = "defaults"
"""Attribute of the trial with default settings."""

_RANDOM = 8
"""Trials before suggestions follow what was seen."""

_SLOWER = 5.0
"""How many times longer than the defaults a fit may take."""

_LEAST_LIMIT = 2.0
"""Least time limit of a fit or solve, in s."""
