"""Which equations a network satisfies whatever its parameters, so that they need no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.blocks import Block, PointCounts, make_blocks, prior_blocks
from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks import MLP, Identity, Network
from pinnsolve.networks.network import Pullback
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, build_system
from pinnsolve.scaling import Scaling
from pinnsolve.streams import needed_streams

_TOLERANCE = 1e-9
"""Largest row, relative to the size of its terms, that counts as rounding."""


def satisfied_conditions(problem: Problem, network: Network, scaling: Scaling) -> tuple[int, ...]:
    """Return the positions, in ``problem.conditions``, of conditions that hold for all parameters.

    Args:
        problem: The declaration.
        network: The network.
        scaling: Maps between SI and network units.
    """
    rows = satisfied_rows(problem, network, scaling)
    if not rows:
        return ()
    blocks = _few_blocks(problem)[1 : 1 + len(problem.conditions)]
    names = [_equations(problem, block) for block in blocks]
    return tuple(
        i
        for i, (block, equations) in enumerate(zip(blocks, names, strict=True))
        if all(RowKey(block.name, equation) in rows for equation in equations)
    )


def satisfied_rows(problem: Problem, network: Network, scaling: Scaling) -> frozenset[RowKey]:
    """Return the equations that hold for all parameters, found by trying random ones.

    Their rows would be rounding errors, which automatic weights would blow up; ``build_system``
    leaves them out. A row counts if it vanishes, to rounding, beside the same row with noise of order one, in
    network units, added to every stream. Priors see no stream: a smoothness vanishes at the first guess alone.

    Args:
        problem: The declaration.
        network: The network.
        scaling: Maps between SI and network units.
    """
    if isinstance(network, MLP) and isinstance(network.embedding, Identity):
        return frozenset()
    cpu, generator = torch.device("cpu"), torch.Generator().manual_seed(1)
    parameters = network.initial_parameters(generator, dtype=torch.float64, device=cpu)
    if not parameters.any():  # a head starts at zero, where all that is homogeneous holds
        parameters = torch.randn(
            parameters.shape, generator=generator, dtype=torch.float64, device=cpu
        )
    starts = parameters.new_tensor([unknown.start for unknown in problem.unknowns])
    theta = torch.cat((parameters, starts))
    plain, changed = (
        build_system(
            _few_blocks(problem),
            problem.field_shapes,
            problem.frame,
            item,
            scaling.to(dtype=torch.float64, device=cpu),
            problem.unknowns,
        ).rows_by_key(theta)
        for item in (network, _Disturbed(network))
    )
    priors = {block.name for block in prior_blocks(problem)}
    return frozenset(
        key
        for key, rows in plain.items()
        if key.block not in priors
        and float(rows.abs().max()) <= _TOLERANCE * float(changed[key].abs().max())
    )


@dataclass(frozen=True)
class _Disturbed(Network):
    """A network with noise of order one on every stream."""

    network: Network

    @property
    def num_parameters(self) -> int:
        return self.network.num_parameters

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self.network.initial_parameters(generator, dtype=dtype, device=device)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        streams = self.network.streams(parameters, points, indices)
        generator = torch.Generator().manual_seed(2)
        noise = torch.randn(streams.shape, generator=generator, dtype=streams.dtype, device="cpu")
        return streams + noise

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        return self.network.linearised(parameters, points, indices)


def _few_blocks(problem: Problem) -> tuple[Block, ...]:
    return make_blocks(problem, PointCounts(16, 16, 16), seed=3)


def _equations(problem: Problem, block: Block) -> tuple[str, ...]:
    """Return the names of a block's equations."""
    values = {
        u.name: torch.tensor(u.initial, dtype=torch.float64, device="cpu") for u in problem.unknowns
    }
    return needed_streams(block, problem.field_shapes, problem.frame, values)[1]
