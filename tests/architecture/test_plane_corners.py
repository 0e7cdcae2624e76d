"""Exponents of corners of solids and flows are the published ones; only corners that need them have functions."""

import math

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import (
    is_near_jump,
    jump_places,
    plane_corner_functions,
    singular_corners,
)
from pinnsolve.architecture.plane_corners import exponents
from pinnsolve.catalogue import shipped_problem
from pinnsolve.networks import JumpFlow
from pinnsolve.training.corner_points import corner_blocks
from pinnsolve.training.trunk import scaling_of


def functions_of(problem):
    return plane_corner_functions(problem, scaling_of(problem, 0))[0]


@pytest.mark.parametrize(
    ("degrees", "kappa", "alike", "held", "first"),
    [
        (270, 1.8, True, False, 0.54448373678),  # Williams 1952: free faces, whatever the material
        (360, 1.8, True, False, 0.5),  # a crack
        (270, 1.0, True, True, 0.54448373678),  # the same for a flow between walls
        (90, 3 - 4 * 0.3, False, False, 0.71117293),  # clamped and free, plane strain, nu = 0.3
    ],
)
def test_leading_exponents(degrees, kappa, alike, held, first):
    found = exponents(math.radians(degrees), kappa, alike, held)
    assert found[0] == pytest.approx(first, abs=1e-8)


def test_eddies_in_a_right_angle():
    """Moffatt 1964: 2.74 + 1.12 i for the velocity between walls at 90 degrees."""
    found = [root for root in exponents(math.pi / 2, 1.0, True, True) if abs(root.imag) > 0.1]
    assert found[0] == pytest.approx(2.7395933563 + 1.1190245343j, abs=1e-8)


def test_the_cavity_with_a_constant_lid_has_two_corners_with_a_jump():
    found = functions_of(shipped_problem("lid_driven_cavity", lid="constant"))
    jumps = sorted((c.center, c.walls) for c in found if isinstance(c, JumpFlow))
    assert np.allclose([center for center, _ in jumps], [(-1.0, 1.0), (1.0, 1.0)])
    speed = jumps[0][1][1][0]  # after the left corner comes the wall, before it the lid
    assert speed > 0.0
    assert [walls for _, walls in jumps] == [
        ((0.0, 0.0), (speed, 0.0)),
        ((speed, 0.0), (0.0, 0.0)),
    ]
    assert not any(p[2] > 0 for c in found if not isinstance(c, JumpFlow) for p in c.powers)


@pytest.mark.parametrize("lid", ["regularised", "parabolic"])
def test_velocities_that_agree_make_no_jump(lid):
    found = functions_of(shipped_problem("lid_driven_cavity", lid=lid))
    assert len(found) == 4
    assert not any(isinstance(c, JumpFlow) for c in found)


def test_a_jump_at_another_angle_meets_the_walls():
    """A plate that is drawn along the hypotenuse of a triangle, over a floor at rest."""
    triangle = ps.Polygon([(0.0, 0.0), (2.0, 0.0), (0.0, 1.0)])
    problem = ps.Problem(
        name="scraper",
        domain=triangle,
        physics=ps.Stokes(dynamic_viscosity=0.3),
        conditions=[
            ps.NoSlip("side0"),
            ps.NoSlip("side1", velocity=[-2.0, 1.0]),
            ps.NoSlip("side2"),
        ],
    )
    scaling = scaling_of(problem, 0)
    flows = [c for c in functions_of(problem) if isinstance(c, JumpFlow)]
    assert len(flows) == 2
    share = torch.linspace(0.05, 0.95, 5, dtype=torch.float64)[:, None]
    floor = torch.tensor([2.0, 0.0], dtype=torch.float64) * share
    plate = torch.tensor([2.0, 0.0], dtype=torch.float64) + share * torch.tensor(
        [-2.0, 1.0], dtype=torch.float64
    )
    flow = next(c for c in flows if c.center[0] > 0.0)
    u, v = flow.components[:2]
    for at, wall in ((floor, (0.0, 0.0)), (plate, (-2.0, 1.0))):
        streams = flow.streams(scaling.to_unit(at), [()])[0, ..., 0]
        found = (streams * scaling.scale)[:, [u, v]]
        assert torch.allclose(found, found.new_tensor(wall).expand(5, 2), atol=1e-12)


def test_mirrored_right_angles_are_smooth():
    assert not functions_of(shipped_problem("lame_cylinder"))


def test_other_physics_unsteady_problems_and_unknowns_have_none():
    assert not functions_of(shipped_problem("nafems_t4"))
    assert not functions_of(shipped_problem("taylor_green"))


def test_cooks_membrane_converges_beyond_finite_elements():
    """Without the functions the tip's displacement is 10 % low; here it is that of adaptive finite elements."""
    problem = shipped_problem("cooks_membrane")
    solution = ps.solve(problem, ps.Method(trunk="random", max_seconds=600.0), seed=0)
    tip = solution.at([[48.0, 52.0]]).displacement[0, 1]
    assert tip == pytest.approx(23.96774, rel=1e-4)


def test_a_velocity_that_is_smooth_in_a_corner_has_no_logarithm():
    """On Kovasznay's box the slopes of the given velocity have no divergence, below a parabolic lid they have."""
    smooth = functions_of(shipped_problem("kovasznay"))
    assert all(power[2] == 0 for c in smooth for power in c.powers)
    lid = functions_of(shipped_problem("lid_driven_cavity", lid="parabolic"))
    assert sorted(c.center for c in lid if (1.0, 0.0, 1) in c.powers) == [(-1.0, 1.0), (1.0, 1.0)]


def test_points_near_a_corner_lie_inside_and_on_its_sides():
    problem = shipped_problem("lid_driven_cavity", lid="parabolic")
    scaling = scaling_of(problem, 0)
    corners, jumps = singular_corners(problem, scaling, functions_of(problem))
    assert not jumps
    blocks = list(corner_blocks(problem, corners, 30, seed=0))
    assert len(corners) == 4
    for block in blocks:
        points = block.point_sets[0].numpy()
        nearest = np.min([np.linalg.norm(points - c.place, axis=1) for c in corners], axis=0)
        assert nearest.min() < 1e-3
        assert problem.domain.contains(points).all()
    assert {block.kind for block in blocks} == {"interior", "boundary"}


def test_velocity_may_jump_along_a_straight_wall() -> None:
    """Taylor's half-plane: a belt that begins to move in the middle of a wall."""
    shape = ps.Polygon([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)])
    still = [ps.NoSlip(part) for part in shape.parts if part != "side1"]
    belt = ps.NoSlip("side1", velocity=[1.0, 0.0])
    problem = ps.Problem("belt", shape, ps.Stokes(dynamic_viscosity=1.0), [belt, *still])
    assert sorted(map(tuple, jump_places(problem).tolist())) == [(1.0, 0.0), (2.0, 0.0)]
    functions, _ = plane_corner_functions(problem, scaling_of(problem, 0))
    assert sum(isinstance(f, JumpFlow) for f in functions) == 2
    points = np.array([[1.0, 0.05], [1.0, 0.5], [2.0, 0.01]])
    assert is_near_jump(problem, jump_places(problem), points).tolist() == [True, False, True]


def test_what_has_no_jump_is_compared_everywhere() -> None:
    assert jump_places(shipped_problem("lid_driven_cavity", lid="parabolic")).shape == (0, 2)
    assert jump_places(shipped_problem("heat_rod")).shape == (0, 2)
    constant = jump_places(shipped_problem("lid_driven_cavity", lid="constant"))
    assert sorted(map(tuple, constant.tolist())) == [(0.0, 1.0), (1.0, 1.0)]
