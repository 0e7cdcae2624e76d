"""One trunk for a family of problems, one head for each of them; a new member gets its head by least squares.

The problems are trained together as one: its fields are those of all, its equations those of each on its own fields,
its network a trunk with all heads side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.blocks import Block, Rows, Site, make_blocks
from pinnsolve.jets import Fields, Jet
from pinnsolve.learning.descent import descended, record_of
from pinnsolve.learning.transfer import finetune_trained
from pinnsolve.method import Method
from pinnsolve.networks import MLP
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared, judged_answer
from pinnsolve.training.present import present_solution
from pinnsolve.training.trunk import scaling_of


@dataclass(frozen=True)
class Family:
    """Problems that were trained together.

    Attributes:
        solutions: One for each problem; their networks have the same hidden layers.
    """

    solutions: tuple[Solution, ...]

    def solve(
        self,
        problem: Problem,
        method: Method | None = None,
        *,
        seed: int = 0,
        reference: Compared = True,
    ) -> Solution:
        """Solve a new member of the family by least squares for its head: one step if it is linear.

        Args:
            problem: The new member.
            method: Its limits and points; None chooses.
            seed: Seed of the points.
            reference: As for :func:`pinnsolve.solve`.
        """
        trained = finetune_trained(
            self.solutions[0], problem, freeze="trunk", method=method, seed=seed
        )
        return judged_answer(trained, seed=seed, reference=reference).solution


def train_together(
    problems: Sequence[Problem], method: Method | None = None, *, seed: int = 0
) -> Family:
    """Train one trunk with one head for each of several problems.

    Args:
        problems: With the same fields, coordinates and bounds, without unknowns: other coefficients, given values or
            sources.
        method: Network, points and limits. None chooses a wider last layer than for one problem, since its features
            are to serve problems that are not among these.
        seed: Seed of points and initial parameters.

    Raises:
        ValueError: If there are fewer than two problems, or they do not belong together.
    """
    _check(problems)
    how = method if method is not None else Method(hidden=(20, 20, 40), max_steps=60)
    scaling = _joint_scaling([scaling_of(problem, seed) for problem in problems])
    if how.boundary != "penalty" or how.velocity != "components":
        raise ValueError(
            "a family is trained on a plain network: leave boundary and velocity of the method as they are"
        )
    single = how.network_for(problems[0])
    if not isinstance(single, MLP):
        raise TypeError(f"the trunk of a family must be an MLP, got {single!r}")
    network = replace(single, num_outputs=len(problems) * single.num_outputs)
    generator = torch.Generator().manual_seed(seed)
    cpu = torch.device("cpu")
    theta = network.initial_parameters(generator, dtype=torch.float64, device=cpu)
    draw = partial(_system, problems, how, network, single, scaling)
    system = balanced(draw(seed), theta)
    found = descended(system, theta, how, redraw=lambda step: draw(seed + 1009 * step))
    record = record_of(found.history, found.status, found.system, seed=seed)
    parts = _members(problems, network, single, scaling, found.theta)
    return Family(tuple(replace(_solution(p, m, single, s), record=record) for p, m, s in parts))


def _joint_scaling(scalings: Sequence[Scaling]) -> Scaling:
    """Return the scaling of all fields side by side."""
    offset = torch.cat([scaling.offset for scaling in scalings])
    scale = torch.cat([scaling.scale for scaling in scalings])
    return replace(scalings[0], offset=offset, scale=scale)


def _system(
    problems: Sequence[Problem],
    method: Method,
    network: MLP,
    single: MLP,
    scaling: Scaling,
    seed: int,
) -> System:
    """Return the rows of all problems; each has the points of a problem alone, shared by as many."""
    blocks, shapes = list[Block](), dict[str, tuple[int, ...]]()
    counts = method.points_for(problems[0], single)
    for place, problem in enumerate(problems):
        names = {name: f"{name} {place}" for name in problem.field_shapes}
        shapes |= {names[name]: shape for name, shape in problem.field_shapes.items()}
        for block in make_blocks(problem, counts, seed=seed + place):
            law = _on_own_fields(block.law, names)
            blocks.append(replace(block, name=f"{place}: {block.name}", law=law))
    return build_system(
        blocks,
        shapes,
        problems[0].frame,
        network,
        scaling,
        (),
        max_points=method.max_batch_points,
    )


def _on_own_fields(law: Rows, names: Mapping[str, str]) -> Rows:
    """Return the equations of a problem on its own fields among those of all."""

    def own(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        fields = tuple(
            Fields({name: all_[there] for name, there in names.items()}) for all_ in site.fields
        )
        return law(replace(site, fields=fields), values)

    return own


def _members(
    problems: Sequence[Problem], network: MLP, single: MLP, scaling: Scaling, theta: Tensor
) -> list[tuple[Problem, Tensor, Scaling]]:
    """Return every problem with its parameters, those of the trunk and of its head, and its scaling."""
    span = network.weight_span(len(network.hidden))
    trunk, weights = theta[: span.start], theta[span].view(network.num_outputs, -1)
    bias = theta[span.stop :]
    found = []
    for place, problem in enumerate(problems):
        own = slice(place * single.num_outputs, (place + 1) * single.num_outputs)
        parameters = torch.cat((trunk, weights[own].flatten(), bias[own]))
        found.append(
            (
                problem,
                parameters,
                replace(scaling, offset=scaling.offset[own], scale=scaling.scale[own]),
            )
        )
    return found


def _solution(problem: Problem, parameters: Tensor, network: MLP, scaling: Scaling) -> Solution:
    alone = build_system((), problem.field_shapes, problem.frame, network, scaling, ())
    return present_solution(problem, alone, parameters)


def _check(problems: Sequence[Problem]) -> None:
    if len(problems) < 2:
        raise ValueError(
            f"a family needs at least two problems, got {len(problems)}; solve one with solve()"
        )
    first = problems[0]
    for other in problems[1:]:
        for what, found, wanted in (
            ("fields", other.field_shapes, first.field_shapes),
            ("coordinates", other.frame.axis_names, first.frame.axis_names),
            ("bounds", [b.tolist() for b in other.bounds], [b.tolist() for b in first.bounds]),
        ):
            if found != wanted:
                raise ValueError(
                    f"a family shares one trunk: the {what} of {other.name!r} are {found}, those of {first.name!r} "
                    f"{wanted}; give problems with the same {what}"
                )
        if other.unknowns:
            raise ValueError(
                f"a family has no unknowns: {other.name!r} has {other.unknowns[0].name!r}; bind a number to it"
            )
