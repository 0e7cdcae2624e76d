"""What of a network is held while the rest is fine-tuned, in words and numbers of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.naming import near_match_text
from pinnsolve.networks import MLP

FREEZE = ("nothing", "trunk", "all but head", "all")
"""The words for what is held; a number holds so many layers, counted from the coordinates."""


@dataclass(frozen=True)
class Freezing:
    """Which layers are held, and how those that are not are trained.

    Attributes:
        freeze: ``nothing``; ``trunk`` or ``all but head``; ``all``; or a number of layers, counted from the inputs.
        adapter_rank: Rank of the adapters on the layers that are held; None gives them none.
        unfreeze_at: Steps after which one more layer is trained, from the head down; ascending.
        rates: For each layer, from the first to the head, what its parameters move relative to full steps; empty
            moves all alike.
    """

    freeze: str | int = "nothing"
    adapter_rank: int | None = None
    unfreeze_at: tuple[int, ...] = ()
    rates: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse unknown words, and steps and rates that mean nothing."""
        if isinstance(self.freeze, str) and self.freeze not in FREEZE:
            raise ValueError(
                f"freeze: no word {self.freeze!r}. {near_match_text(self.freeze, FREEZE)} "
                "A number holds so many layers, counted from the inputs"
            )
        if isinstance(self.freeze, int) and self.freeze < 0:
            raise ValueError(f"freeze must be a number of layers >= 0, got {self.freeze}")
        if self.adapter_rank is not None and self.adapter_rank < 1:
            raise ValueError(f"adapter_rank must be >= 1, got {self.adapter_rank}")
        steps = list(self.unfreeze_at)
        if steps != sorted(set(steps)) or (steps and steps[0] < 1):
            raise ValueError(f"unfreeze_at must be ascending numbers of steps >= 1, got {steps}")
        if any(not rate > 0.0 for rate in self.rates):
            raise ValueError(
                f"rates must be > 0, got {list(self.rates)}; hold layers with freeze=number instead"
            )

    def num_held(self, num_layers: int, step: int = 0) -> int:
        """Return how many layers, counted from the inputs, are held at a step.

        Args:
            num_layers: Number of layers of the network, the head included.
            step: Steps that were taken.

        Raises:
            ValueError: If more layers are to be held, unfrozen or rated than there are.
        """
        first = _held_by_word(self.freeze, num_layers)
        if first > num_layers:
            raise ValueError(
                f"freeze={self.freeze}: the network has {num_layers} layers, the head included"
            )
        if len(self.unfreeze_at) > first:
            raise ValueError(
                f"unfreeze_at has {len(self.unfreeze_at)} steps, but {first} layers are held; leave some out or "
                "hold more"
            )
        if self.rates and len(self.rates) != num_layers:
            raise ValueError(
                f"rates: {len(self.rates)} numbers for {num_layers} layers, the head included"
            )
        return first - sum(step >= at for at in self.unfreeze_at)

    def trained(self, network: MLP, step: int = 0) -> tuple[Tensor, Tensor]:
        """Return which parameters of a network are trained at a step, and their rates, each of shape (K,).

        Args:
            network: The network.
            step: Steps that were taken.
        """
        spans = [
            slice(span.start, span.stop + rows)
            for layer, (rows, _) in enumerate(network.layers)
            for span in (network.weight_span(layer),)
        ]
        return self.trained_of(spans, step)

    def trained_of(self, spans: Sequence[slice], step: int = 0) -> tuple[Tensor, Tensor]:
        """Return which parameters are trained at a step, and their rates, each of shape (K,).

        Args:
            spans: Where the parameters of each layer are, from the inputs to the head.
            step: Steps that were taken.
        """
        held = self.num_held(len(spans), step)
        positions, rates = (
            [torch.empty(0, dtype=torch.int64)],
            [torch.empty(0, dtype=torch.float64)],
        )
        for layer in range(held, len(spans)):
            rate = self.rates[layer] if self.rates else 1.0
            positions.append(torch.arange(spans[layer].start, spans[layer].stop, device="cpu"))
            rates.append(torch.full_like(positions[-1], rate, dtype=torch.float64))
        return torch.cat(positions), torch.cat(rates)


def _held_by_word(freeze: str | int, num_layers: int) -> int:
    if isinstance(freeze, int):
        return freeze
    return {"nothing": 0, "trunk": num_layers - 1, "all but head": num_layers - 1}.get(
        freeze, num_layers
    )


def rising_rates(num_layers: int, factor: float = 2.6) -> tuple[float, ...]:
    """Return rates that fall by a factor from each layer to the one below it; the head's is 1.

    The factor is that of J. Howard & S. Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL
    2018, arXiv:1801.06146.

    Args:
        num_layers: Number of layers, the head included.
        factor: By how much a layer moves more than the one below it.
    """
    if not factor > 0.0:
        raise ValueError(f"the factor of rates must be > 0, got {factor}")
    return tuple(factor ** (layer - num_layers + 1) for layer in range(num_layers))


def as_steps(unfreeze_at: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return steps as a tuple: one number, several, or none."""
    if unfreeze_at is None:
        return ()
    return (unfreeze_at,) if isinstance(unfreeze_at, int) else tuple(unfreeze_at)
