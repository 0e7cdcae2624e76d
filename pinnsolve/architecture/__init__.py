"""What a declaration says about its network: periods, kinks, corners, given values, freedom of divergence."""

from pinnsolve.architecture.corners import Corner, corner_functions
from pinnsolve.architecture.exact import exact_boundary_for
from pinnsolve.architecture.flow import stream_function_for
from pinnsolve.architecture.jumps import is_near_jump, jump_places
from pinnsolve.architecture.kinks import with_kinks
from pinnsolve.architecture.periods import periodic_axes
from pinnsolve.architecture.plane_corners import plane_corner_functions, singular_corners
from pinnsolve.architecture.satisfied import satisfied_conditions, satisfied_rows
from pinnsolve.architecture.start_corners import start_corner_functions

__all__ = [
    "Corner",
    "corner_functions",
    "exact_boundary_for",
    "is_near_jump",
    "jump_places",
    "periodic_axes",
    "plane_corner_functions",
    "satisfied_conditions",
    "satisfied_rows",
    "singular_corners",
    "start_corner_functions",
    "stream_function_for",
    "with_kinks",
]
