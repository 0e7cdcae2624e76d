"""The shipped inverse problems, and how each is solved the classical way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pinnsolve.problems.inverse import (
    flow_reconstruction,
    inverse_cauchy,
    inverse_heat_flux,
    inverse_modulus_bar,
    inverse_modulus_plate,
)

import pinnsolve as ps
from pinnsolve.naming import near_match_text

from ..suite import Case
from .classical import ClassicalFit, GridSize, fit_functions, fit_numbers
from .without_boundary import equation_error, with_boundary_functions

Array = npt.NDArray[np.float64]

Rival = Callable[[ps.Problem], ClassicalFit]
"""Solves a problem the classical way."""

Measure = Callable[[ClassicalFit], float]
"""What a quantity of the problem is for the classical fit."""


@dataclass(frozen=True)
class InverseCase:
    """An inverse problem with settings.

    Attributes:
        name: Name in tables.
        problem: The shipped problem.
        rival: How it is solved the classical way.
        settings: Parameters that differ from the defaults.
        measures: By name of a quantity of the problem, the same number of the classical fit.
    """

    name: str
    problem: str
    rival: Rival
    settings: Mapping[str, object] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def case(self, noise_seed: int) -> Case:
        """Return the case of the regression suite with this draw of the noise.

        Args:
            noise_seed: Seed of the noise.
        """
        return Case(self.name, self.problem, {**self.settings, "noise_seed": noise_seed})


def _numbers(size: GridSize | None) -> Rival:
    return lambda problem: fit_numbers(problem, size)


def _functions(size: GridSize) -> Rival:
    return lambda problem: fit_functions(problem, size)


def _boundary(num: int, size: GridSize) -> Rival:
    return lambda problem: fit_functions(with_boundary_functions(problem, num), size)


def _velocity_error(fit: ClassicalFit) -> float:
    found = fit.fields
    if found is None:
        return float("nan")
    return float(flow_reconstruction.velocity_error(lambda points: found(points)[:, :2]))


def _top_error(waves: int) -> Measure:
    return lambda fit: float(inverse_cauchy.top_error(fit.functions["top temperature"], waves))


CASES = (
    InverseCase(
        "inverse_diffusivity", "inverse_diffusivity", _numbers(GridSize((64,), 64, order=4))
    ),
    InverseCase(
        "inverse_diffusivity_noisy",
        "inverse_diffusivity",
        _numbers(GridSize((64,), 64, order=4)),
        {"noise": 0.05},
    ),
    InverseCase("inverse_source", "inverse_source", _numbers(GridSize((64, 64), order=4))),
    InverseCase(
        "inverse_source_spread",
        "inverse_source",
        _numbers(GridSize((64, 64), order=4)),
        {"unknown_spread": True},
    ),
    InverseCase("inverse_viscosity", "inverse_viscosity", _numbers(GridSize((24, 24), 24))),
    InverseCase("inverse_ring", "inverse_ring", _numbers(None)),
    InverseCase("inverse_fin", "inverse_fin", _numbers(GridSize((64,), order=4))),
    InverseCase("inverse_convection", "inverse_convection", _numbers(GridSize((48, 80)))),
    InverseCase(
        "inverse_cauchy",
        "inverse_cauchy",
        _functions(GridSize((32, 32))),
        measures={"top temperature rel. L2 error": _top_error(1)},
    ),
    InverseCase(
        "inverse_cauchy_second_wave",
        "inverse_cauchy",
        _functions(GridSize((32, 32))),
        {"waves": 2},
        {"top temperature rel. L2 error": _top_error(2)},
    ),
    InverseCase(
        "inverse_heat_flux",
        "inverse_heat_flux",
        _functions(GridSize((48,), 100)),
        measures={
            "total heat": lambda fit: float(inverse_heat_flux.total_heat(fit.functions["flux"])),
            "flux rel. L2 error": lambda fit: float(
                inverse_heat_flux.flux_error(fit.functions["flux"])
            ),
        },
    ),
    InverseCase(
        "inverse_modulus_bar",
        "inverse_modulus_bar",
        _functions(GridSize((128,))),
        measures={
            "modulus rel. L2 error": lambda fit: float(
                inverse_modulus_bar.modulus_error(fit.functions["modulus"])
            )
        },
    ),
    InverseCase(
        "inverse_modulus_plate",
        "inverse_modulus_plate",
        _functions(GridSize((24, 24))),
        measures={
            "modulus rel. L2 error": lambda fit: float(
                inverse_modulus_plate.modulus_error(fit.functions["modulus"])
            )
        },
    ),
    InverseCase(
        "flow_reconstruction",
        "flow_reconstruction",
        _boundary(10, GridSize((15, 20))),
        measures={"velocity rel. L2 error": _velocity_error},
    ),
    InverseCase("inverse_wake", "inverse_wake", lambda problem: equation_error(problem, (6, 6, 4))),
)
"""All of them; grids are about as coarse as the noise allows."""


def chosen_cases(names: tuple[str, ...] = ()) -> tuple[InverseCase, ...]:
    """Return the named cases, or all.

    Args:
        names: Names of cases.

    Raises:
        ValueError: If there is no such case.
    """
    known = {case.name: case for case in CASES}
    for name in names:
        if name not in known:
            raise ValueError(f"no inverse case {name!r}. {near_match_text(name, known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or CASES
