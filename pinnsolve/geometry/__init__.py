"""Shapes, their named boundaries, points on them and integrals over them."""

from pinnsolve.geometry.boundary import BoundaryPoints
from pinnsolve.geometry.interval import Interval
from pinnsolve.geometry.mesh import Mesh
from pinnsolve.geometry.planar import Disk, Ellipse, Polygon, Rectangle
from pinnsolve.geometry.shape import Shape
from pinnsolve.geometry.solids import Box, Cylinder, Sphere
from pinnsolve.geometry.time import TimeInterval

__all__ = [
    "BoundaryPoints",
    "Box",
    "Cylinder",
    "Disk",
    "Ellipse",
    "Interval",
    "Mesh",
    "Polygon",
    "Rectangle",
    "Shape",
    "Sphere",
    "TimeInterval",
]
