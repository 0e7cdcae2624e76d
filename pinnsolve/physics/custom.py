"""Own physics: a plain function of fields, coordinates and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.physics.physics import Physics

Equations = Callable[[Fields, Coordinates, SimpleNamespace], object]
"""``residual(f, x, m)``: returns one field, or a mapping of equation names to fields."""

Fluxes = Callable[[Fields, Coordinates, SimpleNamespace], Mapping[str, Jet]]
"""``fluxes(f, x, m)``: returns by field name the flux whose normal component is the natural datum."""


@dataclass(frozen=True)
class CustomPhysics(Physics):
    """Equations written as a plain function.

    Example:
        >>> from pinnsolve.jets import laplacian
        >>> def poisson(f, x, m):
        ...     return m.stiffness * laplacian(f.phi) + m.load
        >>> physics = CustomPhysics(fields={"phi": ()}, equations=poisson,
        ...                         parameters={"stiffness": 2.0, "load": 1.0})

    Attributes:
        fields: Name and shape of each field, ``()`` for a scalar, ``(C,)`` for a vector.
        equations: ``equations(f, x, m)`` returns left side minus right side, one field or a
            mapping of them.
        parameters: What ``m`` holds: numbers, unknowns or functions.
        fluxes: ``fluxes(f, x, m)``, needed for Neumann conditions; optional.
        boundary_components: Components that every boundary part must give; None means all of them.
    """

    fields: Mapping[str, tuple[int, ...]]
    equations: Equations
    parameters: Mapping[str, object] = field(default_factory=dict)
    fluxes: Fluxes | None = None
    boundary_components: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration without fields."""
        if not self.fields:
            raise ValueError("own physics needs fields={'name': ()} (scalar) or (C,) (vector)")
        for name, shape in self.fields.items():
            if len(shape) > 1 or (shape and not 1 <= shape[0] <= 3):
                raise ValueError(
                    f"field {name!r} must be () for a scalar or (C,) with C <= 3 for a vector, got {shape}; "
                    "declare further components as fields of their own"
                )

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return the declared fields."""
        del space_dim
        return dict(self.fields)

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return what the user's function returns, by name."""
        result = self.equations(f, x, SimpleNamespace(**self.parameters))
        if isinstance(result, Jet):
            return {"equation": result}
        if isinstance(result, Mapping) and all(isinstance(value, Jet) for value in result.values()):
            return dict(result)
        raise ValueError(
            "equations(f, x, m) must return a field or a mapping of names to fields, "
            f"got {type(result).__name__}; build it from f with +, *, grad, div, laplacian, dt"
        )

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the user's fluxes, if there are any."""
        if self.fluxes is None:
            return {}
        return dict(self.fluxes(f, x, SimpleNamespace(**self.parameters)))

    def needs_boundary_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the declared components, or all."""
        if self.boundary_components is not None:
            return self.boundary_components
        return super().needs_boundary_condition(space_dim)
