"""Which of two answers is nearer to the solution: the one that the equations ask for the smaller correction of.

Residuals do not compare: next to a singularity the worse answer may have the smaller one. Nor do changes from step to
step of two kinds of training. One Newton step in features that neither answer is made of turns the residual of each
into a change of the fields, in the same way for both.

This is for fields that equations and conditions determine. Where data carry the field (see
:mod:`pinnsolve.determinacy`) such a step would follow their noise: there the answer that meets the readings better is
taken, unless growth, which weighs readings by the evidence, converged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import final

import torch

from pinnsolve.determinacy import data_carry_the_field
from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.networks import Network
from pinnsolve.optimise.orthogonal import triangularise
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.problem import Problem
from pinnsolve.status import StopReason
from pinnsolve.training.convergence import floating_mask, probe_points, relative_change, snapshot
from pinnsolve.training.feature_layers import all_axes, features_for, num_slopes
from pinnsolve.training.feature_systems import smooth_weights, system_on
from pinnsolve.training.taken import Phase, Taken
from pinnsolve.training.trunk import scaling_of


def nearest(
    problem: Problem, ends: Mapping[Phase, Taken], *, seed: int, reduction: Reduction = ALONE
) -> Taken:
    """Return the end that needs the smallest correction; the only one, if there is but one.

    Args:
        problem: The declaration.
        ends: Where each kind of training ended.
        seed: Seed of the run.
        reduction: Agreement with other processes.
    """
    settled = _settled(problem, ends)
    if settled is not None:
        return settled
    errors = {
        phase: reduction.agreed_number(_distance(problem, taken, seed=seed))
        for phase, taken in ends.items()
    }
    return ends[min(errors, key=errors.__getitem__)]


@final
class Onlooker:
    """Says at every step which end is the nearer one, but does not estimate both at every step.

    Growth does not move while the trunk is trained and is estimated once; the trunk when the number of steps has risen
    by a tenth since it last was.
    """

    def __init__(self, problem: Problem, *, seed: int) -> None:
        """Begin to look.

        Args:
            problem: The declaration.
            seed: Seed of the run.
        """
        self._problem, self._seed = problem, seed
        self._known: dict[Phase, tuple[int, float]] = {}

    def nearest(self, ends: Mapping[Phase, Taken]) -> Taken:
        """Return the end that needed the smallest correction when it was last estimated.

        Args:
            ends: Where each kind of training stands.
        """
        settled = _settled(self._problem, ends)
        if settled is not None:
            return settled
        for phase, taken in ends.items():
            step, (before, _) = taken.record.step, self._known.get(phase, (0, math.inf))
            if step != before and step >= _MORE_STEPS * before:
                self._known[phase] = step, _distance(self._problem, taken, seed=self._seed)
        return ends[min(ends, key=lambda phase: self._known[phase][1])]


def _settled(problem: Problem, ends: Mapping[Phase, Taken]) -> Taken | None:
    """Return the end that is taken without any estimate, or None."""
    if len(ends) == 1:
        (only,) = ends.values()
        return only
    grown = ends.get("growth")
    converged = grown is not None and grown.mark.stop is StopReason.CONVERGED
    return grown if converged and data_carry_the_field(problem) else None


def _distance(problem: Problem, taken: Taken, *, seed: int) -> float:
    """Return what ends are compared by."""
    if data_carry_the_field(problem):
        return misfit_of(taken)
    return error_of(problem, taken, seed=seed)


def misfit_of(taken: Taken) -> float:
    """Return chi-square of the readings; inf if it is not finite.

    Args:
        taken: The answer.
    """
    readings = part_of(taken.system, measured=True)
    with torch.no_grad():
        chi2 = float(readings.residual(taken.theta).double().square().sum())
    return chi2 if math.isfinite(chi2) else math.inf


def error_of(problem: Problem, taken: Taken, *, seed: int) -> float:
    """Return an estimate of the relative error of the fields, the worst over the components; inf if it is not finite.

    The equations, linearised at the answer, are solved for what is to be added to it, by random features and the
    functions of the corners on points of their own.

    Args:
        problem: The declaration.
        taken: The answer.
        seed: Seed of the run; those of features and points are others.
    """
    scaling = scaling_of(problem, seed)
    count = taken.system.network.num_parameters
    theta = taken.theta.detach().to(dtype=torch.float64, device="cpu")
    if not bool(torch.isfinite(theta).all()):
        return math.inf
    base: tuple[Network, torch.Tensor] = taken.system.network, theta[:count]
    bandwidth = all_axes(_SLOPE, num_slopes(problem))
    others = seed + _OTHERS
    features = features_for(
        problem, _FEATURES, bandwidth, scaling, seed=others, search=theta[count:]
    )
    features = replace(features, base=base)
    weights = smooth_weights(problem, scaling, seed=seed, base=base)
    system = system_on(problem, features, scaling, weights, seed=others).tabulated()
    before = torch.cat((theta.new_zeros(features.num_parameters), theta[count:]))
    with torch.no_grad():
        if not bool(torch.isfinite(system.residual(before)).all()):
            return math.inf
    triangle = triangularise(
        lambda: system.linearised(before), system.num_parameters, system.num_rows
    )
    after = before + torch.from_numpy(triangle.step(_DAMPING))
    probe = probe_points(problem, scaling)
    pairs = zip(*(snapshot(system, at, probe) for at in (before, after)), strict=True)
    floating = floating_mask(problem, theta)
    error = max(float(relative_change(old, new, floating).max()) for old, new in pairs)
    return error if math.isfinite(error) else math.inf


_FEATURES = 400
"""Features of the correction: what it costs is that of an early stage of growth."""

_SLOPE = 4.0
"""Their typical slope along each axis, in network units."""

_DAMPING = 1e-6
"""Tikhonov term relative to the columns' norms: an answer may have the same functions of corners already."""

_OTHERS = 700_001
"""What is added to the seed for features and points that no kind of training has."""

_MORE_STEPS = 1.1
"""Factor on the number of steps after which an onlooker estimates an end anew."""
