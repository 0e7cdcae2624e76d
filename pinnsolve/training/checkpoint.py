"""Checkpoints: one HDF5 file from which a killed run goes on to the numbers it would have reached.

The file is written in memory and takes the place of the older one in one move, so that at any moment it is whole.
It holds numbers and text, from which no code is ever executed, and a digest that finds every damage.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from dataclasses import is_dataclass
from pathlib import Path
from typing import final, get_type_hints

from torch import Tensor

from pinnsolve.fingerprint import Fingerprint, first_difference
from pinnsolve.method import Method
from pinnsolve.training.frozen_values import Classes, classes_of, put_together, take_apart
from pinnsolve.training.journal import Reached
from pinnsolve.value_file import (
    UNREADABLE,
    Kind,
    NotThisFileError,
    packed,
    read_value,
    write_value,
)

KIND = Kind(
    "pinnsolve checkpoint", "a checkpoint", 2, "delete it to begin anew, or name another file"
)
"""What the file is."""


def write_checkpoint(path: Path, reached: Reached, made_of: Fingerprint) -> None:
    """Write how far a run has come, whole or not at all.

    Args:
        path: The file; its folder must exist.
        reached: How far the run has come.
        made_of: What the run is made of.

    Raises:
        ValueError: If the file cannot be written, or a state holds what no file can.
    """
    write_value(path, _packed(reached, made_of))


def _packed(reached: Reached, made_of: Fingerprint) -> bytes:
    """Return the content of the file."""
    tensors: list[Tensor] = []
    item = {"made of": dict(made_of), "reached": take_apart(reached, tensors)}
    return packed(KIND, item, tensors)


def read_checkpoint(path: Path, made_of: Fingerprint, classes: Classes) -> Reached:
    """Read how far a run has come.

    Args:
        path: The file.
        made_of: What the run is made of that wants to go on.
        classes: See :func:`state_classes`.

    Raises:
        ValueError: If the file is not a checkpoint, is damaged, or is one of another run.
    """
    item, tensors = read_value(path, KIND)
    try:
        refuse_another_run(path, item["made of"], made_of)
        reached = put_together(item["reached"], tensors, classes)
    except NotThisFileError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{path}: not a checkpoint, or damaged ({error}); {KIND.cure}") from error
    if not isinstance(reached, Reached):
        raise ValueError(f"{path}: damaged (it holds a {type(reached).__name__}); {KIND.cure}")
    return reached


def state_classes(method: Method) -> Classes:
    """Return all classes that the checkpoint of a run may contain.

    Args:
        method: Its optimisers name the classes of their states by the annotation of ``step``.

    Raises:
        ValueError: If an optimiser does not name the class of its state.
    """
    states = []
    for stage in method.schedule.stages:
        kind = type(stage.optimiser)
        try:
            state = get_type_hints(kind.step).get("return")
        except NameError:  # a class that is known inside a function only
            state = None
        if not (isinstance(state, type) and is_dataclass(state)):
            raise ValueError(
                f"a checkpoint needs the class of {kind.__name__}'s state: annotate the result of its step with a "
                f"frozen dataclass, got {state}"
            )
        states.append(state)
    return classes_of(Reached, *states)


def refuse_another_run(path: Path, found: Fingerprint, wanted: Fingerprint) -> None:
    """Refuse to go on from the checkpoint of another run.

    Args:
        path: The file.
        found: What its run was made of.
        wanted: What the run is made of that wants to go on.

    Raises:
        NotThisFileError: If they differ; the text names the first difference.
    """
    what = first_difference(found, wanted)
    if what is not None:
        before, now = (run.get(what, "not there") for run in (found, wanted))
        raise NotThisFileError(
            f"{path}: the checkpoint of another run: {what} was {before or 'none'} and is now {now or 'none'}; "
            f"repeat that run, or {KIND.cure}"
        )


@final
class Keeper:
    """Writes a run's checkpoint now and then; a failure to write stops nothing and is said at the end."""

    def __init__(self, path: Path, made_of: Fingerprint, classes: Classes, seconds: float) -> None:
        """Read what there is and see that the file can be written.

        Args:
            path: The file.
            made_of: What the run is made of.
            classes: All classes that a checkpoint may contain.
            seconds: Time between two writes; 0 writes after every step.

        Raises:
            ValueError: If the file cannot be written, is damaged, or is the checkpoint of another run.
        """
        if not (math.isfinite(seconds) and seconds >= 0.0):
            raise ValueError(f"checkpoint_seconds must be finite and >= 0, got {seconds}")
        self._path, self._made_of, self._seconds = path, made_of, seconds
        found = path.exists()
        if found and not path.is_file():
            raise ValueError(f"{path}: a folder; name a file for the checkpoint")
        self.reached = read_checkpoint(path, made_of, classes) if found else Reached()
        _try_to_write(path)
        self._written = time.perf_counter()
        self._failure = ""

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        return time.perf_counter() - self._written >= self._seconds

    def keep(self, reached: Reached) -> None:
        """Write.

        Args:
            reached: How far the run has come.

        Raises:
            ValueError: If a state holds what no file can.
        """
        content = _packed(reached, self._made_of)
        try:
            write_value(self._path, content)
            self._failure = ""
        except ValueError as error:
            self._failure = str(error)
        self._written = time.perf_counter()

    @property
    def complaint(self) -> str:
        """What the user must know of the last write; empty if it succeeded."""
        if not self._failure:
            return ""
        older = "an older one is there" if self._path.is_file() else "there is none"
        return f"the checkpoint could not be written, {older} ({self._failure})"


def _try_to_write(path: Path) -> None:
    """Refuse a file in a folder that takes none."""
    if not path.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}; create it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"{path}: no checkpoint can be written there ({os.strerror(error.errno or 0)}); name another folder"
        ) from error
