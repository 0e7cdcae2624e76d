"""Saved solutions: one HDF5 file of numbers and text, from which no code is ever executed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.estimates import Estimate
from pinnsolve.interop.network_text import network_of, network_text
from pinnsolve.interop.posteriors import read_posterior, write_posterior
from pinnsolve.levels import Level
from pinnsolve.optimise.precision import RungRecord
from pinnsolve.problem import Problem
from pinnsolve.ranges import in_words
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.replacing import replacing
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.verdict import Check, Verdict

Array = npt.NDArray[np.float64]

FORMAT = "pinnsolve solution"
"""The mark in the file's attribute ``format``."""

VERSION = 3
"""The newest format that this code writes and reads; 1 had no embeddings and no output transforms."""

_SCALING = ("lower", "upper", "offset", "scale")

_UNREADABLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError)
"""What h5py, json and the constructors of values raise on a file that is damaged inside."""


@dataclass(frozen=True)
class ReferenceValues:
    """A reference solution at fixed points, with how far the solution is from it.

    Attributes:
        method: What computed it, in words.
        points: Where, shape (M, D) in SI units.
        values: All field components there, shape (M, C).
        error_bar: Its own relative L2 error by field name.
        differences: Relative L2 difference of the solution by field and by component name.
        note: What a reader should know about it.
    """

    method: str
    points: Array
    values: Array
    error_bar: Mapping[str, float]
    differences: Mapping[str, float]
    note: str = ""


@dataclass(frozen=True)
class Companions:
    """What a run leaves beside its solution.

    Attributes:
        reference: The reference, or None if there was none.
        command: The command line that made the run, or empty.
    """

    reference: ReferenceValues | None = None
    command: str = ""


def write_solution(solution: Solution, path: Path, companions: Companions | None = None) -> None:
    """Write a solution, whole or not at all.

    Args:
        solution: The solution.
        path: The file; its folder must exist.
        companions: What to keep beside it.

    Raises:
        ValueError: If the file cannot be written, or the network is of a class that no file can
            rebuild.
    """
    import h5py

    beside = companions if companions is not None else Companions()
    network = network_text(solution.network)
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["command"] = beside.command
        _write_problem(file.create_group("problem"), solution.problem)
        file["network"] = network  # not an attribute: those end at 64 KiB, and features are numbers
        file["parameters"] = _numbers(solution.parameters)
        scaling = file.create_group("scaling")
        for name in _SCALING:
            scaling[name] = _numbers(getattr(solution.scaling, name))
        scaling.attrs["logarithmic"] = json.dumps(solution.scaling.logarithmic)
        file.attrs["levels"] = json.dumps(
            {name: asdict(level) for name, level in solution.levels.items()}
        )
        file.attrs["estimates"] = json.dumps([asdict(estimate) for estimate in solution.estimates])
        file.attrs["verdict"] = json.dumps(solution.verdict and asdict(solution.verdict))
        _write_record(file.create_group("record"), solution.record)
        if solution.posterior is not None:
            write_posterior(file.create_group("posterior"), solution.posterior)
        if beside.reference is not None:
            _write_reference(file.create_group("reference"), beside.reference)


def read_solution(path: Path, problem: Problem) -> Solution:
    """Read a solution of a problem.

    Args:
        path: A file written by :func:`write_solution`.
        problem: The problem it solves; its accuracy becomes the one the file was made with, and
            ranges take the values that the file is for, if it holds the solution at given values.

    Raises:
        ValueError: If the file is not a saved solution, is damaged, or solves another problem.
    """
    with _opened(path) as file:
        problem = _at_held(file, path, problem)
        _check_problem(file, path, problem)
        verdict = json.loads(file.attrs["verdict"])
        lower, upper, offset, scale = (
            torch.from_numpy(file["scaling"][name][...]) for name in _SCALING
        )
        logarithmic = tuple(json.loads(file["scaling"].attrs.get("logarithmic", "[]")))
        scaling = Scaling(lower, upper, offset, scale, logarithmic)
        network = network_of(_network_in(file), problem, scaling)
        parameters = torch.from_numpy(file["parameters"][...])
        if parameters.shape != (network.num_parameters,):
            raise ValueError(
                f"{len(parameters)} parameters for a network with {network.num_parameters}"
            )
        return Solution(
            problem=replace(problem, accuracy=float(file["problem"].attrs["accuracy"])),
            network=network,
            parameters=parameters,
            scaling=scaling,
            estimates=tuple(Estimate(**item) for item in json.loads(file.attrs["estimates"])),
            record=_read_record(file["record"]),
            levels={
                name: Level(tuple(level["coefficients"]), level["start"], level["end"])
                for name, level in json.loads(file.attrs["levels"]).items()
            },
            verdict=None if verdict is None else _verdict_of(verdict),
            posterior=read_posterior(file["posterior"], problem) if "posterior" in file else None,
        )


def read_origin(path: Path) -> tuple[str, dict[str, str]]:
    """Return what a saved solution was made from: a shipped name or a file, and its settings as text.

    Raises:
        ValueError: If the file is not a saved solution.
    """
    with _opened(path) as file:
        attributes = file["problem"].attrs
        return str(attributes["origin"]), dict(json.loads(attributes["settings"]))


def read_companions(path: Path) -> Companions:
    """Return what was kept beside a saved solution.

    Raises:
        ValueError: If the file is not a saved solution.
    """
    with _opened(path) as file:
        group = file.get("reference")
        return Companions(
            None if group is None else _read_reference(group), str(file.attrs["command"])
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a saved solution; whatever is wrong inside becomes one error that names the file."""
    import h5py

    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"{path}: not an HDF5 file, or cut off; solve again to make a new one"
        ) from error
    with file:
        if file.attrs.get("format") != FORMAT:
            raise ValueError(
                f"{path}: an HDF5 file, but not a saved solution; give one that Solution.save wrote"
            )
        try:
            version = int(file.attrs["version"])
            if version > VERSION:
                raise _NotThisFileError(
                    f"{path}: written in format {version}, this pinnsolve reads up to {VERSION}; update pinnsolve"
                )
            yield file
        except _NotThisFileError:
            raise
        except _UNREADABLE as error:
            raise ValueError(f"{path}: damaged ({error}); solve again to make a new one") from error


class _NotThisFileError(ValueError):
    """The file is sound, but not the one that is wanted; its text is final."""


def _check_problem(file: Any, path: Path, problem: Problem) -> None:  # noqa: ANN401 - h5py is untyped
    attributes = file["problem"].attrs
    for what, expected in _signature(problem).items():
        found = json.loads(attributes.get(what, "[]"))
        if found != expected:
            raise _NotThisFileError(
                f"{path}: solves {str(attributes['name'])!r} with {what} {_listed(found)}, but the problem "
                f"{problem.name!r} has {_listed(expected)}; give the problem that this file was made from"
            )


def _signature(problem: Problem) -> dict[str, list[Any]]:
    """Return what a problem and its saved solution must agree on."""
    return {
        "coordinates": list(problem.frame.axis_names),
        "components": list(problem.component_names),
        "unknowns": [unknown.name for unknown in problem.unknowns],
        "ranges": [str(item) for item in problem.ranges],
    }


def _at_held(file: Any, path: Path, problem: Problem) -> Problem:  # noqa: ANN401
    """Return the problem at the values that a saved solution is for."""
    held = json.loads(file["problem"].attrs.get("held", "{}"))
    open_names = {item.name for item in problem.ranges}
    try:
        given = problem.given(**{name: held[name] for name in held if name in open_names})
    except ValueError as error:
        raise _NotThisFileError(
            f"{path}: does not fit the problem {problem.name!r}: {error}"
        ) from error
    if dict(given.held) != held:
        raise _NotThisFileError(
            f"{path}: solved at {in_words(held) or 'no given values'}, but the problem {problem.name!r} "
            f"is at {in_words(given.held) or 'no given values'}; give the problem that this file was made from"
        )
    return given


def _listed(names: list[Any]) -> str:
    return ", ".join(str(name) for name in names) or "none"


def _write_problem(group: Any, problem: Problem) -> None:  # noqa: ANN401
    group.attrs["name"] = problem.name
    group.attrs["origin"] = problem.origin
    settings = {name: str(value) for name, value in problem.parameters.items() if value is not None}
    group.attrs["settings"] = json.dumps(settings)
    group.attrs["accuracy"] = problem.accuracy
    group.attrs["held"] = json.dumps(dict(problem.held))
    for name, value in _signature(problem).items():
        group.attrs[name] = json.dumps(value)


def _network_in(file: Any) -> str:  # noqa: ANN401
    """Return the network as text; up to format 2 it was an attribute."""
    if "network" in file:
        return str(file["network"].asstr()[()])
    return str(file.attrs["network"])


def _write_record(group: Any, record: RunRecord) -> None:  # noqa: ANN401
    for column in fields(StepRecord):
        group[f"history/{column.name}"] = np.array(
            [getattr(step, column.name) for step in record.history]
        )
    group.attrs["reason"] = record.status.reason.value
    group.attrs["message"] = record.status.message
    plain = {
        f.name: getattr(record, f.name)
        for f in fields(record)
        if f.name not in ("status", "history", "rungs")
    }
    group.attrs["rungs"] = json.dumps([asdict(rung) for rung in record.rungs])
    group.attrs["run"] = json.dumps(
        {k: dict(v) if isinstance(v, Mapping) else v for k, v in plain.items()}
    )


def _read_record(group: Any) -> RunRecord:  # noqa: ANN401
    names = [column.name for column in fields(StepRecord)]
    columns = [group[f"history/{name}"][...].tolist() for name in names]
    rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    history = tuple(StepRecord(**{**row, "step": int(row["step"])}) for row in rows)
    status = Status(StopReason(group.attrs["reason"]), str(group.attrs["message"]))
    # files written before there were rungs have none
    rungs = tuple(RungRecord(**item) for item in json.loads(group.attrs.get("rungs", "[]")))
    return RunRecord(status=status, history=history, rungs=rungs, **json.loads(group.attrs["run"]))


def _write_reference(group: Any, reference: ReferenceValues) -> None:  # noqa: ANN401
    group["points"], group["values"] = reference.points, reference.values
    group.attrs["method"], group.attrs["note"] = reference.method, reference.note
    group.attrs["error_bar"] = json.dumps(dict(reference.error_bar))
    group.attrs["differences"] = json.dumps(dict(reference.differences))


def _read_reference(group: Any) -> ReferenceValues:  # noqa: ANN401
    return ReferenceValues(
        method=str(group.attrs["method"]),
        points=group["points"][...],
        values=group["values"][...],
        error_bar=json.loads(group.attrs["error_bar"]),
        differences=json.loads(group.attrs["differences"]),
        note=str(group.attrs["note"]),
    )


def _verdict_of(item: dict[str, Any]) -> Verdict:
    checks = tuple(Check(**check) for check in item["checks"])
    untold = tuple(item.get("not_identifiable", ()))
    return Verdict(checks, item["accuracy"], tuple(item["notes"]), untold)


def _numbers(values: Tensor) -> npt.NDArray[Any]:
    return np.asarray(values.detach().cpu().numpy())
