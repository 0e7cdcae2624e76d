"""Physics: equations, natural fluxes and balances as pure functions of fields."""

from pinnsolve.physics.boussinesq import Boussinesq
from pinnsolve.physics.custom import CustomPhysics
from pinnsolve.physics.elasticity import Elasticity
from pinnsolve.physics.flow import IncompressibleFlow
from pinnsolve.physics.heat import Heat
from pinnsolve.physics.navier_stokes import NavierStokes
from pinnsolve.physics.physics import Balance, Physics
from pinnsolve.physics.stokes import Stokes

__all__ = [
    "Balance",
    "Boussinesq",
    "CustomPhysics",
    "Elasticity",
    "Heat",
    "IncompressibleFlow",
    "NavierStokes",
    "Physics",
    "Stokes",
]
