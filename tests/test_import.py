"""``import pinnsolve`` has no effect but the import, and loads little."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

IMPORT_ALONE = """
import random, sys
import numpy, torch

def state():
    return {
        "dtype": str(torch.get_default_dtype()),
        "device": str(torch.get_default_device()),
        "threads": torch.get_num_threads(),
        "interop threads": torch.get_num_interop_threads(),
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul precision": torch.get_float32_matmul_precision(),
        "torch generator": torch.random.get_rng_state().tolist(),
        "numpy generator": [str(part) for part in numpy.random.get_state()],
        "python generator": str(random.getstate()),
        "numpy errors": numpy.geterr(),
    }

before = state()
import pinnsolve
after = state()
changed = sorted(key for key in before if before[key] != after[key])
"""

REPORT = """
import json
sys.stderr.write("\\n" + json.dumps({"changed": changed, "modules": sorted(sys.modules)}))
"""

ADDED = """
import sys
import torch
before = set(sys.modules)
import pinnsolve
import json
added = [name for name in set(sys.modules) - before if not name.startswith("pinnsolve")]
sys.stderr.write("\\n" + json.dumps(sorted(added)))
"""

HEAVY = [
    "deepxde",
    "h5py",
    "jinja2",
    "matplotlib",
    "meshio",
    "optuna",
    "pandas",
    "pint",
    "rich",
    "scipy",
    "sklearn",
    "shapely",
    "skfem",
    "typer",
    "xarray",
]


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter where warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def last_line(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what the code reported, whatever was written before it."""
    return json.loads(done.stderr.splitlines()[-1])


@pytest.fixture(scope="module")
def imported() -> subprocess.CompletedProcess[str]:
    return run(IMPORT_ALONE + REPORT)


def test_prints_nothing(imported: subprocess.CompletedProcess[str]) -> None:
    assert imported.stdout == ""
    assert imported.stderr.splitlines()[:-1] == [""]


def test_changes_no_global_state(imported: subprocess.CompletedProcess[str]) -> None:
    assert last_line(imported)["changed"] == []


@pytest.mark.parametrize("module", HEAVY)
def test_imports_no_heavy_library(imported: subprocess.CompletedProcess[str], module: str) -> None:
    assert module not in last_line(imported)["modules"]


def test_adds_few_modules_to_those_of_torch() -> None:
    """What takes time is to read modules; apart from pinnsolve's own there are but a few."""
    added = last_line(run(ADDED))
    assert len(added) < 30, added
