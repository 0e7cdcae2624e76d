"""What every condition can do, and the words conditions are written in."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, component_names, dot
from pinnsolve.naming import near_match_text
from pinnsolve.physics.physics import Physics, Value, evaluate


class Condition(ABC):
    """A statement about the fields on one named part of the boundary (or at the start)."""

    part: str

    @abstractmethod
    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return the scalar equations on the part, by the component each one determines.

        A key ``displacement_n`` stands for the normal component, ``displacement_t`` (``_t1``,
        ``_t2`` in 3-D) for the tangential ones.

        Args:
            f: The fields at N points of the part.
            x: The coordinates of these points.
            normal: The outward unit normal, a constant vector field.
            physics: The physics with all unknowns bound to values.
        """

    @abstractmethod
    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the components this condition settles; used to find gaps and contradictions.

        Raises:
            ValueError: If the condition does not fit the physics.
        """

    @property
    def label(self) -> str:
        """Short name for tables: ``left: Dirichlet``."""
        return f"{self.part}: {type(self).__name__}"


def outward(flux: Jet, normal: Jet) -> Jet:
    """Return the outward normal component of a flux: a scalar of a vector, a vector of a tensor."""
    return dot(flux, normal)


def by_component(name: str, row: Jet) -> dict[str, Jet]:
    """Split a field into scalar equations named by component."""
    if row.shape == ():
        return {name: row}
    return dict(zip(component_names({name: row.shape}), row, strict=True))


def differences(
    values: Mapping[str, Value], f: Fields, x: Coordinates, physics: Physics, label: str
) -> dict[str, Jet]:
    """Return field minus given for fields or single components."""
    shapes = physics.field_shapes(x.frame.space_dim)
    rows: dict[str, Jet] = {}
    for name, given in values.items():
        if name in shapes:
            rows |= by_component(name, f[name] - evaluate(given, x, shapes[name], label))
        else:
            owner, _, axis = name.rpartition("_")
            rows[name] = f[owner]["xyz".index(axis)] - evaluate(given, x, (), label)
    return rows


def components_of(
    values: Mapping[str, Value], physics: Physics, frame: Frame, label: str
) -> frozenset[str]:
    """Return the components that these field or component names stand for; refuse unknown names."""
    shapes = physics.field_shapes(frame.space_dim)
    components = component_names(shapes)
    found: set[str] = set()
    for name in values:
        if name in shapes:
            found.update(component_names({name: shapes[name]}))
        elif name in components:
            found.add(name)
        else:
            raise ValueError(
                f"{label}: there is no field {name!r}. {near_match_text(name, [*shapes, *components])}"
            )
    return frozenset(found)


def require_field(name: str, physics: Physics, frame: Frame, label: str) -> None:
    """Refuse a physics without the field a condition is about."""
    shapes = physics.field_shapes(frame.space_dim)
    if name not in shapes:
        raise ValueError(
            f"{label} is about {name!r}, which is no field of {type(physics).__name__}; name the field, and its value "
            f"or flux is given. {near_match_text(name, shapes)}"
        )


def vector_field(physics: Physics, frame: Frame, label: str) -> str:
    """Return the field a traction acts on: displacement or velocity."""
    for name in ("displacement", "velocity"):
        if name in physics.field_shapes(frame.space_dim):
            return name
    raise ValueError(f"{label} needs a solid or a fluid, but {type(physics).__name__} has neither")


def check_finite(label: str, values: Mapping[str, Value]) -> None:
    """Refuse given numbers that are not finite."""
    for name, value in values.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, int | float) and not math.isfinite(item):
                raise ValueError(f"{label}: {name} must be finite, got {item}")


def natural_flux(name: str, f: Fields, x: Coordinates, physics: Physics, label: str) -> Jet:
    """Return the natural flux of a field; refuse a physics that declares none."""
    fluxes = physics.natural_fluxes(f, x)
    if name not in fluxes:
        raise ValueError(
            f"{label}: {type(physics).__name__} declares no natural flux of {name!r} (it has "
            f"{', '.join(fluxes) if fluxes else 'none'}); own physics declares it with fluxes="
        )
    return fluxes[name]
