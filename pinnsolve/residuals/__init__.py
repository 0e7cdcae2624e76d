"""Problem + network + points: the weighted residual vector and its Jacobian."""

from pinnsolve.residuals.building import build_system
from pinnsolve.residuals.system import RowKey, System

__all__ = ["RowKey", "System", "build_system"]
