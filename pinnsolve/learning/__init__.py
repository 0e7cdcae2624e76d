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
    from pinnsolve.learning.fit_card import card_of_fit
    from pinnsolve.learning.intervals import (
        ClassSets,
        Intervals,
        conformal_intervals,
        conformal_sets,
    )
    from pinnsolve.learning.monitor import JsonLog, LiveView, TensorBoardLog, read_log, together
    from pinnsolve.learning.record import EpochRecord, FitRecord, FitStop
    from pinnsolve.learning.sensitivity import sensitivities
    from pinnsolve.learning.solution_card import card_of_solution

__all__ = [
    "Alarm",
    "Audit",
    "ClassSets",
    "Classifier",
    "DataReport",
    "Domain",
    "Drift",
    "EpochRecord",
    "Finding",
    "FitRecord",
    "FitStop",
    "Intervals",
    "JsonLog",
    "Limits",
    "LiveView",
    "ModelCard",
    "Regressor",
    "Schema",
    "Severity",
    "Split",
    "TensorBoardLog",
    "Thresholds",
    "Watch",
    "audit",
    "audit_errors",
    "card_of_fit",
    "card_of_solution",
    "conformal_intervals",
    "conformal_sets",
    "data_report",
    "domain_of",
    "find_alarms",
    "find_drift",
    "find_leakage",
    "infer_schema",
    "integrated_gradients",
    "load",
    "partial_dependence",
    "permutation_importance",
    "read_log",
    "sensitivities",
    "split_rows",
    "together",
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
    "Finding": "data",
    "FitRecord": "record",
    "FitStop": "record",
    "Intervals": "intervals",
    "JsonLog": "monitor",
    "Limits": "audit_values",
    "LiveView": "monitor",
    "ModelCard": "card",
    "Regressor": "estimators",
    "Schema": "data",
    "Severity": "data",
    "Split": "data",
    "TensorBoardLog": "monitor",
    "Thresholds": "alarms",
    "Watch": "alarms",
    "audit": "auditing",
    "audit_errors": "auditing",
    "card_of_fit": "fit_card",
    "card_of_solution": "solution_card",
    "conformal_intervals": "intervals",
    "conformal_sets": "intervals",
    "data_report": "data",
    "domain_of": "domain",
    "find_alarms": "alarms",
    "find_drift": "data",
    "find_leakage": "data",
    "infer_schema": "data",
    "integrated_gradients": "explanation",
    "load": "estimators",
    "partial_dependence": "explanation",
    "permutation_importance": "explanation",
    "read_log": "monitor",
    "sensitivities": "sensitivity",
    "split_rows": "data",
    "together": "monitor",
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
