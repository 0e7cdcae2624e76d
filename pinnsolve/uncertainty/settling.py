"""Going to the optimum of data and priors along the physics, from a solution nearby.

The steps of training weigh the physics and the data against each other, so that what a weak direction of the unknowns
asks for drowns. Here the unknowns move by the problem with the field eliminated
(:mod:`pinnsolve.uncertainty.marginal`), and with them held the field is then trained some steps to meet the physics
again. A linear problem takes one round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import Block, Site
from pinnsolve.jets import Jet
from pinnsolve.optimise import GaussNewton
from pinnsolve.residuals import System
from pinnsolve.uncertainty.laplace import unknowns_given
from pinnsolve.uncertainty.linearisation import linearise
from pinnsolve.uncertainty.marginal import marginalise

HasTime = Callable[[], bool]
"""Whether there is time to go on."""

_LONGEST = 0.5
"""Largest change of a search variable in one round."""

_DONE = 0.05
"""Largest step, in standard deviations, after which there is no further round."""

_FIELD_STEPS = 6
"""Steps of the field in a round."""

_SHARE = 1e-2
"""Factor on the data's share in training: they may hardly bend the physics."""


def always() -> bool:
    """Return that there is time."""
    return True


@dataclass(frozen=True)
class Settled:
    """Where settling ended.

    Attributes:
        theta: The solution, shape (P + K,).
        in_time: Whether it ended before time ran out, and so is the optimum as far as the rounds lead.
    """

    theta: Tensor
    in_time: bool = True


def settled(
    system: System, theta: Tensor, *, max_rounds: int = 4, has_time: HasTime = always
) -> Settled:
    """Return the optimum near theta, on the same points.

    Args:
        system: The weighted system.
        theta: Where to begin.
        max_rounds: Most times that the unknowns are moved.
        has_time: Asked after every round but the first, whether there may be another one.
    """
    count, place = system.network.num_parameters, theta
    for number in range(max_rounds):
        if number > 0 and not has_time():
            return Settled(place, in_time=False)
        rows = linearise(system, place)
        known = unknowns_given(marginalise(rows), rows.priors)
        longest = float(np.abs(known.step).max(initial=0.0))
        step = known.step * min(1.0, _LONGEST / max(longest, 1e-300))
        search = place[count:] + torch.from_numpy(step).to(place)
        place = torch.cat((_field_given(system, place[:count], search), search))
        if (np.abs(known.step) <= _DONE * np.linalg.norm(known.root, axis=1)).all():
            break
    return Settled(place)


def _field_given(system: System, parameters: Tensor, search: Tensor) -> Tensor:
    """Return the network's parameters, trained some steps with the unknowns held."""
    pairs = zip(system.unknowns, search, strict=True)
    held = _with_values(system, {unknown.name: unknown.value(z) for unknown, z in pairs})
    optimiser = GaussNewton(initial_damping=1e-6)
    state = optimiser.init(held, parameters)
    for _ in range(_FIELD_STEPS):
        state = optimiser.step(held, state)
        if not state.accepted:
            break
    return state.theta


def _with_values(system: System, values: Mapping[str, Tensor]) -> System:
    """Return the system without unknowns, in which numbers have taken their place and data count little."""
    noisy = {block.name for block in system.blocks if block.noise is not None}
    weights = {
        key: weight * (_SHARE if key.block in noisy else 1.0)
        for key, weight in system.weights.items()
    }
    blocks = tuple(_bound(block, values) for block in system.blocks)
    return replace(system, blocks=blocks, unknowns=(), weights=weights)


def _bound(block: Block, values: Mapping[str, Tensor]) -> Block:
    law = block.law

    def bound(site: Site, others: Mapping[str, object]) -> dict[str, Jet]:
        return law(site, {**others, **values})

    return replace(block, law=bound)
