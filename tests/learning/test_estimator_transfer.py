"""Fine-tuning of estimators: few new samples move what was learned, and only what is to be moved."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from pinnsolve.learning import (
    Classifier,
    FieldModel,
    LearnedField,
    Regressor,
    estimator_transfer,
    finetune,
)
from pinnsolve.learning.estimator_transfer import ridge
from pinnsolve.learning.likelihood_moves import minimiser
from pinnsolve.learning.models import GatedResidual, SkipMLP
from pinnsolve.method import Method


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
    for model in (Classifier(), Regressor()):
        name = type(model).__name__
        with pytest.raises(ValueError, match=f"Classifier or a learned field, got {name}"):
            finetune(model, (x, y))
    with pytest.raises(ValueError, match="method is for problems"):
        finetune(fitted(), (x, y), method=Method())  # type: ignore[call-overload]


def blobs(rows: int, seed: int, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return three classes that are sectors of a disk, turned by an angle."""
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, (rows, 2))
    angle = (np.arctan2(x[:, 1], x[:, 0]) + turn) % (2.0 * np.pi)
    return x, np.array(["a", "b", "c"])[(angle / (2.0 * np.pi / 3.0)).astype(int)]


@cache
def classifier(architecture: tuple[str | int, ...], seed: int = 0) -> Classifier:
    return Classifier(architecture, max_steps=60, random_state=seed).fit(*blobs(300, seed))


TURN = 0.6


def loss(model: Classifier) -> float:
    x, y = blobs(400, 99, TURN)
    return float(log_loss(y, model.predict_proba(x), labels=model.classes_))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_classes_move_with_few_samples(seed: int) -> None:
    before = classifier(("mlp", 10), seed)
    x, y = blobs(40, 200 + seed, TURN)
    tuned = finetune(before, (x, y))
    assert loss(tuned) < 0.2 * loss(before)
    assert loss(finetune(before, (x, y), freeze="nothing")) < 0.2 * loss(before)


def test_rows_of_one_class_are_rows_too() -> None:
    x, y = blobs(60, 7, TURN)
    tuned = finetune(classifier(("mlp", 10)), (x[y == "b"], y[y == "b"]))
    assert np.isfinite(tuned.predict_proba(x)).all()
    with pytest.raises(
        ValueError, match=r"the model has no class 'bb'.* For new classes fit again"
    ):
        finetune(tuned, (x[:2], np.array(["a", "bb"])))


def test_what_leaving_a_row_out_does_is_what_is_approximated() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(30, 3, 5, generator=generator, dtype=torch.float64)
    logits = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    wanted = torch.eye(3, dtype=torch.float64)[torch.arange(30) % 3]
    zero = torch.zeros(5, dtype=torch.float64)
    move, shift = minimiser(rows, logits, wanted, 5.0, zero)
    slope = torch.softmax(logits + rows @ move, dim=1) - wanted
    torch.testing.assert_close(torch.einsum("nck,nc->k", rows, slope), -5.0 * move)
    for k in range(3):
        rest = torch.arange(30) != k
        left, _ = minimiser(rows[rest], logits[rest], wanted[rest], 5.0, zero)
        moved = rows[k] @ (left - move)
        assert float((shift[k] - moved).norm()) < 0.1 * float(moved.norm())


@cache
def gated(seed: int = 0) -> Regressor:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (200, 2))
    y = np.stack([wave(x, shift) for shift in (0.0, 0.5, 1.0)], axis=1)
    return Regressor(("gated", 8, 8), max_steps=40, random_state=seed).fit(x, y)


@pytest.mark.parametrize(
    "options",
    [{}, {"freeze": 2}, {"freeze": "nothing"}, {"adapter_rank": 2}, {"unfreeze_at": 1}],
    ids=str,
)
def test_gated_networks_take_the_same_words(options: dict[str, object]) -> None:
    tuned = finetune(gated(), few(0), **options)  # type: ignore[call-overload]
    assert error(tuned) < 0.97 * error(gated())
    before, after = (model.fitted_.members[0] for model in (gated(), tuned))
    entrance = before.model.layers[0]
    held = torch.equal(before.theta[entrance].double(), after.theta[entrance])
    assert held == (options.get("freeze") != "nothing" and "adapter_rank" not in options)


def test_the_jacobian_of_gated_networks() -> None:
    model = GatedResidual(2, 3, width=4, depth=2)
    generator = torch.Generator().manual_seed(0)
    cpu = torch.device("cpu")
    theta = model.initial_parameters(generator, dtype=torch.float64, device=cpu)
    x = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    along = torch.randn(len(theta), generator=generator, dtype=torch.float64)
    outputs, jacobian = model.linearised(theta, x)
    torch.testing.assert_close(outputs, model.outputs(theta, x))
    step = 1e-6 * along
    slope = (model.outputs(theta + step, x) - model.outputs(theta - step, x)) / 2e-6
    torch.testing.assert_close((jacobian @ along).T, slope, rtol=1e-6, atol=1e-7)
    assert model.layers[-1].stop == model.num_parameters


def test_too_much_for_one_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_transfer, "_MOST_ENTRIES", 1000)
    with pytest.raises(ValueError, match="too many to fine-tune at once: hold more"):
        finetune(gated(), few(0), freeze="nothing")


def test_files_of_fitted_models(tmp_path: Path) -> None:
    x, y = few(0)
    fitted().save(tmp_path / "regressor.h5")
    found = finetune(tmp_path / "regressor.h5", (x, y))
    assert isinstance(found, Regressor)
    np.testing.assert_array_equal(found.predict(x), finetune(fitted(), (x, y)).predict(x))
    classes = blobs(40, 1, TURN)
    classifier(("mlp", 10)).save(tmp_path / "classifier.h5")
    assert isinstance(finetune(str(tmp_path / "classifier.h5"), classes), Classifier)
    field = FieldModel(("x", "y"), ("u",), ("mlp", 4), max_steps=10).fit(x, {"u": y[:, 0]})
    field.save(tmp_path / "field.h5")
    assert isinstance(finetune(tmp_path / "field.h5", (x, y[:, 0])), LearnedField)
    (tmp_path / "text.h5").write_text("import os")
    with pytest.raises(ValueError, match=r"text\.h5"):
        finetune(tmp_path / "text.h5", (x, y))
    with pytest.raises(ValueError, match=r"nowhere\.h5"):
        finetune(tmp_path / "nowhere.h5", (x, y))


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
