"""Smoothness of unknown functions, chosen from the data once a problem has been trained.

A round chooses the strengths in the problem linear about the solution, and goes to the optimum with them on the same
points. Where everything is linear in field and unknowns one round is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.method import SmoothnessRule
from pinnsolve.prior_rows import smoothness_name
from pinnsolve.residuals import System
from pinnsolve.uncertainty.linearisation import Linearisation, linearise
from pinnsolve.uncertainty.marginal import Marginal, marginalise
from pinnsolve.uncertainty.settling import HasTime, always, settled
from pinnsolve.uncertainty.strength import LinearRows, chosen_strength
from pinnsolve.unknown_functions import UnknownFunction

_ROUNDS = 4
"""Most times that strengths are chosen and the problem is settled with them."""

_SAME = 0.1
"""Change of the logarithm of a strength that is worth no further round."""


@dataclass(frozen=True)
class Chosen:
    """A system with the strengths that its data ask for.

    Attributes:
        system: The system.
        theta: Its solution.
        smoothness: Strength by function.
        in_time: Whether there was time for all that was to be done; without it theta need not be the optimum.
    """

    system: System
    theta: Tensor
    smoothness: Mapping[str, float]
    in_time: bool = True


def choose_smoothness(
    system: System,
    theta: Tensor,
    functions: tuple[UnknownFunction, ...],
    rule: SmoothnessRule = "evidence",
    has_time: HasTime = always,
) -> Chosen:
    """Return the system with the smoothness of all functions that leave it to the data.

    Args:
        system: The trained system.
        theta: Its solution.
        functions: The problem's functions.
        rule: How the strength is chosen.
        has_time: Whether there may be another round; the first one is always made.
    """
    left = [item for item in functions if item.smoothness is None]
    measured = any(b.noise is not None and b.kind != "prior" for b in system.blocks)
    if not (left and measured):
        return Chosen(system, theta, {})
    strengths = _present(system, left)
    for count in range(_ROUNDS):
        if count > 0 and not has_time():
            return Chosen(system, theta, strengths, in_time=False)
        rows = linearise(system, theta)
        marginal, before = marginalise(rows), dict(strengths)
        strengths = _round(rows, marginal, before, rule)
        if count == 0 and _alike(strengths, before):
            return Chosen(system, theta, before)  # chosen while it was trained
        system = with_strengths(system, strengths)
        reached = settled(system, theta, has_time=has_time)
        theta = reached.theta
        if not reached.in_time:
            return Chosen(system, theta, strengths, in_time=False)
        if _alike(strengths, before):
            break
    return Chosen(system, theta, strengths)


def next_strengths(
    system: System,
    theta: Tensor,
    functions: tuple[UnknownFunction, ...],
    rule: SmoothnessRule = "evidence",
) -> dict[str, float]:
    """Return the strengths to go on with, from the problem linear about the present solution; nothing is settled.

    Args:
        system: The trained system.
        theta: Its solution.
        functions: The problem's functions; those with a given smoothness have no new one.
        rule: How the strength is chosen.
    """
    left = [item for item in functions if item.smoothness is None]
    if not left:
        return {}
    rows = linearise(system, theta)
    return _round(rows, marginalise(rows), _present(system, left), rule)


def _present(system: System, functions: Sequence[UnknownFunction]) -> dict[str, float]:
    """Return the strengths that a system has."""
    names = {smoothness_name(item.name): item.name for item in functions}
    return {
        names[block.name]: 1.0 / float(block.noise[0])
        for block in system.blocks
        if block.noise is not None and block.name in names
    }


def _round(
    rows: Linearisation, marginal: Marginal, before: Mapping[str, float], rule: SmoothnessRule
) -> dict[str, float]:
    """Return strengths chosen in turn."""
    strengths = dict(before)
    for name in list(strengths) * (1 if len(strengths) == 1 else 3):
        strengths[name] = _chosen(rows, marginal, name, strengths, before, rule)
    return strengths


def _alike(strengths: Mapping[str, float], before: Mapping[str, float]) -> bool:
    return all(abs(math.log(strengths[n] / before[n])) < _SAME for n in strengths)


def with_strengths(system: System, strengths: Mapping[str, float]) -> System:
    """Return the system with other strengths of its functions' smoothness.

    Args:
        system: The system.
        strengths: The new ones by function.
    """
    by_block = {smoothness_name(name): strength for name, strength in strengths.items()}
    blocks = tuple(
        replace(block, noise=torch.full_like(block.noise, 1.0 / by_block[block.name]))
        if block.noise is not None and block.name in by_block
        else block
        for block in system.blocks
    )
    return replace(system, blocks=blocks)


def _chosen(
    rows: Linearisation,
    marginal: Marginal,
    name: str,
    strengths: Mapping[str, float],
    before: Mapping[str, float],
    rule: SmoothnessRule,
) -> float:
    """Return the strength of one function, those of the others held."""
    (prior,) = [item for item in rows.priors if item.key.block == smoothness_name(name)]
    others = [_at_strength(rows, item.key.block, strengths, before) for item in rows.priors]
    others = [pair for pair, item in zip(others, rows.priors, strict=True) if item is not prior]
    data = LinearRows(
        np.concatenate([marginal.jacobian, *(pair.jacobian for pair in others)]),
        np.concatenate([marginal.misfit, *(pair.misfit for pair in others)]),
    )
    unit = LinearRows(prior.jacobian / before[name], prior.misfit / before[name])
    free = max(rows.num_data - marginal.num_open, 1.0) + sum(len(p.misfit) for p in others)
    return chosen_strength(data, unit, free, rule)


def _at_strength(
    rows: Linearisation, block: str, strengths: Mapping[str, float], before: Mapping[str, float]
) -> LinearRows:
    """Return the rows of a prior at its new strength."""
    (prior,) = [item for item in rows.priors if item.key.block == block]
    factors = {smoothness_name(name): strengths[name] / before[name] for name in strengths}
    factor = factors.get(block, 1.0)
    return LinearRows(factor * prior.jacobian, factor * prior.misfit)
