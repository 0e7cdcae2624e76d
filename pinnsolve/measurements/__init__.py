"""Sparse data: what sensors read, where, how noisily, from arrays and files."""

from pinnsolve.measurements.averages import Footprint, LineAverage, PatchAverage
from pinnsolve.measurements.groups import DataGroup, data_groups
from pinnsolve.measurements.likelihood import Likelihood
from pinnsolve.measurements.measured import mean_measured, measured, measured_unit
from pinnsolve.measurements.measurements import Measurements

__all__ = [
    "DataGroup",
    "Footprint",
    "Likelihood",
    "LineAverage",
    "Measurements",
    "PatchAverage",
    "data_groups",
    "mean_measured",
    "measured",
    "measured_unit",
]
