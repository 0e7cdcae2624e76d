"""Make ``nafems_le1.msh``, the mesh of the NAFEMS LE1 elliptic membrane, with gmsh.

The membrane is the first quadrant between two ellipses (lengths in m)::

    inner  (x/2)^2    + (y/1)^2    = 1     A = (0, 1)        D = (2, 0)
    outer  (x/3.25)^2 + (y/2.75)^2 = 1     B = (0, 2.75)     C = (3.25, 0)

    surface  membrane
    curves   AB (on x = 0), BC (outer ellipse), CD (on y = 0), DA (inner ellipse)

It is filled with six-node triangles whose boundary nodes, mid-side nodes included, lie on the true
ellipses; the elements are smallest at D, where the benchmark asks for the stress. Run
``pip install pinnsolve[mesh]`` and ``python make_nafems_le1_mesh.py`` to write the file anew.

Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, 1990, test LE1.
"""

from __future__ import annotations

from pathlib import Path

INNER_SEMI_AXES = (2.0, 1.0)
"""Semi-axes along x and y of the inner ellipse, m."""

OUTER_SEMI_AXES = (3.25, 2.75)
"""Semi-axes along x and y of the outer ellipse, m."""

SIZE_AT_D = 0.03
"""Element size at D, m."""

SIZE_FAR = 0.13
"""Element size far from D, m."""


def make_mesh(path: Path) -> None:
    """Mesh the membrane and write it as MSH 4.1 ASCII.

    Args:
        path: File to write; its name ends in ``.msh``.

    Raises:
        ModuleNotFoundError: If gmsh is not installed (``pip install pinnsolve[mesh]``).
    """
    import gmsh

    gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("General.NumThreads", 1)  # the same mesh at every run
        gmsh.model.add("nafems_le1")
        point_d = _add_membrane()
        _grade_towards(point_d)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(2)
        gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
        gmsh.option.setNumber("Mesh.Binary", 0)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def _add_membrane() -> int:
    """Add the geometry and its physical groups to the current model; return the tag of D."""
    import gmsh

    occ = gmsh.model.occ
    quarter = 1.5707963267948966
    inner = occ.addEllipse(0, 0, 0, *INNER_SEMI_AXES, angle1=0, angle2=quarter)
    outer = occ.addEllipse(0, 0, 0, *OUTER_SEMI_AXES, angle1=0, angle2=quarter)
    occ.synchronize()
    (d, a), (c, b) = (
        [tag for _, tag in gmsh.model.getBoundary([(1, arc)], combined=False)]
        for arc in (inner, outer)
    )
    ab, cd = occ.addLine(a, b), occ.addLine(c, d)
    loop = occ.addCurveLoop([outer, -ab, -inner, -cd])  # anticlockwise, so that the normal is +z
    membrane = occ.addPlaneSurface([loop])
    occ.synchronize()
    gmsh.model.addPhysicalGroup(2, [membrane], name="membrane")
    for name, curve in {"AB": ab, "BC": outer, "CD": cd, "DA": inner}.items():
        gmsh.model.addPhysicalGroup(1, [curve], name=name)
    return int(d)


def _grade_towards(point: int) -> None:
    """Let the element size grow with the distance from a point, and from nothing else."""
    import gmsh

    field = gmsh.model.mesh.field
    distance = field.add("Distance")
    field.setNumbers(distance, "PointsList", [point])
    size = field.add("Threshold")
    field.setNumber(size, "InField", distance)
    field.setNumber(size, "SizeMin", SIZE_AT_D)
    field.setNumber(size, "SizeMax", SIZE_FAR)
    field.setNumber(size, "DistMin", 0.05)
    field.setNumber(size, "DistMax", 1.25)
    field.setAsBackgroundMesh(size)
    for other in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
        gmsh.option.setNumber(f"Mesh.MeshSize{other}", 0)


if __name__ == "__main__":
    make_mesh(Path(__file__).with_name("nafems_le1.msh"))
