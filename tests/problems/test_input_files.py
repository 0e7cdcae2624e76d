"""The shipped input files agree with the closed forms they are made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pinnsolve.problems.inverse import make_cooling_plate_data as plate

FloatArray = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
MESH = ROOT / "problems" / "elasticity" / "nafems_le1.msh"
READINGS = ROOT / "problems" / "inverse" / "cooling_plate_thermocouples.csv"
FIELD = ROOT / "validation" / "data" / "nafems_t4_field.csv"


def on_curve(name: str, points: FloatArray) -> FloatArray:
    """Return how far points are from fulfilling the equation of a side of the membrane."""
    x, y = points[:, 0], points[:, 1]
    return {
        "AB": x,
        "BC": (x / 3.25) ** 2 + (y / 2.75) ** 2 - 1,
        "CD": y,
        "DA": (x / 2) ** 2 + y**2 - 1,
    }[name]


@pytest.mark.parametrize("name", ["AB", "BC", "CD", "DA"])
def test_mesh_nodes_lie_on_the_true_curves(name: str) -> None:
    import meshio

    mesh = meshio.read(MESH)
    tag, dimension = mesh.field_data[name]
    assert dimension == 1
    nodes = np.concatenate(
        [
            block.data[tags == tag].ravel()
            for block, tags in zip(mesh.cells, mesh.cell_data["gmsh:physical"], strict=True)
            if block.type == "line3"
        ]
    )
    assert len(nodes) > 0
    assert np.abs(on_curve(name, mesh.points[nodes])).max() < 1e-10


def test_mesh_area_by_quadratic_triangles() -> None:
    """Positive everywhere, and the area between the ellipses to the order of the elements."""
    import meshio
    import skfem

    mesh = meshio.read(MESH)
    triangles = skfem.MeshTri2(
        mesh.points[:, :2].T.copy(), mesh.cells_dict["triangle6"].T.copy().astype(np.int64)
    )
    basis = skfem.Basis(triangles, skfem.ElementTriP2(), intorder=4)
    assert basis.mapping.detDF(basis.X).min() > 0
    assert basis.dx.sum() == pytest.approx(np.pi / 4 * (3.25 * 2.75 - 2.0 * 1.0), rel=1e-6)


def test_series_agrees_with_the_reference_field() -> None:
    table = np.loadtxt(FIELD, delimiter=",", skiprows=2)
    error = plate.exact_temperature(table[:, :2]) - table[:, 2]
    assert np.abs(error).max() < 1e-8


def test_readings_are_the_seeded_draw() -> None:
    table = np.loadtxt(READINGS, delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[:, :2], plate.PLACES, atol=1e-12)
    np.testing.assert_allclose(table[:, 2], plate.readings(), atol=0.5001e-3)


def test_readings_determine_the_convection() -> None:
    """The Cramer-Rao bound is below 3 %, and the maximum likelihood estimate within 2 of it."""
    table = np.loadtxt(READINGS, delimiter=",", skiprows=1)
    bound = plate.cramer_rao()
    assert bound < 0.03 * plate.CONVECTION
    h = 600.0
    for _ in range(20):
        slope = plate.sensitivity(plate.PLACES, h)
        h += slope @ (table[:, 2] - plate.exact_temperature(plate.PLACES, h)) / (slope @ slope)
    assert abs(h - plate.CONVECTION) < 2 * bound
