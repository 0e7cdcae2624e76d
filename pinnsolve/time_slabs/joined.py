"""Solved time slabs put together: one solution over the whole time, with the points that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.energy import summed
from pinnsolve.geometry import TimeInterval
from pinnsolve.networks import TimeSlabs
from pinnsolve.optimise.precision import RungRecord
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import RowKey, build_system
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution, levelled
from pinnsolve.status import Status, StopReason
from pinnsolve.training import Trained
from pinnsolve.training.trunk import scaling_of


@dataclass(frozen=True)
class Slab:
    """One slab, solved, without the tables of its features.

    Attributes:
        solution: Its solution.
        blocks: The equations of the whole at its training points, float64 on the CPU.
        weights: Weights of its rows.
        satisfied: Equations that its network meets by itself.
    """

    solution: Solution
    blocks: tuple[Block, ...]
    weights: Mapping[RowKey, float]
    satisfied: frozenset[RowKey]

    @classmethod
    def of(cls, trained: Trained, *, first: bool) -> Slab:
        """Return what is kept of a trained slab.

        Args:
            trained: The slab.
            first: Whether its start is that of the whole.
        """
        kinds = ("gauge",) if first else ("gauge", "initial")
        blocks = tuple(
            block.to(dtype=_DTYPE, device=_CPU)
            for block in trained.system.blocks
            if block.kind not in kinds
        )
        return cls(trained.solution, blocks, trained.system.weights, trained.system.satisfied)


def joined(
    problem: Problem, slabs: Sequence[Slab], edges: Sequence[float], total: int, *, seed: int
) -> Trained:
    """Return slabs as one trained solution, float64 on the CPU.

    Args:
        problem: The whole.
        slabs: K slabs, the first ones of all.
        edges: Their K + 1 edges in s.
        total: How many slabs there should be; if there are fewer, the solution ends with the last of them.
        seed: Seed of the points at which sizes are found.
    """
    if problem.time is None:
        raise ValueError(f"problem {problem.name!r} has no time")
    if len(slabs) < total:
        short = TimeInterval(problem.time.start, edges[-1])
        problem = replace(problem, time=short, quantities=())
    scaling = scaling_of(problem, seed)
    network = _network(problem, [slab.solution for slab in slabs], edges, scaling)
    parameters = torch.cat(
        [slab.solution.parameters.to(dtype=_DTYPE, device=_CPU) for slab in slabs]
    )
    record = _record([slab.solution.record for slab in slabs], repr(network), total)
    system = build_system(
        [block for slab in slabs for block in slab.blocks],
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        (),
        weights=slabs[0].weights,
        satisfied=frozenset.intersection(*(slab.satisfied for slab in slabs)),
    )
    solution = Solution(problem, network, parameters, scaling, (), record)
    solution = solution if problem.ranges else levelled(solution)
    return Trained(solution, system, parameters)


def _network(
    problem: Problem, slabs: Sequence[Solution], edges: Sequence[float], scaling: Scaling
) -> TimeSlabs:
    """Return the networks one after the other, in the units of the whole."""
    axis = problem.domain.dim
    times = scaling.lower.repeat(len(edges), 1)
    times[:, axis] = times.new_tensor(edges)
    own = [solution.scaling.to(dtype=_DTYPE, device=_CPU) for solution in slabs]
    return TimeSlabs(
        tuple(solution.network for solution in slabs),
        tuple(scaling.to_unit(times)[:, axis].tolist()),
        axis,
        tuple(_numbers((slab.offset - scaling.offset) / scaling.scale) for slab in own),
        tuple(_numbers(slab.scale / scaling.scale) for slab in own),
    )


def _numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _record(records: Sequence[RunRecord], network: str, total: int) -> RunRecord:
    """Return the record of all slabs: steps and seconds count on from one to the next."""
    history: list[StepRecord] = []
    rungs: list[RungRecord] = []
    num_points: dict[str, int] = {}
    seconds = 0.0
    for record in records:
        steps = len(history)
        for rung in record.rungs:
            if not rungs or rung.after != rungs[-1].after:
                before = rungs[-1].after if rungs else rung.before
                at = replace(rung, step=steps + rung.step, seconds=seconds + rung.seconds)
                rungs.append(replace(at, before=before))
        history += [
            replace(s, step=steps + s.step, seconds=seconds + s.seconds) for s in record.history
        ]
        seconds += record.seconds
        for name, number in record.num_points.items():
            num_points[name] = num_points.get(name, 0) + number
    return replace(
        records[0],
        status=_status(records, total),
        history=tuple(history),
        seconds=seconds,
        precision=str(_DTYPE).removeprefix("torch."),
        energy=summed([record.energy for record in records]),
        num_parameters=sum(record.num_parameters for record in records),
        num_points=num_points,
        network=network,
        rungs=tuple(rungs),
    )


def _status(records: Sequence[RunRecord], total: int) -> Status:
    """Return the status of the slab that was cut short, or of the first that did not converge."""
    reasons = [record.status.reason for record in records]
    cut = [r in (StopReason.INTERRUPTED, StopReason.NON_FINITE) for r in reasons]
    bad = [r is not StopReason.CONVERGED for r in reasons]
    if not any(bad):
        return Status.of(StopReason.CONVERGED)
    number = (cut if any(cut) else bad).index(True)
    status = records[number].status
    return replace(status, message=f"slab {number + 1} of {total}: {status.message}")


_DTYPE = torch.float64
"""Arithmetic of the whole."""

_CPU = torch.device("cpu")
"""Where it is."""
