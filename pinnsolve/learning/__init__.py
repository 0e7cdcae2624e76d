"""Learning from tables and fields, with little or no physics: scikit-learn's interface, this library's networks.

Names are looked up when they are asked for, so that ``import pinnsolve`` loads nothing of scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinnsolve.learning.audit_values import Audit, Limits
    from pinnsolve.learning.auditing import audit
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
    from pinnsolve.learning.estimators import Classifier, Regressor
    from pinnsolve.learning.intervals import (
        ClassSets,
        Intervals,
        conformal_intervals,
        conformal_sets,
    )
    from pinnsolve.learning.record import EpochRecord, FitRecord, FitStop

__all__ = [
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
    "Limits",
    "Regressor",
    "Schema",
    "Severity",
    "Split",
    "audit",
    "conformal_intervals",
    "conformal_sets",
    "data_report",
    "domain_of",
    "find_drift",
    "find_leakage",
    "infer_schema",
    "split_rows",
]

_HOME = {
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
    "Limits": "audit_values",
    "Regressor": "estimators",
    "Schema": "data",
    "Severity": "data",
    "Split": "data",
    "audit": "auditing",
    "conformal_intervals": "intervals",
    "conformal_sets": "intervals",
    "data_report": "data",
    "domain_of": "domain",
    "find_drift": "data",
    "find_leakage": "data",
    "infer_schema": "data",
    "split_rows": "data",
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
