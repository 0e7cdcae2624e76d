"""How to solve: network, points, optimiser, precision and limits, as one frozen value with working defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch

from pinnsolve.architecture import (
    exact_boundary_for,
    periodic_axes,
    stream_function_for,
    with_kinks,
)
from pinnsolve.blocks import PointCounts
from pinnsolve.determinacy import data_carry_the_field, field_is_determined
from pinnsolve.networks import (
    MLP,
    Embedding,
    Identity,
    Network,
    OutputTransform,
    Periodic,
    Transformed,
)
from pinnsolve.optimise import (
    SOAP,
    GaussNewton,
    HandOver,
    Ladder,
    Optimiser,
    Schedule,
    Stage,
    WarmUpCosine,
)
from pinnsolve.optimise.precision import (
    BF16_MIXED,
    FLOAT32,
    FLOAT64,
    FP16_MIXED,
    Policy,
    refuse_unsupported,
)
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling

Precision = Literal["auto", "float64", "float32", "bf16-mixed", "fp16-mixed"]
"""Arithmetic of the run. All but ``float32`` end in float64, the only one that reaches small errors.

``auto`` is float64, but for the Gram matrices of Gauss-Newton's early steps if the network has 2,000
parameters or more: see :class:`pinnsolve.optimise.Ladder`. The mixed ones begin with
first-order training (SOAP) in that precision and hand over to :attr:`Method.optimiser` in float64.
"""

_FIRST_ORDER = {"bf16-mixed": BF16_MIXED, "fp16-mixed": FP16_MIXED}

_LEAST_PARAMETERS = 2000
"""Parameters from which a float32 Gram matrix saves a quarter of a step or more."""

_UPDATES_PER_STEP = 50
"""Updates of first-order training that count as one step: about as much work as one of Gauss-Newton."""

Trunk = Literal["auto", "random", "trained"]
"""The layers below the head: fixed random features, a trained network, or first the one and then the other."""

Boundary = Literal["penalty", "exact"]
"""Given values as rows of the least-squares system, or built into the network."""

Velocity = Literal["components", "stream function"]
"""The network gives a velocity directly, or as derivatives of a stream function (in 2-D)."""

SmoothnessRule = Literal["evidence", "discrepancy", "l-curve"]
"""How the data choose the strength of a smoothness prior; see :mod:`pinnsolve.uncertainty.strength`."""


@dataclass(frozen=True)
class Method:
    """A way to solve a problem. Everything left at None is chosen from the declaration.

    Attributes:
        trunk: ``random`` grows a layer of fixed random features and solves for its head alone, which meets smooth
            solutions to many digits within seconds; ``trained`` trains all layers of a network, which also meets sharp
            and singular ones; ``auto`` does the first and, if it is not enough, the second.
        max_features: Most head weights of random features; the cost of a solve grows with their cube.
        hidden: Widths of the hidden layers.
        points: Numbers of collocation points of a trained trunk; None begins with about three rows per parameter and
            takes more when they are fitted by heart. Random features take as many as they need.
        bandwidth: Factor on the first layer's initial weights; larger sees finer detail.
        embedding: What the network sees of the coordinates: ``auto`` makes it periodic where the
            declaration is, ``none`` gives it the coordinates themselves. Where there are interfaces, it
            also sees their levels, so that it can kink there.
        boundary: Whether given boundary and initial values are rows of the least-squares system
            (``penalty``) or met exactly by the network (``exact``).
        velocity: ``components``, or ``stream function`` for plane flows free of divergence.
        resample_every: Steps after which new collocation points are drawn, so that none are
            overfitted; 0 never.
        adaptive_share: Share of the new interior points that is drawn in proportion to the residual.
        max_steps: Most optimiser steps.
        max_seconds: Most wall time of the training loop, in s.
        precision: Arithmetic.
        device: ``cpu``, ``cuda``, ``cuda:1`` ...
        optimiser: The least-squares optimiser, dense or matrix-free (for large networks), or a whole
            :class:`Schedule` of stages (with ``precision="auto"``, since its stages say their own).
        max_batch_points: Most points in one Jacobian chunk; bounds memory.
        smoothness: How the smoothness of an unknown function is chosen from the data, where it is not given.
    """

    trunk: Trunk = "auto"
    max_features: int = 5100
    hidden: tuple[int, ...] | None = None
    points: PointCounts | None = None
    bandwidth: float = 2.0
    embedding: Literal["auto", "none"] | Embedding = "auto"
    boundary: Boundary = "penalty"
    velocity: Velocity = "components"
    resample_every: int = 5
    adaptive_share: float = 0.5
    max_steps: int = 400
    max_seconds: float = 120.0
    precision: Precision = "auto"
    device: str = "cpu"
    optimiser: Optimiser = field(default_factory=GaussNewton)
    max_batch_points: int = 4096
    smoothness: SmoothnessRule = "evidence"

    def __post_init__(self) -> None:
        """Refuse limits that allow nothing, and unknown arithmetic."""
        if not 0.0 <= self.adaptive_share < 1.0:
            raise ValueError(f"adaptive_share must lie in [0, 1), got {self.adaptive_share}")
        if self.resample_every < 0:
            raise ValueError(f"resample_every must be >= 0 (0 never), got {self.resample_every}")
        if self.max_steps < 1:
            raise ValueError(f"max_steps must be >= 1, got {self.max_steps}")
        if self.max_batch_points < 1:
            raise ValueError(f"max_batch_points must be >= 1, got {self.max_batch_points}")
        if not (math.isfinite(self.max_seconds) and self.max_seconds > 0):
            raise ValueError(f"max_seconds must be finite and > 0, got {self.max_seconds}")
        if self.precision not in get_args(Precision):
            raise ValueError(
                f"precision must be one of {', '.join(get_args(Precision))}, got {self.precision!r}"
            )
        if not (self.embedding in ("auto", "none") or isinstance(self.embedding, Embedding)):
            raise ValueError(
                f"embedding must be 'auto', 'none' or an Embedding such as Fourier, got {self.embedding!r}"
            )
        if self.max_features < 1:
            raise ValueError(f"max_features must be >= 1, got {self.max_features}")
        choices = (("trunk", Trunk), ("boundary", Boundary), ("velocity", Velocity))
        for name, kinds in (*choices, ("smoothness", SmoothnessRule)):
            if getattr(self, name) not in get_args(kinds):
                raise ValueError(
                    f"{name} must be one of {', '.join(get_args(kinds))}, got {getattr(self, name)!r}"
                )
        if self.trunk == "random" and self._asks_for_a_trained_trunk:
            raise ValueError(
                "trunk='random' has one layer of fixed features in float64, without embedding or transform: leave "
                "hidden, embedding, boundary, velocity, optimiser and precision as they are, or use trunk='trained'"
            )
        if self.boundary == "exact" and self.velocity == "stream function":
            raise ValueError(
                "boundary='exact' and velocity='stream function' exclude each other: adding given values would "
                "break the freedom of divergence; keep one"
            )
        if isinstance(self.optimiser, Schedule) and self.precision != "auto":
            raise ValueError(
                f"a schedule says the precision of each of its stages; got precision={self.precision!r} "
                "besides: leave it at 'auto'"
            )
        for stage in self.schedule.stages:
            refuse_unsupported(stage.policy, _device(self.device))

    @property
    def schedule(self) -> Schedule:
        """The stages of training: who takes the steps, in which arithmetic, until when."""
        if isinstance(self.optimiser, Schedule):
            return self.optimiser
        if self.precision == "float32":
            return Schedule((Stage(self.optimiser, FLOAT32),))
        last = self.optimiser
        if self.precision == "auto" and isinstance(last, GaussNewton):
            last = Ladder(last, _LEAST_PARAMETERS)
        final = Stage(last, FLOAT64)
        policy = _FIRST_ORDER.get(self.precision)
        return Schedule((final,) if policy is None else (self._first_stage(policy), final))

    def _first_stage(self, policy: Policy) -> Stage:
        hand_over = HandOver()
        total = max(100, math.ceil(hand_over.share * self.max_steps) * _UPDATES_PER_STEP)
        rate = WarmUpCosine(peak=1e-2, warm_up=50, total=total)
        return Stage(SOAP(rate, policy, _UPDATES_PER_STEP), policy, hand_over)

    def grows(self, problem: Problem) -> bool:
        """Return whether a layer of random features is tried first.

        Not if the method asks for anything that a trained network alone can do, nor where the field itself rests on
        few measurements: where conditions are missing that only data make up for.
        """
        if self.trunk != "auto":
            return self.trunk == "random"
        inverse = bool(problem.unknowns) or problem.measurements is not None
        open_field = inverse and not field_is_determined(problem)
        open_field = open_field and not data_carry_the_field(problem)
        return not (open_field or self._asks_for_a_trained_trunk)

    @property
    def _asks_for_a_trained_trunk(self) -> bool:
        """Whether anything was chosen by hand that random features do not have."""
        network = self.hidden is not None or isinstance(self.embedding, Embedding)
        special = self.boundary != "penalty" or self.velocity != "components"
        optimiser = self.optimiser != GaussNewton() or self.precision not in ("auto", "float64")
        return network or special or optimiser

    @property
    def torch_device(self) -> torch.device:
        """The device."""
        return _device(self.device)

    @property
    def dtype(self) -> torch.dtype:
        """Arithmetic of residual and parameters at the end of the run."""
        return torch.float32 if self.precision == "float32" else torch.float64

    def network_for(self, problem: Problem, scaling: Scaling | None = None) -> Network:
        """Return the network: four hidden layers, wider for several components or coordinates.

        Args:
            problem: The declaration.
            scaling: Maps between SI and network units; needed for exact boundary values and for
                stream functions.

        Raises:
            ValueError: If the declaration does not allow what the method asks for.
        """
        axes, components = problem.frame.num_axes, len(problem.component_names)
        if self.hidden is not None:
            hidden = self.hidden
        elif axes == 1:
            hidden = (12, 12)
        else:
            hidden = (16 if components == 1 and axes == 2 else 20 if axes <= 3 else 24,) * 4
        embedding = self._embedding_for(problem)
        transform = self._transform_for(problem, scaling)
        outputs = components if transform is None else transform.num_inner_outputs
        inner = MLP(axes, outputs, hidden, self.bandwidth, embedding)
        return inner if transform is None else Transformed(inner, transform)

    def _embedding_for(self, problem: Problem) -> Embedding:
        if isinstance(self.embedding, Embedding):
            return with_kinks(problem, self.embedding)
        periods = periodic_axes(problem) if self.embedding == "auto" else ()
        return with_kinks(problem, Periodic(periods) if periods else Identity())

    def _transform_for(self, problem: Problem, scaling: Scaling | None) -> OutputTransform | None:
        if self.boundary == "penalty" and self.velocity == "components":
            return None
        if scaling is None:
            raise ValueError(
                "boundary='exact' and velocity='stream function' need the scaling of the problem: "
                "network_for(problem, scaling)"
            )
        if self.boundary == "exact":
            return exact_boundary_for(problem, scaling)
        return stream_function_for(problem, scaling)

    def points_for(self, problem: Problem, network: Network) -> PointCounts:
        """Return point counts that give about three rows per parameter."""
        if self.points is not None:
            return self.points
        components = len(problem.component_names)
        rows = (2.6 if components == 1 else 2.1) * network.num_parameters
        # a stream function stands for two components and leaves out the equation of continuity
        equations = (
            network.transform.num_inner_outputs if isinstance(network, Transformed) else components
        )
        interior = max(64, math.ceil(rows / equations))
        if problem.frame.num_axes == 1:
            return PointCounts(interior, 2)
        initial = round(0.28 * interior) if problem.time is not None else 0
        return PointCounts(interior, max(48, round(0.28 * interior)), initial)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no such device: {name!r}; use cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device {name!r} was asked for, but torch sees no CUDA device; use device='cpu'"
        )
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r} is not supported; use cpu or cuda")
    return device
