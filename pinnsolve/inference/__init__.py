"""What to make of a solution with measurements: its posterior in three ways, and where to measure next."""

from pinnsolve.inference.comparison import ModelComparison, compare_models, compared
from pinnsolve.inference.posteriors import posterior
from pinnsolve.inference.sensors import NextSensors, next_sensors

__all__ = [
    "ModelComparison",
    "NextSensors",
    "compare_models",
    "compared",
    "next_sensors",
    "posterior",
]
