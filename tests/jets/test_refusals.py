"""What jets refuse, and what they say: nothing is ever broadcast over components."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    component_names,
    curl,
    div,
    dot,
    dt,
    grad,
    inner,
    outer,
    trace,
    transpose,
    where,
)

PLANE = Frame(2)
X = Coordinates(torch.tensor([[0.1, 0.2], [0.3, 0.4]], dtype=torch.float64), PLANE)
ELSEWHERE = Coordinates(torch.ones(2, 3, dtype=torch.float64), Frame(2, has_time=True))

REFUSED = {
    "scalar + vector": (lambda: X.x + X.position, r"cannot add fields of shapes \(\) and \(2,\)"),
    "vector + number": (lambda: X.position + 1.0, "nothing is broadcast over components"),
    "vector - tensor": (lambda: X.position - grad(X.position), "cannot add fields of shapes"),
    "vector * vector": (lambda: X.position * X.position, r"use dot\(a, b\)"),
    "vector ** 2": (lambda: X.position**2, "only a scalar field can be raised to a power"),
    "scalar ** scalar": (lambda: X.x**X.y, "only to a plain number"),
    "scalar / vector": (lambda: X.x / X.position, "only a scalar field"),
    "other frame +": (lambda: X.x + ELSEWHERE.x, "different coordinates cannot meet"),
    "other frame *": (lambda: X.x * ELSEWHERE.x, "different coordinates cannot meet"),
    "other frame dot": (lambda: dot(X.position, ELSEWHERE.position), "different coordinates"),
    "other frame inner": (lambda: inner(X.position, ELSEWHERE.position), "different coordinates"),
    "other frame outer": (lambda: outer(X.position, ELSEWHERE.position), "different coordinates"),
    "other frame where": (lambda: where(X.x > 0, X.x, ELSEWHERE.x), "different coordinates"),
    "grad of tensor": (
        lambda: grad(grad(X.position)),
        r"scalar or a vector field, got shape \(2, 2\)",
    ),
    "div of scalar": (lambda: div(X.x), r"last dimension is 2, got shape \(\)"),
    "div of 3-vector": (lambda: div(as_jet([X.x] * 3, PLANE)), r"got shape \(3,\)"),
    "curl of scalar": (lambda: curl(X.x), r"got shape \(\) in 2-D"),
    "dt when steady": (lambda: dt(X.x), r"time=TimeInterval\(start, end\)"),
    "dot of shapes": (lambda: dot(X.position, [1.0, 2.0, 3.0]), r"shapes \(2,\) and \(3,\)"),
    "dot of scalar": (lambda: dot(X.x, X.position), "dot contracts matching indices"),
    "inner of shapes": (lambda: inner(X.x, X.position), "inner takes fields of one shape"),
    "outer of scalar": (lambda: outer(X.x, X.position), "outer takes two vectors"),
    "trace of vector": (lambda: trace(X.position), "expected a square tensor field"),
    "transpose of vector": (lambda: transpose(X.position), "expected a square tensor field"),
    "where of shapes": (
        lambda: where(X.x > 0, X.x, X.position),
        "where.. takes fields of one shape",
    ),
    "where of numbers": (lambda: where(X.x > 0, 1.0, 2.0), "needs frame="),
    "component of scalar": (lambda: X.x[0], r"a field of shape \(\) has no component 0"),
    "column tensor": (lambda: X.x + torch.ones(2, 1), r"shape \(\) or \(N,\), got \(2, 1\)"),
    "ragged list": (lambda: as_jet([1.0, [2.0, 3.0]], PLANE), "components must be of one shape"),
    "empty list": (lambda: as_jet([], PLANE), "components must be of one shape"),
    "text": (lambda: X.x + "1", "expected a field or a number, got '1'"),
    "None": (lambda: X.x * None, "expected a field or a number, got None"),
    "bool": (lambda: as_jet(True, PLANE), "expected a field or a number, got True"),
    "mapping": (
        lambda: as_jet({}, PLANE),
        "expected a field, a number or a list of these, got dict",
    ),
    "wrong number of parts": (lambda: Jet((2,), X.x.parts, PLANE), "needs 2 parts, got 1"),
    "points of another frame": (
        lambda: Coordinates(torch.ones(3, 2), Frame(3)),
        r"shape \(N, 3\) with columns x, y, z, got \(3, 2\)",
    ),
    "unknown coordinate": (lambda: X.z, "there is no coordinate 'z' here, only x, y"),
    "time when steady": (lambda: X.t, "there is no coordinate 't' here, only x, y"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case) -> None:
    act, match = REFUSED[case]
    with pytest.raises(ValueError, match=match):
        act()


def test_component_out_of_range() -> None:
    with pytest.raises(IndexError, match="component 2 of a field with 2 components"):
        X.position[2]


def test_a_scalar_has_no_length() -> None:
    with pytest.raises(TypeError, match="no components"):
        len(X.x)


def test_unknown_field_names_the_near_match() -> None:
    fields = Fields({"temperature": X.x, "velocity": X.position})
    with pytest.raises(ValueError, match=r"no field 'temprature'.*Did you mean 'temperature'"):
        _ = fields.temprature
    assert list(fields) == ["temperature", "velocity"]


def test_fields_do_not_pretend_to_have_protocols() -> None:
    assert not hasattr(Fields({}), "__array__")
    assert not hasattr(X, "__len__")


def test_component_names() -> None:
    shapes = {"velocity": (3,), "pressure": (), "displacement": (2,)}
    assert component_names(shapes) == (
        "velocity_x",
        "velocity_y",
        "velocity_z",
        "pressure",
        "displacement_x",
        "displacement_y",
    )


def test_fields_from_components_keep_the_order() -> None:
    parts = [*X.position.parts, *X.x.parts]
    fields = Fields.from_components({"velocity": (2,), "pressure": ()}, parts, PLANE)
    assert torch.equal(fields.velocity.value, X.points)
    assert torch.equal(fields.pressure.value, X.points[:, 0])


def test_axis_names() -> None:
    assert Frame(1, has_time=True).axis_names == ("x", "t")
    assert Frame(3).axis_names == ("x", "y", "z")
    assert Frame(2, has_time=True).num_axes == 3
