"""Learning from tables and fields, with little or no physics: scikit-learn's interface, this library's networks.

Names are looked up when they are asked for, so that ``import pinnsolve`` loads nothing of scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinnsolve.learning.estimators import Classifier, Regressor, load
    from pinnsolve.learning.field_model import FieldModel, LearnedField
    from pinnsolve.learning.record import EpochRecord, FitRecord, FitStop

__all__ = [
    "Classifier",
    "EpochRecord",
    "FieldModel",
    "FitRecord",
    "FitStop",
    "LearnedField",
    "Regressor",
    "load",
]

_HOME = {
    "Classifier": "estimators",
    "EpochRecord": "record",
    "FieldModel": "field_model",
    "FitRecord": "record",
    "FitStop": "record",
    "LearnedField": "field_model",
    "Regressor": "estimators",
    "load": "estimators",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOME[name]}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "pinnsolve":
            raise
        raise ModuleNotFoundError(
            f"pinnsolve.learning needs {error.name}: pip install 'pinnsolve[learn]'",
            name=error.name,
        ) from error
    found: object = getattr(home, name)
    return found


def __dir__() -> list[str]:
    return __all__
