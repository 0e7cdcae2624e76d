"""References kept between runs, in a folder that the user names: one HDF5 file for each declaration.

A file holds numbers and text, from which no code is ever executed, a digest that finds every damage, and what the
problem declares, so that a reference is only taken for the declaration that it is of.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pinnsolve.fingerprint import Fingerprint, declared, first_difference
from pinnsolve.geometry import Mesh, Shape
from pinnsolve.problem import Problem
from pinnsolve.reference.finite_difference import grid_on
from pinnsolve.reference.finite_element import MeshValues, given_mesh, spaces
from pinnsolve.reference.grid_solution import GridSolution
from pinnsolve.reference.reference import Reference
from pinnsolve.reference.richardson import GridValues
from pinnsolve.reference.stencils import Array
from pinnsolve.replacing import replacing

FORMAT = "pinnsolve reference 2"
"""The mark in the file's attribute ``format``."""

_UNREADABLE = (OSError, KeyError, IndexError, RuntimeError, ValueError, TypeError, AttributeError)
"""What h5py, json and the constructors of values raise on a file that is damaged inside."""

_DIGITS = 6
"""Digits of numbers that a file's name depends on; rounding must not change it."""


@dataclass(frozen=True)
class ReferenceFolder:
    """Where references are kept between runs.

    Attributes:
        path: The folder; it is made when it is needed.
        recompute: Whether references that are there are computed anew.
    """

    path: str | Path
    recompute: bool = False

    def checked(self) -> ReferenceFolder:
        """Make the folder if it is not there, and return this value.

        Raises:
            ValueError: If there can be no such folder.
        """
        try:
            Path(self.path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"{self.path}: references cannot be kept there ({error.strerror or error}); name another folder"
            ) from error
        return self


@dataclass(frozen=True, eq=False)
class Kept:
    """What a folder says about a problem.

    Attributes:
        reference: The reference that was kept, or None.
        seconds: Time limit in s that it was computed with.
        complaint: What is wrong with the file; empty if nothing is or there is none.
    """

    reference: Reference | None = None
    seconds: float = 0.0
    complaint: str = ""


def made_of(problem: Problem) -> Fingerprint:
    """Return what a reference depends on: the declaration and the version of this package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("pinnsolve")
    except PackageNotFoundError:
        own = "not installed"
    return {"the version": own, "the mesh": _mesh_digest(problem.domain), **declared(problem)}


def _mesh_digest(domain: Shape) -> str:
    """Return a digest of the nodes and cells of a mesh; empty for other shapes."""
    if not isinstance(domain, Mesh):
        return ""
    return _digest("", {"nodes": domain.nodes, **domain.cells})


def file_of(path: Path, problem: Problem) -> Path:
    """Return the file in a folder that keeps the reference of a problem."""
    rounded = {
        what: item if isinstance(item, str) else f"{item:.{_DIGITS}g}"
        for what, item in made_of(problem).items()
    }
    digest = hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", problem.name)
    return path / f"{name}-{digest[:16]}.h5"


def keep(path: Path, problem: Problem, reference: Reference, max_seconds: float) -> None:
    """Write a reference, whole or not at all.

    Args:
        path: The folder.
        problem: The declaration.
        reference: Its reference.
        max_seconds: Time limit in s that it was computed with.

    Raises:
        ValueError: If the file cannot be written.
    """
    import h5py

    kind, arrays = _apart(reference)
    text = {
        "made of": dict(made_of(problem)),
        "kind": kind,
        "seconds allowed": max_seconds,
        "method": reference.method,
        "error": dict(reference.error),
        "unknowns": reference.num_unknowns,
        "seconds": reference.seconds,
        "note": reference.note,
    }
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["format"], file.attrs["text"] = FORMAT, json.dumps(text)
        file.attrs["digest"] = _digest(json.dumps(text), arrays)
        for name, array in arrays.items():
            file[name] = array
    ReferenceFolder(path).checked()
    with replacing(file_of(path, problem)) as temporary:
        temporary.write_bytes(memory.getvalue())


def kept(path: Path, problem: Problem) -> Kept:
    """Return the reference of a problem that a folder keeps.

    Args:
        path: The folder.
        problem: The declaration.
    """
    import h5py

    where = file_of(path, problem)
    if not where.exists():
        return Kept()
    try:
        with h5py.File(io.BytesIO(where.read_bytes()), "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise ValueError("it is no kept reference")
            arrays = {name: np.asarray(file[name][...]) for name in file}
            text, digest = str(file.attrs["text"]), file.attrs["digest"]
        if digest != _digest(text, arrays):
            raise ValueError("its content does not match its digest")
        item = json.loads(text)
        other = first_difference(item["made of"], made_of(problem))
        if other is not None:
            return Kept(complaint=f"{where.name} was of another declaration ({other})")
        reference = Reference(
            method=item["method"],
            evaluate=_together(problem, item["kind"], arrays),
            error=item["error"],
            num_unknowns=item["unknowns"],
            seconds=item["seconds"],
            note=item["note"],
        )
    except _UNREADABLE as error:
        return Kept(complaint=f"{where.name} was damaged ({error})")
    note = "; ".join(filter(None, (reference.note, f"computed earlier, kept in {where.name}")))
    return Kept(replace(reference, note=note), float(item["seconds allowed"]))


def _apart(reference: Reference) -> tuple[str, dict[str, Array]]:
    """Return what kind of reference this is, and its numbers."""
    values = reference.evaluate
    if isinstance(values, MeshValues):
        return "mesh", {"values": values.values, "number": np.array(values.number)}
    if not isinstance(values, GridValues):
        raise ValueError(
            f"only references that find_reference computed can be kept, got {type(values).__name__}"
        )
    arrays: dict[str, Array] = {"factors": values.factors}
    for name, solution in (("fine", values.fine), ("medium", values.medium)):
        arrays[f"{name} cells"] = np.array(solution.cells)
        arrays[f"{name} values"] = solution.values
        if solution.times is not None:
            arrays[f"{name} times"] = solution.times
    return "grid", arrays


def _together(problem: Problem, kind: str, arrays: Mapping[str, Array]) -> GridValues | MeshValues:
    """Return what maps points to values; the inverse of :func:`_apart`."""
    if kind == "mesh":
        number = int(arrays["number"])
        space = next(islice(spaces(given_mesh(problem)), number, None))
        return MeshValues(space, arrays["values"], number)
    fine, medium = (_grid_solution(problem, name, arrays) for name in ("fine", "medium"))
    return GridValues(fine, medium, arrays["factors"])


def _grid_solution(problem: Problem, name: str, arrays: Mapping[str, Array]) -> GridSolution:
    cells = tuple(int(n) for n in arrays[f"{name} cells"])
    values, times = arrays[f"{name} values"], arrays.get(f"{name} times")
    grid = grid_on(problem, cells)
    if values.shape != (1 if times is None else len(times), grid.num_unknowns):
        raise ValueError(f"{values.shape} values do not fit the grid")
    return GridSolution(grid, cells, times, values, 0, 0.0)


def _digest(text: str, arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
