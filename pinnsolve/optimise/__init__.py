"""Optimisers as values: a frozen method with ``init`` and ``step``; the loop lives in the solver."""

from pinnsolve.optimise.first_order import Adam, AdamState
from pinnsolve.optimise.gauss_newton import GaussNewton
from pinnsolve.optimise.head_newton import HeadNewton, HeadState
from pinnsolve.optimise.ladder import Ladder
from pinnsolve.optimise.learning_rate import WarmUpCosine
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState, LevenbergMarquardt
from pinnsolve.optimise.matrix_free import MatrixFree, MatrixFreeState
from pinnsolve.optimise.precision import Policy, RungRecord
from pinnsolve.optimise.reduced_newton import ReducedNewton, ReducedState
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
    "LevenbergMarquardt",
    "MatrixFree",
    "MatrixFreeState",
    "Optimiser",
    "Policy",
    "ReducedNewton",
    "ReducedState",
    "RungRecord",
    "SOAPState",
    "Schedule",
    "Stage",
    "WarmUpCosine",
]
