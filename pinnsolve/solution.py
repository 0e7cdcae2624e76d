"""Solution: the answer as a value. Evaluate it, differentiate it, integrate it, from any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.collocation import tensor
from pinnsolve.estimated_functions import EstimatedFunction
from pinnsolve.estimates import Estimate
from pinnsolve.evaluation import Evaluation, Named, Points, as_points
from pinnsolve.jets import Coordinates, Fields, Jet, as_jet, dot, grad
from pinnsolve.levels import Level, mean_level
from pinnsolve.naming import near_match_text
from pinnsolve.networks import FrozenInputs, Network
from pinnsolve.physics import Physics
from pinnsolve.problem import Problem
from pinnsolve.quadrature import quadrature
from pinnsolve.ranges import columns, middle_of, missing_text
from pinnsolve.record import RunRecord
from pinnsolve.scaling import Scaling
from pinnsolve.status import Status
from pinnsolve.trained_fields import Law, TrainedFields
from pinnsolve.uncertainty import Member, Posterior, deviations, field_columns, functions_of
from pinnsolve.unknowns import bind
from pinnsolve.verdict import Verdict

if TYPE_CHECKING:
    import xarray

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """A trained network in the words of its problem.

    Attributes:
        problem: What was solved.
        network: The network.
        parameters: Its parameters, shape (P,).
        scaling: Maps between SI and network units.
        estimates: The identified unknowns.
        record: How it was found.
        levels: What is subtracted from fields whose level nothing determines (zero mean).
        verdict: Whether to believe it, once it has been judged.
        posterior: How sure the unknowns and the fields are; None if there are no unknowns.
    """

    problem: Problem
    network: Network
    parameters: Tensor
    scaling: Scaling
    estimates: tuple[Estimate, ...]
    record: RunRecord
    levels: Mapping[str, Level] = field(default_factory=dict)
    verdict: Verdict | None = None
    posterior: Posterior | None = None

    @property
    def status(self) -> Status:
        """Why the run stopped."""
        return self.record.status

    @property
    def physics(self) -> Physics:
        """The physics with unknowns replaced by their estimates."""
        return self.known_problem.physics

    @property
    def known_problem(self) -> Problem:
        """The problem with unknowns replaced by their estimates."""
        if not self.estimates:
            return self.problem
        return self.problem.bound({e.name: e.value for e in self.estimates})

    @property
    def functions(self) -> dict[str, EstimatedFunction]:
        """The identified functions by name, callable on arrays: ``solution.functions["flux"](times)``."""
        return functions_of(self.problem, self.estimates, self.posterior)

    def given(self, **values: float) -> Solution:
        """Return the solution for values of its ranges: ``solution.given(reynolds=100.0)``.

        Nothing is trained: it is the same network with inputs held. What comes back is an ordinary
        solution of :meth:`Problem.given`, without a verdict of its own.

        Args:
            **values: A value for some or all of the ranges.

        Raises:
            ValueError: If there is no such range or a value lies outside of it.
        """
        problem = self.problem.given(**values)
        names = self.problem.frame.axis_names
        held = [axis for axis, name in enumerate(names) if name in values]
        scaling = self.scaling.to(dtype=torch.float64, device=torch.device("cpu"))
        place = scaling.lower.clone()
        place[held] = tensor(np.array([float(values[names[axis]]) for axis in held]))
        unit = scaling.to_unit(place[None])[0].tolist()
        network = FrozenInputs(self.network, tuple((axis, unit[axis]) for axis in held))
        kept = self.scaling.without(held)
        view = replace(
            self, problem=problem, network=network, scaling=kept, verdict=None, posterior=None
        )
        return view if problem.ranges else levelled(view)

    @property
    def middle(self) -> Solution:
        """The solution at the middle of all ranges; itself if there are none."""
        ranges = self.problem.ranges
        return self.given(**middle_of(ranges)) if ranges else self

    def at(self, points: Points, **values: float | Sequence[float] | Array) -> Evaluation:
        """Return the solution at points.

        Args:
            points: Shape (N, d) in SI units: space coordinates, then time if unsteady.
            **values: A value for every range, one number or shape (N,).

        Returns:
            An object with one attribute per field and derived quantity, arrays of shape (N,), (N,
            C) or (N, C, C): ``solution.at([[0.6, 0.2]]).temperature``.

        Raises:
            ValueError: If a range has no value or one outside of it.
        """
        ranges = self.problem.ranges
        located = as_points(points, self.problem.frame.num_physical)
        chosen = columns(ranges, values, len(located))
        if not (ranges and self.problem.floating_fields):
            everything = self._named_at(np.column_stack((located, chosen)))
            return Evaluation(located, ((everything, np.arange(len(located))),))
        names = [item.name for item in ranges]  # a level is known at given values only
        pieces = []
        for row in np.unique(chosen, axis=0):
            rows = np.flatnonzero((chosen == row).all(axis=1))
            view = self.given(**dict(zip(names, row.tolist(), strict=True)))
            pieces.append((view._named_at(located[rows]), rows))
        return Evaluation(located, pieces)

    def std_at(self, points: Points) -> Evaluation:
        """Return the standard deviation of fields alone at points, as far as it comes from noise in the measurements.

        It is that of Laplace's approximation, also where the likelihood of an unknown was found not to be normal: there
        estimates have the interval of their profile, and the verdict's notes say so, but fields do not follow it.

        Args:
            points: Shape (N, d) in SI units: space coordinates, then time if unsteady.

        Raises:
            ValueError: If nothing was measured, there are ranges, or a derived quantity is asked for.
        """
        located = as_points(points, self.problem.frame.num_axes)
        std = np.linalg.norm(self.deviations_at(located), axis=-1)
        columns = field_columns(self.problem.field_shapes)

        def of_field(name: str) -> Array:
            if name not in columns:
                near = near_match_text(name, columns)
                raise ValueError(
                    f"standard deviations are of fields alone, not of {name!r}. {near}"
                )
            values: Array = std[:, columns[name]]
            return values

        return Evaluation(located, ((of_field, np.arange(len(std))),))

    def deviations_at(self, points: Array) -> Array:
        """Return how all C components deviate at points (N, D) by each of R standard normal variables, (N, C, R)."""
        self._refuse_open_ranges()
        at = Member(self.network, self.parameters, self.scaling)
        return deviations(self.posterior, at, self.problem, points, self.quadrature)

    def evaluate(self, points: Points, law: Law, normals: Array | None = None) -> Array:
        """Return any field made from the solution, at points.

        Args:
            points: Shape (N, D): space, time, and the values of the ranges, if there are any.
            law: ``law(f, x, n)`` of jets, for instance ``lambda f, x, n: dot(grad(f.temperature),
                n)``.
            normals: Unit normals (N, space dimension) if the law uses them.

        Returns:
            Shape (N, *shape of the law's field).
        """
        located = as_points(points, self.problem.frame.num_axes)
        none = np.zeros((len(located), self.problem.domain.dim))
        directions = none if normals is None else normals
        return self._trained.evaluate(located, directions, law)

    def derivative(self, name: str, points: Points, *axes: str) -> Array:
        """Return a partial derivative of a field: ``derivative("temperature", points, "x", "x")``.

        Args:
            name: Field name.
            points: Shape (N, D).
            *axes: Coordinate names, one per differentiation.
        """
        names = self.problem.frame.axis_names
        for axis in axes:
            if axis not in names:
                raise ValueError(f"no coordinate {axis!r}. {near_match_text(axis, names)}")
        curved = [names[axis] for axis in self.scaling.logarithmic if names[axis] in axes]
        if curved:
            raise ValueError(
                f"{curved[0]!r} is a logarithmic range, which nothing is differentiated by; take the difference "
                "of two values"
            )
        index = tuple(names.index(axis) for axis in axes)

        def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
            del n
            jet = f[name]
            parts = [part.derivative(tuple(sorted(index))) for part in jet.parts]
            return as_jet(parts[0] if jet.shape == () else parts, x.frame)

        return self.evaluate(points, law)

    def gradient(self, name: str, points: Points) -> Array:
        """Return the space gradient of a field: shape (N, d) or (N, C, d)."""
        return self.evaluate(points, lambda f, x, n: grad(f[name]))

    def integral(
        self, law: Law | str, part: str | None = None, *, time: float | None = None
    ) -> Array:
        """Integrate over the domain, or over one boundary part.

        Args:
            law: A field or derived quantity by name, or ``law(f, x, n)``; n is the outward normal
                on a part.
            part: Boundary part; None integrates over the domain.
            time: When, for an unsteady problem; None is the end.

        Returns:
            A number (shape ()) or one per component; per metre of depth in 2-D.
        """
        points, normals, weights = self.quadrature(part, time)
        values = self.evaluate(
            points, self.named_law(law) if isinstance(law, str) else law, normals
        )
        return np.tensordot(weights, values, axes=(0, 0))

    def average(
        self, law: Law | str, part: str | None = None, *, time: float | None = None
    ) -> Array:
        """Return the mean over the domain or a boundary part; arguments as for :meth:`integral`."""
        domain = self.problem.domain
        measure = domain.measure if part is None else domain.part_measure(part)
        return np.asarray(self.integral(law, part, time=time) / measure)

    def outflow(self, name: str, part: str, *, time: float | None = None) -> Array:
        """Return the natural flux of a field through a part, outward: heat in W, or force on the body in N.

        Args:
            name: ``temperature`` for heat; ``displacement`` or ``velocity`` for the force of the
                traction.
            part: Boundary part.
            time: When, for an unsteady problem; None is the end.
        """

        def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
            fluxes = self.physics.natural_fluxes(f, x)
            if name not in fluxes:
                raise ValueError(f"no natural flux of {name!r}. {near_match_text(name, fluxes)}")
            return dot(fluxes[name], n)

        return self.integral(law, part, time=time)

    def quantities(self) -> dict[str, float]:
        """Return the problem's quantities of interest by name."""
        return {
            quantity.name: float(quantity.evaluate(self)) for quantity in self.problem.quantities
        }

    def named_law(self, name: str) -> Law:
        """Return the law of a field or derived quantity by name."""

        def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
            del n
            if name in self.problem.field_shapes:
                return f[name]
            derived = bind(self.physics, x.parameters).derived(f, x)
            if name not in derived:
                near = near_match_text(name, [*self.problem.field_shapes, *derived])
                raise ValueError(f"no field or derived quantity {name!r}. {near}")
            return derived[name]

        return law

    def _named_at(self, points: Array) -> Named:
        """Return what evaluates a field or derived quantity by name at points (N, D)."""
        return lambda name: self.evaluate(points, self.named_law(name))

    def save(self, path: str | Path) -> None:
        """Write the solution to an HDF5 file (atomically; numbers and text only)."""
        from pinnsolve.interop.hdf5 import write_solution

        write_solution(self, Path(path))

    def to_vtu(self, path: str | Path, *, resolution: int = 64, time: float | None = None) -> None:
        """Write fields and derived quantities for ParaView.

        Args:
            path: The file.
            resolution: Points along the longest side, unless the domain is a mesh.
            time: When, for an unsteady problem; None is the end.
        """
        from pinnsolve.interop.vtu import write_vtu

        self._refuse_open_ranges()
        write_vtu(self, Path(path), resolution=resolution, time=time)

    def to_xarray(self, *, resolution: int = 64, num_times: int = 33) -> xarray.Dataset:
        """Return fields on a regular grid with labelled coordinates; points outside the domain are NaN."""
        from pinnsolve.interop.labelled import to_dataset

        self._refuse_open_ranges()
        return to_dataset(self, resolution=resolution, num_times=num_times)

    def block_rows(self, block: Block) -> dict[str, Array]:
        """Return a block's rows on this solution, unweighted, in SI units, shape (N,) by equation."""
        return self._trained.block_rows(block, {e.name: e.value for e in self.estimates})

    @property
    def _trained(self) -> TrainedFields:
        return TrainedFields(self.problem, self.network, self.parameters, self.scaling, self.levels)

    def quadrature(self, part: str | None, time: float | None) -> tuple[Array, Array, Array]:
        """Return points (N, D), outward normals (N, d) and weights (N,) of the domain (None) or a part."""
        self._refuse_open_ranges()
        return quadrature(self.problem, part, time)

    def _refuse_open_ranges(self) -> None:
        if self.problem.ranges:
            raise ValueError(missing_text(self.problem.ranges))


def levelled(solution: Solution) -> Solution:
    """Return a solution whose fields without a level of their own have zero mean."""
    plain, interval = replace(solution, levels={}), solution.problem.time
    levels = {
        name: mean_level(plain.average, name, interval) for name in solution.problem.floating_fields
    }
    return replace(solution, levels=levels)


def component_values(solution: Solution, points: Array) -> Array:
    """Return all field components at points, shape (N, C)."""

    def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
        del n
        parts = tuple(part for name in f for part in f[name].parts)
        return Jet((len(parts),), parts, x.frame)

    return solution.evaluate(points, law)
