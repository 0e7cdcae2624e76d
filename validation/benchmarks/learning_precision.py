"""float32 against mixed precision on a wide network: ``python -m pinnsolve.validation.benchmarks.learning_precision``.

A network of 4 x 2,048 learns a smooth function of 16 inputs with AdamW, for the same number of updates on the same
batches in each arithmetic. On an accelerator: ``--device cuda``. ``auto`` says what it would take there, and why.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pinnsolve.learning.arithmetic import POLICIES, chosen_policy
from pinnsolve.learning.minibatch import Recipe, batches, mean_loss, optimiser_state, updated
from pinnsolve.learning.models import SkipMLP
from pinnsolve.learning.rows import Rows
from pinnsolve.networks import MLP
from pinnsolve.optimise import WarmUpCosine
from pinnsolve.optimise.precision import FLOAT32

_INPUTS = 16
_WARM = 5
"""Updates that are not timed."""


def smooth_rows(count: int, device: torch.device, seed: int) -> Rows:
    """Return rows of a smooth function of 16 inputs, float32, of unit variance."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, _INPUTS, generator=generator)
    y = torch.sin(x[:, 0] + x[:, 1]) + 0.5 * x[:, 2] * x[:, 3] + 0.3 * x[:, 4:].sum(1)
    y = (y / y.std())[:, None]
    return Rows(x.to(device), y.to(device), torch.ones(count, device=device))


def trained(recipe: Recipe, rows: Rows, unseen: Rows, updates: int) -> dict[str, float]:
    """Return milliseconds of an update, and the loss on rows that were not seen.

    Args:
        recipe: How to train.
        rows: What to learn from.
        unseen: Rows that are not learned from.
        updates: Number of updates.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    theta = recipe.model.initial_parameters(generator, dtype=torch.float32, device=rows.x.device)
    state = optimiser_state(recipe, theta)
    schedule = WarmUpCosine(3e-4, max(updates // 20, 1), max(updates, 2), 0.01)
    done, epoch, begin = 0, 0, time.perf_counter()
    while done < updates:
        epoch += 1
        for batch in batches(recipe, rows, epoch):
            if done == min(_WARM, updates - 1):
                _finish(rows)
                begin = time.perf_counter()
            state, _ = updated(recipe, state, batch, schedule)
            done += 1
            if done == updates:
                break
    _finish(rows)
    timed = max(updates - _WARM, 1)
    return {
        "milliseconds": 1e3 * (time.perf_counter() - begin) / timed,
        "loss": mean_loss(recipe, unseen, state.theta),
        "skipped": float(state.skipped),
    }


def _finish(rows: Rows) -> None:
    if rows.x.is_cuda:
        torch.cuda.synchronize(rows.x.device)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8192)
    parser.add_argument("--rows", type=int, default=65_536)
    parser.add_argument("--updates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--policies", nargs="*", default=["float32", "bf16-mixed", "fp16-mixed"])
    parser.add_argument(
        "--out", type=Path, default=None, help="a JSON file; standard output without it"
    )
    given = parser.parse_args(arguments)
    device = torch.device(given.device)
    rows = smooth_rows(given.rows, device, given.seed)
    unseen = smooth_rows(8192, device, given.seed + 1)
    model = SkipMLP(MLP(_INPUTS, 1, (given.width,) * given.depth))
    recipe = Recipe(model, False, "adamw", FLOAT32, given.batch, 1, 0.0, 1, given.seed)
    runs: dict[str, dict[str, float]] = {}
    for name in given.policies:
        policy = POLICIES[name]
        found = trained(replace(recipe, policy=policy), rows, unseen, given.updates)
        base = runs.get("float32", found)
        found["speed_up"] = base["milliseconds"] / found["milliseconds"]
        found["loss_ratio"] = found["loss"] / base["loss"]
        runs[name] = found
    policy, why = chosen_policy("auto", recipe, rows)
    processor = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    settings = {k: v for k, v in vars(given).items() if k not in ("out", "policies")}
    result: dict[str, Any] = {
        **settings,
        "processor": processor,
        "parameters": model.num_parameters,
        "runs": runs,
        "auto": policy.name,
        "why": why,
    }
    text = json.dumps(result, indent=1)
    if given.out is None:
        import sys

        sys.stdout.write(text + "\n")
    else:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
