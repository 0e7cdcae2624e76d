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
    changed = _mutated_classes(mutant)
    physics = _with_classes(problem.physics, changed)
    conditions = tuple(_with_classes(item, changed) for item in problem.conditions)
    if physics is problem.physics and all(map(_same, conditions, problem.conditions)):
        raise ValueError(f"problem {problem.name!r} uses nothing of {mutant.module}")
    return replace(problem, physics=physics, conditions=conditions)


def _same(one: object, other: object) -> bool:
    return one is other


def _mutated_classes(mutant: Mutant) -> dict[type, type]:
    """Return, by class of the module, a subclass of it whose methods have the mistake."""
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
        right: type(right.__name__, (right,), _methods(getattr(wrong, right.__name__)))
        for right in vars(module).values()
        if isinstance(right, type) and right.__module__ == module.__name__
    }


def _methods(owner: type) -> dict[str, Any]:
    """Return the methods and properties that a class defines, but not what a dataclass generates."""
    kept = (FunctionType, property, staticmethod, classmethod)
    return {
        name: item
        for name, item in vars(owner).items()
        if isinstance(item, kept) and not name.startswith("__")
    }


def _with_classes(value: Any, changed: Mapping[type, type]) -> Any:  # noqa: ANN401
    """Return a frozen value with every dataclass in it exchanged; the same object if there is none."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    old = {item.name: getattr(value, item.name) for item in fields(value)}
    new = {name: _with_classes(item, changed) for name, item in old.items()}
    kind = changed.get(type(value), type(value))
    if kind is type(value) and all(new[name] is old[name] for name in old):
        return value
    copy: Any = object.__new__(kind)
    for name, item in new.items():
        object.__setattr__(copy, name, item)
    return copy


_HEAT, _FLOW = "physics.heat", "physics.navier_stokes"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "heat flows from cold to hot",
        _HEAT,
        "return -(self._conductivity(f, x) * grad(f.temperature))",
        "return self._conductivity(f, x) * grad(f.temperature)",
        "poisson",
    ),
    Mutant(
        "twice the conductivity",
        _HEAT,
        "return -(self._conductivity(f, x) * grad(f.temperature))",
        "return -(2.0 * self._conductivity(f, x) * grad(f.temperature))",
        "poisson",
    ),
    Mutant(
        "no heat source",
        _HEAT,
        "div(self.heat_flux(f, x)) - self._net_source(f, x)",
        "div(self.heat_flux(f, x))",
        "poisson",
    ),
    Mutant(
        "no inertia", _FLOW, "inertia = rho * advect(u, u)", "inertia = 0.0 * rho * u", "kovasznay"
    ),
    Mutant(
        "half the viscosity", _FLOW, "- mu * laplacian(u)", "- 0.5 * mu * laplacian(u)", "kovasznay"
    ),
    Mutant("pressure pulls", _FLOW, "grad(f.pressure) - mu", "-grad(f.pressure) - mu", "kovasznay"),
    Mutant(
        "fluid comes from nowhere",
        _FLOW,
        '"continuity": div(u)}',
        '"continuity": div(u) - 0.1}',
        "kovasznay",
    ),
)
"""Every one has to turn the suite red; the text of each occurs exactly once in its module."""
