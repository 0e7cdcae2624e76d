"""Problems by name: the shipped ones, and those in a user's Python file."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from pinnsolve.naming import near_match_text
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution

Factory = Callable[..., Problem]
"""A function with defaults for all its parameters that returns a Problem."""

_PACKAGE = "pinnsolve.problems"


def shipped_problems() -> dict[str, str]:
    """Return the dotted module name of every shipped problem by its name."""
    package = importlib.import_module(_PACKAGE)
    found = {}
    for info in pkgutil.walk_packages(package.__path__, prefix=f"{_PACKAGE}."):
        name = info.name.rpartition(".")[2]
        if not info.ispkg and not name.startswith("make_"):
            found[name] = info.name
    return dict(sorted(found.items()))


def factory_of(target: str) -> tuple[str, Factory]:
    """Return the factory of a shipped problem or of a Python file, with the name it goes by.

    Args:
        target: A shipped name, or the path of a Python file with one function that returns a
            Problem.

    Raises:
        ValueError: If there is no such problem or file, or the file is not clear about its factory.
    """
    shipped = shipped_problems()
    if target in shipped:
        module = importlib.import_module(shipped[target])
        factory: Factory = getattr(module, target)
        return target, factory
    path = Path(target)
    if path.suffix != ".py":
        raise ValueError(
            f"no shipped problem {target!r}. {near_match_text(target, shipped)} "
            "A problem of one's own is the path of a file that ends with .py"
        )
    if not path.is_file():
        raise ValueError(f"no such file: {target}")
    return str(path.resolve()), _factory_in(_module_of(path), path)


def make_problem(target: str, settings: Mapping[str, str] | None = None) -> Problem:
    """Return the problem a target stands for.

    Args:
        target: A shipped name or the path of a Python file.
        settings: Parameters as text, ``{"reynolds": "400"}``; converted by the factory's
            annotations.

    Raises:
        ValueError: If the target, a parameter or the declaration itself is wrong.
    """
    origin, factory = factory_of(target)
    arguments = _converted(factory, settings or {})
    try:
        problem = factory(**arguments)
    except ValueError:
        raise
    except Exception as error:  # whatever the user's function raises
        raise ValueError(
            f"{target}: {factory.__name__}() raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(problem, Problem):
        raise ValueError(
            f"{target}: {factory.__name__}() must return a Problem, got {type(problem).__name__}"
        )
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(factory).parameters.items()
    }
    return replace(problem, origin=origin, parameters={**defaults, **arguments})


def shipped_problem(name: str, **parameters: object) -> Problem:
    """Return a shipped problem: ``shipped_problem("kovasznay", reynolds=20.0)``."""
    return make_problem(name, {key: str(value) for key, value in parameters.items()})


def load(path: str | Path, problem: Problem | None = None) -> Solution:
    """Load a solution; no code in the file is ever executed.

    Args:
        path: An HDF5 file written by ``Solution.save``.
        problem: The problem it solves; None rebuilds a shipped problem from its name and
            parameters.

    Raises:
        ValueError: If the file is not a saved solution, or its problem is not shipped and was not
            given.
    """
    from pinnsolve.interop.hdf5 import read_origin, read_solution

    if problem is None:
        origin, settings = read_origin(Path(path))
        if origin not in shipped_problems():
            raise ValueError(
                f"{path}: made from {origin or 'a script'!r}, which is not a shipped problem; "
                "pass it: load(path, problem=...)"
            )
        problem = make_problem(origin, settings)
    return read_solution(Path(path), problem)


def _module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}: cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's file raises
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def _factory_in(module: ModuleType, path: Path) -> Factory:
    """Return the file's function that is named like it, or the only one annotated to return a Problem."""
    functions = {
        name: item
        for name, item in vars(module).items()
        if inspect.isfunction(item)
        and item.__module__ == module.__name__
        and not name.startswith("_")
    }
    if path.stem in functions:
        chosen: Factory = functions[path.stem]
        return chosen
    typed = [
        f for f in functions.values() if "Problem" in str(inspect.signature(f).return_annotation)
    ]
    if len(typed) == 1:
        only: Factory = typed[0]
        return only
    raise ValueError(
        f"{path}: needs one function `def {path.stem}(...) -> ps.Problem`; "
        f"found {', '.join(functions) if functions else 'no function'}"
    )


def _converted(factory: Factory, settings: Mapping[str, str]) -> dict[str, object]:
    """Return settings as the types the factory asks for."""
    parameters = inspect.signature(factory).parameters
    hints = typing.get_type_hints(factory)
    arguments: dict[str, object] = {}
    for name, text in settings.items():
        if name not in parameters:
            raise ValueError(
                f"{factory.__name__} has no parameter {name!r}. {near_match_text(name, parameters)}"
            )
        default = parameters[name].default
        arguments[name] = _convert(name, text, hints.get(name, type(default)))
    return arguments


def _convert(name: str, text: str, wanted: object) -> object:
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, got {text!r}")
        return text.lower() == "true"
    if wanted in (int, float):
        try:
            return int(text) if wanted is int else float(text)
        except ValueError as error:
            raise ValueError(f"{name} must be a number, got {text!r}") from error
    return text
