"""What a fit of a table ends in: how inputs are prepared, the networks, how outputs are read. Numbers and text only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.learning.columns import Columns
from pinnsolve.learning.record import FitRecord
from pinnsolve.learning.rows import Standardiser
from pinnsolve.learning.selection import Member

Array = npt.NDArray[np.float64]

_BATCH = 8192


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes:
        columns: How a frame with categories becomes numbers; None for tables of numbers.
        inputs: Standardiser of the inputs.
        targets: Standardiser of the targets; None for classes.
        members: The networks.
        single: Whether predictions are of shape (N,).
        named: Whether the columns had names.
        record: How it was found.
    """

    columns: Columns | None
    inputs: Standardiser
    targets: Standardiser | None
    members: tuple[Member, ...]
    single: bool
    named: bool
    record: FitRecord

    def outputs(self, x: Array) -> Array:
        """Return predictions in the targets' units, or probabilities of the classes, shape (N, C).

        Args:
            x: Inputs as numbers, shape (N, F).
        """
        standard = torch.from_numpy(self.inputs.forward(x))
        read = _probabilities if self.targets is None else _as_they_are
        with torch.no_grad():
            pieces = [mean_of(self.members, piece, read) for piece in standard.split(_BATCH)]
        found: Array = torch.cat(pieces).numpy()
        return found if self.targets is None else self.targets.backward(found)


def mean_of(members: tuple[Member, ...], x: Tensor, read: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the weighted mean of networks, float64, shape (N, C).

    Args:
        members: The networks.
        x: Standardised inputs, shape (N, F).
        read: What makes predictions of outputs.
    """
    total: Tensor | None = None
    for member in members:
        outputs = member.model.outputs(member.theta, x.to(member.theta)).double().cpu()
        part = member.weight * read(outputs)
        total = part if total is None else total + part
    if total is None:
        raise ValueError("a model needs at least one network")
    return total


def _probabilities(outputs: Tensor) -> Tensor:
    return torch.softmax(outputs, dim=1)


def _as_they_are(outputs: Tensor) -> Tensor:
    return outputs
