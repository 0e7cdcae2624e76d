"""Fields from samples, alone or with a problem's equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pinnsolve as ps
from pinnsolve.learning import FieldModel, LearnedField


def wave(x: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * x[:, 0]) * np.exp(-x[:, 1])


def sampled(seed: int = 0, count: int = 150) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    points = np.random.default_rng(seed).uniform((-1.0, 0.0), (1.0, 2.0), (count, 2))
    return points, {"u": wave(points), "v": points[:, 0] * points[:, 1]}


MODEL = FieldModel(("x", "k"), ("u", "v"), architecture=("mlp", 12), max_steps=80)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_smooth_field_is_learned(seed: int, tmp_path: Path) -> None:
    learned = MODEL.fit(*sampled(seed))
    fresh, values = sampled(seed + 10)
    error = learned.at(fresh).u - values["u"]
    assert np.sqrt(np.mean(error**2)) < 1e-2 * values["u"].std()
    at_k = learned.at(fresh[:, :1], k=fresh[:, 1])
    np.testing.assert_array_equal(at_k["v"], learned.at(fresh).v)
    assert at_k.points.shape == (150, 1)
    learned.save(tmp_path / "field.h5")
    np.testing.assert_array_equal(
        LearnedField.load(tmp_path / "field.h5").at(fresh).u, learned.at(fresh).u
    )
    assert learned.inside([[0.0, 1.0], [0.0, 2.5]]).tolist() == [True, False]


def test_datasets() -> None:
    x, k = np.linspace(-1.0, 1.0, 14), np.linspace(0.0, 2.0, 12)
    u = np.sin(2.0 * x)[:, None] * np.exp(-k)
    u[3, 4] = np.nan
    data = xr.Dataset({"u": (("x", "k"), u)}, {"x": x, "k": k})
    model = FieldModel(("x", "k"), ("u",), architecture=("mlp", 12), max_steps=80)
    learned = model.fit_dataset(data)
    assert learned.record.num_rows == 14 * 12 - 1
    assert abs(float(learned.at([[x[3]]], k=k[4]).u[0]) - np.sin(2 * x[3]) * np.exp(-k[4])) < 1e-2
    with pytest.raises(ValueError, match=r"no field 'w'"):
        FieldModel(("x", "k"), ("w",)).fit_dataset(data)


def rod() -> ps.Problem:
    walls = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)]
    return ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(1.0), walls)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_physics_decides_as_much_as_it_weighs(seed: int) -> None:
    """Samples 0.3 above the solution T = x: without weight they win, as a constraint the equation does."""
    points = np.linspace(0.3, 0.7, 9)[:, None]
    values = {"temperature": points[:, 0] + 0.3}
    method = ps.Method(hidden=(6,), max_steps=30, trunk="trained")
    model = FieldModel(("x",), ("temperature",), seed=seed)

    def lift(**how: object) -> float:
        solution = model.fit_with_physics(
            points, values, rod(), method=method, sigma=0.05, reference=False, **how
        )
        return float(np.mean(solution.at(points).temperature - points[:, 0]))

    soft, hard = lift(weight=1e-3), lift(hard=True)
    assert soft > 0.25
    assert abs(hard) < 0.01


def test_with_physics_there_are_a_record_and_a_verdict() -> None:
    points = np.linspace(0.3, 0.7, 9)[:, None]
    method = ps.Method(hidden=(6,), max_steps=30, trunk="trained")
    model = FieldModel(("x",), ("temperature",))

    def learned(lift: float) -> ps.Solution:
        values = {"temperature": points[:, 0] + lift}
        return model.fit_with_physics(points, values, rod(), method=method, sigma=0.05, hard=True)

    right, wrong = learned(0.0), learned(0.3)
    assert right.verdict is not None
    assert right.verdict.trusted
    assert right.record.history[-1].step == len(right.record.history) > 0
    assert 9 in right.record.num_points.values()
    assert right.record.energy is not None
    assert wrong.verdict is not None
    assert [check.name for check in wrong.verdict.checks if not check.passed] == [
        "misfit to measurements / noise"
    ]


def test_refusals(tmp_path: Path) -> None:
    points, values = sampled()
    with pytest.raises(ValueError, match="all different"):
        FieldModel(("x", "x"), ("u",))
    with pytest.raises(ValueError, match=r"no samples of 'u'.*Did you mean 'U'"):
        FieldModel(("x", "k"), ("u",)).fit(points, {"U": values["u"]})
    with pytest.raises(ValueError, match=r"must be of shape \(150,\)"):
        MODEL.fit(points, {**values, "u": values["u"][:, None]})
    with pytest.raises(ValueError, match="sample 7 of v is not a finite number"):
        MODEL.fit(points, {**values, "v": np.where(np.arange(150) == 7, np.nan, 0.0)})
    learned = FieldModel(("x", "k"), ("u",), architecture="linear").fit(points, values)
    with pytest.raises(ValueError, match="unknown parameter 'kk'"):
        learned.at(points[:, :1], kk=1.0)
    with pytest.raises(ValueError, match="k must be one number or of shape"):
        learned.at(points[:, :1], k=[1.0, 2.0])
    with pytest.raises(AttributeError, match="no field 'w'"):
        learned.at(points).w  # noqa: B018
    learned.save(tmp_path / "field.h5")
    with pytest.raises(ValueError, match="the model of a FieldModel, which is not welcome here"):
        ps.learning.load(tmp_path / "field.h5")
    one = FieldModel(("x",), ("temperature",))
    sample = [[0.5]], {"temperature": [0.5]}
    with pytest.raises(ValueError, match="weight must be finite and > 0"):
        one.fit_with_physics(*sample, rod(), weight=0.0)
    with pytest.raises(ValueError, match="this model y and temperature"):
        FieldModel(("y",), ("temperature",)).fit_with_physics(*sample, rod())
