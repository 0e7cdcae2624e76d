"""What is known of the unknowns besides the measurements, as rows of the least-squares system.

Each row counts like a measurement with a noise: half the sum of the squares of rows over noise is the negative
logarithm of the prior, but for a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pinnsolve.unknown_functions import UnknownFunction, stacked
from pinnsolve.unknowns import Unknown

Law = Callable[[Mapping[str, object], Tensor], Tensor]
"""``law(values, weights)``: rows (R,) or (), for given values of the unknowns."""


@dataclass(frozen=True)
class PriorRows:
    """The rows of one prior.

    Attributes:
        name: Of their block: ``prior of k``, ``smoothness of flux``.
        equation: Whose prior it is.
        weights: What the rows are made with, shape (R, columns); rows can be taken apart.
        noise: Standard deviation of a row; for a smoothness, one over it.
        law: The rows.
    """

    name: str
    equation: str
    weights: Tensor
    noise: float
    law: Law


def prior_rows(
    unknowns: Sequence[Unknown], functions: Sequence[UnknownFunction]
) -> tuple[PriorRows, ...]:
    """Return one row for each prior, and the second differences of each function.

    Args:
        unknowns: The numbers; those without a prior have no row.
        functions: The functions, with or without a chosen smoothness.
    """
    one = torch.ones(1, 1, dtype=torch.float64, device="cpu")
    priors = [
        PriorRows(f"prior of {u.name}", u.name, one, 1.0, partial(_distance, u))
        for u in unknowns
        if u.prior is not None
    ]
    smooth = [
        PriorRows(
            smoothness_name(f.name),
            f.name,
            torch.from_numpy(f.second_differences()),
            1.0 / f.strength,
            partial(_bends, f),
        )
        for f in functions
    ]
    return (*priors, *smooth)


def smoothness_name(function: str) -> str:
    """Return the name of the block of a function's smoothness.

    Args:
        function: Name of the function.
    """
    return f"smoothness of {function}"


def _distance(unknown: Unknown, values: Mapping[str, object], weights: Tensor) -> Tensor:
    if unknown.prior is None:
        raise ValueError(f"unknown {unknown.name!r} has no prior")
    value = torch.as_tensor(values[unknown.name], dtype=weights.dtype, device=weights.device)
    return unknown.prior.row(value)


def _bends(function: UnknownFunction, values: Mapping[str, object], weights: Tensor) -> Tensor:
    names = [c.name if isinstance(c, Unknown) else c for c in function.coefficients]
    bound = [values[name] if isinstance(name, str) else name for name in names]
    return (weights * stacked(bound, weights)).sum(dim=-1)
