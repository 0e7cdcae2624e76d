"""Regressor and Classifier are estimators as scikit-learn understands them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from pinnsolve.learning import Classifier, Regressor

SMALL: tuple[BaseEstimator, ...] = (
    Regressor(architecture=("mlp", 2), max_steps=5, validation_share=0.5),
    Classifier(architecture=("mlp", 2), max_steps=8, validation_share=0.5),
)


@parametrize_with_checks(SMALL)
@pytest.mark.filterwarnings("default")
def test_estimator(estimator: BaseEstimator, check: Callable[[Any], None]) -> None:
    check(estimator)
