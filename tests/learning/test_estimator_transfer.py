"""Fine-tuning of estimators: few new samples move what was learned, and only what is to be moved."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from pinnsolve.learning import Classifier, FieldModel, Regressor, finetune
from pinnsolve.learning.estimator_transfer import ridge
from pinnsolve.learning.models import SkipMLP


def wave(x: np.ndarray, shift: float) -> np.ndarray:
    return np.sin(3.0 * x[:, 0] + shift) * (1.0 + x[:, 1])


@cache
def fitted(seed: int = 0) -> Regressor:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    y = np.stack([wave(x, shift) for shift in (0.0, 0.5, 1.0)], axis=1)
    return Regressor(("mlp", 12, 12), max_steps=30, random_state=seed).fit(x, y)


def few(seed: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(100 + seed).uniform(-1.0, 1.0, (12, 2))
    return x, np.stack([1.5 * wave(x, shift) + 0.3 for shift in (0.0, 0.5, 1.0)], axis=1)


def error(model: Regressor) -> float:
    x = np.random.default_rng(9).uniform(-1.0, 1.0, (300, 2))
    right = np.stack([1.5 * wave(x, shift) + 0.3 for shift in (0.0, 0.5, 1.0)], axis=1)
    return float(np.sqrt(np.mean((model.predict(x) - right) ** 2)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_head_is_found_from_few_samples(seed: int) -> None:
    x, y = few(seed)
    tuned = finetune(fitted(seed), (x, y))
    alone = Regressor(("mlp", 12, 12), max_steps=30).fit(x, y)
    assert error(tuned) < 0.2 * error(alone)
    assert error(tuned) < 0.5 * error(fitted(seed))


@pytest.mark.parametrize(
    "options",
    [
        {"freeze": "nothing"},
        {"freeze": "all", "adapter_rank": 3},
        {"freeze": 1},
        {"unfreeze_at": 1},
    ],
    ids=str,
)
def test_other_words_help_too(options: dict[str, object]) -> None:
    tuned = finetune(fitted(), few(0), **options)  # type: ignore[call-overload]
    assert error(tuned) < 0.95 * error(fitted())


def test_what_is_held_stays() -> None:
    before = fitted().fitted_.members[0]
    after = finetune(fitted(), few(0), freeze="trunk").fitted_.members[0]
    assert isinstance(before.model, SkipMLP)
    first = before.model.num_outputs * before.model.num_inputs
    head = first + before.model.network.weight_span(2).start
    assert torch.equal(before.theta[first:head], after.theta[first:head])
    assert not torch.equal(before.theta[head:], after.theta[head:])


def test_ridge_chooses_by_what_it_leaves_out() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    truth = torch.arange(5.0, dtype=torch.float64)
    torch.testing.assert_close(ridge(matrix, matrix @ truth), truth, rtol=1e-6, atol=1e-6)
    noise = torch.randn(40, generator=generator, dtype=torch.float64)
    small = ridge(matrix, noise)
    plain = torch.linalg.lstsq(matrix, noise[:, None]).solution[:, 0]
    assert small.norm() < plain.norm()


def test_bad_rows_and_models() -> None:
    x, y = few(0)
    with pytest.raises(ValueError, match="y has 1 columns, but the model has the targets"):
        finetune(fitted(), (x, y[:, 0]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        finetune(fitted(), (x, y[:5]))
    with pytest.raises(ValueError, match="NaN"):
        finetune(fitted(), (x, y * np.nan))
    with pytest.raises(ValueError, match=r"new rows are a pair \(X, y\)"):
        finetune(fitted(), [x, y])  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="Did you mean 'trunk'"):
        finetune(fitted(), (x, y), freeze="trnk")
    with pytest.raises(ValueError, match="leaves nothing to train; give adapter_rank"):
        finetune(fitted(), (x, y), freeze="all")
    with pytest.raises(ValueError, match="adapters are for layers that are held"):
        finetune(fitted(), (x, y), freeze="nothing", adapter_rank=1)
    with pytest.raises(ValueError, match="fitted Regressor or a learned field, got Classifier"):
        finetune(Classifier(), (x, y))  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="fitted Regressor or a learned field, got Regressor"):
        finetune(Regressor(), (x, y))


def test_a_learned_field_is_finetuned_in_the_same_words() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    field = FieldModel(("x", "y"), ("u",), ("mlp", 12), max_steps=30).fit(x, {"u": wave(x, 0.0)})
    new = rng.uniform(-1.0, 1.0, (12, 2))
    tuned = finetune(field, (new, 1.5 * wave(new, 0.0)))
    test = rng.uniform(-1.0, 1.0, (200, 2))
    missing = [np.abs(f.at(test).u - 1.5 * wave(test, 0.0)).mean() for f in (field, tuned)]
    assert missing[1] < 0.5 * missing[0]
    with pytest.raises(ValueError, match=r"points \(N, 2\) and values \(N, C\)"):
        finetune(field, (new[:, :1], new[:, 0]))
    with pytest.raises(ValueError, match="samples of a field must be finite"):
        finetune(field, (new, new[:, 0] * np.nan))
