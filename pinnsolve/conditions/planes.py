"""Conditions that stand for the part of the world left out: mirror planes and periods."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.conditions.condition import Condition, by_component, outward
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, component_names, dot, grad
from pinnsolve.physics.physics import Physics
from pinnsolve.ranges import middle_of
from pinnsolve.unknowns import bind, find_ranges, find_unknowns


@dataclass(frozen=True)
class Symmetry(Condition):
    """A mirror plane: no normal motion, no tangential traction, no heat flux."""

    part: str

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return the normal component, the tangential tractions and the heat flux, as far as there are such."""
        fluxes = physics.natural_fluxes(f, x)
        rows: dict[str, Jet] = {}
        for name, flux in fluxes.items():
            if f[name].shape == ():
                rows[name] = outward(flux, normal)
                continue
            rows[f"{name}_n"] = dot(f[name], normal)
            traction = dot(flux, normal)
            tangents = tangent_vectors(normal)
            for i, tangent in enumerate(tangents):
                rows[f"{name}_t{i + 1 if len(tangents) > 1 else ''}"] = dot(traction, tangent)
        return rows

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return everything that needs a condition.

        Raises:
            ValueError: If a field that needs one has no natural flux to mirror.
        """
        points = torch.zeros(1, frame.num_axes, dtype=torch.float64, device="cpu")
        x = Coordinates(points, frame)
        shapes = physics.field_shapes(frame.space_dim)
        ones = {
            name: as_jet([1.0] * shape[0] if shape else 1.0, frame)
            for name, shape in shapes.items()
        }
        guess = {u.name: u.initial for u in find_unknowns(physics)} | middle_of(
            find_ranges(physics)
        )
        fluxes = bind(physics, guess).natural_fluxes(Fields(ones), x)
        mirrored = {name: shapes[name] for name in fluxes}
        needed = frozenset(physics.needs_boundary_condition(frame.space_dim))
        lost = needed - frozenset(component_names(mirrored))
        if lost:
            raise ValueError(
                f"{self.label}: {type(physics).__name__} declares no natural flux of {min(lost)!r} to mirror; "
                "own physics declares it with fluxes="
            )
        return needed


@dataclass(frozen=True)
class Periodic(Condition):
    """Two opposite parts are one: values and outward normal derivatives agree across them.

    Attributes:
        part: Name of the first part.
        other: Name of the part one period away; the translation must map one onto the other.
    """

    part: str
    other: str

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Refuse: a periodic condition compares two sets of points; see :meth:`residual_between`."""
        raise TypeError("a Periodic condition compares two parts: use residual_between()")

    def residual_between(
        self, f: Fields, g: Fields, normal: Jet, physics: Physics, frame: Frame
    ) -> dict[str, Jet]:
        """Return the jumps of values and of normal derivatives, per component.

        Args:
            f: Fields on ``part``.
            g: Fields at the corresponding points of ``other``.
            normal: Outward normal of ``part``.
            physics: The physics.
            frame: The coordinates.
        """
        rows: dict[str, Jet] = {}
        wanted = self.determines(physics, frame)
        for name in f:
            if not wanted.issuperset(component_names({name: f[name].shape})):
                rows |= by_component(name, f[name] - g[name])
                continue
            rows |= by_component(name, f[name] - g[name])
            jump = outward(grad(f[name]) - grad(g[name]), normal)
            rows |= {f"{key} slope": row for key, row in by_component(name, jump).items()}
        return rows

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return everything that needs a condition."""
        return frozenset(physics.needs_boundary_condition(frame.space_dim))

    @property
    def label(self) -> str:
        """Short name for tables."""
        return f"{self.part} = {self.other}: Periodic"


def tangent_vectors(normal: Jet) -> tuple[Jet, ...]:
    """Return unit tangents that complete the normal to an orthonormal frame: one in 2-D, two in 3-D."""
    n = normal.value
    n = n if n.ndim == 2 else n[None]
    if n.shape[1] == 1:
        return ()
    if n.shape[1] == 2:
        return (_vector((-n[:, 1], n[:, 0]), normal.frame),)
    helper = torch.zeros_like(n).scatter_(1, n.abs().argmin(dim=1, keepdim=True), 1.0)
    first = torch.linalg.cross(helper, n)
    first = first / first.norm(dim=1, keepdim=True)
    second = torch.linalg.cross(n, first)
    return tuple(_vector(t.unbind(1), normal.frame) for t in (first, second))


def _vector(columns: tuple[Tensor, ...], frame: Frame) -> Jet:
    return as_jet(list(columns), frame)
