"""Learning rates as pure functions of the number of updates."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class WarmUpCosine:
    """Linear warm-up, then half a cosine down to a share of the peak, then constant.

    I. Loshchilov & F. Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017,
    arXiv:1608.03983, without restarts.

    Attributes:
        peak: Largest learning rate.
        warm_up: Updates until the peak; 0 starts there.
        total: Updates until the cosine ends.
        final_share: Share of the peak at the end.
    """

    peak: float = 3e-3
    warm_up: int = 50
    total: int = 5000
    final_share: float = 0.03

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        if not (math.isfinite(self.peak) and self.peak > 0.0):
            raise ValueError(f"the peak learning rate must be finite and > 0, got {self.peak}")
        if not 0 <= self.warm_up < self.total:
            raise ValueError(
                f"warm_up must lie in [0, total), got {self.warm_up} of {self.total} updates"
            )
        if not 0.0 <= self.final_share <= 1.0:
            raise ValueError(f"final_share must lie in [0, 1], got {self.final_share}")

    def at(self, update: int) -> float:
        """Return the learning rate of an update, counted from 1."""
        if update < self.warm_up:
            return self.peak * update / self.warm_up
        share = min((update - self.warm_up) / (self.total - self.warm_up), 1.0)
        cosine = 0.5 * (1.0 + math.cos(math.pi * share))
        return self.peak * (self.final_share + (1.0 - self.final_share) * cosine)
