"""Optimisers as values: a frozen method with ``init`` and ``step``; the loop lives in the solver."""

from pinnsolve.optimise.gauss_newton import GaussNewton
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState, LevenbergMarquardt
from pinnsolve.optimise.matrix_free import MatrixFree, MatrixFreeState

__all__ = ["GaussNewton", "GaussNewtonState", "LevenbergMarquardt", "MatrixFree", "MatrixFreeState"]
