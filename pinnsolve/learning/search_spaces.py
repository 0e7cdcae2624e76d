"""What is tuned: settings that are suggested, what they make, and how good that is; and the search for problems."""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
        screen: Error of a first, cheap fit; nan without one.
        parts: Errors that the error is the mean of, one for each fold that was fitted.
    """

    error: float
    seconds: float
    spent: float
    why: str = ""
    screen: float = math.nan
    parts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rivals:
    """What other trials gave, by which a trial is given up early.

    Attributes:
        screens: Errors of all first, cheap fits.
        firsts: Errors on the first fold, of all trials that came so far.
        best: Errors by fold of the trial with the smallest error; empty without one.
    """

    screens: tuple[float, ...] = ()
    firsts: tuple[float, ...] = ()
    best: tuple[float, ...] = ()


class Search(ABC):
    """What is tuned."""

    @property
    def known(self) -> tuple[Settings, ...]:
        """Settings that often do well, tried after the defaults and before any suggestion."""
        return ()

    @property
    def num_repeats(self) -> int:
        """How often the errors of the best trials are measured again, on other folds."""
        return 0

    @abstractmethod
    def suggest(self, trial: Any) -> dict[str, Any]:  # noqa: ANN401 - optuna is untyped here
        """Return settings that an Optuna trial suggests."""

    @abstractmethod
    def made(self, settings: Settings) -> object:
        """Return the estimator or the method of given settings."""

    @abstractmethod
    def evaluate(
        self, settings: Settings, rivals: Rivals | None, limit: float, repeat: int = 0
    ) -> Outcome:
        """Return how good settings are.

        Args:
            settings: The settings.
            rivals: What is clearly worse than these is given up early; None gives nothing up.
            limit: Seconds that one fit or solve may take.
            repeat: Another number gives other folds.
        """

    @abstractmethod
    def identity(self) -> str:
        """Return what tells this search from another, as text."""


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

    def evaluate(
        self, settings: Settings, rivals: Rivals | None, limit: float, repeat: int = 0
    ) -> Outcome:
        """Return the error of the solution that was found within the limit."""
        del rivals, repeat
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
