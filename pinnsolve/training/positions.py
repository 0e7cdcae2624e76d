"""Where each kind of training stands, as frozen values: all that is needed to go on with the same numbers.

Points, features and initial parameters are not in them: they are drawn again from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pinnsolve.optimise.schedule import ScheduleState
from pinnsolve.training.features import Solved
from pinnsolve.training.open_stages import OpenSolved, Setting


@dataclass(frozen=True)
class GrowthPosition:
    """The beginning of a stage of random features; within a stage training goes back to it.

    Attributes:
        step: Steps taken in the stages before.
        losses: Loss of each of these stages on points that none was solved on.
        errors: Estimated error of each.
        solved: The last of them; None if there is none.
        fields: Its outputs where the error is estimated, shape (groups, M, C).
        numbers: The quantities of interest that it gave, name and value.
        smoothness: That of unknown functions which the data are to choose, as far as they have, name and value.
    """

    step: int = 0
    losses: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    solved: Solved | None = None
    fields: Tensor | None = None
    numbers: tuple[tuple[str, float], ...] = ()
    smoothness: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class TrunkPosition:
    """After a step on all parameters of a network.

    Attributes:
        begun: Seconds when this kind of training began.
        first_step: Number of its first step.
        step: Steps it has taken.
        state: State of the schedule.
        drawn: Its step before which the present points were drawn; 0 if they are the first ones.
        drawn_at: The parameters whose residual steered that draw.
        snapshots: Outputs of the network after the last steps, each of shape (groups, M, C).
        refusals: Steps in a row, up to now, without progress.
        multiple: How many times as many points there are as at first.
        fresh: Loss on new points, before the first step on them, of every draw of this many points.
    """

    begun: float
    first_step: int
    step: int
    state: ScheduleState
    drawn: int
    drawn_at: Tensor
    snapshots: tuple[Tensor, ...]
    refusals: int = 0
    multiple: int = 1
    fresh: tuple[float, ...] = ()


@dataclass(frozen=True)
class OpenPosition:
    """The beginning of a stage of random features where the field rests on data.

    Attributes:
        step: Steps taken in the stages before.
        errors: Estimated error of each of them.
        solved: The last of them; None if there is none.
        setting: What was chosen for the stage that begins here, once it is over.
    """

    step: int = 0
    errors: tuple[float, ...] = ()
    solved: OpenSolved | None = None
    setting: Setting | None = None


Position = GrowthPosition | OpenPosition | TrunkPosition
