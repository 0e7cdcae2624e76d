"""Boundary and initial conditions as frozen values; each knows its residual and what it determines."""

from pinnsolve.conditions.condition import Condition
from pinnsolve.conditions.flow import Inlet, NoSlip, Outlet
from pinnsolve.conditions.given import Dirichlet, Initial, Neumann
from pinnsolve.conditions.interface import Interface
from pinnsolve.conditions.planes import Periodic, Symmetry, tangent_vectors
from pinnsolve.conditions.solid import Fixed, Traction
from pinnsolve.conditions.thermal import Convection, Insulated

__all__ = [
    "Condition",
    "Convection",
    "Dirichlet",
    "Fixed",
    "Initial",
    "Inlet",
    "Insulated",
    "Interface",
    "Neumann",
    "NoSlip",
    "Outlet",
    "Periodic",
    "Symmetry",
    "Traction",
    "tangent_vectors",
]
