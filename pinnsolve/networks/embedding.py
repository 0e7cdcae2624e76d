"""What a network sees of the coordinates: the coordinates themselves, or fixed features of them.

An embedding has no trained parameters. It returns its features together with their partial
derivatives, all in closed form and to any order, which the first layer of a network then combines.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex


class Embedding(ABC):
    """A fixed map from the D coordinates, in network units, to D' features; a frozen value."""

    @abstractmethod
    def num_features(self, num_inputs: int) -> int:
        """Return the number D' of features.

        Args:
            num_inputs: Number D of coordinates.

        Raises:
            ValueError: If the embedding is not made for that many coordinates.
        """

    @abstractmethod
    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the features' partial derivatives, shape (S, N, D'), in the order of ``indices``.

        Args:
            points: Shape (N, D), in network units.
            indices: Multi-indices, of any order.
        """


@dataclass(frozen=True)
class Identity(Embedding):
    """The coordinates themselves."""

    def num_features(self, num_inputs: int) -> int:
        """Return the number of coordinates."""
        return num_inputs

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the points, unit vectors, and zeros, shape (S, N, D)."""
        streams = points.new_zeros((len(indices), *points.shape))
        for i, index in enumerate(indices):
            if len(index) == 0:
                streams[i] = points
            elif len(index) == 1:
                streams[i, :, index[0]] = 1.0
        return streams


@dataclass(frozen=True)
class Periodic(Embedding):
    """Cosines and sines of some coordinates, so that every output is periodic, with all derivatives.

    A coordinate x of period L becomes ``cos(2 pi k x / L), sin(2 pi k x / L)``, k = 1 .. harmonics;
    the others pass unchanged (S. Dong & N. Ni, "A method for representing periodic functions and
    enforcing exactly periodic boundary conditions with deep neural networks", J. Comput. Phys. 435
    (2021) 110242).

    Attributes:
        periods: Pairs (axis, period in network units), one per periodic axis.
        harmonics: Number of cosine-sine pairs per periodic axis; one is enough for any function.
    """

    periods: tuple[tuple[int, float], ...]
    harmonics: int = 1

    def __post_init__(self) -> None:
        """Refuse axes that are negative or named twice, and periods that are none."""
        axes = [axis for axis, _ in self.periods]
        if not axes or len(set(axes)) < len(axes) or min(axes) < 0:
            raise ValueError(
                f"periods must name each periodic axis once, such as ((0, 2.0),), got {self.periods}"
            )
        for axis, period in self.periods:
            if not (math.isfinite(period) and period > 0.0):
                raise ValueError(f"the period of axis {axis} must be finite and > 0, got {period}")
        if self.harmonics < 1:
            raise ValueError(f"harmonics must be >= 1, got {self.harmonics}")

    def num_features(self, num_inputs: int) -> int:
        """Return ``2 harmonics`` for each periodic axis and 1 for each other one."""
        missing = [axis for axis, _ in self.periods if axis >= num_inputs]
        if missing:
            raise ValueError(
                f"a periodic embedding names axis {missing[0]}, but there are {num_inputs} coordinates "
                f"(axes 0 to {num_inputs - 1}); give the axes of the problem"
            )
        return num_inputs + (2 * self.harmonics - 1) * len(self.periods)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the features' partial derivatives, shape (S, N, D')."""
        periods = dict(self.periods)
        plain = Identity().streams(points, indices)
        columns = [
            self._waves(points[:, axis], axis, periods[axis], indices)
            if axis in periods
            else plain[:, :, axis : axis + 1]
            for axis in range(points.shape[1])
        ]
        return torch.cat(columns, dim=2)

    def _waves(self, x: Tensor, axis: int, period: float, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the streams of one axis' cosines and sines, shape (S, N, 2 harmonics)."""
        numbers = [(2.0 * math.pi * k / period,) for k in range(1, self.harmonics + 1)]
        own = [(0,) * len(index) for index in indices]
        waves = plane_waves(x[:, None], numbers, own)
        own_only = [float(all(other == axis for other in index)) for index in indices]
        return waves * x.new_tensor(own_only)[:, None, None]


@dataclass(frozen=True)
class Fourier(Embedding):
    """Cosines and sines of plane waves: ``cos(2 pi b.x), sin(2 pi b.x)`` for each frequency b.

    Lets a network learn fine detail quickly (M. Tancik et al., "Fourier features let networks learn
    high frequency functions in low dimensional domains", NeurIPS 2020, arXiv:2006.10739).

    Attributes:
        frequencies: One vector b (D,) per pair of features, in cycles per network unit.
    """

    frequencies: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse frequencies that are missing, of different lengths, or not finite."""
        if not self.frequencies or len({len(b) for b in self.frequencies}) != 1:
            raise ValueError(
                "frequencies must be vectors of one length, one number per coordinate, "
                f"got {self.frequencies}; or draw them with Fourier.random"
            )
        if not all(math.isfinite(value) for b in self.frequencies for value in b):
            raise ValueError(f"frequencies must be finite, got {self.frequencies}")

    @classmethod
    def random(
        cls, num_inputs: int, *, scales: Sequence[float], per_scale: int = 16, seed: int = 0
    ) -> Fourier:
        """Draw normally distributed frequencies.

        Args:
            num_inputs: Number D of coordinates.
            scales: Standard deviations, in cycles per network unit (the domain is 2 units wide).
            per_scale: Number of frequencies for each standard deviation.
            seed: The same seed gives the same frequencies.
        """
        if not scales or any(not (math.isfinite(s) and s > 0.0) for s in scales):
            raise ValueError(f"scales must be finite and > 0, at least one, got {list(scales)}")
        if per_scale < 1 or num_inputs < 1:
            raise ValueError(
                f"per_scale and num_inputs must be >= 1, got {per_scale} and {num_inputs}"
            )
        generator = torch.Generator().manual_seed(seed)
        shape = len(scales), per_scale, num_inputs
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
        rows = [scale * block for scale, block in zip(scales, drawn, strict=True)]
        return cls(tuple(tuple(b) for b in torch.cat(rows).tolist()))

    def num_features(self, num_inputs: int) -> int:
        """Return twice the number of frequencies."""
        if len(self.frequencies[0]) != num_inputs:
            raise ValueError(
                f"a Fourier embedding has frequencies of {len(self.frequencies[0])} numbers, but there are "
                f"{num_inputs} coordinates; draw them with Fourier.random({num_inputs}, scales=...)"
            )
        return 2 * len(self.frequencies)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the features' partial derivatives, shape (S, N, D')."""
        numbers = [tuple(2.0 * math.pi * value for value in b) for b in self.frequencies]
        return plane_waves(points, numbers, indices)


def plane_waves(
    points: Tensor, wave_numbers: Sequence[tuple[float, ...]], indices: Sequence[MultiIndex]
) -> Tensor:
    """Return the partial derivatives of ``cos(w.x)`` and ``sin(w.x)``, shape (S, N, 2 W): cosines first.

    Each derivative multiplies by a component of w and advances the phase by a quarter turn.

    Args:
        points: Shape (N, D).
        wave_numbers: W vectors w (D,) in rad per unit.
        indices: Multi-indices, of any order.
    """
    w = torch.tensor(wave_numbers, dtype=points.dtype, device=points.device)
    phase = points @ w.T
    cosine, sine = torch.cos(phase), torch.sin(phase)
    turns = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))
    streams = []
    for index in indices:
        factor = torch.ones_like(w[:, 0])
        for axis in index:
            factor = factor * w[:, axis]
        streams.append(torch.cat([factor * wave for wave in turns[len(index) % 4]], dim=1))
    return torch.stack(streams)
