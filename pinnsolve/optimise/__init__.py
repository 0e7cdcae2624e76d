"""Optimisers as values: a frozen method with ``init`` and ``step``; the loop lives in the solver."""

from pinnsolve.optimise.first_order import Adam, AdamState
from pinnsolve.optimise.gauss_newton import GaussNewton, GaussNewtonState
from pinnsolve.optimise.head_newton import HeadNewton, HeadState
from pinnsolve.optimise.ladder import Ladder
from pinnsolve.optimise.learning_rate import WarmUpCosine
from pinnsolve.optimise.precision import Policy, RungRecord
from pinnsolve.optimise.schedule import HandOver, Optimiser, Schedule, Stage
from pinnsolve.optimise.soap import SOAP, SOAPState

__all__ = [
    "SOAP",
    "Adam",
    "AdamState",
    "GaussNewton",
    "GaussNewtonState",
    "HandOver",
    "HeadNewton",
    "HeadState",
    "Ladder",
    "Optimiser",
    "Policy",
    "RungRecord",
    "SOAPState",
    "Schedule",
    "Stage",
    "WarmUpCosine",
]
