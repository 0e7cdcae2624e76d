"""Physics: equations, natural fluxes and balances as pure functions of fields."""

from pinnsolve.physics.boussinesq import Boussinesq
from pinnsolve.physics.custom import CustomPhysics
from pinnsolve.physics.elasticity import Elasticity
from pinnsolve.physics.heat import Heat
from pinnsolve.physics.navier_stokes import NavierStokes
from pinnsolve.physics.physics import Balance, Physics
from pinnsolve.physics.regions import ByRegion, by_region

__all__ = [
    "Balance",
    "Boussinesq",
    "ByRegion",
    "CustomPhysics",
    "Elasticity",
    "Heat",
    "NavierStokes",
    "Physics",
    "by_region",
]
