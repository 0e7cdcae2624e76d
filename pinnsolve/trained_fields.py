"""The fields of a network with its parameters, in SI units, and whatever is made of them, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.blocks import Block, normal_jet
from pinnsolve.collocation import tensor
from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.levels import Level, without_levels
from pinnsolve.multi_index import MultiIndex, lower_set
from pinnsolve.networks import Network
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling
from pinnsolve.streams import fields_of_streams, needed_streams
from pinnsolve.trial import trial_fields

Array = npt.NDArray[np.float64]

Law = Callable[[Fields, Coordinates, Jet], Jet]
"""``law(f, x, n)``: a field made of the solution's fields, the coordinates and (on a boundary) the normal."""

_BATCH = 8192


@dataclass(frozen=True)
class TrainedFields:
    """A network's fields as functions of the points.

    Attributes:
        problem: Whose fields they are.
        network: The network.
        parameters: Its parameters, shape (P,).
        scaling: Maps between SI and network units.
        levels: What is subtracted from fields whose level nothing determines.
    """

    problem: Problem
    network: Network
    parameters: Tensor
    scaling: Scaling
    levels: Mapping[str, Level]

    def at(self, points: Tensor, indices: tuple[MultiIndex, ...]) -> Fields:
        """Return the fields at points (N, D) with the derivatives ``indices``, in float64."""
        scaling = self.scaling.to(dtype=torch.float64, device=points.device)
        parameters = self.parameters.to(dtype=torch.float64, device=points.device)
        with torch.no_grad():
            streams = self.network.streams(parameters, scaling.to_unit(points), indices)
        problem = self.problem
        fields = fields_of_streams(streams, indices, scaling, problem.field_shapes, problem.frame)
        return without_levels(fields, self.levels, points, problem.frame) if self.levels else fields

    def evaluate(self, points: Array, normals: Array, law: Law) -> Array:
        """Return what a law makes of the fields, shape (N, *shape of its field).

        Args:
            points: Shape (N, D).
            normals: Unit normals, shape (N, space dimension).
            law: The law.
        """
        pieces = [
            self._evaluate_batch(points[i : i + _BATCH], normals[i : i + _BATCH], law)
            for i in range(0, len(points), _BATCH)
        ]
        return np.concatenate(pieces)

    def block_rows(self, block: Block, values: Mapping[str, object]) -> dict[str, Array]:
        """Return a block's rows on these fields, unweighted, in SI units, shape (N,) by equation.

        Args:
            block: The block.
            values: A value for every unknown.
        """
        frame, shapes = self.problem.frame, self.problem.field_shapes
        indices, _ = needed_streams(block, shapes, frame, values)
        fields = tuple(self.at(points, indices) for points in block.point_sets)
        with torch.no_grad():
            rows = block.rows(fields, block.coordinates(frame), values)
            return {
                name: np.asarray(row.value.expand(block.num_points).cpu().numpy())
                for name, row in rows.items()
            }

    def _evaluate_batch(self, points: Array, normals: Array, law: Law) -> Array:
        frame, shapes, device = (
            self.problem.frame,
            self.problem.field_shapes,
            self.parameters.device,
        )
        located = tensor(points).to(device=device)
        x = Coordinates(located, frame)
        normal = normal_jet(tensor(normals).to(device=device), frame)
        few = slice(0, min(3, len(points)))
        asked: set[tuple[str, MultiIndex]] = set()
        trial_x = Coordinates(located[few], frame)
        trial_normal = normal_jet(tensor(normals[few]).to(device=device), frame)
        _ = law(trial_fields(shapes, trial_x, 1.0, watch=asked), trial_x, trial_normal).value
        fields = self.at(located, lower_set(index for _, index in asked))
        with torch.no_grad():
            jet = law(fields, x, normal)
            value = jet.value
            if value.ndim == len(jet.shape):
                value = value.expand(len(points), *jet.shape)
        return np.asarray(value.cpu().numpy(), dtype=np.float64)
