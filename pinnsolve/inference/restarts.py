"""Going on from a solution: its least-squares system again, with measurements and priors moved by their noise.

Half the squared rows, moved by independent standard normal numbers, are minimised once more: in a linear problem the
minimisers are draws of the posterior, in a nonlinear one they follow its shape (J. M. Bardsley, A. Solonen, H. Haario &
M. Laine, "Randomize-then-optimize: a method for sampling from posterior distributions in nonlinear inverse problems",
SIAM J. Sci. Comput. 36 (2014) A1895-A1910).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.architecture import satisfied_rows
from pinnsolve.blocks import Block, Site, make_blocks
from pinnsolve.jets import Jet
from pinnsolve.method import Method
from pinnsolve.optimise.weights import balanced
from pinnsolve.residuals import System, build_system
from pinnsolve.solution import Solution
from pinnsolve.uncertainty import search_values, with_strengths

_MOVED = "moved by noise: "
"""Begins the names of the columns of a block that hold what its rows are moved by."""


def system_of(solution: Solution, *, seed: int) -> tuple[System, Tensor]:
    """Return the weighted least-squares system of a solution on fresh points, and its parameters.

    Args:
        solution: The solution.
        seed: Seed of the points.
    """
    problem, method = solution.problem, Method()
    like = torch.zeros((), dtype=torch.float64, device=solution.parameters.device)
    scaling = solution.scaling.to(dtype=like.dtype, device=like.device)
    found = search_values(problem.unknowns, [e.value for e in solution.estimates])
    theta = torch.cat((solution.parameters.to(like), torch.from_numpy(found).to(like)))
    system = build_system(
        make_blocks(problem, method.points_for(problem, solution.network), seed=seed),
        problem.field_shapes,
        problem.frame,
        solution.network,
        scaling,
        problem.unknowns,
        max_points=method.max_batch_points,
        satisfied=satisfied_rows(problem, solution.network, scaling),
    )
    strengths = {} if solution.posterior is None else solution.posterior.smoothness
    return with_strengths(balanced(system, theta), strengths), theta


def moved_by_noise(system: System, generator: torch.Generator) -> System:
    """Return the system with every measured or prior row moved by its noise.

    Args:
        system: The system.
        generator: Where the noise comes from; on the CPU.
    """
    names = {
        (group.blocks[i], name)
        for group in system.groups
        for i, equations in enumerate(group.equations)
        for name in equations
    }
    blocks = []
    for number, block in enumerate(system.blocks):
        if block.noise is None:
            blocks.append(block)
            continue
        own = sorted(name for position, name in names if position == number)
        drawn = {
            name: torch.randn(block.num_points, generator=generator, dtype=torch.float64)
            for name in own
        }
        blocks.append(_moved(block, {n: block.noise * d.to(block.noise) for n, d in drawn.items()}))
    return replace(system, blocks=tuple(blocks))


def _moved(block: Block, shifts: Mapping[str, Tensor]) -> Block:
    """Return a block whose rows are moved by given numbers, which are part of its data."""
    law = block.law

    def moved(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        own = {name: column for name, column in site.data.items() if not name.startswith(_MOVED)}
        rows = law(replace(site, data=own), values)
        return {name: row + site.data[_MOVED + name] for name, row in rows.items()}

    columns = {_MOVED + name: shift for name, shift in shifts.items()}
    return replace(block, law=moved, data={**block.data, **columns})
