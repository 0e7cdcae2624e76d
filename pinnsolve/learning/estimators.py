"""Regressor and Classifier: small and large networks behind scikit-learn's interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin

from pinnsolve.learning.fitted import Fitted
from pinnsolve.learning.fitting import columns_of_classes
from pinnsolve.learning.record import FitObserver
from pinnsolve.learning.rows import Array
from pinnsolve.learning.saved import Settings, read_model
from pinnsolve.learning.table_estimator import TableEstimator


class Regressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """Numbers from tables: a linear part and small networks, regularised by evidence, mixed by cross-validation.

    A scikit-learn regressor: works in pipelines, cross-validation and ``clone``, with several targets and with
    sample weights (a weight of 2 is a row that is there twice). Data frames may have categorical columns.
    """

    def fit(
        self,
        X: Any,  # noqa: ANN401
        y: Any,  # noqa: ANN401
        sample_weight: Any = None,  # noqa: ANN401
        *,
        observer: FitObserver | None = None,
        checkpoint: str | Path | None = None,
    ) -> Regressor:
        """Learn from rows.

        Args:
            X: Table of numbers (N, F), or a data frame.
            y: Targets, shape (N,) or (N, C).
            sample_weight: How often each row counts, shape (N,); None counts each once.
            observer: Called after every epoch.
            checkpoint: A file that first-order training writes its state to after every epoch, and goes on from if it
                is there, to the same numbers.

        Returns:
            The estimator.

        Raises:
            ValueError: If values are missing or infinite, targets are not numbers, or shapes do not fit.
        """
        names = _target_names(y)
        columns, table, y = self._checked(X, _as_numbers(y), y_numeric=True)
        single = y.ndim == 1
        targets = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        self._fit(
            columns,
            table,
            targets,
            self._weight(sample_weight, table),
            names=names or tuple(f"y{k}" for k in range(targets.shape[1])),
            single=single,
            observer=observer,
            checkpoint=None if checkpoint is None else Path(checkpoint),
        )
        return self

    def predict(self, X: Any) -> Array:  # noqa: ANN401
        """Return the targets of rows, shape (N,) or (N, C) as in the fit."""
        table = self._table(X)
        outputs = self.fitted_.outputs(table)
        return outputs[:, 0] if self.fitted_.single else outputs

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        """Say that several targets are welcome."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class Classifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """Classes from tables: a linear part and small networks with weight decay, mixed by cross-validation.

    A scikit-learn classifier, as :class:`Regressor` is a regressor.
    """

    def fit(
        self,
        X: Any,  # noqa: ANN401
        y: Any,  # noqa: ANN401
        sample_weight: Any = None,  # noqa: ANN401
        *,
        observer: FitObserver | None = None,
        checkpoint: str | Path | None = None,
    ) -> Classifier:
        """Learn from rows.

        Args:
            X: Table of numbers (N, F), or a data frame.
            y: Classes, shape (N,): text or whole numbers.
            sample_weight: How often each row counts, shape (N,); None counts each once.
            observer: Called after every epoch.
            checkpoint: A file that first-order training writes its state to after every epoch, and goes on from if it
                is there, to the same numbers.

        Returns:
            The estimator.

        Raises:
            ValueError: If there is only one class, values are missing or infinite, or shapes do not fit.
        """
        from sklearn.utils.multiclass import check_classification_targets
        from sklearn.utils.validation import column_or_1d

        columns, table, y = self._checked(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        weight = self._weight(sample_weight, table)
        self.classes_, labels = np.unique(y, return_inverse=True)
        seen = np.unique(labels[weight > 0.0])
        if len(seen) < 2:
            only = str(self.classes_[seen[0]])
            raise ValueError(
                f"a Classifier needs rows of at least two classes, got one class only: {only!r}; "
                "add rows of other classes"
            )
        self._fit(
            columns,
            table,
            columns_of_classes(labels, len(self.classes_)),
            weight,
            names=tuple(str(name) for name in self.classes_),
            single=True,
            observer=observer,
            checkpoint=None if checkpoint is None else Path(checkpoint),
        )
        return self

    def predict_proba(self, X: Any) -> Array:  # noqa: ANN401
        """Return the probability of every class, shape (N, number of classes)."""
        table = self._table(X)
        outputs: Array = self.fitted_.outputs(table)
        return outputs

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        """Return the most probable class of rows, shape (N,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        found: npt.NDArray[Any] = self.classes_[likeliest]
        return found


def load(path: str | Path) -> Regressor | Classifier:
    """Return the estimator that was saved in a file; nothing in it is executed.

    Args:
        path: A file that ``save`` wrote.

    Raises:
        ValueError: If the file is not a fitted model, is damaged, or is the model of something else.
    """
    name, settings, fitted, classes = read_model(path, dict.fromkeys(_KINDS, Fitted))
    return estimator_of(name, settings, fitted, classes)


def estimator_of(
    name: str, settings: Settings, fitted: Fitted, classes: npt.NDArray[Any] | None
) -> Regressor | Classifier:
    """Return a fitted estimator made of what was saved of it.

    Args:
        name: Regressor or Classifier.
        settings: Constructor arguments.
        fitted: What the fit ended in.
        classes: The class labels, or None.
    """
    estimator = _KINDS[name](**settings)
    estimator.fitted_ = fitted
    names = fitted.record.input_names
    estimator.n_features_in_ = len(names)
    if fitted.named:
        estimator.feature_names_in_ = np.array(names, dtype=object)
    if isinstance(estimator, Classifier) and classes is not None:
        estimator.classes_ = classes
    return estimator


def _target_names(y: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the names of targets that have names."""
    if hasattr(y, "columns"):
        return tuple(str(name) for name in y.columns)
    name = getattr(y, "name", None)
    return () if name is None else (str(name),)


def _as_numbers(y: Any) -> Any:  # noqa: ANN401
    """Return targets, refused with the cure if they are not numbers."""
    if y is None or hasattr(y, "toarray"):
        return y  # scikit-learn's own words
    values = np.asarray(y)
    if values.dtype.kind in "OUS":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"a Regressor needs numbers as targets, got {str(values.ravel()[0])!r}; "
                "convert them, or use a Classifier"
            ) from error
    return values


_KINDS: dict[str, type[Regressor | Classifier]] = {
    "Regressor": Regressor,
    "Classifier": Classifier,
}
"""The estimators by name."""
