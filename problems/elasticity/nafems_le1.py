"""NAFEMS LE1: elliptic membrane under outward pressure, from a gmsh mesh with physical groups.

A quarter of the plate between the ellipses (x/2)^2 + y^2 = 1 and (x/3.25)^2 + (y/2.75)^2 = 1 (m),
plane stress, E = 210 GPa, nu = 0.3; symmetry on x = 0 (AB) and y = 0 (CD), outer edge (BC) pulled
outward by 10 MPa, inner edge (DA) free. Target: sigma_yy at D = (2, 0) is 92.7 MPa (NAFEMS); it
converges to 92.65818 MPa. The mesh is made by ``make_nafems_le1_mesh.py``.
"""

from __future__ import annotations

from importlib.resources import as_file, files

import pinnsolve as ps


def nafems_le1(youngs_modulus: float = 210e9, pressure: float = 10e6) -> ps.Problem:
    """Elliptic membrane in plane stress on a gmsh mesh (NAFEMS LE1).

    Args:
        youngs_modulus: E in Pa.
        pressure: Outward pull on the outer edge in Pa.
    """
    with as_file(files("pinnsolve.problems") / "elasticity" / "nafems_le1.msh") as path:
        membrane = ps.Mesh.from_file(path)
    return ps.Problem(
        name="nafems_le1",
        domain=membrane,
        physics=ps.Elasticity(youngs_modulus=youngs_modulus, poissons_ratio=0.3, plane="stress"),
        conditions=[
            ps.Symmetry("AB"),
            ps.Traction("BC", pressure=-pressure),
            ps.Symmetry("CD"),
            ps.Traction("DA"),
        ],
        quantities=[
            ps.point_value(
                "sigma_yy(D)",
                "stress",
                (2.0, 0.0),
                component=(1, 1),
                unit="Pa",
                target=92.65818e6 * pressure / 10e6,
                tolerance=0.005 * 92.65818e6 * pressure / 10e6,
                source="converged p-version finite elements; NAFEMS LE1 prints 92.7 MPa",
            )
        ],
        accuracy=2e-3,
        description="elliptic membrane in plane stress from a gmsh mesh; sigma_yy(2, 0) = 92.7 MPa",
    )
