"""A saved model on new rows of a table: fine-tuned on all of them, and judged on folds of them that it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.learning.data.tables import require_columns
from pinnsolve.learning.estimators import Classifier
from pinnsolve.learning.field_model import LearnedField
from pinnsolve.learning.finetuning import finetune, model_in
from pinnsolve.learning.rows import Array
from pinnsolve.learning.table_sources import read_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Retrained:
    """A model that was fine-tuned on new rows.

    Attributes:
        model: The new model; its ``save`` writes it.
        num_rows: Number of new rows.
        measure: What the errors are, in words.
        before: Error of the model as it was, on all new rows.
        after: Error of fine-tuned ones, each on the fold of the new rows that it was not tuned on.
    """

    model: Any
    num_rows: int
    measure: str
    before: float
    after: float

    @property
    def text(self) -> str:
        """Both errors in words; and a warning if fine-tuning did harm."""
        harm = "" if self.after <= self.before else "; fine-tuning did harm: keep the old model"
        return (
            f"{self.measure} on {self.num_rows} new rows: {self.before:.4g} before, {self.after:.4g} after, on rows "
            f"left out{harm}"
        )


def retrained(
    start: Path,
    data: str,
    target: str | None,
    *,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    seed: int = 0,
) -> Retrained:
    """Return a saved model fine-tuned on the rows of a table.

    Args:
        start: The file of a Regressor, a Classifier or a learned field, or the folder of a fit.
        data: A CSV file with the model's columns, or a shipped table.
        target: Column to be predicted; None for a learned field, whose columns are its own names.
        freeze: As for :func:`pinnsolve.learning.finetune`.
        adapter_rank: As there.
        seed: Seed of folds and adapters.

    Raises:
        ValueError: If the file is no model, columns are missing, or there are fewer than four rows.
    """
    model = model_in(start / _MODEL if start.is_dir() else start)
    inputs, truth = _rows_for(model, read_table(data), data, target)
    if len(truth) < _FEWEST:
        raise ValueError(f"{data}: {len(truth)} rows are too few to judge by; give {_FEWEST}")

    def tuned(rows: Any) -> Any:  # noqa: ANN401 - numbers of rows, a model
        return finetune(
            model,
            (_taken(inputs, rows), truth[rows]),
            freeze=freeze,
            adapter_rank=adapter_rank,
            seed=seed,
        )

    everything = np.arange(len(truth))
    shuffled = np.random.default_rng(seed).permutation(everything)
    folds = np.array_split(shuffled, min(_FOLDS, len(truth)))
    left_out = [
        _errors(tuned(np.setdiff1d(everything, out)), _taken(inputs, out), truth[out])
        for out in folds
    ]
    before, after = _errors(model, inputs, truth).mean(), np.concatenate(left_out).mean()
    if isinstance(model, Classifier):
        measure = "share of wrong classes"
    else:
        measure, before, after = "root mean square error", before**0.5, after**0.5
    return Retrained(tuned(everything), len(truth), measure, float(before), float(after))


def _rows_for(model: Any, frame: pd.DataFrame, data: str, target: str | None) -> tuple[Any, Any]:  # noqa: ANN401
    """Return the inputs and the targets of a model in a table."""
    if isinstance(model, LearnedField):
        names = [*model.coordinates, *model.fields]
        require_columns(frame, names, data)
        return (
            frame[list(model.coordinates)].to_numpy(dtype=np.float64),
            frame[list(model.fields)].to_numpy(dtype=np.float64),
        )
    if target is None:
        raise ValueError("a table needs a target: give --target with the column to be predicted")
    require_columns(frame, (target,), "--target")
    column = frame[target]
    truth = column.to_numpy()
    if isinstance(model, Classifier) and model.classes_.dtype.kind in "OU":
        truth = column.astype(str).to_numpy()
    if not model.fitted_.named:
        return frame.drop(columns=target).to_numpy(), truth
    names = list(model.feature_names_in_)
    require_columns(frame, names, data)
    return frame[names], truth


def _errors(model: Any, inputs: Any, truth: Any) -> Array:  # noqa: ANN401
    """Return the square of every error, or 1 for a wrong class."""
    if isinstance(model, Classifier):
        wrong: Array = (model.predict(inputs) != truth).astype(np.float64)
        return wrong
    predict = model.fitted.outputs if isinstance(model, LearnedField) else model.predict
    found = predict(inputs)
    squares: Array = (
        np.asarray(found).reshape(len(truth), -1) - truth.reshape(len(truth), -1)
    ) ** 2
    return squares.ravel()


def _taken(inputs: Any, rows: Any) -> Any:  # noqa: ANN401 - array or data frame
    return inputs.iloc[rows] if hasattr(inputs, "iloc") else inputs[rows]


_MODEL = "model.h5"
"""The model's file in the folder of a fit."""

_FOLDS = 5
_FEWEST = 4
"""Least number of new rows that errors can be judged on."""
