"""How sure the unknowns and the field are, and what that rests on."""

from pinnsolve.uncertainty.choosing import choose_smoothness, next_strengths, with_strengths
from pinnsolve.uncertainty.estimation import estimates_of, functions_of
from pinnsolve.uncertainty.fields import deviations, field_columns
from pinnsolve.uncertainty.identifiability import (
    MOST_IN_WORDS,
    Combination,
    Identifiability,
    identifiability,
    spread_before,
)
from pinnsolve.uncertainty.laplace import laplace
from pinnsolve.uncertainty.marginal import stiffness_of
from pinnsolve.uncertainty.open_field import is_open
from pinnsolve.uncertainty.posterior import Member, Posterior, Way, search_values
from pinnsolve.uncertainty.profile import Profile
from pinnsolve.uncertainty.profiles import with_profiles
from pinnsolve.uncertainty.settling import settled

__all__ = [
    "MOST_IN_WORDS",
    "Combination",
    "Identifiability",
    "Member",
    "Posterior",
    "Profile",
    "Way",
    "choose_smoothness",
    "deviations",
    "estimates_of",
    "field_columns",
    "functions_of",
    "identifiability",
    "is_open",
    "laplace",
    "next_strengths",
    "search_values",
    "settled",
    "spread_before",
    "stiffness_of",
    "with_profiles",
    "with_strengths",
]
