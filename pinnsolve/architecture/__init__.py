"""What a declaration says about its network: periods, kinks, given values, freedom of divergence."""

from pinnsolve.architecture.exact import exact_boundary_for
from pinnsolve.architecture.flow import stream_function_for
from pinnsolve.architecture.kinks import with_kinks
from pinnsolve.architecture.periods import periodic_axes
from pinnsolve.architecture.satisfied import satisfied_conditions, satisfied_rows

__all__ = [
    "exact_boundary_for",
    "periodic_axes",
    "satisfied_conditions",
    "satisfied_rows",
    "stream_function_for",
    "with_kinks",
]
