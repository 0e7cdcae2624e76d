"""A steady problem must have one solution: no constant may be left open."""

from __future__ import annotations

import pytest

import pinnsolve as ps

SQUARE = ps.Rectangle((0.0, 0.0), (1.0, 1.0))


def test_heat_with_fluxes_only_is_refused() -> None:
    conditions = [ps.Insulated(part) for part in ("left", "right", "bottom")]
    with pytest.raises(ValueError, match=r"nothing sets the level of temperature.*Convection"):
        ps.Problem(
            name="floating",
            domain=SQUARE,
            physics=ps.Heat(conductivity=1.0),
            conditions=[*conditions, ps.Neumann("top", temperature=0.0)],
        )


def test_a_body_that_nothing_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing sets the level of displacement_y"):
        ps.Problem(
            name="flying",
            domain=SQUARE,
            physics=ps.Elasticity(1.0, 0.3, "stress"),
            conditions=[
                ps.Symmetry("left"),
                *(ps.Traction(part) for part in ("right", "bottom", "top")),
            ],
        )


@pytest.mark.parametrize("wall", [ps.Convection("top", 5.0), ps.Dirichlet("top", temperature=1.0)])
def test_one_part_with_a_level_is_enough(wall: ps.Condition) -> None:
    conditions = [ps.Insulated(part) for part in ("left", "right", "bottom")]
    heat = ps.Heat(conductivity=1.0)
    ps.Problem(name="held", domain=SQUARE, physics=heat, conditions=[*conditions, wall])
