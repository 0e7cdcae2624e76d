"""Stages of random features for a field that rests on data: their slopes, stiffness and spread by the evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.networks import RandomFeatures
from pinnsolve.optimise.open_newton import (
    OpenNewton,
    OpenState,
    fitted_to_data,
    open_triangle,
    with_stiffness,
)
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.scaling import Scaling
from pinnsolve.training.feature_layers import features_for, num_slopes
from pinnsolve.training.feature_systems import smooth_weights, system_on
from pinnsolve.training.features import FIRST, GROWTH
from pinnsolve.training.warm import fitted_to_network


@dataclass(frozen=True)
class Setting:
    """What a stage is made with: slope and stiffness by the evidence, the spread by the number of features.

    Attributes:
        slope: Typical slope of the features, the same along all axes.
        stiffness: k: the rows of the equations count as read with noise 1/k.
        spread: Standard deviation that is expected of the weights; falls with the root of the number of features.
    """

    slope: float
    stiffness: float
    spread: float


@dataclass(frozen=True)
class OpenSolved:
    """A stage that was solved: all that the next one is made from.

    Attributes:
        number: Of the stage, from 0.
        num_features: How many.
        setting: What was chosen for it.
        begin: Where the choice for the next stage begins.
        theta: The solution, shape (P + K,).
        fields: Its outputs where the error is estimated, shape (groups, M, C).
        stds: Standard deviations of the unknowns' search variables.
    """

    number: int
    num_features: int
    setting: Setting
    begin: Setting
    theta: Tensor
    fields: Tensor
    stds: tuple[float, ...]


@dataclass(frozen=True)
class OpenStage:
    """A stage with its solution as far as it has come.

    Attributes:
        number: From 0.
        num_features: How many.
        setting: What was chosen for it.
        system: The system, tabulated.
        state: Where the iteration stands.
    """

    number: int
    num_features: int
    setting: Setting
    system: System
    state: OpenState

    @property
    def evidence(self) -> float:
        """Of the readings, where the last step began."""
        return -np.inf if self.state.triangle is None else self.state.triangle.log_evidence


def open_system(
    problem: Problem, scaling: Scaling, number: int, num_features: int, setting: Setting, seed: int
) -> System:
    """Return the system of a stage, tabulated.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        number: Of the stage, from 0.
        num_features: How many.
        setting: Their slope, stiffness and spread.
        seed: Seed of features and points.
    """
    network = features_of(problem, scaling, number, num_features, setting, seed)
    weights = smooth_weights(problem, scaling, seed=seed)
    system = system_on(problem, network, scaling, weights, seed=seed + 1009 * number)
    return with_stiffness(system, setting.stiffness, setting.spread).tabulated()


def features_of(
    problem: Problem, scaling: Scaling, number: int, num_features: int, setting: Setting, seed: int
) -> RandomFeatures:
    """Return the features of a stage.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        number: Of the stage, from 0.
        num_features: How many.
        setting: Their slope and spread.
        seed: Seed of features and points.
    """
    slopes = torch.full((num_slopes(problem),), setting.slope, dtype=torch.float64, device="cpu")
    return features_for(problem, num_features, slopes, scaling, seed=seed + 1009 * number)


def begun(
    problem: Problem,
    scaling: Scaling,
    setting: Setting,
    before: OpenSolved | None,
    *,
    seed: int,
) -> OpenStage:
    """Return a stage that begins from the fields of the one before, or from a fit to the readings alone.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        setting: What was chosen for it.
        before: The stage before, or None.
        seed: Seed of features and points.
    """
    number = 0 if before is None else before.number + 1
    num_features = FIRST if before is None else round(GROWTH * before.num_features)
    system = open_system(problem, scaling, number, num_features, setting, seed)
    if before is None:
        theta = torch.zeros(system.num_parameters, dtype=torch.float64, device="cpu")
        starts = theta.new_tensor([unknown.start for unknown in problem.unknowns])
        theta[system.network.num_parameters :] = starts
        theta = fitted_to_data(system, theta)
    else:
        theta = _fitted_to(problem, scaling, system, before, seed)
    return OpenStage(number, num_features, setting, system, OpenNewton().init(system, theta))


def _fitted_to(
    problem: Problem, scaling: Scaling, system: System, before: OpenSolved, seed: int
) -> Tensor:
    """Return the parameters with which the fields of the stage before are met."""
    old = features_of(problem, scaling, before.number, before.num_features, before.setting, seed)
    new, count = system.network, old.num_parameters
    if not isinstance(new, RandomFeatures):
        raise TypeError(f"a stage is made of random features, got {new!r}")
    # singular vector fields keep their weights; ridges are fitted to the rest
    first = count - old.num_joint
    rest, plain = (replace(network, plane_corners=()) for network in (old, new))
    head = fitted_to_network(rest, before.theta[:first], plain, system)
    return torch.cat((head, before.theta[first:]))


def solved(stage: OpenStage, reduction: Reduction = ALONE) -> OpenStage:
    """Return a stage after as many Newton steps as it needs."""
    for _ in range(MAX_STEPS):
        if stage.state.converged:
            break
        stage = stepped(stage, reduction)
    return stage


def stepped(stage: OpenStage, reduction: Reduction = ALONE) -> OpenStage:
    """Return a stage after a Newton step, the same on all processes, each of which computes all of it."""
    state = OpenNewton().step(stage.system, stage.state)
    return replace(stage, state=_agreed(state, reduction))


def _agreed(state: OpenState, reduction: Reduction) -> OpenState:
    """Return the state with the parameters of the first process, and its word whether they are the last."""
    if reduction.size == 1:
        return state
    converged = bool(reduction.agreed_number(float(state.converged)))
    theta = reduction.agreed(state.theta.detach().clone())
    return replace(state, theta=theta, converged=converged)


def chosen(
    problem: Problem,
    scaling: Scaling,
    setting: Setting,
    before: OpenSolved | None,
    *,
    seed: int,
    reduction: Reduction = ALONE,
) -> OpenStage:
    """Return a stage, solved, with the slope and the stiffness that have the largest evidence.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        setting: Where to begin.
        before: The stage before, or None.
        seed: Seed of features and points.
        reduction: Agreement with other processes.
    """

    def with_slope(setting: Setting) -> OpenStage:
        stage = solved(begun(problem, scaling, setting, before, seed=seed), reduction)
        return climbed(stage, _MOST_CLIMBS, down=True, reduction=reduction)

    best = with_slope(setting)
    for factor in (_STEEPER, 1.0 / _STEEPER):
        first = best
        for _ in range(_MOST_TRIALS):
            trial = with_slope(replace(best.setting, slope=factor * best.setting.slope))
            if not _rises(best.evidence, trial.evidence, reduction):
                break
            best = trial
        if best is not first:
            break
    return best


def climbed(
    stage: OpenStage, most: int, *, down: bool = False, reduction: Reduction = ALONE
) -> OpenStage:
    """Return a solved stage with another stiffness, as long as the evidence rises.

    Args:
        stage: The stage, solved.
        most: Most times that it is changed.
        down: Whether it may fall, too.
        reduction: Agreement with other processes.
    """
    for factor in (_STIFFER, 1.0 / _STIFFER) if down else (_STIFFER,):
        first = stage
        for _ in range(most):
            stiffness = factor * stage.setting.stiffness
            trial = _trial(stage, replace(stage.setting, stiffness=stiffness), reduction)
            if trial is None:
                break
            stage = trial
        if stage is not first:
            break
    return stage


def _trial(stage: OpenStage, setting: Setting, reduction: Reduction) -> OpenStage | None:
    """Return the stage a step further with another stiffness or spread; None if the evidence hardly rises."""
    system = with_stiffness(stage.system, setting.stiffness, setting.spread)
    triangle = open_triangle(system, stage.state.theta)
    if not _rises(stage.evidence, triangle.log_evidence, reduction):
        return None
    start = OpenNewton().init(system, stage.state.theta)
    state = _agreed(OpenNewton().stepped(system, start, triangle), reduction)
    return solved(replace(stage, setting=setting, system=system, state=state), reduction)


def _rises(old: float, new: float, reduction: Reduction) -> bool:
    """Return whether the evidence rises by more than hardly, for the first process; what is not a number does not."""
    return bool(reduction.agreed_number(float(new > old + _HARDLY)))


def next_setting(problem: Problem, setting: Setting) -> Setting:
    """Return where the choice for the next stage begins: steeper features, and the same spread of the field.

    Args:
        problem: The declaration.
        setting: Of the stage before.
    """
    steeper = GROWTH ** (0.5 / num_slopes(problem))
    return Setting(steeper * setting.slope, setting.stiffness, setting.spread / GROWTH**0.5)


BEGIN = Setting(slope=1.0, stiffness=1e4, spread=1e3)
"""Where the choice for the first stage begins."""

CHOSEN_UP_TO = 300
"""Features up to which every stage chooses its slope and stiffness; larger ones choose a larger stiffness at most."""

MAX_STEPS = 12
"""Most Newton steps of a stage with one setting."""

_MOST_CLIMBS = 6

_MOST_TRIALS = 20
"""Most slopes that are tried on one side: up to 190 times the first."""

_STEEPER = 1.3

_STIFFER = 10.0**0.5

_HARDLY = 2.0
"""Rise of the logarithm of the evidence that counts as none."""
