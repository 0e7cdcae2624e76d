"""Products with the Jacobian of a system without the Jacobian, group by group.

``J^T w`` is one reverse pass. ``J v`` is a forward-mode pass, or, where the graph of the rows is
kept anyway, the derivative of ``u -> J^T u``, which is linear: then neither product evaluates the
network again, at about half the time and at the price of the memory of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.autograd import forward_ad

from pinnsolve.residuals import System


class _Part(Protocol):
    """The products of one group's rows."""

    def push(self, v: Tensor) -> Tensor:
        """Return J v, shape (N,)."""

    def pull(self, w: Tensor) -> Tensor:
        """Return J^T w, shape (P,)."""


@dataclass(frozen=True)
class Products:
    """``J v`` and ``J^T w`` at fixed parameters.

    Attributes:
        rows: The rows r of the system, shape (M,).
        parts: The products of its groups.
    """

    rows: Tensor
    parts: tuple[_Part, ...]
    sizes: tuple[int, ...]

    def push(self, v: Tensor) -> Tensor:
        """Return J v, shape (M,).

        Args:
            v: Shape (P,).
        """
        return torch.cat([part.push(v) for part in self.parts])

    def pull(self, w: Tensor) -> Tensor:
        """Return J^T w, shape (P,).

        Args:
            w: Shape (M,).
        """
        pieces = zip(self.parts, w.split(list(self.sizes)), strict=True)
        return _sum([part.pull(piece) for part, piece in pieces])


def products(system: System, theta: Tensor, max_held_rows: int) -> Products:
    """Return the rows of a system and its Jacobian's products.

    Args:
        system: The system.
        theta: Parameters, shape (P,).
        max_held_rows: How many rows' graphs are kept; the rest are evaluated for every product.
    """
    parts: list[_Part] = []
    rows: list[Tensor] = []
    held = 0
    for group in system.by_group:
        held += group.num_rows
        if held <= max_held_rows:
            kept = _hold(group, theta)
            parts.append(kept)
            rows.append(kept.rows.detach())
        else:
            with torch.no_grad():
                rows.append(group.residual(theta))
            parts.append(_Evaluated(group, theta.detach()))
    return Products(torch.cat(rows), tuple(parts), tuple(len(piece) for piece in rows))


def jacobian_transpose_product(system: System, theta: Tensor, rows: Tensor) -> Tensor:
    """Return ``J^T rows`` by one reverse pass per group, shape (P,).

    Args:
        system: The system.
        theta: Parameters, shape (P,).
        rows: Shape (M,).
    """
    pieces = rows.split([group.num_rows for group in system.by_group])
    return _sum(
        [
            _Evaluated(group, theta).pull(piece)
            for group, piece in zip(system.by_group, pieces, strict=True)
        ]
    )


@dataclass(frozen=True)
class _Held:
    """Products from a graph that is kept.

    Attributes:
        theta: The parameters, a leaf of the graph.
        rows: The rows.
        cotangent: u, at which the value does not matter.
        pulled: J^T u.
    """

    theta: Tensor
    rows: Tensor
    cotangent: Tensor
    pulled: Tensor

    def push(self, v: Tensor) -> Tensor:
        return _derivative(self.pulled, self.cotangent, v)

    def pull(self, w: Tensor) -> Tensor:
        return _derivative(self.rows, self.theta, w)


def _hold(system: System, theta: Tensor) -> _Held:
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        rows = system.residual(variable)
        cotangent = torch.zeros_like(rows).requires_grad_()
        (pulled,) = torch.autograd.grad(rows, variable, cotangent, create_graph=True)
    return _Held(variable, rows, cotangent, pulled)


@dataclass(frozen=True)
class _Evaluated:
    """Products that evaluate the rows anew."""

    system: System
    theta: Tensor

    def push(self, v: Tensor) -> Tensor:
        with torch.no_grad(), forward_ad.dual_level():
            rows = self.system.residual(forward_ad.make_dual(self.theta, v))
            tangent: Tensor = forward_ad.unpack_dual(rows).tangent
            return tangent.clone()

    def pull(self, w: Tensor) -> Tensor:
        variable = self.theta.detach().requires_grad_()
        with torch.enable_grad():
            rows = self.system.residual(variable)
        return _derivative(rows, variable, w, keep=False)


def _derivative(output: Tensor, variable: Tensor, weights: Tensor, *, keep: bool = True) -> Tensor:
    gradient: Tensor = torch.autograd.grad(output, variable, weights, retain_graph=keep)[0]
    return gradient


def _sum(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0].clone()
    for part in parts[1:]:
        total += part
    return total
