"""How sure the unknowns and the field are, and what that rests on."""

from pinnsolve.uncertainty.estimation import estimate_unknowns, estimates_of, functions_of
from pinnsolve.uncertainty.fields import deviations, field_columns
from pinnsolve.uncertainty.identifiability import Combination, Identifiability, identifiability
from pinnsolve.uncertainty.laplace import laplace
from pinnsolve.uncertainty.posterior import Member, Posterior, Way, search_values

__all__ = [
    "Combination",
    "Identifiability",
    "Member",
    "Posterior",
    "Way",
    "deviations",
    "estimate_unknowns",
    "estimates_of",
    "field_columns",
    "functions_of",
    "identifiability",
    "laplace",
    "search_values",
]
