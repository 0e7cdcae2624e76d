"""Mini-batches: gradients, arithmetic, stopping, and a run that goes on where it was killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pinnsolve.learning import Classifier, EpochRecord, FitStop, Regressor, arithmetic
from pinnsolve.learning.minibatch import (
    Recipe,
    batch_gradient,
    batches,
    epoch_steps,
    first_state,
    mean_loss,
    optimiser_state,
    updated,
)
from pinnsolve.learning.models import GatedResidual, SkipMLP
from pinnsolve.learning.rows import Rows
from pinnsolve.networks import MLP
from pinnsolve.optimise import WarmUpCosine
from pinnsolve.optimise.mixed import Scales
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT32, FLOAT64, FP16_MIXED

RECIPE = Recipe(SkipMLP(MLP(3, 2, (16, 16))), False, "adamw", FLOAT64, 32, 4, 0.01, 5, seed=0)
ONE = Scales((1.0,))


def rows(count: int = 120, dtype: torch.dtype = torch.float64) -> Rows:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(count, 3))
    y = np.column_stack((np.sin(x[:, 0]), x[:, 1] * x[:, 2]))
    parts = (torch.from_numpy(part).to(dtype) for part in (x, y, draw.uniform(0.5, 2.0, count)))
    return Rows(*parts)


def parameters(recipe: Recipe) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return recipe.model.initial_parameters(
        generator, dtype=recipe.policy.residual, device=torch.device("cpu")
    )


def table(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(count, 3))
    return x, np.sin(x[:, 0]) + x[:, 1]


@pytest.mark.parametrize("classify", [False, True])
def test_the_gradient_is_that_of_the_mean_loss(classify: bool) -> None:
    recipe = replace(RECIPE, classify=classify)
    data = rows()
    if classify:
        data = replace(data, y=torch.eye(2, dtype=torch.float64)[(data.y[:, 0] > 0).long()])
    theta = parameters(recipe)
    found = batch_gradient(recipe, data, theta, Scales((1.0,), loss=8.0))
    assert found.loss == pytest.approx(mean_loss(recipe, data, theta), rel=1e-12)
    along = torch.randn(len(theta), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    h = 1e-5
    slope = mean_loss(recipe, data, theta + h * along) - mean_loss(recipe, data, theta - h * along)
    assert slope / (2 * h) == pytest.approx(float(found.value @ along), rel=1e-6)


def test_every_epoch_sees_every_row_once_in_its_own_order() -> None:
    data = rows(128)
    first, again, second = (
        torch.cat([batch.x for batch in batches(RECIPE, data, epoch)]) for epoch in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(first.sort(0).values, data.x.sort(0).values)


@pytest.mark.parametrize("policy", [BF16_MIXED, FP16_MIXED])
@pytest.mark.parametrize("model", [SkipMLP(MLP(3, 2, (16, 16))), GatedResidual(3, 2, 16, 2)])
def test_mixed_precision_gradients_are_near(policy, model) -> None:
    recipe = replace(RECIPE, model=model, policy=policy)
    data, theta = rows(dtype=torch.float32), parameters(recipe)
    full = batch_gradient(replace(recipe, policy=FLOAT32), data, theta, ONE)
    mixed = batch_gradient(recipe, data, theta, optimiser_state(recipe, theta).scales)
    error = float((mixed.value - full.value).norm() / full.value.norm())
    assert 0.0 < error < (3e-2 if policy is BF16_MIXED else 5e-3)


def test_an_overflow_skips_the_update_and_halves_the_scale() -> None:
    recipe = replace(RECIPE, policy=FP16_MIXED)
    theta = parameters(recipe)
    state = replace(optimiser_state(recipe, theta), scales=Scales((1.0,), 2.0**120, 200))
    moved, gradient = updated(recipe, state, rows(dtype=torch.float32), WarmUpCosine(1e-3, 0, 10))
    assert not gradient.finite
    assert torch.equal(moved.theta, theta)
    assert (moved.skipped, moved.scales.loss) == (1, 2.0**119)


@pytest.mark.parametrize("method", ["adamw", "soap"])
def test_training_lowers_the_loss_and_keeps_the_best(method: str) -> None:
    recipe = replace(RECIPE, method=method, epochs=12)
    data = rows(200)
    learned, unseen = data.taken(torch.arange(160)), data.taken(torch.arange(160, 200))
    start = first_state(recipe, learned)
    assert 1e-4 <= start.peak <= 5e-3
    states = list(epoch_steps(recipe, learned, unseen, start))
    assert states[-1].loss < 0.5 * states[0].loss
    best = min(states, key=lambda s: s.validation_loss)
    assert states[-1].best_epoch == best.epoch
    assert states[-1].best_loss == pytest.approx(mean_loss(recipe, unseen, states[-1].best_theta))


def test_early_stopping() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(200, 5)), draw.normal(size=200)
    model = Regressor(("gated", 32), optimiser="adamw", max_steps=200).fit(x, y)
    assert model.record_.stop is FitStop.EARLY_STOPPING
    assert model.record_.validation_loss < 0.8


@pytest.mark.parametrize("estimator", [Regressor, Classifier])
@pytest.mark.parametrize("optimiser", ["adamw", "soap"])
def test_a_killed_fit_goes_on_to_the_same_numbers(
    estimator: type[Regressor | Classifier], optimiser: str, tmp_path: Path
) -> None:
    x, y = table()
    y = y if estimator is Regressor else np.where(y > 0.0, "up", "down")
    model = estimator(("gated", 8), optimiser=optimiser, max_steps=5, precision="fp16-mixed")
    file, kept = tmp_path / "fit.h5", tmp_path / "kept.h5"

    def keep(record: EpochRecord) -> None:
        if record.epoch == 9:  # written before this epoch: the second network after 3 of its epochs
            shutil.copy(file, kept)

    whole = model.fit(x, y, observer=keep, checkpoint=file)
    seen: list[int] = []
    again = estimator(**model.get_params()).fit(
        x, y, observer=lambda record: seen.append(record.epoch), checkpoint=kept
    )
    assert seen == list(range(9, len(whole.record_.epochs) + 1))
    for one, other in zip(whole.fitted_.members, again.fitted_.members, strict=True):
        assert torch.equal(one.theta, other.theta)
    assert [e.loss for e in again.record_.epochs] == [e.loss for e in whole.record_.epochs]
    with pytest.raises(ValueError, match=r"another run: the architecture was .*gated 8.*mlp 4"):
        estimator(("mlp", 4), optimiser=optimiser).fit(x, y, checkpoint=file)
    with pytest.raises(ValueError, match="another run: the data was"):
        estimator(**model.get_params()).fit(x + 1.0 * (x > 0.0), y, checkpoint=file)
    file.write_text("no checkpoint")
    with pytest.raises(ValueError, match="not the checkpoint of a fit, or damaged"):
        estimator(**model.get_params()).fit(x, y, checkpoint=file)


WIDE = Recipe(SkipMLP(MLP(3, 2, (500, 500))), False, "adamw", FLOAT32, 64, 4, 0.0, 5, seed=0)


@pytest.mark.parametrize(
    ("seconds", "losses", "expected"),
    [
        ((1.0, 0.5), (1.0, 1.01), "bf16-mixed"),
        ((1.0, 0.5), (1.0, 1.2), "float32"),
        ((1.0, 0.5), (1.0, float("nan")), "float32"),
        ((1.0, 0.97), (1.0, 1.0), "float32"),
        ((1.0, 3.0), (1.0, 1.0), "float32"),
    ],
)
def test_auto_takes_bf16_only_if_it_is_faster_and_as_good(
    monkeypatch: pytest.MonkeyPatch, seconds, losses, expected: str
) -> None:
    def measured(recipe: Recipe, data: Rows) -> tuple[float, float]:
        k = int(recipe.policy is BF16_MIXED)
        return seconds[k], losses[k]

    monkeypatch.setattr(arithmetic, "measured", measured)
    policy, why = arithmetic.chosen_policy("auto", WIDE, rows(dtype=torch.float32))
    assert policy.name == expected
    assert "an update took" in why


def test_small_networks_are_not_measured_and_wishes_are_granted() -> None:
    data = rows(dtype=torch.float32)
    assert arithmetic.chosen_policy("auto", RECIPE, data)[0] is FLOAT32
    assert arithmetic.chosen_policy("fp16-mixed", RECIPE, data)[0] is FP16_MIXED
    seconds, loss = arithmetic.measured(replace(WIDE, policy=BF16_MIXED), data)
    assert seconds > 0.0
    assert np.isfinite(loss)


WORK = """
import json, os, sys
import numpy as np, torch
from pinnsolve.distributed import process_group
from pinnsolve.learning import Regressor
from pinnsolve.learning.minibatch import Recipe, batch_gradient
from pinnsolve.learning.models import GatedResidual
from pinnsolve.learning.rows import Rows
from pinnsolve.optimise.mixed import Scales
from pinnsolve.optimise.precision import FLOAT64
torch.set_num_threads(1)
draw = np.random.default_rng(0)
x = draw.normal(size=(101, 3))
y = np.sin(x[:, :1]) + x[:, 1:2]
data = Rows(*(torch.from_numpy(part) for part in (x, y, draw.uniform(0.5, 2.0, 101))))
recipe = Recipe(GatedResidual(3, 1, 8, 1), False, "adamw", FLOAT64, 32, 4, 0.0, 5, seed=0)
cpu, generator = torch.device("cpu"), torch.Generator().manual_seed(0)
theta = recipe.model.initial_parameters(generator, dtype=torch.float64, device=cpu)
with process_group(cpu) as reduction:
    found = batch_gradient(recipe, data, theta, Scales((1.0,)), reduction)
model = Regressor(("gated", 8), optimiser="adamw", precision="float64", max_steps=3).fit(x, y[:, 0])
result = dict(loss=found.loss, gradient=found.value.tolist(), predicted=model.predict(x).tolist(),
              processes=model.record_.num_processes)
open(sys.argv[1] + os.environ.get("RANK", "alone"), "w").write(json.dumps(result))
"""


def test_two_processes_have_the_gradient_of_one(tmp_path: Path) -> None:
    script, out = tmp_path / "work.py", str(tmp_path / "result")
    script.write_text(WORK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    plain = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE")}
    places = [{"RANK": str(k), "WORLD_SIZE": "2"} for k in range(2)]
    running = [
        subprocess.Popen(
            [sys.executable, str(script), out],
            env={**plain, **place, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
        )
        for place in (*places, {})
    ]
    assert [process.wait(timeout=240) for process in running] == [0, 0, 0]
    first, second, alone = (
        json.loads(Path(out + name).read_text()) for name in ("0", "1", "alone")
    )
    assert (first["processes"], alone["processes"]) == (2, 1)
    assert first == second
    assert first["loss"] == pytest.approx(alone["loss"], rel=1e-13)
    np.testing.assert_allclose(first["gradient"], alone["gradient"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(first["predicted"], alone["predicted"], rtol=1e-6)
