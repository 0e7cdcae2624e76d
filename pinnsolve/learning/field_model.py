"""Fields from samples: coordinates and parameters in, field components out; with physics as a constraint if wanted.

Without physics it is supervised learning by :mod:`pinnsolve.learning.evidence`. With a problem, its network, scaling
and residual rows are those of :func:`pinnsolve.solve`, the samples are its measurements, and what comes back is an
ordinary :class:`pinnsolve.Solution`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.evaluation import Evaluation, Points, as_points
from pinnsolve.learning.candidates import Architecture, Task
from pinnsolve.learning.field_physics import fit_with_physics
from pinnsolve.learning.fitted import Fitted
from pinnsolve.learning.fitting import fit_rows
from pinnsolve.learning.journal import FitJournal
from pinnsolve.learning.record import FitObserver, FitRecord
from pinnsolve.learning.rows import Rows, Standardiser
from pinnsolve.learning.saved import read_model, write_model
from pinnsolve.learning.settings import Found, Settings
from pinnsolve.measurements import Measurements
from pinnsolve.method import Method
from pinnsolve.naming import near_match_text
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared
from pinnsolve.threads import one_torch_thread

if TYPE_CHECKING:
    import xarray

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LearnedField:
    """A field that was learned from samples.

    Attributes:
        coordinates: Names of the inputs: coordinates, then parameters.
        fields: Names of the components.
        lower: Smallest input that was seen, by axis.
        upper: Largest one.
        fitted: The networks.
    """

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    fitted: Fitted

    @property
    def record(self) -> FitRecord:
        """How it was found."""
        return self.fitted.record

    def at(self, points: Points, **values: float | Sequence[float] | Array) -> Evaluation:
        """Return the fields at points, as :meth:`pinnsolve.Solution.at` does.

        Args:
            points: Coordinates, shape (N, d), for the inputs that are not in ``values``.
            **values: Parameters by name, one number or shape (N,); they must be the last inputs.

        Returns:
            An object with one attribute per component, arrays of shape (N,).

        Raises:
            ValueError: If there is no such parameter, or the points have another shape.
        """
        strange = [name for name in values if name not in self.coordinates]
        if strange:
            raise ValueError(
                f"unknown parameter {strange[0]!r}. {near_match_text(strange[0], self.coordinates)}"
            )
        rest = [name for name in self.coordinates if name not in values]
        located = as_points(points, len(rest))
        columns = {name: located[:, k] for k, name in enumerate(rest)}
        for name, value in values.items():
            column = np.asarray(value, dtype=np.float64)
            if column.shape not in ((), (len(located),)):
                raise ValueError(
                    f"{name} must be one number or of shape ({len(located)},), got {column.shape}"
                )
            columns[name] = np.broadcast_to(column, len(located))
        found = self.fitted.outputs(np.column_stack([columns[name] for name in self.coordinates]))

        def named(name: str) -> Array:
            if name not in self.fields:
                raise AttributeError(f"no field {name!r}. {near_match_text(name, self.fields)}")
            return found[:, self.fields.index(name)]

        return Evaluation(located, ((named, np.arange(len(located))),))

    def inside(self, points: Points) -> npt.NDArray[np.bool_]:
        """Return which points lie within the bounds of the samples, shape (N,).

        Args:
            points: All inputs, shape (N, D).
        """
        located = as_points(points, len(self.coordinates))
        lower, upper = np.array(self.lower), np.array(self.upper)
        within = np.all((located >= lower) & (located <= upper), axis=1)
        return np.asarray(within, dtype=np.bool_)

    def save(self, path: str | Path) -> None:
        """Write the field to an HDF5 file of numbers and text; read it with ``LearnedField.load``.

        Args:
            path: The file; its folder must exist.
        """
        write_model(path, "FieldModel", {}, self)

    @classmethod
    def load(cls, path: str | Path) -> LearnedField:
        """Return the field that was saved in a file; nothing in it is executed.

        Args:
            path: A file that :meth:`save` wrote.

        Raises:
            ValueError: If the file is not one, or is damaged.
        """
        return read_model(path, {"FieldModel": cls})[2]


@dataclass(frozen=True)
class FieldModel:
    """How fields are learned from samples.

    Attributes:
        coordinates: Names of the inputs: coordinates, then parameters.
        fields: Names of the components.
        architecture: As for :class:`pinnsolve.learning.Regressor`; ignored with physics, where ``method`` says it.
        max_steps: Most steps of one network.
        max_seconds: Time limit, in s.
        seed: Seed of splits and initial parameters.
        device: Where to train.
    """

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    architecture: Architecture = "auto"
    max_steps: int = 200
    max_seconds: float = 300.0
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse names that are missing or given twice."""
        names = (*self.coordinates, *self.fields)
        if not self.coordinates or not self.fields or len(set(names)) < len(names):
            raise ValueError(
                "a FieldModel needs names of coordinates and of fields, all different, got "
                f"{self.coordinates} and {self.fields}"
            )

    def fit(
        self, points: Points, values: Mapping[str, Any], *, observer: FitObserver | None = None
    ) -> LearnedField:
        """Learn the fields from samples alone.

        Args:
            points: Inputs, shape (N, D) in the order of ``coordinates``.
            values: Samples of every field by name, each of shape (N,).
            observer: Called after every epoch.

        Raises:
            ValueError: If a field is missing, or its samples are not finite numbers of shape (N,).
        """
        located, columns = self._samples(points, values)
        journal = FitJournal(self.max_seconds, observer)
        weight = np.ones(len(located))
        inputs = Standardiser.of(located, weight, robust=False)
        targets = Standardiser.of(columns, weight, robust=False)
        rows = Rows(
            torch.from_numpy(inputs.forward(located)),
            torch.from_numpy(targets.forward(columns)),
            torch.from_numpy(weight),
        )
        task = Task(float(len(located)), located.shape[1], columns.shape[1], classify=False)
        settings = Settings(
            self.architecture,
            "auto",
            "auto",
            self.max_seconds,
            self.max_steps,
            0.2,
            self.seed,
            torch.device(self.device),
        )
        with one_torch_thread():
            found = fit_rows(task, rows, located, settings, journal)
        record = self._record(found, journal, len(located))
        fitted = Fitted(None, inputs, targets, found.members, False, True, record)
        return LearnedField(
            tuple(self.coordinates),
            tuple(self.fields),
            tuple(located.min(axis=0).tolist()),
            tuple(located.max(axis=0).tolist()),
            fitted,
        )

    def fit_dataset(
        self, dataset: xarray.Dataset, *, observer: FitObserver | None = None
    ) -> LearnedField:
        """Learn the fields from a dataset whose dimensions are the coordinates; cells with NaN are left out.

        Args:
            dataset: Variables by the names of the fields, over the coordinates in any order.
            observer: Called after every epoch.

        Raises:
            ValueError: If a coordinate or a field is missing.
        """
        for what, wanted, present in (
            ("coordinate", self.coordinates, [str(name) for name in dataset.coords]),
            ("field", self.fields, [str(name) for name in dataset.data_vars]),
        ):
            missing = [name for name in wanted if name not in present]
            if missing:
                raise ValueError(
                    f"the dataset has no {what} {missing[0]!r}. {near_match_text(missing[0], present)}"
                )
        frame = dataset[list(self.fields)].to_dataframe().reset_index().dropna()
        points = frame[list(self.coordinates)].to_numpy(dtype=np.float64)
        return self.fit(points, {name: frame[name] for name in self.fields}, observer=observer)

    def fit_with_physics(
        self,
        points: Points,
        values: Mapping[str, Any],
        physics: Problem,
        *,
        weight: float = 1.0,
        hard: bool = False,
        sigma: float | None = None,
        method: Method | None = None,
        reference: Compared = True,
    ) -> Solution:
        """Learn the fields from samples and a problem's equations together, by Gauss-Newton.

        Args:
            points: Samples' coordinates, shape (N, D).
            values: Samples by component name, each of shape (N,).
            physics: The problem; its equations, conditions and data are the constraint.
            weight: Factor on all its rows, relative to the samples, each balanced to order one. Ignored if ``hard``.
            hard: Whether the physics is a constraint instead: its rows weigh a thousand times those of the samples,
                and given boundary values hold exactly where the shape allows it.
            sigma: Standard deviation of the samples' noise; None takes a hundredth of their spread.
            method: Network, points and precision; None takes the method's defaults.
            reference: What the solution is compared with, as for :func:`pinnsolve.solve`.

        Returns:
            A solution of the problem with the samples as its measurements, with its record and its verdict.

        Raises:
            ValueError: If names do not fit the problem, or the weight is not positive.
        """
        located, columns = self._samples(points, values)
        axes, components = physics.frame.axis_names, physics.component_names
        if tuple(self.coordinates) != tuple(axes) or set(self.fields) - set(components):
            raise ValueError(
                f"the problem {physics.name!r} has coordinates {', '.join(axes)} and components "
                f"{', '.join(components)}, this model {', '.join(self.coordinates)} and {', '.join(self.fields)}"
            )
        noise = sigma if sigma is not None else 0.01 * max(float(columns.std()), 1e-300)
        samples = Measurements(
            located, dict(zip(self.fields, columns.T, strict=True)), sigma=noise, source="samples"
        )
        how = method if method is not None else Method(max_steps=self.max_steps, trunk="trained")
        return fit_with_physics(
            physics,
            samples,
            how,
            weight=weight,
            hard=hard,
            seed=self.seed,
            reference=reference,
        )

    def _samples(self, points: Points, values: Mapping[str, Any]) -> tuple[Array, Array]:
        """Return points (N, D) and samples (N, C), checked."""
        located = as_points(points, len(self.coordinates))
        columns = []
        for name in self.fields:
            if name not in values:
                raise ValueError(f"no samples of {name!r}. {near_match_text(name, values)}")
            column = np.asarray(values[name], dtype=np.float64)
            if column.shape != (len(located),):
                raise ValueError(
                    f"samples of {name} must be of shape ({len(located)},), one for each point, got {column.shape}"
                )
            if not np.isfinite(column).all():
                row = int(np.flatnonzero(~np.isfinite(column))[0])
                raise ValueError(f"sample {row} of {name} is not a finite number; leave it out")
            columns.append(column)
        return located, np.column_stack(columns)

    def _record(self, found: Found, journal: FitJournal, num_rows: int) -> FitRecord:
        texts = dict.fromkeys(member.model.describe() for member in found.members)
        return FitRecord(
            estimator="FieldModel",
            architecture="; ".join(texts),
            num_parameters=sum(member.model.num_parameters for member in found.members),
            optimiser=found.optimiser,
            precision=found.precision,
            why_precision=found.why_precision,
            epochs=journal.epochs,
            validation=found.validation,
            validation_loss=found.validation_loss,
            num_rows=num_rows,
            input_names=tuple(self.coordinates),
            target_names=tuple(self.fields),
            seconds=journal.seconds,
            seed=self.seed,
            device=self.device,
            stop=found.stop,
        )
