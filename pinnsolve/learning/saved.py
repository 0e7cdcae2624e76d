"""Fitted models in HDF5 files of numbers and text, from which no code is ever executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pinnsolve.learning.fitted import Fitted
from pinnsolve.naming import near_match_text
from pinnsolve.networks import MLP, Fourier, Identity
from pinnsolve.training.frozen_values import classes_of, put_together, take_apart
from pinnsolve.value_file import (
    UNREADABLE,
    Kind,
    NotThisFileError,
    packed,
    read_value,
    write_value,
)

KIND = Kind("pinnsolve model", "a fitted model", 1, "fit again to make a new one")
"""What the file is."""

Settings = dict[str, Any]
"""Constructor arguments of an estimator by name."""

Value = TypeVar("Value", bound=object)


def write_model(
    path: str | Path, estimator: str, settings: Settings, fitted: object, classes: object = None
) -> None:
    """Write a fitted model, whole or not at all.

    Args:
        path: The file; its folder must exist.
        estimator: Name of the estimator's class.
        settings: Its constructor arguments.
        fitted: What the fit ended in, a frozen value.
        classes: The class labels, or None.

    Raises:
        ValueError: If the file cannot be written, or a setting is no plain value.
    """
    tensors: list[Tensor] = []
    item = {
        "estimator": estimator,
        "settings": {name: _plain(name, value) for name, value in settings.items()},
        "fitted": take_apart(fitted, tensors),
        "classes": None if classes is None else _labels(np.asarray(classes)),
    }
    write_value(Path(path), packed(KIND, item, tensors))


def read_model(
    path: str | Path, fitted_kinds: dict[str, type[Value]]
) -> tuple[str, Settings, Value, npt.NDArray[Any] | None]:
    """Return the name of the estimator, its settings, what the fit ended in, and the class labels.

    Args:
        path: The file.
        fitted_kinds: The class of what the fit ended in, by the estimators that are welcome.

    Raises:
        ValueError: If the file is not a fitted model, is damaged, or is the model of another estimator.
    """
    file = Path(path)
    item, tensors = read_value(file, KIND)
    try:
        name = str(item["estimator"])
        if name not in fitted_kinds:
            raise NotThisFileError(
                f"{file}: the model of a {name}, which is not welcome here. {near_match_text(name, fitted_kinds)}"
            )
        known = classes_of(fitted_kinds[name], Fitted, MLP, Identity, Fourier)
        fitted = put_together(item["fitted"], tensors, known)
        if not isinstance(fitted, fitted_kinds[name]):
            raise ValueError(f"it holds a {type(fitted).__name__}")
        settings = {key: _tuples(value) for key, value in item["settings"].items()}
        labels = item["classes"]
        found = None if labels is None else np.array(labels["values"], dtype=labels["dtype"])
        return name, settings, fitted, found
    except NotThisFileError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{file}: damaged ({error}); {KIND.cure}") from error


def _labels(classes: npt.NDArray[Any]) -> dict[str, object]:
    kind = classes.dtype
    if kind.kind not in "biufUO" or not all(
        isinstance(value, str | int | float) for value in classes.tolist()
    ):
        raise ValueError(f"class labels of {kind} cannot be saved; use text or whole numbers")
    return {"dtype": kind.str if kind.kind != "O" else "O", "values": classes.tolist()}


def _plain(name: str, value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(name, part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(
        f"the setting {name} of class {type(value).__name__} cannot be saved; give a number or text"
    )


def _tuples(value: object) -> object:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
