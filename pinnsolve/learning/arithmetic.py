"""Which arithmetic first-order training runs in: what was asked for, or what measures as faster and as good."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import torch

from pinnsolve.learning.minibatch import Recipe, batches, optimiser_state, updated
from pinnsolve.learning.rows import Rows
from pinnsolve.optimise import WarmUpCosine
from pinnsolve.optimise.precision import (
    BF16_MIXED,
    FLOAT32,
    FLOAT64,
    FP16_MIXED,
    Policy,
    refuse_unsupported,
)

POLICIES = {policy.name: policy for policy in (FLOAT64, FLOAT32, BF16_MIXED, FP16_MIXED)}
"""The arithmetics of first-order training by name."""

_MEASURED_FROM = 200_000
"""Parameters from which it is worth measuring; below, products are too small for low precision to pay."""

_UPDATES = 12
_WARM = 3
_FASTER = 0.9
"""Largest ratio of the times that counts as faster: clocks are noisy."""

_AS_GOOD = 1.05


def chosen_policy(wanted: str, recipe: Recipe, rows: Rows) -> tuple[Policy, str]:
    """Return the arithmetic, and why that one.

    Args:
        wanted: The user's precision; ``auto`` measures a few updates in bfloat16 and in float32, on the device at
            hand, and takes bfloat16 only if it is faster and its loss as good.
        recipe: How to train; its own policy is not looked at.
        rows: What to learn from, in float32 or float64 on the device.

    Raises:
        ValueError: If the device does not have the arithmetic.
    """
    if wanted != "auto":
        refuse_unsupported(POLICIES[wanted], rows.x.device)
        return POLICIES[wanted], "asked for"
    size = recipe.model.num_parameters
    if size < _MEASURED_FROM:
        return FLOAT32, f"{size} parameters: too few for bfloat16 to pay"
    try:
        refuse_unsupported(BF16_MIXED, rows.x.device)
    except ValueError as lack:
        return FLOAT32, str(lack)
    plain_seconds, plain_loss = measured(replace(recipe, policy=FLOAT32), rows)
    mixed_seconds, mixed_loss = measured(replace(recipe, policy=BF16_MIXED), rows)
    words = (
        f"an update took {1e3 * mixed_seconds:.3g} ms in bf16-mixed and {1e3 * plain_seconds:.3g} ms in float32; "
        f"after {_UPDATES} updates the loss was {mixed_loss:.4g} and {plain_loss:.4g}"
    )
    as_good = math.isfinite(mixed_loss) and mixed_loss <= _AS_GOOD * plain_loss
    faster = mixed_seconds <= _FASTER * plain_seconds
    return (BF16_MIXED if faster and as_good else FLOAT32), words


def measured(recipe: Recipe, rows: Rows) -> tuple[float, float]:
    """Return the median time of an update in s, and the mean loss of the last few batches.

    Args:
        recipe: How to train.
        rows: What to learn from.
    """
    rows = Rows(*(part.to(recipe.policy.residual) for part in (rows.x, rows.y, rows.weight)))
    generator = torch.Generator().manual_seed(recipe.seed)
    theta = recipe.model.initial_parameters(
        generator, dtype=recipe.policy.residual, device=rows.x.device
    )
    state = optimiser_state(recipe, theta)
    schedule = WarmUpCosine(peak=3e-4, warm_up=0, total=1, final_share=1.0)
    seconds: list[float] = []
    losses: list[float] = []
    epoch = 0
    while len(seconds) < _UPDATES:
        epoch += 1
        for batch in batches(recipe, rows, epoch):
            begin = time.perf_counter()
            state, gradient = updated(recipe, state, batch, schedule)
            if rows.x.is_cuda:
                torch.cuda.synchronize(rows.x.device)
            seconds.append(time.perf_counter() - begin)
            losses.append(gradient.loss)
            if len(seconds) >= _UPDATES:
                break
    kept = sorted(seconds[_WARM:])
    return kept[len(kept) // 2], sum(losses[-_WARM:]) / _WARM
