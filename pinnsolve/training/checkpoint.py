"""Checkpoints: one HDF5 file from which a killed run goes on to the numbers it would have reached.

The file is written in memory and takes the place of the older one in one move, so that at any moment it is whole.
It holds numbers and text, from which no code is ever executed, and a digest that finds every damage.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, final, get_type_hints

import numpy as np
import torch
from torch import Tensor

from pinnsolve.fingerprint import Fingerprint, first_difference
from pinnsolve.method import Method
from pinnsolve.replacing import replacing
from pinnsolve.training.frozen_values import Classes, classes_of, put_together, take_apart
from pinnsolve.training.journal import Reached

FORMAT = "pinnsolve checkpoint"
"""The mark in the file's attribute ``format``."""

VERSION = 1
"""The format that this code writes and reads."""

_CURE = "delete it to begin anew, or name another file"

_UNREADABLE = (OSError, KeyError, IndexError, RuntimeError, ValueError, TypeError, AttributeError)
"""What h5py, json and the constructors of values raise on a file that is damaged inside."""


def write_checkpoint(path: Path, reached: Reached, made_of: Fingerprint) -> None:
    """Write how far a run has come, whole or not at all.

    Args:
        path: The file; its folder must exist.
        reached: How far the run has come.
        made_of: What the run is made of.

    Raises:
        ValueError: If the file cannot be written, or a state holds what no file can.
    """
    content = _packed(reached, made_of)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _packed(reached: Reached, made_of: Fingerprint) -> bytes:
    """Return the content of the file."""
    import h5py

    tensors: list[Tensor] = []
    item = {"made of": dict(made_of), "reached": take_apart(reached, tensors)}
    text = json.dumps(item).encode()
    # a stride of 0 repeats one number, which cannot be written to when it is read
    tensors = [tensor.contiguous() if 0 in tensor.stride() else tensor for tensor in tensors]
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.attrs["digest"] = _digest(text, tensors)
        file["text"] = np.frombuffer(text, dtype=np.uint8)
        for position, tensor in enumerate(tensors):
            place = f"tensors/{position}"
            file[place] = tensor.detach().cpu().numpy()
            file[place].attrs["device"] = str(tensor.device)
            file[place].attrs["strides"] = json.dumps(tensor.stride())
    return memory.getvalue()


def read_checkpoint(path: Path, made_of: Fingerprint, classes: Classes) -> Reached:
    """Read how far a run has come.

    Args:
        path: The file.
        made_of: What the run is made of that wants to go on.
        classes: See :func:`state_classes`.

    Raises:
        ValueError: If the file is not a checkpoint, is damaged, or is one of another run.
    """
    import h5py

    try:
        content = path.read_bytes()
        with h5py.File(io.BytesIO(content), "r") as file:
            mark, version = file.attrs.get("format"), int(file.attrs.get("version", 0))
            if mark != FORMAT or version != VERSION:
                raise _NotThisFileError(_other_format(path, mark, version))
            text = file["text"][...].tobytes()
            tensors = [_tensor(file[f"tensors/{k}"]) for k in range(len(file.get("tensors", ())))]
            if file.attrs["digest"] != _digest(text, tensors):
                raise ValueError("its content does not match its digest")
        item = json.loads(text)
        _refuse_another_run(path, item["made of"], made_of)
        reached = put_together(item["reached"], tensors, classes)
    except _NotThisFileError:
        raise
    except _UNREADABLE as error:
        raise ValueError(f"{path}: not a checkpoint, or damaged ({error}); {_CURE}") from error
    if not isinstance(reached, Reached):
        raise ValueError(f"{path}: damaged (it holds a {type(reached).__name__}); {_CURE}")
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


class _NotThisFileError(ValueError):
    """The file is sound, but not the one that is wanted; its text is final."""


def _other_format(path: Path, mark: object, version: int) -> str:
    if mark != FORMAT:
        return f"{path}: an HDF5 file, but not a checkpoint; name another file"
    return f"{path}: a checkpoint in format {version}, this pinnsolve reads {VERSION}; {_CURE}"


def _refuse_another_run(path: Path, found: Fingerprint, wanted: Fingerprint) -> None:
    what = first_difference(found, wanted)
    if what is not None:
        before, now = (run.get(what, "not there") for run in (found, wanted))
        raise _NotThisFileError(
            f"{path}: the checkpoint of another run: {what} was {before or 'none'} and is now {now or 'none'}; "
            f"repeat that run, or {_CURE}"
        )


def _tensor(data: Any) -> Tensor:  # noqa: ANN401 - h5py is untyped
    """Return a tensor with the layout it had: matrix products round differently in another one."""
    values = torch.from_numpy(data[...])
    strides = json.loads(data.attrs["strides"])
    laid = torch.empty_strided(values.shape, strides, dtype=values.dtype, device="cpu")
    return laid.copy_(values).to(data.attrs["device"])


def _digest(text: bytes, tensors: Sequence[Tensor]) -> str:
    digest = hashlib.sha256(text)
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)} {tensor.stride()}".encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


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
            with replacing(self._path) as temporary:
                temporary.write_bytes(content)
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
