"""Does the answer agree with the measurements, with those it never saw, and what does it rest on besides them?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pinnsolve.blocks import Block, data_blocks
from pinnsolve.declaration_checks import missing_conditions
from pinnsolve.measurements.likelihood import spread_of_median, typical_ratio
from pinnsolve.solution import Solution
from pinnsolve.unknowns import find_unknowns
from pinnsolve.verdict import Check

Array = npt.NDArray[np.float64]

_FAR = 3.0
"""Distance from a reading, in standard deviations, beyond which robust fits count it as an outlier in the note."""


def data_checks(solution: Solution) -> list[Check]:
    """Compare the misfit to the measurements, learned and held out, with their noise.

    Readings with normal noise: chi per degree of freedom, limit ``sqrt(1 + 3 sqrt(2 / nu))``, three times its spread.
    With heavy tails: the median of the misfits over the median that is expected, since a few may be far off. Noise
    that was estimated from these residuals is no yardstick for them, only for what was held out.

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
        total = sum(_num_values(block) for block in blocks)
        for label in dict.fromkeys(_label(block) for block in judged):
            members = [block for block in judged if _label(block) == label]
            count = sum(_num_values(block) for block in members)
            taken = 0.0 if held_out else _taken_by_unknowns(solution) * count / total
            checks.append(_misfit_check(solution, what.format(label), members, taken))
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


def _taken_by_unknowns(solution: Solution) -> float:
    """Return the degrees of freedom that the unknowns took: their number, fewer where priors hold them."""
    known = solution.posterior
    return float(len(solution.estimates)) if known is None else known.data_freedom


def _misfit_check(solution: Solution, name: str, blocks: Sequence[Block], taken: float) -> Check:
    """Return the misfit of blocks of one likelihood against what their noise allows.

    Args:
        solution: The solution.
        name: Name of the check.
        blocks: Readings.
        taken: Degrees of freedom that the unknowns took.
    """
    ratios = np.concatenate([_ratios(solution, block) for block in blocks])
    freedom = max(len(ratios) - taken, 1.0)
    kind = blocks[0].likelihood
    if kind == "normal":
        limit = math.sqrt(1.0 + 3.0 * math.sqrt(2.0 / freedom))
        return Check(name, float(np.sqrt(np.sum(ratios**2) / freedom)), limit, "chi per freedom")
    typical = float(np.median(np.abs(ratios))) * math.sqrt(len(ratios) / freedom)
    far = int(np.sum(np.abs(ratios) > _FAR))
    return Check(
        name,
        typical / typical_ratio(kind),
        1.0 + 3.0 * spread_of_median(kind, len(ratios)),
        f"median misfit over the expected one ({kind}); {far} of {len(ratios)} beyond {_FAR:g} sigma",
    )


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
