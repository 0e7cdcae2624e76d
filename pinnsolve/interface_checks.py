"""Everything that can be wrong with an interface, found before any training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.conditions import Interface
from pinnsolve.declaration import Declaration
from pinnsolve.geometry.partition import missing_on, quadrics_of
from pinnsolve.jets import Coordinates, component_names
from pinnsolve.trial import trial_fields
from pinnsolve.trial_points import in_full, values_at
from pinnsolve.unknowns import bind


def check_interface_shape(problem: Declaration, condition: Interface) -> None:
    """Check that an interface runs through the domain on planes or quadrics that end at its boundary.

    Args:
        problem: The declaration.
        condition: One of its interfaces.

    Raises:
        ValueError: If it does not.
    """
    label, domain, shape = condition.label, problem.domain, condition.shape
    if shape.dim != domain.dim:
        raise ValueError(
            f"{label}: {shape.title()} has {shape.dim} dimensions and the domain {domain.dim}; give a shape of "
            f"{domain.dim}"
        )
    pieces = condition.pieces(domain)
    if not pieces:
        raise ValueError(
            f"{label}: no boundary of {shape.title()} runs inside the domain ({domain.describe()}), so there is "
            "nothing on one side of it; check its place and the units (m)"
        )
    quadrics = quadrics_of(pieces)
    if quadrics is None:
        raise ValueError(
            f"{label}: {shape.title()} is not bounded by planes, ellipses, spheres and cylinders, so no simple "
            "function vanishes on it; take a shape that is"
        )
    others = [c for c in problem.conditions if isinstance(c, Interface)]
    everywhere = [p for c in others if c.shape.dim == domain.dim for p in c.pieces(domain)]
    for quadric in quadrics:
        missing = missing_on(quadric, everywhere, domain)
        if len(missing):
            place = ", ".join(f"{value:.4g}" for value in missing[0])
            raise ValueError(
                f"{label}: the surface that a side of {shape.title()} lies on goes on through the inside of the "
                f"domain, at ({place}) for instance, where no interface is; corners inside the domain are not "
                "covered: let the sides reach its boundary, or round them"
            )


def check_interface_materials(problem: Declaration, condition: Interface) -> None:
    """Check that the physics says what is continuous across an interface, and that its sides differ.

    Args:
        problem: The declaration.
        condition: One of its interfaces.

    Raises:
        ValueError: If the physics has no natural flux, or is the same on both sides.
    """
    sample = condition.sample(problem.domain, _NUM_POINTS, seed=0)
    offset = condition.offset(problem.domain)
    inside, outside = (
        _tried(problem, sample.points + side * offset * sample.normals) for side in (-1.0, 1.0)
    )
    shapes = {name: problem.field_shapes[name] for name in inside if name in problem.field_shapes}
    needed = problem.physics.needs_boundary_condition(problem.domain.dim)
    lost = frozenset(needed) - frozenset(component_names(shapes))
    if lost:
        raise ValueError(
            f"{condition.label}: {type(problem.physics).__name__} declares no natural flux of {min(lost)!r} to be "
            "continuous across it; own physics declares it with fluxes="
        )
    alike = all(_is_alike(inside[name], outside[name]) for name in inside)
    if alike and not problem.unknowns:
        raise ValueError(
            f"{condition.label}: the physics is the same on both sides, so it separates nothing; give a coefficient or "
            "a source as by_region({shape: ...}, otherwise=...), or remove the interface"
        )


def _tried(problem: Declaration, points: npt.NDArray[np.float64]) -> dict[str, Tensor]:
    """Return the fluxes by field name, and the equations, for made-up fields at points (N, d)."""
    located = torch.tensor(points, dtype=torch.float64, device="cpu")
    x = Coordinates(in_full(problem, located), problem.frame)
    physics = bind(problem.physics, values_at(problem, x))
    fields = trial_fields(problem.field_shapes, x, 1.0)
    equations = {f"equation {name}": row for name, row in physics.residual(fields, x).items()}
    found = physics.natural_fluxes(fields, x) | equations
    return {name: row.value for name, row in found.items()}


def _is_alike(a: Tensor, b: Tensor) -> bool:
    """Whether two sides differ by no more than what the little distance between them makes."""
    return torch.allclose(
        a, b, rtol=0.0, atol=_ALIKE * float(torch.maximum(a.abs(), b.abs()).max())
    )


_NUM_POINTS = 8

_ALIKE = 1e-4
"""Largest difference, relative to the largest value, of what counts as the same."""
