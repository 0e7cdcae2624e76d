"""Small networks by Gauss-Newton: derivatives, priors and the known limits of the evidence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pinnsolve.learning.evidence import curvature_at, evidence_steps, initial_state
from pinnsolve.learning.models import FREE, GatedResidual, Linear, SkipMLP, SmoothModel, TableModel
from pinnsolve.learning.rows import Rows, Standardiser, folds_of
from pinnsolve.networks import MLP, Fourier

CPU = torch.device("cpu")
FOURIER = Fourier.random(3, scales=(0.2,), per_scale=4)
SMOOTH = [
    Linear(3, 2),
    SkipMLP(MLP(3, 2, (5,))),
    SkipMLP(MLP(3, 1, (4, 3))),
    SkipMLP(MLP(3, 2, (4,), embedding=FOURIER)),
]


def drawn(model: TableModel, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(model.num_parameters, generator=generator, dtype=torch.float64)


def noisy_line(seed: int, rows: int = 200, sigma: float = 0.3) -> Rows:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 3))
    y = x @ np.array([[1.0], [-0.5], [0.0]]) + sigma * draw.normal(size=(rows, 1))
    return Rows(*(torch.from_numpy(part) for part in (x, y, np.ones(rows))))


@pytest.mark.parametrize("model", SMOOTH, ids=lambda m: m.describe())
def test_jacobian_is_the_derivative_of_the_outputs(model: SmoothModel) -> None:
    theta, x = drawn(model), torch.randn(7, 3, dtype=torch.float64)
    outputs, jacobian = model.linearised(theta, x)
    expected = torch.autograd.functional.jacobian(lambda t: model.outputs(t, x), theta)
    torch.testing.assert_close(outputs, model.outputs(theta, x))
    torch.testing.assert_close(jacobian, expected.permute(1, 0, 2))


@pytest.mark.parametrize("model", [*SMOOTH, GatedResidual(3, 2, 8, 2)], ids=lambda m: m.describe())
def test_sizes_agree(model: TableModel) -> None:
    start = model.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=CPU
    )
    assert start.shape == (model.num_parameters,)
    assert sum(rows * columns for _, (rows, columns) in model.spans) == int(model.decayed().sum())
    assert model.outputs(start, torch.zeros(4, 3, dtype=torch.float64)).shape == (
        4,
        model.num_outputs,
    )
    if isinstance(model, SmoothModel):
        assert model.prior_groups().shape == (model.num_parameters,)
        assert int((model.prior_groups() == FREE).sum()) == model.num_outputs


@pytest.mark.parametrize("products", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("model", [SkipMLP(MLP(3, 2, (32, 32))), GatedResidual(3, 2, 32, 2)])
def test_low_precision_is_near(model: TableModel, products: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    theta = model.initial_parameters(generator, dtype=torch.float32, device=CPU)
    x = torch.randn(50, 3, generator=generator)
    full, low = model.outputs(theta, x), model.outputs(theta, x, products)
    assert low.dtype == torch.float32
    assert float((full - low).norm() / full.norm()) < (3e-2 if products is torch.bfloat16 else 4e-3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_evidence_finds_the_noise(seed: int) -> None:
    rows, model = noisy_line(seed), Linear(3, 1)
    start = initial_state(model, rows, torch.zeros(model.num_parameters, dtype=torch.float64))
    for state in evidence_steps(model, rows, start):
        if state.step == 40:
            break
    # the standard deviation of an estimated deviation is sigma / sqrt(2 N) = 0.015
    assert state.beta**-0.5 == pytest.approx(0.3, abs=0.05)
    assert 0.0 < state.determined < model.num_parameters + 1e-9
    stationary = curvature_at(model, rows, state.theta).gradient * state.beta
    torch.testing.assert_close(
        stationary, -state.alpha[model.prior_groups()] * state.theta, rtol=0.0, atol=1e-6
    )


def test_weights_count_rows() -> None:
    rows, model = noisy_line(0, 30), SkipMLP(MLP(3, 1, (4,)))
    often = torch.arange(30) % 3
    twice = torch.repeat_interleave(torch.arange(30), often)
    theta = drawn(model)
    weighted = curvature_at(model, Rows(rows.x, rows.y, often.double()), theta)
    repeated = curvature_at(model, rows.taken(twice), theta)
    torch.testing.assert_close(weighted.gram.tril(), repeated.gram.tril())
    torch.testing.assert_close(weighted.gradient, repeated.gradient)
    assert weighted.squares == pytest.approx(repeated.squares)


def test_equal_rows_share_a_fold_whatever_their_order() -> None:
    draw = np.random.default_rng(0)
    x = draw.integers(0, 5, size=(300, 2)).astype(float)
    labels = (x[:, 0] > 2).astype(np.intp)
    fold = folds_of(x, labels, 5, 0)
    order = draw.permutation(300)
    np.testing.assert_array_equal(folds_of(x[order], labels[order], 5, 0), fold[order])
    for row in np.unique(x, axis=0):
        assert len(set(fold[(x == row).all(axis=1)])) == 1
    for label in (0, 1):
        assert set(fold[labels == label]) == set(range(5))


def test_standardiser_is_inverted_and_tames_heavy_tails() -> None:
    draw = np.random.default_rng(0)
    values = np.column_stack(
        (draw.normal(5.0, 2.0, 500), draw.standard_cauchy(500), np.full(500, 3.0))
    )
    plain = Standardiser.of(values, np.ones(500), robust=False)
    np.testing.assert_allclose(plain.backward(plain.forward(values)), values, rtol=1e-12)
    robust = Standardiser.of(values, np.ones(500))
    assert robust.heavy.tolist() == [0.0, 1.0, 0.0]
    assert np.abs(robust.forward(values)).max() < 12.0
