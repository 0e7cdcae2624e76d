"""Physics: equations, natural fluxes and balances as pure functions of fields."""

from pinnsolve.physics.axisymmetric_elasticity import AxisymmetricElasticity
from pinnsolve.physics.boussinesq import Boussinesq
from pinnsolve.physics.custom import CustomPhysics
from pinnsolve.physics.elasticity import Elasticity
from pinnsolve.physics.flow import IncompressibleFlow
from pinnsolve.physics.heat import Heat
from pinnsolve.physics.hyperelasticity import HyperElasticity
from pinnsolve.physics.navier_stokes import NavierStokes
from pinnsolve.physics.physics import Balance, Physics
from pinnsolve.physics.regions import ByRegion, by_region
from pinnsolve.physics.stefan import Stefan
from pinnsolve.physics.stokes import Stokes

__all__ = [
    "AxisymmetricElasticity",
    "Balance",
    "Boussinesq",
    "ByRegion",
    "CustomPhysics",
    "Elasticity",
    "Heat",
    "HyperElasticity",
    "IncompressibleFlow",
    "NavierStokes",
    "Physics",
    "Stefan",
    "Stokes",
    "by_region",
]
