"""``pytest validation/ --suite full`` solves everything; without the option the quick suite is solved."""

from __future__ import annotations

from typing import get_args

import pytest
from pinnsolve.validation.suite import Suite, chosen_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--suite``."""
    parser.addoption("--suite", choices=get_args(Suite), default="quick", help="Cases to solve.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of every case."""
    if "case" in metafunc.fixturenames:
        cases = chosen_cases(metafunc.config.getoption("suite"))
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
