"""A folder of solved problems, from which the next one takes its start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pinnsolve.blocks import interior_block
from pinnsolve.catalogue import load
from pinnsolve.collocation import tensor
from pinnsolve.interop.hdf5 import read_solution, write_solution
from pinnsolve.learning.declarations import Declaration
from pinnsolve.learning.gain import check_of_start
from pinnsolve.learning.starts import stretched
from pinnsolve.learning.transfer import finetune_solution
from pinnsolve.method import Method
from pinnsolve.multi_index import VALUE
from pinnsolve.networks import RandomFeatures
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord
from pinnsolve.replacing import replacing
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared, solve
from pinnsolve.status import Status, StopReason
from pinnsolve.training.feature_layers import smooth_features
from pinnsolve.training.trunk import scaling_of
from pinnsolve.training.warm import check_start


@dataclass(frozen=True)
class Entry:
    """A file of a library.

    Attributes:
        path: The file.
        declaration: What its problem declares.
    """

    path: Path
    declaration: Declaration


@dataclass(frozen=True)
class Skipped:
    """A file of the folder that cannot serve.

    Attributes:
        path: The file.
        why: What is wrong with it.
    """

    path: Path
    why: str


@dataclass(frozen=True, eq=False)
class LibraryStart:
    """What a library has for a problem to begin from.

    Attributes:
        solution: The solution, stretched to the problem's bounds; None to begin from nothing.
        path: Its file.
        distance: How far that file's problem is from this one.
        note: In words, what was chosen and why.
    """

    solution: Solution | None
    path: Path | None
    distance: float
    note: str


@dataclass(frozen=True)
class FromLibrary:
    """A solution with where it began.

    Attributes:
        solution: The solution, with its verdict.
        start: The file it began from; None if it began from nothing.
        distance: How far that file's problem is from this one.
        note: In words, where it began and why; a start that was worse than none is named here.
    """

    solution: Solution
    start: Path | None
    distance: float
    note: str


@dataclass(frozen=True)
class Library:
    """A folder of solved problems: HDF5 files as ``Solution.save`` writes them, with their declarations.

    Files that ``Solution.save`` wrote itself serve as well if their problem is a shipped one.

    Attributes:
        folder: The folder; it is made when the first solution is added.
    """

    folder: Path

    def __init__(self, folder: str | Path) -> None:
        """Name the folder.

        Args:
            folder: Where the files are.

        Raises:
            ValueError: If it is a file.
        """
        object.__setattr__(self, "folder", Path(folder))
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"{self.folder}: a library is a folder, but this is a file")

    def add(self, solution: Solution, name: str | None = None) -> Path:
        """Keep a solution.

        Args:
            solution: The solution.
            name: Of the file, without ``.h5``; None takes the problem's with a number that is free. A file of that
                name is replaced.

        Returns:
            The file.

        Raises:
            ValueError: If it cannot be written.
        """
        import h5py

        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.h5" if name else self._free(solution.problem.name)
        with replacing(path) as temporary:
            write_solution(solution, temporary)
            with h5py.File(temporary, "a") as file:
                file.attrs[_ATTRIBUTE] = Declaration.of(solution.problem).text()
        return path

    def contents(self) -> tuple[tuple[Entry, ...], tuple[Skipped, ...]]:
        """Return the files that can serve, by name, and those that cannot, with the reason."""
        entries, skipped = list[Entry](), list[Skipped]()
        for path in sorted(self.folder.glob("*.h5")):
            try:
                entries.append(Entry(path, _declaration_in(path)))
            except ValueError as error:
                skipped.append(Skipped(path, str(error)))
        return tuple(entries), tuple(skipped)

    def ranked(self, problem: Problem) -> tuple[tuple[float, Entry], ...]:
        """Return the files whose solution can start a problem, with their distances, the nearest first.

        Args:
            problem: What is to be solved.
        """
        wanted = Declaration.of(problem)
        found = [(wanted.distance(entry.declaration), entry) for entry in self.contents()[0]]
        near = [pair for pair in found if pair[0] < float("inf")]
        return tuple(sorted(near, key=lambda pair: (pair[0], pair[1].path)))

    def nearest(self, problem: Problem) -> Solution | None:
        """Return the solution of the nearest problem, stretched to the bounds of this one; None if there is none.

        Args:
            problem: What is to be solved.
        """
        found, _ = self._first_sound(problem)
        return None if found is None else found[1]

    def solve(
        self,
        problem: Problem,
        method: Method | None = None,
        *,
        freeze: str | int | None = None,
        seed: int = 0,
        reference: Compared = True,
        keep: bool = False,
    ) -> FromLibrary:
        """Solve a problem from the nearest solution there is; from nothing if that would be better.

        Args:
            problem: What is to be solved.
            method: How to solve it; None chooses everything.
            freeze: What of the start is held, as for ``finetune``; None chooses.
            seed: Seed of points and features.
            reference: As for :func:`pinnsolve.solve`.
            keep: Whether to add the solution to the library.
        """
        chosen = self.start_for(problem, seed=seed)
        start, note = chosen.solution, chosen.note
        if start is None:
            answer = solve(problem, method, seed=seed, reference=reference, progress=False)
        else:
            answer = finetune_solution(
                start, problem, freeze=freeze, method=method, seed=seed, reference=reference
            )
            if freeze is None and answer.status.reason is StopReason.STALLED:
                note += "; the trunk that was held was not enough: solved again with none held"
                answer = solve(
                    problem, method, seed=seed, reference=reference, progress=False, start=start
                )
        if keep:
            self.add(answer)
        return FromLibrary(answer, chosen.path, chosen.distance, note)

    def start_for(self, problem: Problem, *, seed: int = 0) -> LibraryStart:
        """Return the nearest solution as a start, or none if there is none or it would do harm; and why.

        Args:
            problem: What is to be solved.
            seed: Seed of the features that the start is tried on.
        """
        found, skipped = self._first_sound(problem)
        left_out = [f"{item.path.name} left out: {item.why}" for item in skipped]
        if found is None:
            why = f"{self.folder} has no solution with these fields: begun from nothing"
            return LibraryStart(None, None, float("inf"), "; ".join([why, *left_out]))
        near, start = found
        harm = check_of_start(problem, start, seed=seed).why_harmful
        if harm:
            why = f"{near.path.name} dropped: {harm}; begun from nothing"
            return LibraryStart(None, None, float("inf"), "; ".join([why, *left_out]))
        distance = Declaration.of(problem).distance(near.declaration)
        why = f"begun from {near.path.name}, at distance {distance:.3g}"
        return LibraryStart(start, near.path, distance, "; ".join([why, *left_out]))

    def _first_sound(
        self, problem: Problem
    ) -> tuple[tuple[Entry, Solution] | None, tuple[Skipped, ...]]:
        """Return the nearest entry that can be read and evaluated, and what was skipped on the way."""
        skipped = list(self.contents()[1])
        for _, entry in self.ranked(problem):
            try:
                found = replace(read_solution(entry.path, problem), problem=problem, verdict=None)
                start = stretched(found, problem)
                check_start(problem, start)
            except ValueError as error:
                skipped.append(Skipped(entry.path, str(error)))
                continue
            return (entry, start), tuple(skipped)
        return None, tuple(skipped)

    def _free(self, name: str) -> Path:
        number = 1
        while (path := self.folder / f"{name}-{number}.h5").exists():
            number += 1
        return path


def coarse_start(
    problem: Problem, *, cells: int = 16, num_steps: int = 40, seed: int = 0
) -> Solution:
    """Return a coarse finite-difference solution as a start: ``solve(problem, start=coarse_start(problem))``.

    Args:
        problem: What is to be solved, on a box.
        cells: Number of cells along each axis.
        num_steps: Number of time steps, if unsteady.
        seed: Seed of the features that the values are fitted by.

    Raises:
        ValueError: If finite differences cannot solve the problem, or there are too few cells.
    """
    from pinnsolve.reference.finite_difference import finite_difference, why_no_grid

    why = why_no_grid(problem)
    if why is not None:
        raise ValueError(f"no coarse start: {why}")
    shape = (cells,) * problem.domain.dim
    steps = None if problem.time is None else num_steps
    coarse = finite_difference(problem, shape=shape, num_steps=steps)
    scaling = scaling_of(problem, seed)
    slopes = torch.full((problem.frame.num_axes,), _SLOPE, dtype=torch.float64, device="cpu")
    features = smooth_features(problem, _FEATURES, slopes, seed=seed)
    points = interior_block(problem, 4 * _FEATURES, seed + 3).point_sets[0]
    values = (tensor(coarse.evaluate(points.numpy())) - scaling.offset) / scaling.scale
    table = features.tabulate(scaling.to_unit(points), (VALUE,)).features[0]
    head = torch.linalg.lstsq(table, values, driver="gelsd").solution.T.flatten()
    # features that say nothing of how steep those of the solution should be: one constant on top of them
    one = torch.ones(1, dtype=torch.float64, device="cpu")
    network = RandomFeatures(
        torch.zeros(1, features.slopes.shape[1], dtype=torch.float64, device="cpu"),
        one,
        features.num_outputs,
        base=(features, head),
        embedding=features.embedding,
    )
    nothing = one.new_zeros(network.num_parameters)
    status = Status(StopReason.CONVERGED, f"finite differences on {cells} cells along each axis")
    record = RunRecord(status, (), coarse.seconds, seed, "float64", "cpu", 0, {}, repr(network), {})
    return Solution(problem, network, nothing, scaling, (), record)


def _declaration_in(path: Path) -> Declaration:
    """Return the declaration in a file, or that of its shipped problem.

    Raises:
        ValueError: If the file is damaged or no solution, or has no declaration that could be found.
    """
    import h5py

    from pinnsolve.interop.hdf5 import read_origin

    read_origin(path)  # refuses what is no saved solution
    with h5py.File(path, "r") as file:
        text = file.attrs.get(_ATTRIBUTE)
    if text is not None:
        return Declaration.from_text(str(text))
    return Declaration.of(load(path).problem)


_ATTRIBUTE = "declaration"
"""Attribute of the file with the declaration as text."""

_FEATURES = 200
"""Features that a coarse field is fitted by."""

_SLOPE = 3.0
"""Their typical slope."""
