"""``import pinnsolve`` has no effect but the import, and takes little time."""

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

TIMED = """
import time
import torch
start = time.process_time()
import pinnsolve
import sys
sys.stderr.write("\\n" + repr(time.process_time() - start))
"""

HEAVY = [
    "deepxde",
    "h5py",
    "jinja2",
    "matplotlib",
    "meshio",
    "rich",
    "scipy.stats",
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


def test_adds_little_to_the_time_of_importing_torch() -> None:
    """Less than 0.4 s of processor time, which other processes can only make longer: one of three."""
    seconds: list[float] = []
    while len(seconds) < 3 and min(seconds, default=1.0) >= 0.4:
        seconds.append(last_line(run(TIMED)))
    assert min(seconds) < 0.4, f"import pinnsolve took {min(seconds):.2f} s after import torch"
