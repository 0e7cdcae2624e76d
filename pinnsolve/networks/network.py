"""What a network must do to be trained by least squares: values, derivatives and per-sample Jacobians.

A network is a frozen architecture; its P parameters are one flat tensor that is passed in. A
*stream* is one partial derivative of the outputs with respect to the inputs; S streams at N points
of C outputs form a tensor (S, N, C). ``S`` is found by a dry run of the residual, so only what the
physics
needs is
propagated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex


class Pullback(Protocol):
    """Turns cotangents of the streams into per-sample rows of the Jacobian."""

    def __call__(self, cotangent: Tensor, out: Tensor) -> None:
        """Add ``sum_s,c cotangent[s, n, c] d streams[s, n, c] / d parameters`` to ``out[n]``.

        Args:
            cotangent: Shape (S, N, C).
            out: Shape (N, P); rows are added to it in place.
        """


class Network(ABC):
    """A map from D inputs in [-1, 1] to C outputs of order one."""

    @property
    @abstractmethod
    def num_parameters(self) -> int:
        """Number P of trainable parameters."""

    @abstractmethod
    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return random initial parameters, shape (P,)."""

    @abstractmethod
    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C), in the order of ``indices``.

        Args:
            parameters: Shape (P,).
            points: Shape (N, D).
            indices: A lower set of multi-indices (see :func:`pinnsolve.multi_index.lower_set`).
        """

    @abstractmethod
    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams together with their pullback to the parameters."""
