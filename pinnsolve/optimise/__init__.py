"""Optimisers as values: a frozen method with ``init`` and ``step``; the loop lives in the solver."""

from pinnsolve.optimise.gauss_newton import GaussNewton, GaussNewtonState
from pinnsolve.optimise.head_newton import HeadNewton, HeadState

__all__ = ["GaussNewton", "GaussNewtonState", "HeadNewton", "HeadState"]
