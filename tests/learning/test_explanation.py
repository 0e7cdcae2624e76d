"""Explanations of models whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from pinnsolve.learning.explanation import (
    integrated_gradients,
    partial_dependence,
    permutation_importance,
)


class Law:
    """y = 3 a + b^2; c does nothing."""

    def predict(self, rows):
        x = np.asarray(rows, dtype=float)
        return 3.0 * x[:, 0] + x[:, 1] ** 2


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).normal(size=(400, 3)), columns=list("abc"))


def test_importance_of_a_known_law(frame: pd.DataFrame) -> None:
    truth = Law().predict(frame)
    found = permutation_importance(Law(), frame, truth + 1.0)
    assert [item.name for item in found] == ["a", "b", "c"]
    assert found[2].drop == 0.0
    # |3 (a - a')| of two normal numbers has the mean 3 sqrt(2) sqrt(2 / pi), here beside an error of 1
    direct = permutation_importance(Law(), frame, truth)[0]
    assert direct.drop == pytest.approx(6.0 / np.sqrt(np.pi), rel=0.1)
    assert direct.interval[0] < direct.drop < direct.interval[1]
    same = permutation_importance(Law(), frame.to_numpy(), truth)[0]
    assert same.name == "x0"
    assert same.drop == direct.drop
    with pytest.raises(ValueError, match=r"truth needs the shape \(400,\)"):
        permutation_importance(Law(), frame, truth[:3])


def test_gradients_of_a_known_law(frame: pd.DataFrame) -> None:
    """Contributions of a sum of functions of one input each are their differences to the baseline."""
    found = integrated_gradients(Law(), frame, baseline=[1.0, 2.0, 0.0])
    assert found.complete
    assert found.gap < 1e-8
    assert found.values[:, 0] == pytest.approx(3.0 * (frame["a"].to_numpy() - 1.0))
    assert found.values[:, 1] == pytest.approx(frame["b"].to_numpy() ** 2 - 4.0)
    assert found.values[:, 2] == pytest.approx(0.0, abs=1e-9)
    assert found.means.shape == (3,)


def test_captum_and_differences_agree() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ).double()

    class Wrapped:
        def predict(self, rows):
            with torch.no_grad():
                return net(torch.from_numpy(np.asarray(rows)))[:, 0].numpy()

    rows = np.random.default_rng(1).normal(size=(20, 3))
    ours = integrated_gradients(Wrapped(), rows)
    theirs = integrated_gradients(net, rows, output=0, num_steps=64)
    assert ours.values == pytest.approx(theirs.values, abs=1e-6)
    assert theirs.complete


def test_trees_have_no_gradients(frame: pd.DataFrame) -> None:
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_depth=4).fit(frame, Law().predict(frame))
    assert not integrated_gradients(tree, frame.iloc[:50]).complete


def test_dependence_of_a_known_law(frame: pd.DataFrame) -> None:
    found = partial_dependence(Law(), frame, "b", num_values=7)
    rest = 3.0 * frame["a"].mean()
    assert found.mean == pytest.approx([v**2 + rest for v in found.values])
    assert len(found.values) == 7
    flat = partial_dependence(Law(), frame, "c")
    assert np.ptp(flat.mean) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match=r"no column 'B'.*Did you mean 'b'"):
        partial_dependence(Law(), frame, "B")


def test_classes_and_refusals(frame: pd.DataFrame) -> None:
    from sklearn.linear_model import LogisticRegression

    label = np.digitize(frame["a"], [-0.5, 0.5])
    model = LogisticRegression().fit(frame, label)
    with pytest.raises(ValueError, match="gives 3 numbers per row; say which"):
        partial_dependence(model, frame, "a")
    rising = partial_dependence(model, frame, "a", output=2)
    assert (np.diff(rising.mean) > 0.0).all()
    assert integrated_gradients(model, frame, output=0).complete
    with pytest.raises(ValueError, match="gradients need numbers, but 'd' is text"):
        integrated_gradients(Law(), frame.assign(d="x"))
    with pytest.raises(ValueError, match=r"baseline needs the shape \(3,\)"):
        integrated_gradients(Law(), frame, baseline=[0.0])
