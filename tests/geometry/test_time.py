"""The time span."""

from dataclasses import FrozenInstanceError

import pytest

from pinnsolve.geometry import TimeInterval


def test_duration():
    assert TimeInterval(2, 5).duration == 3.0


def test_it_is_a_value():
    assert TimeInterval(0, 1) == TimeInterval(0.0, 1.0)
    with pytest.raises(FrozenInstanceError):
        TimeInterval(0, 1).end = 2.0
