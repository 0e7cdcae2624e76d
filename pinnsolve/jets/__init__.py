"""Truncated Taylor arithmetic: fields with their derivatives at all points."""

from pinnsolve.jets.calculus import (
    advect,
    curl,
    div,
    dot,
    dt,
    grad,
    identity,
    inner,
    laplacian,
    outer,
    sym_grad,
    trace,
    transpose,
)
from pinnsolve.jets.elementary import arctan, cos, cosh, erf, exp, log, sin, sinh, sqrt, tanh
from pinnsolve.jets.fields import Coordinates, Fields, component_names
from pinnsolve.jets.jet import Frame, Jet, as_jet, where
from pinnsolve.multi_index import MultiIndex

__all__ = [
    "Coordinates",
    "Fields",
    "Frame",
    "Jet",
    "MultiIndex",
    "advect",
    "arctan",
    "as_jet",
    "component_names",
    "cos",
    "cosh",
    "curl",
    "div",
    "dot",
    "dt",
    "erf",
    "exp",
    "grad",
    "identity",
    "inner",
    "laplacian",
    "log",
    "outer",
    "sin",
    "sinh",
    "sqrt",
    "sym_grad",
    "tanh",
    "trace",
    "transpose",
    "where",
]
