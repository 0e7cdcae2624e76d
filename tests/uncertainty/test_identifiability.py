"""What the data tell: single unknowns, their combinations, and how the verdict says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.judging_unknowns import not_identifiable, unknown_checks, unknown_notes
from pinnsolve.training import Trained, train
from pinnsolve.uncertainty import Posterior, identifiability, spread_before
from pinnsolve.verdict import identifiability_name

from .conftest import METHOD, SENSORS, SIGMA


def of_rows(rows: np.ndarray, *unknowns: ps.Unknown) -> Posterior:
    """Return a posterior with given rows of the data, in relative changes of the unknowns at their first guess."""
    count = len(unknowns)
    slopes = np.array([u.slope(u.start) for u in unknowns])
    factor = np.asarray(rows) * slopes / np.array([u.initial for u in unknowns])
    return Posterior(
        method="laplace",
        unknowns=unknowns,
        search=np.array([u.start for u in unknowns]),
        search_covariance=np.linalg.pinv(factor.T @ factor),
        data_factor=factor,
        prior_factor=np.zeros((0, count)),
        log_evidence=0.0,
        num_data=len(rows),
        num_open=0.0,
        root=np.zeros((0, 0)),
        samples=np.zeros((0, count)),
    )


def positive(name: str, value: float) -> ps.Unknown:
    return ps.Unknown(name, value, bounds=(value / 100.0, value * 100.0))


def test_the_product_is_known_and_the_quotient_is_not() -> None:
    known = of_rows([[50.0, 50.0]], positive("k", 3.0), positive("q", 200.0))
    found = identifiability(known)
    assert found.not_identifiable == ("k", "q")
    first, second = found.combinations
    assert first.text == "k * q"
    assert first.relative_std == pytest.approx(0.02)
    assert second.text == "k / q"
    assert second.relative_std == np.inf
    assert str(found) == (
        "not identifiable from these data: k, q; k * q is known to 2 %; k / q is not"
    )


def test_powers_are_written_out() -> None:
    known = of_rows([[80.0, -40.0, 0.0]], *(positive(n, 1.0) for n in "abc"))
    assert identifiability(known).known[0].text == "a / b^0.5"


def test_an_unknown_that_the_data_tell_is_identifiable() -> None:
    found = identifiability(of_rows([[100.0]], positive("k", 3.0)))
    assert found.not_identifiable == ()
    assert str(found) == ""
    assert found.ratios["k"] == pytest.approx(0.02, rel=1e-6)


def test_data_are_held_against_bounds_and_priors() -> None:
    """A relative std of 0.2 is little for a number within a decade, and much for one known to 10 % before."""
    bounded = ps.Unknown("k", 3.0, bounds=(2.9, 3.1))
    assert identifiability(of_rows([[5.0]], bounded)).not_identifiable == ("k",)
    free = of_rows([[5.0]], ps.Unknown("k", 3.0))
    assert identifiability(free).not_identifiable == ()
    informed = replace(free, prior_factor=np.array([[10.0]]))
    assert identifiability(informed).not_identifiable == ("k",)
    assert spread_before(informed)[0] == pytest.approx(0.1)


@pytest.fixture(scope="module")
def ratio_only() -> Trained:
    """``T = 100 - (q / k) x``."""
    x, noise = SENSORS, np.random.default_rng(5).normal(0.0, SIGMA, len(SENSORS))
    return train(
        ps.Problem(
            "ratio",
            ps.Interval(0.0, 1.0),
            ps.Heat(ps.Unknown("k", 3.0, bounds=(0.5, 50.0))),
            [
                ps.Dirichlet("left", temperature=100.0),
                ps.Neumann("right", temperature=ps.Unknown("q", 500.0, bounds=(50.0, 5000.0))),
            ],
            measurements=ps.Measurements(
                x[:, None], {"temperature": 100.0 - 150.0 * x + noise}, sigma=SIGMA
            ),
        ),
        METHOD,
    )


def test_a_field_that_shows_a_ratio_only(ratio_only: Trained) -> None:
    solution = ratio_only.solution
    assert not_identifiable(solution) == ("k", "q")
    assert [check.passed for check in unknown_checks(solution)] == [False, False]
    (note,) = unknown_notes(solution)
    assert note.startswith("not identifiable from these data: k, q; k / q is known to 0.1")
    assert note.endswith("; k * q is not")


def test_the_verdict_has_a_state_of_its_own() -> None:
    right, wrong = ps.Check("residual", 0.1, 1.0), ps.Check("residual", 2.0, 1.0)
    open_one = ps.Check(identifiability_name("k"), 3.0, 1.0)
    assert ps.Verdict((right,), 1e-3).state == "trusted"
    lost = ps.Verdict((right, open_one), 1e-3, (), ("k",))
    assert not lost.trusted
    assert lost.state == "not identifiable"
    assert str(lost).startswith("not identifiable at relative accuracy 0.001")
    assert ps.Verdict((wrong, open_one), 1e-3, (), ("k",)).state == "not trusted"


def test_fewer_data_than_unknowns_are_pointed_out(ratio_only: Trained) -> None:
    known = ratio_only.solution.posterior
    assert known is not None
    solution = replace(ratio_only.solution, posterior=replace(known, num_data=1))
    first = unknown_notes(solution)[0]
    assert first.startswith("1 measured numbers for 2 unknowns: the rest is settled by priors")
    assert first.endswith("the data do not tell k * q")


@pytest.mark.parametrize("num", [8, 16, 64])
def test_a_number_beside_a_function_is_told_whatever_the_number_of_coefficients(num) -> None:
    """Ten readings of ``k + f(x)``, f being zero at two places between them."""
    function = ps.UnknownFunction("f", of={"x": (0.0, 1.0)}, num=num, smoothness=0.1)
    number = ps.Unknown("k", 1.0)
    places = np.linspace(0.0, 1.0, 10)
    told = np.column_stack((np.ones(10), function.basis(places))) / 0.01
    ends = np.column_stack((np.zeros(2), function.basis(np.array([0.05, 0.95])))) / 0.001
    rows = np.vstack((told, ends))
    smooth = 0.1 * function.second_differences()
    coefficients = [ps.Unknown(f"f[{i}]", 1.0) for i in range(num)]
    data_only = of_rows(rows, number, *coefficients)
    known = replace(
        data_only, prior_factor=np.column_stack((np.zeros(len(smooth)), smooth)), num_data=12
    )
    assert identifiability(known).ratios["k"] < 0.2
    if num > 11:
        assert data_only.bound[0] > 10.0 * known.bound[0]


def test_a_prior_of_a_number_is_no_data() -> None:
    unknowns = [ps.Unknown(name, 1.0) for name in "abc"]
    rows = np.random.default_rng(0).normal(size=(10, 3))
    held = replace(of_rows(rows, *unknowns), prior_factor=np.diag([1e6, 0.0, 0.0]))
    assert held.bound == pytest.approx(of_rows(rows, *unknowns).bound)
