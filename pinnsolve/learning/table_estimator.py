"""What Regressor and Classifier share: settings, tables and frames as input, the record, saving."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from pinnsolve.distributed import process_count
from pinnsolve.learning.candidates import Architecture, Task, kind_of
from pinnsolve.learning.columns import UNSEEN, Columns, is_categorical_frame
from pinnsolve.learning.fitted import Fitted
from pinnsolve.learning.fitting import fit_rows
from pinnsolve.learning.journal import FitJournal
from pinnsolve.learning.record import FitObserver, FitRecord
from pinnsolve.learning.rows import Array, Rows, Standardiser
from pinnsolve.learning.saved import write_model
from pinnsolve.learning.settings import Found, Settings
from pinnsolve.naming import near_match_text
from pinnsolve.threads import one_torch_thread

PRECISIONS = ("auto", "float64", "float32", "bf16-mixed", "fp16-mixed")
LOGARITHMS = ("auto", "none", "inputs", "inputs and targets")
COLUMNS = {"none": "none", "auto": "skewed"}
"""Which columns of the inputs pass through their logarithm; of the other choices all that are positive."""


class TableEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """What Regressor and Classifier share.

    Args:
        architecture: ``"auto"``, ``"linear"``, or a kind with its widths: ``("mlp", 16, 16)``, ``("fourier", 64)``,
            ``("gated", 64, 64)``.
        precision: ``"auto"``, ``"float64"``, ``"float32"``, ``"bf16-mixed"`` or ``"fp16-mixed"``.
        optimiser: ``"auto"``, ``"gauss-newton"`` (numbers), ``"lbfgs"`` (classes), ``"adamw"`` or ``"soap"``.
        max_seconds: Time limit of a fit, in s.
        max_steps: Most steps of one network, or epochs of first-order training.
        validation_share: Share of the rows left out of every network that is tried; None takes 0.2, and 0.1 above
            5,000 rows.
        random_state: Seed of splits and initial parameters, as in scikit-learn.
        device: Where to train, such as ``"cpu"`` or ``"cuda"``.
        unseen: What to do with a category that was not seen: ``"refuse"`` or ``"ignore"``.
        logarithms: Which columns are learned from by their logarithm, which makes sums of products and powers:
            ``"none"``; ``"auto"``, those that are positive and skewed; ``"inputs"``, all that are positive; ``"inputs
            and targets"``, and targets too, which must be positive.
    """

    def __init__(
        self,
        architecture: Architecture = "auto",
        *,
        precision: str = "auto",
        optimiser: str = "auto",
        max_seconds: float = 300.0,
        max_steps: int = 200,
        validation_share: float | None = None,
        random_state: Any = 0,  # noqa: ANN401 - int, RandomState or None, as everywhere in scikit-learn
        device: str = "cpu",
        unseen: str = "refuse",
        logarithms: str = "auto",
    ) -> None:
        self.architecture = architecture
        self.precision = precision
        self.optimiser = optimiser
        self.max_seconds = max_seconds
        self.max_steps = max_steps
        self.validation_share = validation_share
        self.random_state = random_state
        self.device = device
        self.unseen = unseen
        self.logarithms = logarithms

    @property
    def record_(self) -> FitRecord:
        """How the model was found."""
        check_is_fitted(self, "fitted_")
        record: FitRecord = self.fitted_.record
        return record

    def save(self, path: str | Path) -> None:
        """Write the fitted model to an HDF5 file of numbers and text; read it with ``ps.learning.load``.

        Args:
            path: The file; its folder must exist.

        Raises:
            ValueError: If it cannot be written.
        """
        check_is_fitted(self, "fitted_")
        write_model(
            path,
            type(self).__name__,
            self.get_params(deep=False),
            self.fitted_,
            getattr(self, "classes_", None),
        )

    def _settings(self, num_rows: int) -> Settings:
        """Return the settings, checked."""
        kind_of(self.architecture)
        for name, value, choices in (
            ("precision", self.precision, PRECISIONS),
            ("unseen", self.unseen, UNSEEN),
            ("logarithms", self.logarithms, LOGARITHMS),
        ):
            if value not in choices:
                raise ValueError(
                    f"unknown {name} {value!r}. {near_match_text(str(value), choices)}"
                )
        if self.logarithms == "inputs and targets" and isinstance(self, ClassifierMixin):
            raise ValueError("classes have no logarithms; use logarithms='inputs' or 'none'")
        if not (isinstance(self.max_seconds, int | float) and self.max_seconds > 0.0):
            raise ValueError(f"max_seconds must be > 0 s, got {self.max_seconds!r}")
        if not (isinstance(self.max_steps, int) and self.max_steps >= 1):
            raise ValueError(f"max_steps must be a whole number >= 1, got {self.max_steps!r}")
        share = self.validation_share
        if share is None:
            share = 0.2 if num_rows <= 5000 else 0.1
        if not (isinstance(share, int | float) and 0.0 < share <= 0.5):
            raise ValueError(f"validation_share must lie in (0, 0.5], got {share!r}")
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        return Settings(
            self.architecture,
            self.precision,
            self.optimiser,
            float(self.max_seconds),
            self.max_steps,
            float(share),
            int(seed),
            usable_device(self.device),
        )

    def _checked(self, x: Any, y: Any, **how: Any) -> tuple[Columns | None, Array, Any]:  # noqa: ANN401
        """Return how columns are read, the inputs as numbers (N, F), and the targets as they were given."""
        columns = None
        if is_categorical_frame(x):
            columns = Columns.of(x, self.unseen)
            names, count = np.array([c.name for c in columns.columns], dtype=object), x.shape[1]
            x = columns.matrix(x)
        table, y = validate_data(
            self, x, y, dtype=np.float64, ensure_min_samples=2, multi_output=True, **how
        )
        if columns is not None:
            self.feature_names_in_, self.n_features_in_ = names, count
        return columns, table, y

    def _table(self, x: Any) -> Array:  # noqa: ANN401
        """Return inputs of a fitted model as numbers, shape (N, F)."""
        check_is_fitted(self, "fitted_")
        if self.fitted_.columns is not None:
            if not (hasattr(x, "iloc") and hasattr(x, "columns")):
                raise ValueError(
                    f"this model was fitted on a data frame with categories, got {type(x).__name__}; give a frame "
                    f"with the columns {', '.join(self.feature_names_in_)}"
                )
            return self.fitted_.columns.matrix(x)
        table: Array = validate_data(self, x, dtype=np.float64, reset=False)
        return table

    def _fit(
        self,
        columns: Columns | None,
        table: Array,
        targets: Array,
        weight: Array,
        *,
        names: tuple[str, ...],
        single: bool,
        observer: FitObserver | None,
        checkpoint: Path | None,
    ) -> None:
        settings = self._settings(len(table))
        journal = FitJournal(settings.max_seconds, observer)
        there = weight > 0.0
        table, targets, weight = table[there], targets[there], weight[there]
        inputs = Standardiser.of(table, weight, logarithms=COLUMNS.get(self.logarithms, "positive"))
        classify = isinstance(self, ClassifierMixin)
        scaled = None if classify else self._scaled(targets, weight)
        y = targets if scaled is None else scaled.forward(targets)
        rows = Rows(*(torch.from_numpy(part) for part in (inputs.forward(table), y, weight)))
        task = Task(float(weight.sum()), table.shape[1], targets.shape[1], classify)
        with one_torch_thread():
            found = fit_rows(task, rows, table, settings, journal, checkpoint)
        record = self._record(found, settings, journal, len(table), names)
        named = hasattr(self, "feature_names_in_")
        self.fitted_ = Fitted(columns, inputs, scaled, found.members, single, named, record)

    def _scaled(self, targets: Array, weight: Array) -> Standardiser:
        """Return the standardiser of targets that are numbers."""
        logarithmic = self.logarithms == "inputs and targets"
        if logarithmic and not (targets > 0.0).all():
            raise ValueError(
                f"logarithms='inputs and targets' needs targets > 0, got {targets.min():g}; use logarithms='inputs'"
            )
        return Standardiser.of(
            targets, weight, robust=False, logarithms="positive" if logarithmic else "none"
        )

    def _record(
        self,
        found: Found,
        settings: Settings,
        journal: FitJournal,
        num_rows: int,
        names: tuple[str, ...],
    ) -> FitRecord:
        given = getattr(self, "feature_names_in_", None)
        columns = given if given is not None else [f"x{k}" for k in range(self.n_features_in_)]
        shares: dict[str, float] = {}
        for member in found.members:
            text = member.model.describe()
            shares[text] = shares.get(text, 0.0) + member.weight
        return FitRecord(
            estimator=type(self).__name__,
            architecture="; ".join(f"{share:.2f} ({text})" for text, share in shares.items()),
            num_parameters=sum(member.model.num_parameters for member in found.members),
            optimiser=found.optimiser,
            precision=found.precision,
            why_precision=found.why_precision,
            epochs=journal.epochs,
            validation=found.validation,
            validation_loss=found.validation_loss,
            num_rows=num_rows,
            input_names=tuple(str(name) for name in columns),
            target_names=names,
            seconds=journal.seconds,
            seed=settings.seed,
            device=str(settings.device),
            stop=found.stop,
            num_processes=process_count(),
        )

    def _weight(self, sample_weight: Any, table: Array) -> Array:  # noqa: ANN401
        weight: Array = _check_sample_weight(
            sample_weight, table, dtype=np.float64, ensure_non_negative=True
        )
        if not math.isfinite(weight.sum()) or weight.sum() <= 0.0:
            raise ValueError("sample_weight must have a positive, finite sum; some rows must count")
        return weight


def usable_device(name: str) -> torch.device:
    """Return a device by name.

    Args:
        name: Such as ``cpu`` or ``cuda``.

    Raises:
        ValueError: If there is no such device here.
    """
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, TypeError) as error:  # torch words it in many ways
        raise ValueError(f"there is no device {name!r} here; use device='cpu'") from error
