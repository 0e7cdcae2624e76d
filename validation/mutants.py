"""Planted mistakes: does the suite turn red if the physics is wrong?

Network and reference are made from the same declaration, so a mistake in a physics fools both alike; what finds it are
exact solutions and published values. Each mutant changes one line of a physics or a condition, and names a case that
has to fail with it (mutation testing: R. A. DeMillo, R. J. Lipton & F. G. Sayward, "Hints on test data selection",
1978, doi:10.1109/C-M.1978.218136).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

import pinnsolve as ps


@dataclass(frozen=True)
class Mutant:
    """A mistake in one line.

    Attributes:
        name: What is wrong.
        module: Where, below ``pinnsolve``.
        right: Text that occurs once in the module's source.
        wrong: What stands there instead.
        case: A shipped problem that has to fail.
        settings: Its settings, as pairs of name and value.
    """

    name: str
    module: str
    right: str
    wrong: str
    case: str
    settings: tuple[tuple[str, object], ...] = ()


def mutated(problem: ps.Problem, mutant: Mutant) -> ps.Problem:
    """Return the problem with the mistake in its physics and conditions.

    Args:
        problem: A declaration.
        mutant: The mistake.

    Raises:
        ValueError: If the text that is to be changed does not occur exactly once, or the problem does not use it.
    """
    changed = _mutated_methods(mutant)
    physics = _with_classes(problem.physics, changed)
    conditions = tuple(_with_classes(item, changed) for item in problem.conditions)
    if physics is problem.physics and all(map(_same, conditions, problem.conditions)):
        raise ValueError(f"problem {problem.name!r} uses nothing of {mutant.module}")
    return replace(problem, physics=physics, conditions=conditions)


def _same(one: object, other: object) -> bool:
    return one is other


Methods = Mapping[str, Any]


def _mutated_methods(mutant: Mutant) -> dict[type, Methods]:
    """Return, by class of the module, its methods with the mistake."""
    module = import_module(f"pinnsolve.{mutant.module}")
    source = inspect.getsource(module)
    if source.count(mutant.right) != 1:
        raise ValueError(
            f"{mutant.name}: {mutant.right!r} must occur once in {mutant.module}, "
            f"found {source.count(mutant.right)} times"
        )
    wrong = ModuleType(module.__name__)
    wrong.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(source.replace(mutant.right, mutant.wrong), mutant.module, "exec"), wrong.__dict__)
    return {
        right: _methods(getattr(wrong, right.__name__))
        for right in vars(module).values()
        if isinstance(right, type) and right.__module__ == module.__name__
    }


def _mutated_type(kind: type, changed: Mapping[type, Methods]) -> type:
    """Return a subclass with the changed methods that the class has not overridden; the class itself without any."""
    own: dict[str, Any] = {}
    for owner in reversed(kind.__mro__):
        for name in vars(owner):
            own.pop(name, None)
        own |= changed.get(owner, {})
    return type(kind.__name__, (kind,), own) if own else kind


def _methods(owner: type) -> dict[str, Any]:
    """Return the methods and properties that a class defines, but not what a dataclass generates."""
    kept = (FunctionType, property, staticmethod, classmethod)
    return {
        name: item
        for name, item in vars(owner).items()
        if isinstance(item, kept) and not name.startswith("__")
    }


def _with_classes(value: Any, changed: Mapping[type, Methods]) -> Any:  # noqa: ANN401
    """Return a frozen value with every dataclass in it exchanged; the same object if there is none."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    old = {item.name: getattr(value, item.name) for item in fields(value)}
    new = {name: _with_classes(item, changed) for name, item in old.items()}
    kind = _mutated_type(type(value), changed)
    if kind is type(value) and all(new[name] is old[name] for name in old):
        return value
    copy: Any = object.__new__(kind)
    for name, item in new.items():
        object.__setattr__(copy, name, item)
    return copy


_HEAT, _THERMAL, _FLOW = "physics.heat", "conditions.thermal", "physics.flow"
_NAVIER_STOKES, _ELASTICITY = "physics.navier_stokes", "physics.elasticity"
_FOURIER = "return -(self._conductivity(f, x) * grad(f.temperature))"
_UNBALANCED = "grad(f.pressure) - mu * laplacian(f.velocity) - self._body_force(x)"
_INERTIA = "inertia = rho * advect(u, u)"
_HOOKE = "return pressure * identity(x.frame) + 2.0 * mu * strain"

_OF_HEAT = (
    ("heat flows from cold to hot", _HEAT, _FOURIER, _FOURIER.replace("-(", "("), "poisson"),
    ("twice the conductivity", _HEAT, _FOURIER, _FOURIER.replace("-(", "-(2.0 * "), "poisson"),
    (
        "no heat source",
        _HEAT,
        "div(self.heat_flux(f, x)) - self._net_source(f, x)",
        "div(self.heat_flux(f, x))",
        "poisson",
    ),
    (
        "heat is carried upstream",
        _HEAT,
        "source = source - capacity * advect(",
        "source = source + capacity * advect(",
        "conjugate_channel",
    ),
    (
        "half of the heat is carried",
        _HEAT,
        "source = source - capacity * advect(",
        "source = source - 0.5 * capacity * advect(",
        "conjugate_channel",
    ),
    (
        "convection heats what is warm",
        _THERMAL,
        "across - coefficient * excess",
        "across + coefficient * excess",
        "composite_wall",
    ),
    (
        "convection forgets its surroundings",
        _THERMAL,
        'f.temperature - evaluate(self.ambient, x, (), f"{self.label} ambient")',
        "f.temperature",
        "composite_wall",
    ),
    (
        "radiation with the third power",
        _THERMAL,
        "f.temperature**4",
        "f.temperature**3",
        "nafems_t2",
    ),
    (
        "radiation heats what is hot",
        _THERMAL,
        "across - emissivity * excess",
        "across + emissivity * excess",
        "nafems_t2",
    ),
    (
        "given flux with the wrong sign",
        "conditions.given",
        "across - evaluate(given, x, across.shape, self.label)",
        "across + evaluate(given, x, across.shape, self.label)",
        "conjugate_channel",
    ),
    (
        "flux turns round at an interface",
        "conditions.interface",
        "by_component(name, behind - before)",
        "by_component(name, behind + before)",
        "disk_inclusion",
    ),
    (
        "half of the flux is lost at an interface",
        "conditions.interface",
        "by_component(name, behind - before)",
        "by_component(name, behind - 0.5 * before)",
        "disk_inclusion",
    ),
    ("ice melts where it grows", "physics.stefan", "rate - brought]", "rate + brought]", "stefan"),
    (
        "the front moves without the grid",
        "physics.stefan",
        "f.front * dt(f.temperature) - x.x * dt(f.front) * grad(f.temperature)[0]",
        "f.front * dt(f.temperature)",
        "stefan",
    ),
)

_OF_FLOWS = (
    (
        "pressure pulls",
        _FLOW,
        _UNBALANCED,
        _UNBALANCED.replace("grad(", "-grad(", 1),
        "stokes_manufactured",
    ),
    (
        "half the viscosity",
        _FLOW,
        _UNBALANCED,
        _UNBALANCED.replace("- mu", "- 0.5 * mu"),
        "stokes_manufactured",
    ),
    (
        "no body force",
        _FLOW,
        _UNBALANCED,
        _UNBALANCED.replace(" - self._body_force(x)", ""),
        "stokes_manufactured",
    ),
    ("no inertia", _NAVIER_STOKES, _INERTIA, "inertia = 0.0 * rho * u", "kovasznay"),
    (
        "twice the inertia",
        _NAVIER_STOKES,
        _INERTIA,
        "inertia = 2.0 * rho * advect(u, u)",
        "kovasznay",
    ),
    (
        "fluid comes from nowhere",
        _NAVIER_STOKES,
        '"continuity": div(u)}',
        '"continuity": div(u) - 0.1}',
        "kovasznay",
    ),
    (
        "no change with time",
        _NAVIER_STOKES,
        "inertia = inertia + rho * dt(u)",
        "inertia = inertia + 0.0 * rho * dt(u)",
        "taylor_green",
    ),
    (
        "warm fluid sinks",
        "physics.boussinesq",
        'equations["momentum"] - self._buoyancy(f, x)',
        'equations["momentum"] + self._buoyancy(f, x)',
        "natural_convection",
    ),
    (
        "fluid carries no heat",
        "physics.boussinesq",
        "self._capacity(x) * change",
        "0.0 * self._capacity(x) * change",
        "natural_convection",
    ),
)

_OF_SOLIDS = (
    ("half the shear modulus", _ELASTICITY, _HOOKE, _HOOKE.replace("2.0 * mu", "mu"), "patch_test"),
    (
        "half the first Lame parameter",
        _ELASTICITY,
        "pressure = lam * trace(strain)",
        "pressure = 0.5 * lam * trace(strain)",
        "timoshenko_cantilever",
    ),
    (
        "plane strain for plane stress",
        _ELASTICITY,
        "return e * nu / ((1.0 - nu) * (1.0 + nu)), mu",
        "return lam, mu",
        "timoshenko_cantilever",
    ),
    (
        "heat contracts",
        _ELASTICITY,
        "pressure - self._thermal_modulus(x) * free",
        "pressure + self._thermal_modulus(x) * free",
        "thermoelastic_cylinder",
    ),
    (
        "heat in one direction only",
        _ELASTICITY,
        'return e / (1.0 - nu) if self.plane == "stress"',
        'return e if self.plane == "stress"',
        "nafems_t1",
    ),
    (
        "pressure pulls on a wall",
        "conditions.solid",
        "row = traction + given",
        "row = traction - given",
        "lame_cylinder",
    ),
    (
        "traction turned round",
        "conditions.solid",
        "row = row - evaluate(self.vector",
        "row = row + evaluate(self.vector",
        "timoshenko_cantilever",
    ),
    (
        "no hoop stress",
        "physics.axisymmetric_elasticity",
        "as_jet([self.hoop_stress(f, x), 0.0], x.frame)",
        "as_jet([0.0 * self.hoop_stress(f, x), 0.0], x.frame)",
        "pressure_tube",
    ),
    (
        "half the hoop strain",
        "physics.axisymmetric_elasticity",
        "return pressure + 2.0 * mu * _hoop_strain(f, x)",
        "return pressure + mu * _hoop_strain(f, x)",
        "pressure_tube",
    ),
    (
        "volume resists the wrong way",
        "physics.hyperelasticity",
        "(lam * log(kept) - mu) / kept",
        "(-lam * log(kept) - mu) / kept",
        "neo_hookean_block",
    ),
    (
        "twice the shear",
        "physics.hyperelasticity",
        "return mu * gradient +",
        "return 2.0 * mu * gradient +",
        "neo_hookean_block",
    ),
)

MUTANTS: tuple[Mutant, ...] = tuple(
    Mutant(*words) for words in (*_OF_HEAT, *_OF_FLOWS, *_OF_SOLIDS)
)
"""Every one has to turn the suite red; the text of each occurs exactly once in its module."""
