"""Regressor and Classifier: what they learn, what they accept, what they refuse; saved and loaded."""

from __future__ import annotations

import math
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_friedman2
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pinnsolve as ps
from pinnsolve.learning import Classifier, EpochRecord, FitStop, Regressor, load

QUICK = {"architecture": ("mlp", 4), "max_steps": 15}


def plane(rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 2))
    return x, 3.0 + x @ np.array([2.0, -1.0])


def frame() -> tuple[pd.DataFrame, np.ndarray]:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "length": draw.uniform(1.0, 2.0, 90),
            "steel": draw.choice(["S235", "S355", "S690"], 90),
            "welded": draw.choice([True, False], 90),
        }
    )
    strength = table["steel"].map({"S235": 1.0, "S355": 2.0, "S690": 4.0}).to_numpy()
    return table, table["length"].to_numpy() * 0.5 + strength - 0.2 * table["welded"].to_numpy()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plane_is_learned_to_rounding(seed: int) -> None:
    x, y = plane(seed=seed)
    model = Regressor(architecture="linear", random_state=seed).fit(x[:40], y[:40])
    np.testing.assert_allclose(model.predict(x[40:]), y[40:], rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_smooth_function_is_learned_to_three_digits(seed: int) -> None:
    x, y = make_friedman2(600, random_state=seed)
    model = Regressor(architecture=("mlp", 16), max_steps=70, random_state=seed).fit(
        x[:300], y[:300]
    )
    error = np.sqrt(np.mean((model.predict(x[300:]) - y[300:]) ** 2)) / y.std()
    assert error < 8e-3


def test_the_same_seed_gives_the_same_numbers_and_auto_does_not_lose_to_linear() -> None:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(60, 3))
    y = x[:, 0] + draw.normal(size=60)
    one, other = Regressor().fit(x, y), Regressor().fit(x, y)
    np.testing.assert_array_equal(one.predict(x), other.predict(x))
    linear = Regressor(architecture="linear").fit(x, y)
    fresh = draw.normal(size=(2000, 3))
    errors = [np.mean((m.predict(fresh) - fresh[:, 0]) ** 2) for m in (one, linear)]
    assert errors[0] < 1.3 * errors[1]
    assert "folds" in one.record_.validation


def test_classes_pipelines_and_cross_validation() -> None:
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipe = make_pipeline(StandardScaler(), Classifier(architecture="linear"))
    assert cross_val_score(pipe, x, names, cv=3).mean() > 0.94
    model = clone(pipe)[-1].fit(x, names)
    chances = model.predict_proba(x)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[chances.argmax(1)], model.predict(x))


def test_several_targets() -> None:
    x, y = plane()
    both = np.column_stack((y, -2.0 * y))
    model = Regressor(**QUICK).fit(x, both)
    predicted = model.predict(x)
    assert predicted.shape == both.shape
    np.testing.assert_allclose(predicted, both, atol=0.1)
    assert Regressor(**QUICK).fit(x, both[:, :1]).predict(x).shape == (60, 1)


def test_a_law_of_powers_is_linear_in_logarithms(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(0.01, 10.0, (80, 3))
    y = 3.0 * x[:, 0] ** 2 * x[:, 1] ** -0.5
    model = Regressor("linear", logarithms="inputs and targets").fit(x[:40], y[:40])
    seen = np.all(x >= x[:40].min(axis=0), axis=1)
    assert seen[40:].sum() > 30
    np.testing.assert_allclose(model.predict(x[seen]), y[seen], rtol=1e-5)
    model.save(tmp_path / "model.h5")
    np.testing.assert_array_equal(load(tmp_path / "model.h5").predict(x), model.predict(x))
    below = model.predict([[1e-3, 1.0, 1.0], [x[:40, 0].min(), 1.0, 1.0]])
    assert below[0] == below[1]  # what is below all that was seen counts as the smallest of it
    mixed = np.column_stack((x[:, 0], x[:, 1] - 5.0))  # the second column has no logarithm
    both = Regressor("linear", logarithms="inputs").fit(mixed, np.log(x[:, 0]) + mixed[:, 1])
    np.testing.assert_allclose(both.predict(mixed), np.log(x[:, 0]) + mixed[:, 1], atol=1e-5)
    with pytest.raises(ValueError, match=r"column 1 is learned by its logarithm.*row 2 has -1"):
        model.predict([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0]])
    with pytest.raises(ValueError, match="needs targets > 0, got -"):
        Regressor(logarithms="inputs and targets").fit(x, y - 5.0)
    with pytest.raises(ValueError, match="classes have no logarithms"):
        Classifier(logarithms="inputs and targets").fit(x, y > 1.0)
    with pytest.raises(ValueError, match=r"unknown logarithms 'input'.*Did you mean 'inputs'"):
        Regressor(logarithms="input").fit(x, y)


def test_skewed_columns_are_learned_from_by_their_logarithm() -> None:
    draw = np.random.default_rng(0)
    x = np.column_stack((draw.lognormal(0.0, 1.5, 200), draw.uniform(1.0, 2.0, 200)))
    found = Regressor("linear").fit(x, np.log(x[:, 0]) + x[:, 1])
    least = found.fitted_.inputs.least
    assert least.tolist() == [x[:, 0].min(), 0.0]
    np.testing.assert_allclose(found.predict(x), np.log(x[:, 0]) + x[:, 1], atol=1e-5)
    assert Regressor("linear", logarithms="none").fit(x, x[:, 0]).fitted_.inputs.least is None


def test_weights_are_counts() -> None:
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(50, 2)), draw.normal(size=50)
    often = draw.integers(0, 3, 50)
    weighted = Regressor(**QUICK).fit(x, y, sample_weight=often)
    repeated = Regressor(**QUICK).fit(np.repeat(x, often, 0), np.repeat(y, often))
    np.testing.assert_allclose(weighted.predict(x), repeated.predict(x), rtol=1e-6, atol=1e-8)


def test_the_record_says_how_it_was_found() -> None:
    seen: list[EpochRecord] = []
    x, y = plane()
    model = Regressor(**QUICK).fit(x, y, observer=seen.append)
    record = model.record_
    assert repr(record.epochs) == repr(tuple(seen))  # nan is not equal to itself
    assert [epoch.epoch for epoch in seen] == list(range(1, len(seen) + 1))
    assert record.optimiser == "gauss-newton"
    assert record.precision == "float64"
    assert record.num_rows == 60
    assert record.input_names == ("x0", "x1")
    assert record.num_parameters == len(model.fitted_.members) * (2 + 2 * 4 + 4 + 4 + 1)
    assert record.stop in (FitStop.CONVERGED, FitStop.MAX_STEPS)
    assert {"torch", "scikit-learn", "pinnsolve"} <= set(dict(record.versions))
    assert math.isfinite(record.loss)


def test_frames_with_categories() -> None:
    table, y = frame()
    model = Regressor(architecture="linear").fit(table, y)
    np.testing.assert_allclose(model.predict(table[table.columns[::-1]]), y, atol=1e-4)
    assert model.feature_names_in_.tolist() == ["length", "steel", "welded"]
    assert model.n_features_in_ == 3
    table.loc[3, "steel"] = "S960"
    with pytest.raises(
        ValueError, match=r"column 'steel' has the category 'S960'.*unseen='ignore'"
    ):
        model.predict(table)
    lenient = Regressor(architecture="linear", unseen="ignore").fit(*frame())
    assert np.isfinite(lenient.predict(table)).all()


@pytest.mark.parametrize("kind", ["Regressor", "Classifier", "frame"])
def test_a_saved_model_predicts_the_same_bits(kind: str, tmp_path: Path) -> None:
    x, y = frame() if kind == "frame" else plane()
    labels = np.where(y > np.median(y), "high", "low")
    model = (
        Classifier(**QUICK).fit(x, labels) if kind == "Classifier" else Regressor(**QUICK).fit(x, y)
    )
    model.save(tmp_path / "model.h5")
    again = load(tmp_path / "model.h5")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.get_params() == model.get_params()
    assert repr(again.record_) == repr(model.record_)


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        load(tmp_path / "nothing.h5")
    (tmp_path / "text.h5").write_text("import os")
    with pytest.raises(ValueError, match="not a fitted model, or damaged"):
        load(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"] = "pinnsolve solution"
    with pytest.raises(ValueError, match="an HDF5 file, but not a fitted model"):
        load(tmp_path / "other.h5")
    Regressor(**QUICK).fit(*plane()).save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file["tensors/0"][...] += 1.0
    with pytest.raises(ValueError, match="does not match its digest"):
        load(tmp_path / "model.h5")


BAD_SETTINGS = [
    ({"architecture": "mpl"}, r"unknown architecture 'mpl'.*Did you mean 'mlp'"),
    ({"architecture": ("mlp",)}, "a kind with its widths"),
    ({"architecture": ("mlp", 0)}, "a kind with its widths"),
    ({"architecture": ("gated", 8, 4)}, "equal widths"),
    ({"optimiser": "adam"}, r"unknown optimiser 'adam'.*Did you mean 'adamw'"),
    ({"optimiser": "lbfgs"}, "'lbfgs' is for classes"),
    ({"precision": "bf16"}, r"unknown precision 'bf16'. There are .*bf16-mixed"),
    ({"precision": "bf16-mixed"}, "is for first-order training"),
    ({"unseen": "ignored"}, "Did you mean 'ignore'"),
    ({"max_seconds": 0.0}, "max_seconds must be > 0"),
    ({"max_steps": 0}, "max_steps must be a whole number >= 1"),
    ({"validation_share": 0.9}, r"validation_share must lie in \(0, 0.5\]"),
    ({"architecture": ("gated", 4), "optimiser": "gauss-newton"}, "cannot train a gated network"),
]


@pytest.mark.parametrize(("settings", "words"), BAD_SETTINGS, ids=lambda item: str(item)[:40])
def test_bad_settings(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Regressor(**settings).fit(*plane())


def test_bad_data() -> None:
    x, y = plane()
    with pytest.raises(ValueError, match=r"needs numbers as targets, got 'a'.*use a Classifier"):
        Regressor().fit(x, np.full(60, "a"))
    with pytest.raises(ValueError, match="NaN"):
        Regressor().fit(np.where(x > 2.0, np.nan, x), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Regressor().fit(x, y[:1])
    with pytest.raises(ValueError, match="one class only: 'a'"):
        Classifier().fit(x, np.full(60, "a"))
    with pytest.raises(ValueError, match="one class only"):
        Classifier().fit(x, np.arange(60) < 30, sample_weight=np.arange(60) < 30)
    with pytest.raises(ValueError, match=r"non-zero|positive, finite sum"):
        Regressor().fit(x, y, sample_weight=np.zeros(60))
    with pytest.raises(ValueError, match="a checkpoint is for first-order training"):
        Regressor(**QUICK).fit(x, y, checkpoint="fit.h5")


@pytest.mark.parametrize("optimiser", ["auto", "adamw"])
def test_a_time_limit_ends_a_fit_with_a_model(optimiser: str) -> None:
    x, y = plane()
    model = Regressor(("mlp", 4), optimiser=optimiser, max_seconds=1e-6).fit(x, y)
    assert model.record_.stop is FitStop.MAX_SECONDS
    assert np.isfinite(model.predict(x)).all()


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no device 'cuda:77' here; use device='cpu'"):
        Regressor(device="cuda:77").fit(*plane())


def test_bad_frames() -> None:
    table, y = frame()
    model = Regressor(architecture="linear").fit(table, y)
    with pytest.raises(ValueError, match=r"column 'steel' is missing.*Did you mean 'steal'"):
        model.predict(table.rename(columns={"steel": "steal"}))
    with pytest.raises(ValueError, match="fitted on a data frame with categories, got ndarray"):
        model.predict(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="column 'length' held numbers"):
        model.predict(table.astype({"length": str}))
    holes = table.astype({"length": float})
    holes.loc[5, "length"] = np.nan
    with pytest.raises(
        ValueError, match=r"NaN: column 'length' has 1 missing values, the first in row 5.*Imputer"
    ):
        Regressor().fit(holes, y)
    with pytest.raises(ValueError, match="column 'day' holds times"):
        Regressor().fit(table.assign(day=pd.date_range("2024-01-01", periods=90)), y)
    many = table.loc[np.arange(90).repeat(3)].assign(number=[f"part {k}" for k in range(270)])
    with pytest.raises(ValueError, match="column 'number' has 270 categories"):
        Regressor().fit(many, y.repeat(3))
    with pytest.raises(ValueError, match="column names must differ"):
        Regressor().fit(pd.concat([table, table[["steel"]]], axis=1), y)


def test_the_package_is_light_until_it_is_used() -> None:
    assert {"Regressor", "Classifier", "load"} <= set(dir(ps.learning))
    with pytest.raises(AttributeError, match="no attribute 'Regresor'"):
        ps.learning.Regresor  # noqa: B018
