"""Learning from tables, fields and solved problems: scikit-learn's interface, this library's networks.

Names are looked up when they are asked for, so that ``import pinnsolve`` loads nothing of scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinnsolve.learning.estimators import Classifier, Regressor, load
    from pinnsolve.learning.field_model import FieldModel, LearnedField
    from pinnsolve.learning.finetuning import finetune
    from pinnsolve.learning.freezing import rising_rates
    from pinnsolve.learning.gain import Gain, error_against, measure_gain
    from pinnsolve.learning.library import Library, coarse_start
    from pinnsolve.learning.multitask import Family, train_together
    from pinnsolve.learning.prepared import Prepared, prepare
    from pinnsolve.learning.record import EpochRecord, FitRecord, FitStop
    from pinnsolve.learning.transfer import finetune_trained
    from pinnsolve.learning.tuned import Tuned
    from pinnsolve.learning.tuning import tune

__all__ = [
    "Classifier",
    "EpochRecord",
    "Family",
    "FieldModel",
    "FitRecord",
    "FitStop",
    "Gain",
    "LearnedField",
    "Library",
    "Prepared",
    "Regressor",
    "Tuned",
    "coarse_start",
    "error_against",
    "finetune",
    "finetune_trained",
    "load",
    "measure_gain",
    "prepare",
    "rising_rates",
    "train_together",
    "tune",
]

_HOME = {
    "Classifier": "estimators",
    "EpochRecord": "record",
    "Family": "multitask",
    "FieldModel": "field_model",
    "FitRecord": "record",
    "FitStop": "record",
    "Gain": "gain",
    "LearnedField": "field_model",
    "Library": "library",
    "Prepared": "prepared",
    "Regressor": "estimators",
    "Tuned": "tuned",
    "coarse_start": "library",
    "error_against": "gain",
    "finetune": "finetuning",
    "finetune_trained": "transfer",
    "load": "estimators",
    "measure_gain": "gain",
    "prepare": "prepared",
    "rising_rates": "freezing",
    "train_together": "multitask",
    "tune": "tuning",
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
