"""Frozen values in one HDF5 file of numbers and text, from which no code is ever executed, with a digest.

The file is written in memory and takes the place of the older one in one move, so that at any moment it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnsolve.replacing import replacing

UNREADABLE = (OSError, KeyError, IndexError, RuntimeError, ValueError, TypeError, AttributeError)
"""What h5py, json and the constructors of values raise on a file that is damaged inside."""


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        mark: The file's attribute ``format``.
        name: How errors call it, with its article: ``a fitted model``.
        version: The format that is written and read.
        cure: What to do about a file that cannot be read.
    """

    mark: str
    name: str
    version: int
    cure: str


class NotThisFileError(ValueError):
    """The file is sound, but not the one that is wanted; its text is final."""


def packed(kind: Kind, item: object, tensors: Sequence[Tensor]) -> bytes:
    """Return the content of a file.

    Args:
        kind: What it is.
        item: What JSON can hold.
        tensors: The tensors beside it.
    """
    import h5py

    text = json.dumps(item).encode()
    # a stride of 0 repeats one number, which cannot be written to when it is read
    laid = [tensor.contiguous() if 0 in tensor.stride() else tensor for tensor in tensors]
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["format"], file.attrs["version"] = kind.mark, kind.version
        file.attrs["digest"] = _digest(text, laid)
        file["text"] = np.frombuffer(text, dtype=np.uint8)
        for position, tensor in enumerate(laid):
            place = f"tensors/{position}"
            file[place] = tensor.detach().cpu().numpy()
            file[place].attrs["device"] = str(tensor.device)
            file[place].attrs["strides"] = json.dumps(tensor.stride())
    return memory.getvalue()


def write_value(path: Path, content: bytes) -> None:
    """Write what :func:`packed` returned, whole or not at all.

    Raises:
        ValueError: If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_value(path: Path, kind: Kind) -> tuple[Any, list[Tensor]]:
    """Return the item and the tensors of a file.

    Args:
        path: The file.
        kind: What it must be.

    Raises:
        NotThisFileError: If there is no such file, or it is another kind of file.
        ValueError: If it is damaged.
    """
    import h5py

    if not path.is_file():
        raise NotThisFileError(f"{path}: there is no such file")
    try:
        with h5py.File(io.BytesIO(path.read_bytes()), "r") as file:
            mark, version = file.attrs.get("format"), int(file.attrs.get("version", 0))
            if mark != kind.mark:
                raise NotThisFileError(
                    f"{path}: an HDF5 file, but not {kind.name}; name another file"
                )
            if version != kind.version:
                raise NotThisFileError(
                    f"{path}: {kind.name} in format {version}, this pinnsolve reads {kind.version}; {kind.cure}"
                )
            text = file["text"][...].tobytes()
            tensors = [_tensor(file[f"tensors/{k}"]) for k in range(len(file.get("tensors", ())))]
            if file.attrs["digest"] != _digest(text, tensors):
                raise ValueError("its content does not match its digest")
        return json.loads(text), tensors
    except NotThisFileError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{path}: not {kind.name}, or damaged ({error}); {kind.cure}") from error


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
