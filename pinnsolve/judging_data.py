"""Does the answer agree with the measurements, with those it never saw, and what does it rest on besides them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.blocks import Block, data_blocks
from pinnsolve.declaration_checks import missing_conditions
from pinnsolve.measurements.likelihood import spread_of_median, typical_ratio
from pinnsolve.residuals import build_system
from pinnsolve.solution import Solution
from pinnsolve.unknowns import find_unknowns
from pinnsolve.verdict import Check

Array = npt.NDArray[np.float64]

_FAR = 3.0
"""Distance from a reading, in standard deviations, beyond which robust fits count it as an outlier in the note."""


@dataclass(frozen=True)
class DataResiduals:
    """What is left of the readings of one quantity by one set of sensors.

    Attributes:
        source: Name of the measurements: ``measurements``, or ``measurements 2`` of several.
        quantity: What was measured.
        points: Where (and when), shape (N, D).
        ratios: Solution minus reading over noise, shape (N,).
        held_out: Whether they were kept from training.
    """

    source: str
    quantity: str
    points: Array
    ratios: Array
    held_out: bool


def data_residuals(solution: Solution) -> tuple[DataResiduals, ...]:
    """Return the standardised residuals of all readings, learned and held out.

    Args:
        solution: The solution.
    """
    found = []
    for held_out in (False, True):
        for block in data_blocks(solution.problem, noise=solution.record.noise, held_out=held_out):
            noise = np.ones(1) if block.noise is None else block.noise.numpy()
            points = block.point_sets[0]
            if block.shares is not None:  # a sensor of some extent is where its middle is
                points = (block.shares[..., None] * torch.stack(block.point_sets, dim=1)).sum(dim=1)
            for name, rows in solution.block_rows(block).items():
                found.append(
                    DataResiduals(_label(block), name, points.numpy(), rows / noise, held_out)
                )
    return tuple(found)


def data_checks(solution: Solution) -> list[Check]:
    """Compare the misfit to the measurements, learned and held out, with their noise.

    Readings with normal noise: chi per degree of freedom, limit ``sqrt(1 + 3 sqrt(2 / nu))``, three times its spread.
    Freedom is the number of readings less what field and unknowns take of them, the trace of the hat matrix.
    With heavy tails: the median of the misfits over the median that is expected, since a few may be far off. Noise
    that was estimated from these residuals is no yardstick for them, only for what was held out. What was held out is
    predicted with an error of its own, which the posterior knows: with its covariance S in units of the noise,
    ``r^T (1 + S)^-1 r`` has as many degrees of freedom as there are readings.

    Args:
        solution: The solution.
    """
    noise = solution.record.noise
    checks = []
    for held_out, what in (
        (False, "misfit to {} / noise"),
        (True, "held-out sensors of {} / noise"),
    ):
        blocks = data_blocks(solution.problem, noise=noise, held_out=held_out)
        judged = [block for block in blocks if held_out or block.name not in noise]
        for label in dict.fromkeys(_label(block) for block in judged):
            members = [block for block in judged if _label(block) == label]
            taken = 0.0 if held_out else sum(_freedom_taken(solution, b, blocks) for b in members)
            checks.append(
                _misfit_check(solution, what.format(label), members, taken, held_out=held_out)
            )
    return checks


def data_notes(solution: Solution) -> list[str]:
    """Return what an answer rests on: conditions that are missing, noise that was estimated, too few readings.

    Args:
        solution: The solution.
    """
    problem, record = solution.problem, solution.record
    if not problem.data:
        return []
    notes = [
        f"{missing}: there the answer rests on the measurements alone"
        for missing in missing_conditions(problem)
    ]
    blocks = {block.name: block for block in data_blocks(problem)}
    for name, sigma in record.noise.items():
        taken = record.noise_freedom.get(name, math.nan)
        count = _num_values(blocks[name]) if name in blocks else 0
        notes.append(
            f"noise of {name} estimated from its residuals: sigma = {sigma:.3g} ({count} readings, of which the "
            f"field and the unknowns take {taken:.1f}); their misfit is no check"
        )
    numbers = {unknown.name for unknown in problem.unknowns} - {
        unknown.name for unknown in find_unknowns(problem.functions)
    }
    count = sum(map(_num_values, blocks.values()))
    if count < len(numbers):
        notes.append(
            f"{count} readings for {len(numbers)} unknowns: they cannot all be told from these data"
        )
    return notes


def _misfit_check(
    solution: Solution, name: str, blocks: Sequence[Block], taken: float, *, held_out: bool
) -> Check:
    """Return the misfit of blocks of one likelihood against what their noise allows.

    Args:
        solution: The solution.
        name: Name of the check.
        blocks: Readings.
        taken: Degrees of freedom that the field and the unknowns took.
        held_out: Whether the readings were kept from training, so that the field's own spread adds to their noise.
    """
    ratios = np.concatenate([_ratios(solution, block) for block in blocks])
    spread = _spread(solution, blocks) if held_out else np.zeros((len(ratios), 0))
    freedom = max(len(ratios) - taken, 1.0)
    kind = blocks[0].likelihood
    if kind == "normal":
        limit = math.sqrt(1.0 + 3.0 * math.sqrt(2.0 / freedom))
        chi2 = _beside(ratios, spread)
        return Check(name, math.sqrt(chi2 / freedom), limit, "chi per freedom")
    ratios = ratios / np.sqrt(1.0 + np.sum(spread**2, axis=1))
    typical = float(np.median(np.abs(ratios))) * math.sqrt(len(ratios) / freedom)
    far = int(np.sum(np.abs(ratios) > _FAR))
    return Check(
        name,
        typical / typical_ratio(kind),
        1.0 + 3.0 * spread_of_median(kind, len(ratios)),
        f"median misfit over the expected one ({kind}); {far} of {len(ratios)} beyond {_FAR:g} sigma",
    )


def _beside(ratios: Array, spread: Array) -> float:
    """Return ``r^T (1 + G G^T)^-1 r`` by the smaller of the two products of G, shape (N, R)."""
    if spread.shape[1] < len(ratios):
        along = spread.T @ ratios
        inner = np.eye(spread.shape[1]) + spread.T @ spread
        return max(float(ratios @ ratios - along @ np.linalg.solve(inner, along)), 0.0)
    return float(ratios @ np.linalg.solve(np.eye(len(ratios)) + spread @ spread.T, ratios))


def _spread(solution: Solution, blocks: Sequence[Block]) -> Array:
    """Return how the residuals over noise follow the posterior's independent normal variables, shape (N, R)."""
    known, problem = solution.posterior, solution.problem
    count = sum(map(_num_values, blocks))
    if known is None or not known.root.size:
        return np.zeros((count, 0))
    parameters = solution.parameters.detach().to(device="cpu", dtype=torch.float64)
    theta = torch.cat((parameters, torch.from_numpy(known.search)))
    scaling = solution.scaling.to(dtype=torch.float64, device=theta.device)
    network, shapes, frame = solution.network, problem.field_shapes, problem.frame
    found = []
    for block in blocks:
        plain = replace(block, likelihood="normal")
        system = build_system([plain], shapes, frame, network, scaling, problem.unknowns)
        pairs = zip(system.chunks, system.linearised(theta), strict=True)
        slopes: dict[str, list[Array]] = {}
        for members, (_, jacobian) in pairs:  # an equation of many readings comes in several parts
            slopes.setdefault(members[0][0].equation, []).append(jacobian.numpy())
        for name in solution.block_rows(block):
            found += [part @ known.root for part in slopes[name]]
    return np.concatenate(found)


def _freedom_taken(solution: Solution, block: Block, blocks: Sequence[Block]) -> float:
    """Return the degrees of freedom that the field and the unknowns take of a block's readings.

    The posterior has them; without one an unknown counts as one, shared by all readings.
    """
    known = solution.posterior
    if known is not None and block.name in known.freedom:
        return known.freedom[block.name]
    return len(solution.estimates) * _num_values(block) / sum(map(_num_values, blocks))


def _ratios(solution: Solution, block: Block) -> Array:
    """Return residuals over noise of all readings of a block."""
    rows = np.concatenate(list(solution.block_rows(block).values()))
    noise = np.ones(1) if block.noise is None else block.noise.numpy()
    return np.asarray(rows / np.tile(noise, len(rows) // len(noise)))


def _label(block: Block) -> str:
    """Return the measurements that a block belongs to."""
    return block.name.split(":")[0]


def _num_values(block: Block) -> int:
    return block.num_points * len(block.data)
