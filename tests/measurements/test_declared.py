"""What may be measured and how it is declared; every refusal by source, row and name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import data_blocks
from pinnsolve.fingerprint import declared, first_difference
from pinnsolve.jets import Coordinates, Fields, Frame, as_jet
from pinnsolve.measurements import data_groups, measured, measured_unit

PLATE = ps.Rectangle((0.0, 0.0), (2.0, 1.0))
HOLED = PLATE - ps.Disk((1.0, 0.5), 0.2)
HOT = (
    ps.Dirichlet("left", temperature=1.0),
    *(ps.Insulated(part) for part in ("right", "top", "bottom")),
)
SPAN = ps.TimeInterval(0.0, 3.0)
SLAB = ps.Heat(1.0, density=1.0, specific_heat=1.0)
TWO = [[0.5, 0.5], [1.5, 0.5]]


def plate(*data: ps.Measurements, **changes: object) -> ps.Problem:
    options = {"physics": ps.Heat(2.0), "conditions": HOT, "domain": PLATE, **changes}
    return ps.Problem("plate", measurements=data, **options)  # type: ignore[arg-type]


def rig(points: object, sigma: object = 0.1, **values: object) -> ps.Measurements:
    return ps.Measurements(points, values, sigma, source="rig.csv")  # type: ignore[arg-type]


# --- what can be measured


def at(name: str, jets: dict[str, object], physics: ps.Physics, time: bool = False) -> float:
    """Return a measured quantity of given fields at (2, 3) (at t = 5)."""
    columns = [[2.0, 3.0, 5.0]] if time else [[2.0, 3.0]]
    x = Coordinates(torch.tensor(columns, dtype=torch.float64), Frame(2, has_time=time))
    fields = Fields({key: make(x) for key, make in jets.items()})  # type: ignore[operator]
    return float(measured(name, fields, x, physics).value)


TEMPERATURE = {"temperature": lambda x: x.x * x.x * x.y}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 12.0),
        ("d temperature / dx", 12.0),
        ("d temperature/dy", 4.0),
        (" d  heat_flux_x / dx ", -12.0),
        ("heat_flux_x", -24.0),
        ("heat_flux_y", -8.0),
    ],
)
def test_values_slopes_and_fluxes_of_heat(name, value) -> None:
    assert at(name, TEMPERATURE, ps.Heat(2.0)) == pytest.approx(value)


def test_rates() -> None:
    moving = {"temperature": lambda x: x.t * x.t * x.x}
    assert at("d temperature / dt", moving, SLAB, time=True) == pytest.approx(20.0)


def test_components_strains_and_stresses_of_solids() -> None:
    """``u = (x y, y^2)``: strain ((y, x/2), (x/2, 2 y)); plane stress with nu = 0: sigma = E strain."""
    steel = ps.Elasticity(youngs_modulus=10.0, poissons_ratio=0.0, plane="stress")
    made = {"displacement": lambda x: as_jet([x.x * x.y, x.y * x.y], x.frame)}
    for name, value in {
        "displacement_y": 9.0,
        "strain_xx": 3.0,
        "strain_xy": 1.0,
        "strain_yy": 6.0,
        "stress_xy": 10.0,
        "stress_yy": 60.0,
        "d displacement_x / dy": 2.0,
    }.items():
        assert at(name, made, steel) == pytest.approx(value), name


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("temperature", "K"),
        ("heat_flux_x", "W/m2"),
        ("d temperature / dx", "K/m"),
        ("d temperature / dt", "K/s"),
        ("concentration", None),
    ],
)
def test_units_of_what_is_measured(name, unit) -> None:
    assert measured_unit(name, ps.Heat(1.0).units()) == unit


# --- several at once


def test_blocks_have_unique_names_and_noise() -> None:
    one = rig(TWO, temperature=[1.0, 2.0])
    sigma = {"heat_flux_x": 5.0, "temperature": None}
    points = [[1.0, 0.2], [1.0, 0.3], [1.0, 0.4]]
    two = rig(points, sigma, heat_flux_x=[3.0] * 3, temperature=[1.0] * 3)
    blocks = data_blocks(plate(one, two))
    assert [block.name for block in blocks] == [
        "measurements 1",
        "measurements 2: heat_flux_x",
        "measurements 2: temperature",
    ]
    assert [block.noise.tolist() for block in blocks[:2]] == [[0.1, 0.1], [5.0] * 3]
    assert plate(one).data == plate(one).measurements
    assert [block.name for block in data_blocks(plate(one))] == ["measurements"]


def test_one_set_is_kept_as_it_is_given() -> None:
    one = rig(TWO, temperature=[1.0, 2.0])
    problem = replace(plate(), measurements=one)
    assert problem.measurements is one
    assert problem.data == (one,)
    assert plate().measurements is None


@pytest.mark.parametrize("name", ["stress_xx", "pressure"])
def test_whatever_reads_the_level_of_pressure_sets_it(name) -> None:
    walls = [ps.NoSlip(part) for part in ("left", "right", "top", "bottom")]
    flow = ps.Stokes(dynamic_viscosity=1.0)
    problem = plate(rig([[0.5, 0.5]], **{name: [1.0]}), physics=flow, conditions=walls)
    assert problem.floating_fields == ()


@pytest.mark.parametrize("name", ["velocity_x", "d pressure / dx"])
def test_velocities_and_slopes_leave_the_level_of_pressure_free(name) -> None:
    walls = [ps.NoSlip(part) for part in ("left", "right", "top", "bottom")]
    flow = ps.Stokes(dynamic_viscosity=1.0)
    problem = plate(rig([[0.5, 0.5]], **{name: [1.0]}), physics=flow, conditions=walls)
    assert problem.floating_fields == ("pressure",)


# --- held out


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_share_of_the_places_is_held_out(seed) -> None:
    """All times of a place go together, and every row is in one of the two parts."""
    places = np.random.default_rng(seed).uniform(0.1, 0.9, (10, 2))
    points = np.column_stack((np.repeat(places, 4, axis=0), np.tile([0.0, 1.0, 2.0, 3.0], 10)))
    data = ps.Measurements(
        points, {"temperature": np.arange(40.0)}, 0.1, holdout=0.2, holdout_seed=seed
    )
    held = data.held_out(2).reshape(10, 4)
    assert held.sum() == 8
    assert (held.all(axis=1) == held.any(axis=1)).all()
    kept, out = (
        data_groups((data,), 2, held_out=flag)[0].values["temperature"] for flag in (False, True)
    )
    assert sorted([*kept, *out]) == list(range(40))
    other = replace(data, holdout_seed=seed + 17)
    assert (other.held_out(2) != data.held_out(2)).any()


def test_fingerprints_tell_measurements_apart() -> None:
    points = np.column_stack((np.linspace(0.1, 1.9, 6), np.full(6, 0.5)))
    one = ps.Measurements(points, {"temperature": np.arange(6.0)}, 0.1)
    base = declared(plate(one))
    assert first_difference(base, declared(plate(replace(one, likelihood="huber")))) is not None
    assert first_difference(base, declared(plate(replace(one, holdout=0.3)))) is not None
    over = ps.LineAverage((-0.05, 0.0), (0.05, 0.0))
    assert first_difference(base, declared(plate(replace(one, over=over)))) is not None
    moved = replace(one, points=points[::-1].copy())
    assert first_difference(base, declared(plate(moved))) == "the places of the measurements"
    assert first_difference(base, declared(plate(replace(one, source="elsewhere")))) is None


# --- refusals

REFUSED = {
    "in a hole": (
        lambda: plate(rig([*TWO, [1.1, 0.5]], temperature=[1.0] * 3), domain=HOLED, conditions=()),
        r"rig.csv: 1 of 3 points lie outside the domain \(within its bounds: in a hole.*rows 3: first at .1.1, 0.5.",
    ),
    "many outside": (
        lambda: plate(rig([[3.0 + k, 0.5] for k in range(7)], temperature=[1.0] * 7)),
        "7 of 7 points lie outside the domain, rows 1, 2, 3, 4, 5 and 2 more",
    ),
    "before the start": (
        lambda: plate(
            rig([[0.5, 0.5, -1.0]], temperature=[1.0]),
            physics=SLAB,
            conditions=(*HOT, ps.Initial(temperature=0.0)),
            time=SPAN,
        ),
        "rows 1: first at t = -1 s, but time runs from 0 to 3 s; check the units",
    ),
    "a row twice": (
        lambda: plate(rig([*TWO, TWO[0]], temperature=[1.0, 2.0, 1.0])),
        "rig.csv: row 1 and rig.csv: row 3 are the same: temperature = 1 at .0.5, 0.5.; leave one out",
    ),
    "a row in two sets": (
        lambda: plate(rig(TWO, temperature=[1.0, 2.0]), rig([TWO[1]], 0.2, temperature=[2.0])),
        "row 2 and rig.csv: row 1 are the same|row 1 and rig.csv: row 2 are the same",
    ),
    "contradicting readings": (
        lambda: plate(rig([*TWO, TWO[0]], temperature=[1.0, 2.0, 1.9])),
        "row 1 and rig.csv: row 3 contradict each other: temperature = 1 and 1.9 .* 6 standard deviations apart",
    ),
    "a unit of another dimension": (
        lambda: plate(replace(rig(TWO, temperature=[1.0, 2.0]), units={"temperature": "mm"})),
        "temperature was measured in units of 'm', but Heat has it in 'K'",
    ),
    "a slope in kelvins": (
        lambda: plate(
            ps.Measurements(
                TWO, {"d temperature / dx": [1.0, 2.0]}, 0.1, units={"d temperature / dx": "K"}
            )
        ),
        r"d temperature / dx was measured in units of 'K', but Heat has it in 'K/m'",
    ),
    "radiation in degC": (
        lambda: plate(
            replace(rig(TWO, temperature=[1.0, 2.0]), units={"temperature": "degC"}),
            conditions=(*HOT[:3], ps.Radiation("bottom", emissivity=0.5, ambient=300.0)),
        ),
        "temperature is in degC, but radiation needs absolute temperatures; give K",
    ),
    "no such slope": (
        lambda: plate(ps.Measurements(TWO, {"d temprature / dx": [1.0, 2.0]}, 0.1)),
        "no field component 'd temprature / dx'. .*Did you mean 'd temperature / dx'",
    ),
    "a rate of a steady field": (
        lambda: plate(ps.Measurements(TWO, {"d temperature / dt": [1.0, 2.0]}, 0.1)),
        "no field component 'd temperature / dt'. There are d temperature / dx",
    ),
    "a whole vector": (
        lambda: plate(rig(TWO, heat_flux=[1.0, 2.0])),
        "no field component 'heat_flux'. .*heat_flux_x",
    ),
    "all held out": (
        lambda: plate(ps.Measurements([TWO[0]], {"temperature": [1.0]}, 0.1, holdout=0.5)),
        "holdout=0.5 leaves no place to learn from",
    ),
    "a share of more than all": (
        lambda: ps.Measurements(TWO, {"temperature": [1.0, 2.0]}, 0.1, holdout=1.0),
        r"holdout is a share of the places in \[0, 1\), got 1.0",
    ),
    "noise from one row": (
        lambda: plate(rig([TWO[0]], None, temperature=[1.0])),
        "1 rows of temperature cannot tell 0 unknowns and their own noise; give sigma",
    ),
    "an unknown likelihood": (
        lambda: ps.Measurements(TWO, {"T": [1.0, 2.0]}, 0.1, likelihood="cauchy"),  # type: ignore[arg-type]
        "likelihood must be one of normal, student, huber, got 'cauchy'",
    ),
    "sigma of another name": (
        lambda: rig(TWO, {"temprature": 0.1}, temperature=[1.0, 2.0]),
        "sigma by name needs every measured name and no other; 'temperature' is in one of them only",
    ),
    "sigma of zero by name": (
        lambda: rig(TWO, {"temperature": 0.0}, temperature=[1.0, 2.0]),
        "sigma must be > 0, one number or one per point, got 0.0 for 'temperature'",
    ),
    "a number for measurements": (
        lambda: ps.Problem("plate", PLATE, ps.Heat(1.0), HOT, measurements=3.0),  # type: ignore[arg-type]
        "measurements must be Measurements.* got 3.0",
    ),
    "a table for measurements": (
        lambda: ps.Problem("plate", PLATE, ps.Heat(1.0), HOT, measurements=[TWO]),  # type: ignore[list-item]
        "measurements must be Measurements",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case) -> None:
    act, match = REFUSED[case]
    with pytest.raises(ValueError, match=match):
        act()


def test_readings_that_differ_within_their_noise_are_welcome() -> None:
    assert plate(rig([*TWO, TWO[0]], temperature=[1.0, 2.0, 1.5])).data
    wild = replace(rig([*TWO, TWO[0]], temperature=[1.0, 2.0, 9.0]), likelihood="student")
    assert plate(wild).data


def test_temperatures_in_kelvin_and_degrees_are_both_temperatures() -> None:
    for unit in ("K", "degC", "degF"):
        assert plate(replace(rig(TWO, temperature=[1.0, 2.0]), units={"temperature": unit})).data
