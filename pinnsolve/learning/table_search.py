"""The search for tables: an estimator's settings, judged by folds, with little time for what is clearly worse.

A trial climbs: a fit of a third of the steps on the first fold, a whole fit of it, the other folds. Only the better
third of all that came so far goes on to the next rung (successive halving without waiting; L. Li et al., "A system for
massively parallel hyperparameter tuning", MLSys 2020, arXiv:1810.05934).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnsolve.learning.search_spaces import Outcome, Rivals, Search, Settings


@dataclass(frozen=True, eq=False)
class TableSearch(Search):
    """An estimator on a table, judged by three-fold cross-validation.

    Attributes:
        estimator: A Regressor or a Classifier.
        x: Inputs, shape (N, F), or a data frame.
        y: Targets.
        seed: Seed of the folds.
    """

    estimator: Any
    x: Any
    y: Any
    seed: int = 0

    @property
    def known(self) -> tuple[Settings, ...]:
        """Networks of one and two layers, with and without logarithms; small ones first."""
        shapes = (("mlp", 8, 2), ("mlp", 16, 1), ("mlp", 12, 2), ("mlp", 32, 1))
        networks: list[Settings] = [
            {"kind": kind, "width": width, "depth": depth, "logarithms": word}
            for kind, width, depth in shapes
            for word in self._logarithms()
        ]
        mixed: list[Settings] = [
            {"kind": "auto", "logarithms": word} for word in self._logarithms() if word != "none"
        ]
        steps = min(max(self.estimator.get_params()["max_steps"], _STEPS[0]), _STEPS[1])
        given = {"max_steps": steps, "validation_share": 0.2}
        return tuple({**one, **given} for one in (*networks, *mixed))

    @property
    def num_repeats(self) -> int:
        """Twice: nine folds in all."""
        return 2

    def suggest(self, trial: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return architecture, widths, logarithms, steps and the share of rows left out."""
        kinds = ("auto", "linear", "mlp", "fourier")
        found = {
            "kind": trial.suggest_categorical("kind", kinds),
            "max_steps": trial.suggest_int("max_steps", *_STEPS, log=True),
        }
        words = self._logarithms()
        if len(words) > 1:
            found["logarithms"] = trial.suggest_categorical("logarithms", words)
        if found["kind"] == "auto":
            found["validation_share"] = trial.suggest_float("validation_share", 0.08, 0.35)
        if found["kind"] in ("mlp", "fourier"):
            found["width"] = trial.suggest_int("width", 4, 48, log=True)
            found["depth"] = trial.suggest_int("depth", 1, 3)
        return found

    def _logarithms(self) -> tuple[str, ...]:
        """Return the logarithms that the table and the estimator allow."""
        from sklearn.base import is_classifier

        if "logarithms" not in self.estimator.get_params():
            return ("none",)
        positive = [_positive(column) for column in _columns(self.x)]
        if not any(positive):
            return ("none",)
        if is_classifier(self.estimator) or not all(map(_positive, _columns(self.y))):
            return ("none", "inputs")
        return ("none", "inputs", "inputs and targets")

    def made(self, settings: Settings) -> Any:  # noqa: ANN401
        """Return an estimator that is not fitted yet."""
        from sklearn.base import clone

        chosen = dict(settings)
        kind, width, depth = (chosen.pop(name, None) for name in ("kind", "width", "depth"))
        if kind is not None:
            chosen["architecture"] = kind if width is None else (kind, *[width] * depth)
        return clone(self.estimator).set_params(**chosen)

    def evaluate(
        self, settings: Settings, rivals: Rivals | None, limit: float, repeat: int = 0
    ) -> Outcome:
        """Return the mean error over the folds: root mean square, or log loss of classes."""
        begin = time.process_time()
        errors, times, screen = list[float](), list[float](), math.nan
        for number, (train, test) in enumerate(self._folds(repeat)):
            if number == 0 and rivals is not None and settings:
                steps = self.made(settings).get_params()["max_steps"]
                cheap = {**settings, "max_steps": max(1, math.ceil(steps / _FEWER))}
                screen, seconds = self._fitted(cheap, limit, train, test)
                if not _among_the_best(screen, rivals.screens):
                    spent = time.process_time() - begin
                    why = f"after a third of the steps the error was {screen:.3g}"
                    return Outcome(math.nan, seconds, spent, why, screen)
            error, seconds = self._fitted(settings, limit, train, test)
            errors.append(error)
            times.append(seconds)
            if rivals is not None and settings and _hopeless(errors, rivals):
                why = f"after {len(errors)} folds the error was {np.mean(errors):.3g}"
                spent = time.process_time() - begin
                return Outcome(math.nan, times[-1], spent, why, screen, tuple(errors))
        spent = time.process_time() - begin
        middle = float(np.median(times))
        return Outcome(float(np.mean(errors)), middle, spent, "", screen, tuple(errors))

    def _fitted(
        self,
        settings: Settings,
        limit: float,
        train: Any,  # noqa: ANN401
        test: Any,  # noqa: ANN401
    ) -> tuple[float, float]:
        """Return the error on the rows of a fold, and the CPU seconds of the fit."""
        from sklearn.base import is_classifier
        from sklearn.metrics import log_loss

        target, model = np.asarray(self.y), self.made({**settings, "max_seconds": limit})
        begin = time.process_time()
        model.fit(_rows(self.x, train), target[train])
        seconds = time.process_time() - begin
        given = _rows(self.x, test)
        if is_classifier(self.estimator):
            probabilities = model.predict_proba(given)
            error = float(log_loss(target[test], probabilities, labels=model.classes_))
        else:
            with np.errstate(over="ignore"):  # what grows beyond all bounds is only worse
                missing = model.predict(given) - target[test]
                error = float(np.sqrt(np.mean(missing**2)))
        return (error if math.isfinite(error) else _WORST), seconds

    def _folds(self, repeat: int) -> Iterator[tuple[Any, Any]]:
        """Yield the rows to learn from and those to judge by."""
        from sklearn.base import is_classifier
        from sklearn.model_selection import KFold, StratifiedKFold

        kind = StratifiedKFold if is_classifier(self.estimator) else KFold
        splitter = kind(_FOLDS, shuffle=True, random_state=self.seed + 1009 * repeat)
        target = np.asarray(self.y)
        yield from splitter.split(np.zeros(len(target)), target)

    def identity(self) -> str:
        """Return the estimator with its settings, and a digest of the data."""
        digest = hashlib.sha256(repr(self.estimator).encode())
        for part in (self.x, self.y):
            array = np.asarray(part)
            digest.update(repr((array.shape, array.astype(str).tolist())).encode())
        return f"table {digest.hexdigest()}, space {_SPACE}"


def _among_the_best(value: float, others: Sequence[float]) -> bool:
    """Return whether a value is in the best third of all that came so far."""
    place = sum(other < value for other in others)
    return place < math.ceil((len(others) + 1) / _FEWER)


def _hopeless(errors: Sequence[float], rivals: Rivals) -> bool:
    """Return whether a trial with these errors on the first folds is to be given up."""
    mean, best = float(np.mean(errors)), rivals.best[: len(errors)]
    near = bool(best) and mean <= _NEAR * float(np.mean(best))
    if len(errors) == 1:
        return not near and not _among_the_best(errors[0], rivals.firsts)
    return bool(best) and not near


def _columns(table: Any) -> list[Any]:  # noqa: ANN401 - array or data frame
    if hasattr(table, "columns"):
        return [table[name].to_numpy() for name in table.columns]
    array = np.asarray(table)
    return list(array.reshape(len(array), -1).T)


def _positive(column: Any) -> bool:  # noqa: ANN401
    return column.dtype.kind in "iuf" and bool((column > 0).all())


def _rows(table: Any, rows: Any) -> Any:  # noqa: ANN401 - array or data frame
    return table.iloc[rows] if hasattr(table, "iloc") else np.asarray(table)[rows]


_STEPS = (5, 600)
"""Least and most steps of one network that are suggested."""

_FOLDS = 3
_FEWER = 3
"""One in so many goes on to the next rung; the steps of the first fit are divided by it."""

_NEAR = 1.1
"""Error over that of the best trial on the same folds up to which a trial goes on."""

_WORST = 1e300
"""Error of predictions that are not finite."""

_SPACE = 2
"""Number of this space of settings: a study of another one cannot be gone on with."""
