"""Optimisers as values: a frozen method with ``init`` and ``step``; the loop lives in the solver."""

from pinnsolve.optimise.gauss_newton import GaussNewton, GaussNewtonState
from pinnsolve.optimise.matrix_free import MatrixFree, MatrixFreeState

__all__ = ["GaussNewton", "GaussNewtonState", "MatrixFree", "MatrixFreeState"]
