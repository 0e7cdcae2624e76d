"""Exponents of corners of solids and flows are the published ones; only corners that need them have functions."""

import math

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.architecture import plane_corner_functions, singular_corners
from pinnsolve.architecture.plane_corners import exponents
from pinnsolve.catalogue import shipped_problem
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
    jumps = sorted(c.center for c in found if (0.0, 0.0, 1) in c.powers)
    assert np.allclose(jumps, [(-1.0, 1.0), (1.0, 1.0)])
    parabolic = functions_of(shipped_problem("lid_driven_cavity", lid="parabolic"))
    assert len(parabolic) == 4
    assert not any((0.0, 0.0, 1) in c.powers for c in parabolic)


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
    corners = singular_corners(problem, scaling, functions_of(problem))
    blocks = list(corner_blocks(problem, corners, 30, seed=0))
    assert len(corners) == 4
    for block in blocks:
        points = block.point_sets[0].numpy()
        nearest = np.min([np.linalg.norm(points - c.place, axis=1) for c in corners], axis=0)
        assert nearest.min() < 1e-3
        assert problem.domain.contains(points).all()
    assert {block.kind for block in blocks} == {"interior", "boundary"}
