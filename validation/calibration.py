"""Do 95 % intervals cover the truth in 95 of 100 cases? ``python -m pinnsolve.validation.calibration``.

Each problem is solved with readings that have no noise. Then noise of the stated size is drawn again and again, and the
solution goes on to the new optimum, where Laplace's interval either covers the true values or does not.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch

import pinnsolve as ps
from pinnsolve.inference.restarts import moved_by_noise, system_of
from pinnsolve.threads import one_torch_thread
from pinnsolve.training import train
from pinnsolve.uncertainty import laplace, settled

Array = npt.NDArray[np.float64]

_METHOD = ps.Method(hidden=(10,), points=ps.PointCounts(60, 2), max_steps=80)
_SENSORS = np.linspace(0.1, 1.0, 10)


@dataclass(frozen=True)
class Coverage:
    """How often an interval covered the truth.

    Attributes:
        problem: The problem.
        unknown: The unknown; of a function, all of its coefficients together.
        covered: In how many draws; of a function, the mean over its coefficients.
        draws: How many noise draws there were.
    """

    problem: str
    unknown: str
    covered: float
    draws: int


def problems() -> tuple[ps.Problem, ...]:
    """Return four small problems on a rod, their readings without noise, with the noise they are to have."""
    return (
        _rod("number", ps.Heat(ps.Unknown("k", 4.0, (0.5, 50.0))), 600.0, _straight, 3.0),
        _rod(
            "two_numbers",
            ps.Heat(4.0, source=ps.Unknown("s", 300.0)),
            ps.Unknown("q", 600.0),
            _bent,
            0.5,
        ),
        _rod("function", ps.Heat(1.0, source=_function()), 0.0, lambda x: 100.0 + 0.0 * x, 0.05),
        _rod("source_position", ps.Heat(1.0, source=_source()), 0.0, _heated, 0.05),
    )


def coverage(problem: ps.Problem, draws: int, *, seed: int = 0) -> tuple[Coverage, ...]:
    """Return how often the 95 % intervals cover what the problem was made with.

    Args:
        problem: A problem whose readings have no noise, and whose first guesses are the truth.
        draws: Number of noise draws.
        seed: Seed of the noise.
    """
    system, theta = system_of(train(problem, _METHOD, seed=seed).solution, seed=seed)
    base = settled(system, theta).theta
    truth = laplace(system, base).mean
    generator, inside = torch.Generator().manual_seed(seed), []
    with one_torch_thread():
        for _ in range(draws):
            moved = moved_by_noise(system, generator)
            known = laplace(moved, settled(moved, base).theta)
            ends = [known.interval(name) for name in known.names]
            inside.append(
                [low <= value <= high for (low, high), value in zip(ends, truth, strict=True)]
            )
    counts = np.asarray(np.array(inside, dtype=np.float64).sum(axis=0))
    if problem.functions:
        return (Coverage(problem.name, problem.functions[0].name, float(counts.mean()), draws),)
    names = [unknown.name for unknown in problem.unknowns]
    return tuple(
        Coverage(problem.name, name, float(count), draws)
        for name, count in zip(names, counts, strict=True)
    )


def main(arguments: Sequence[str]) -> None:
    """Write one line of JSON per unknown to standard output.

    Args:
        arguments: The number of draws; 100 if there is none.
    """
    draws = int(arguments[0]) if arguments else 100
    for problem in problems():
        begin = time.process_time()
        found = coverage(problem, draws)
        seconds = time.process_time() - begin
        for item in found:
            sys.stdout.write(json.dumps({**asdict(item), "cpu_seconds": round(seconds, 1)}) + "\n")
            sys.stdout.flush()


def _straight(x: Array) -> Array:
    return 100.0 - 150.0 * x


def _bent(x: Array) -> Array:
    return 100.0 + (300.0 * (x - 0.5 * x**2) - 600.0 * x) / 4.0


def _heated(x: Array) -> Array:
    """Return the temperature with a source of 10 W/m2 about x = 0.6: ``-T'' = s``, insulated on the right."""
    nodes = (np.arange(4000) + 0.5) / 4000
    source = 10.0 * np.exp(-0.5 * ((nodes - 0.6) / 0.1) ** 2) / (0.1 * np.sqrt(2.0 * np.pi))
    return np.asarray(100.0 + np.minimum(x[:, None], nodes) @ source / 4000)


def _function() -> ps.UnknownFunction:
    return ps.UnknownFunction(
        "s", of={"x": (0.0, 1.0)}, num=8, initial=0.0, scale=10.0, smoothness=0.3
    )


def _source() -> ps.GaussianSource:
    return ps.GaussianSource((ps.Unknown("x0", 0.6, (0.2, 0.9)),), width=0.1, strength=10.0)


def _rod(
    name: str,
    physics: ps.Physics,
    flux: float | ps.Unknown,
    exact: Callable[[Array], Array],
    sigma: float,
) -> ps.Problem:
    return ps.Problem(
        name,
        ps.Interval(0.0, 1.0),
        physics,
        [ps.Dirichlet("left", temperature=100.0), ps.Neumann("right", temperature=flux)],
        measurements=ps.Measurements(
            _SENSORS[:, None], {"temperature": exact(_SENSORS)}, sigma=sigma
        ),
        scales={"temperature": 10.0},
        accuracy=1e-6,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
