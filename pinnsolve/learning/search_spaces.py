"""What is tuned: settings that are suggested, what they make, and how good that is; for tables and for problems."""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pinnsolve.fingerprint import declared
from pinnsolve.learning.gain import error_against
from pinnsolve.method import Method
from pinnsolve.optimise import GaussNewton, MatrixFree
from pinnsolve.problem import Problem
from pinnsolve.reference import NoReference, find_reference
from pinnsolve.solution import Solution
from pinnsolve.training import train

Settings = Mapping[str, Any]
"""Suggested settings by name; empty for the defaults."""


@dataclass(frozen=True)
class Outcome:
    """What a trial gave.

    Attributes:
        error: Its error; nan if it was given up.
        seconds: CPU time of a fit or a solve, in s.
        spent: CPU time of the whole trial, in s.
        why: Why it was given up; empty if it was not.
    """

    error: float
    seconds: float
    spent: float
    why: str = ""


class Search(ABC):
    """What is tuned."""

    @abstractmethod
    def suggest(self, trial: Any) -> dict[str, Any]:  # noqa: ANN401 - optuna is untyped here
        """Return settings that an Optuna trial suggests."""

    @abstractmethod
    def made(self, settings: Settings) -> object:
        """Return the estimator or the method of given settings."""

    @abstractmethod
    def evaluate(self, settings: Settings, best_error: float, limit: float) -> Outcome:
        """Return how good settings are.

        Args:
            settings: The settings.
            best_error: The smallest error so far: what is clearly worse is given up early.
            limit: Seconds that one fit or solve may take.
        """

    @abstractmethod
    def identity(self) -> str:
        """Return what tells this search from another, as text."""


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

    def suggest(self, trial: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return architecture, widths, steps and the share of rows left out."""
        kinds = ("auto", "linear", "mlp", "fourier")
        found = {
            "kind": trial.suggest_categorical("kind", kinds),
            "max_steps": trial.suggest_int("max_steps", 30, 400, log=True),
            "validation_share": trial.suggest_float("validation_share", 0.08, 0.35),
            "random_state": trial.suggest_int("random_state", 0, 4),
        }
        if found["kind"] in ("mlp", "fourier"):
            found["width"] = trial.suggest_int("width", 4, 48, log=True)
            found["depth"] = trial.suggest_int("depth", 1, 3)
        return found

    def made(self, settings: Settings) -> Any:  # noqa: ANN401
        """Return an estimator that is not fitted yet."""
        from sklearn.base import clone

        chosen = dict(settings)
        kind, width, depth = (chosen.pop(name, None) for name in ("kind", "width", "depth"))
        if kind is not None:
            chosen["architecture"] = kind if width is None else (kind, *[width] * depth)
        return clone(self.estimator).set_params(**chosen)

    def evaluate(self, settings: Settings, best_error: float, limit: float) -> Outcome:
        """Return the mean error over the folds; given up after one that is 1.5 times the best."""
        from sklearn.base import is_classifier
        from sklearn.metrics import log_loss
        from sklearn.model_selection import KFold, StratifiedKFold

        classes = is_classifier(self.estimator)
        splitter = (StratifiedKFold if classes else KFold)(3, shuffle=True, random_state=self.seed)
        target = np.asarray(self.y)
        errors, times, begin = list[float](), list[float](), time.process_time()
        for train_rows, test_rows in splitter.split(np.zeros(len(target)), target):
            model = self.made({**settings, "max_seconds": limit})
            start = time.process_time()
            model.fit(_rows(self.x, train_rows), target[train_rows])
            times.append(time.process_time() - start)
            given = _rows(self.x, test_rows)
            if classes:
                probabilities = model.predict_proba(given)
                errors.append(log_loss(target[test_rows], probabilities, labels=model.classes_))
            else:
                missing = model.predict(given) - target[test_rows]
                errors.append(float(np.sqrt(np.mean(missing**2))))
            if errors[-1] > _CLEARLY_WORSE * best_error:
                why = f"after {len(errors)} folds the error was {errors[-1]:.3g}"
                return Outcome(math.nan, times[-1], time.process_time() - begin, why)
        spent = time.process_time() - begin
        return Outcome(float(np.mean(errors)), float(np.median(times)), spent)

    def identity(self) -> str:
        """Return the estimator with its settings, and a digest of the data."""
        digest = hashlib.sha256(repr(self.estimator).encode())
        for part in (self.x, self.y):
            array = np.asarray(part)
            digest.update(repr((array.shape, array.astype(str).tolist())).encode())
        return f"table {digest.hexdigest()}"


@dataclass(frozen=True, eq=False)
class ProblemSearch(Search):
    """The method that solves a problem.

    The error is that against the exact solution, or against an independent reference; of a problem without either
    the residual on fresh points.

    Attributes:
        problem: The problem.
        start: What every trial begins from, or None.
        seed: Seed of every run.
        error_of: Measures the error of a solution.
        measure: What the error is against, in words.
    """

    problem: Problem
    start: Solution | None
    seed: int
    error_of: Callable[[Solution], float] = field(repr=False)
    measure: str

    @classmethod
    def on(cls, problem: Problem, *, start: Solution | None = None, seed: int = 0) -> ProblemSearch:
        """Return the search for a problem, with what its errors are measured against.

        Args:
            problem: The problem.
            start: What every trial begins from, or None.
            seed: Seed of every run.

        Raises:
            ValueError: If there is neither an exact solution nor a reference.
        """
        if problem.exact is not None:
            return cls(problem, start, seed, error_against(problem), "the exact solution")
        found = find_reference(problem)
        if isinstance(found, NoReference):
            raise ValueError(
                f"{problem.name!r} has neither an exact solution nor a reference to measure errors against: "
                f"{found.reason}; give exact="
            )
        return cls(problem, start, seed, error_against(problem, found.evaluate), found.method)

    def suggest(self, trial: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return trunk, sizes, bandwidth, optimiser, precision and how points are drawn."""
        trunk = trial.suggest_categorical("trunk", ("random", "trained"))
        if trunk == "random":
            return {
                "trunk": trunk,
                "max_features": trial.suggest_int("max_features", 300, 5100, log=True),
            }
        return {
            "trunk": trunk,
            "width": trial.suggest_int("width", 8, 28),
            "depth": trial.suggest_int("depth", 2, 5),
            "bandwidth": trial.suggest_float("bandwidth", 0.7, 6.0, log=True),
            "optimiser": trial.suggest_categorical("optimiser", ("gauss-newton", "matrix-free")),
            "precision": trial.suggest_categorical("precision", ("auto", "float64")),
            "resample_every": trial.suggest_int("resample_every", 3, 15),
            "adaptive_share": trial.suggest_float("adaptive_share", 0.0, 0.8),
        }

    def made(self, settings: Settings) -> Method:
        """Return the method."""
        chosen = dict(settings)
        width, depth = (chosen.pop(name, None) for name in ("width", "depth"))
        if width is not None and depth is not None:
            chosen["hidden"] = (width,) * depth
        if "optimiser" in chosen:
            free = chosen["optimiser"] == "matrix-free"
            chosen["optimiser"] = MatrixFree() if free else GaussNewton()
        return replace(Method(), **chosen)

    def evaluate(self, settings: Settings, best_error: float, limit: float) -> Outcome:
        """Return the error of the solution that was found within the limit."""
        del best_error
        method = replace(self.made(settings), max_seconds=limit)
        begin = time.process_time()
        solution = train(self.problem, method, seed=self.seed, start=self.start).solution
        seconds = time.process_time() - begin
        error = self.error_of(solution)
        why = "" if math.isfinite(error) else "the fields are not finite"
        return Outcome(error, seconds, time.process_time() - begin, why)

    def identity(self) -> str:
        """Return what the problem declares, as a digest."""
        text = repr(sorted(declared(self.problem).items()))
        return f"problem {self.problem.name} {hashlib.sha256(text.encode()).hexdigest()}"


def _rows(table: Any, rows: Any) -> Any:  # noqa: ANN401 - array or data frame
    return table.iloc[rows] if hasattr(table, "iloc") else np.asarray(table)[rows]


_CLEARLY_WORSE = 1.5
"""Error of a fold over the best error so far from which a trial is given up."""
