"""Data before and after training: schema, leakage, drift, units, splits, and a report of all that."""

from pinnsolve.learning.data.drift import ColumnDrift, Drift, find_drift
from pinnsolve.learning.data.findings import Finding, Severity
from pinnsolve.learning.data.leakage import find_leakage
from pinnsolve.learning.data.report import DataReport, data_report
from pinnsolve.learning.data.schema import ColumnSchema, Schema, infer_schema
from pinnsolve.learning.data.splits import Split, split_rows

__all__ = [
    "ColumnDrift",
    "ColumnSchema",
    "DataReport",
    "Drift",
    "Finding",
    "Schema",
    "Severity",
    "Split",
    "data_report",
    "find_drift",
    "find_leakage",
    "infer_schema",
    "split_rows",
]
