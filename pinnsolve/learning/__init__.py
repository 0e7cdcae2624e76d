"""Learning from tables and fields, with little or no physics: scikit-learn's interface, this library's networks.

Names are looked up when they are asked for, so that ``import pinnsolve`` loads nothing of scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinnsolve.learning.alarms import Alarm, Thresholds, Watch, find_alarms
    from pinnsolve.learning.audit_values import Audit, Limits
    from pinnsolve.learning.auditing import audit, audit_errors
    from pinnsolve.learning.card import ModelCard
    from pinnsolve.learning.data import (
        DataReport,
        Drift,
        Finding,
        Schema,
        Severity,
        Split,
        data_report,
        find_drift,
        find_leakage,
        infer_schema,
        split_rows,
    )
    from pinnsolve.learning.domain import Domain, domain_of
    from pinnsolve.learning.estimators import Classifier, Regressor, load
    from pinnsolve.learning.explanation import (
        integrated_gradients,
        partial_dependence,
        permutation_importance,
    )
    from pinnsolve.learning.field_model import FieldModel, LearnedField
    from pinnsolve.learning.finetuning import finetune
    from pinnsolve.learning.fit_card import card_of_fit
    from pinnsolve.learning.freezing import rising_rates
    from pinnsolve.learning.gain import Gain, error_against, measure_gain
    from pinnsolve.learning.intervals import (
        ClassSets,
        Intervals,
        conformal_intervals,
        conformal_sets,
    )
    from pinnsolve.learning.library import Library, coarse_start
    from pinnsolve.learning.monitor import JsonLog, LiveView, TensorBoardLog, read_log, together
    from pinnsolve.learning.multitask import Family, train_together
    from pinnsolve.learning.prepared import Prepared, prepare
    from pinnsolve.learning.record import EpochRecord, FitRecord, FitStop
    from pinnsolve.learning.sensitivity import sensitivities
    from pinnsolve.learning.solution_card import card_of_solution
    from pinnsolve.learning.transfer import finetune_trained
    from pinnsolve.learning.tuned import Tuned
    from pinnsolve.learning.tuning import tune

__all__ = [
    "Alarm",
    "Audit",
    "ClassSets",
    "Classifier",
    "DataReport",
    "Domain",
    "Drift",
    "EpochRecord",
    "Family",
    "FieldModel",
    "Finding",
    "FitRecord",
    "FitStop",
    "Gain",
    "Intervals",
    "JsonLog",
    "LearnedField",
    "Library",
    "Limits",
    "LiveView",
    "ModelCard",
    "Prepared",
    "Regressor",
    "Schema",
    "Severity",
    "Split",
    "TensorBoardLog",
    "Thresholds",
    "Tuned",
    "Watch",
    "audit",
    "audit_errors",
    "card_of_fit",
    "card_of_solution",
    "coarse_start",
    "conformal_intervals",
    "conformal_sets",
    "data_report",
    "domain_of",
    "error_against",
    "find_alarms",
    "find_drift",
    "find_leakage",
    "finetune",
    "finetune_trained",
    "infer_schema",
    "integrated_gradients",
    "load",
    "measure_gain",
    "partial_dependence",
    "permutation_importance",
    "prepare",
    "read_log",
    "rising_rates",
    "sensitivities",
    "split_rows",
    "together",
    "train_together",
    "tune",
]

_HOME = {
    "Alarm": "alarms",
    "Audit": "audit_values",
    "ClassSets": "intervals",
    "Classifier": "estimators",
    "DataReport": "data",
    "Domain": "domain",
    "Drift": "data",
    "EpochRecord": "record",
    "Family": "multitask",
    "FieldModel": "field_model",
    "Finding": "data",
    "FitRecord": "record",
    "FitStop": "record",
    "Gain": "gain",
    "Intervals": "intervals",
    "JsonLog": "monitor",
    "LearnedField": "field_model",
    "Library": "library",
    "Limits": "audit_values",
    "LiveView": "monitor",
    "ModelCard": "card",
    "Prepared": "prepared",
    "Regressor": "estimators",
    "Schema": "data",
    "Severity": "data",
    "Split": "data",
    "TensorBoardLog": "monitor",
    "Thresholds": "alarms",
    "Tuned": "tuned",
    "Watch": "alarms",
    "audit": "auditing",
    "audit_errors": "auditing",
    "card_of_fit": "fit_card",
    "card_of_solution": "solution_card",
    "coarse_start": "library",
    "conformal_intervals": "intervals",
    "conformal_sets": "intervals",
    "data_report": "data",
    "domain_of": "domain",
    "error_against": "gain",
    "find_alarms": "alarms",
    "find_drift": "data",
    "find_leakage": "data",
    "finetune": "finetuning",
    "finetune_trained": "transfer",
    "infer_schema": "data",
    "integrated_gradients": "explanation",
    "load": "estimators",
    "measure_gain": "gain",
    "partial_dependence": "explanation",
    "permutation_importance": "explanation",
    "prepare": "prepared",
    "read_log": "monitor",
    "rising_rates": "freezing",
    "sensitivities": "sensitivity",
    "split_rows": "data",
    "together": "monitor",
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
