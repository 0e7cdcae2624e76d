"""What numbers depend on besides the declaration: versions, the code itself, the machine."""

from __future__ import annotations

import hashlib
import importlib
import platform
from functools import cache
from pathlib import Path

from pinnsolve.training.run import versions as library_versions

from ..benchmarks.summary import machine

__all__ = ["code_digest", "machine", "versions"]

_PARTS = ("pinnsolve", "pinnsolve.problems", "pinnsolve.validation")

_KINDS = (".py", ".csv", ".msh")


@cache
def code_digest() -> str:
    """Return twelve digits that change with any source or data file of the installed package."""
    digest = hashlib.sha256()
    for part in _PARTS:
        folder = Path(importlib.import_module(part).__path__[0])
        for path in sorted(folder.rglob("*")):
            if path.suffix in _KINDS and path.is_file():
                digest.update(str(path.relative_to(folder)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def versions() -> dict[str, str]:
    """Return the versions of pinnsolve, of its code, of Python and the libraries, and the system."""
    from scipy import __version__ as scipy_version

    return {
        **library_versions(),
        "scipy": scipy_version,
        "code": code_digest(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
