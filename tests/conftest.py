"""What every test stands on: fixed seeds, one thread, no screen."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch

# Before anything imports matplotlib, and for the subprocesses of tests too.
os.environ["MPLBACKEND"] = "Agg"

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    """Seed the global generators, for test code: pinnsolve itself draws from none of them."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _torch_defaults_kept() -> Iterator[None]:
    """Fail a test that leaves another default dtype or device behind."""
    before = torch.get_default_dtype(), torch.get_default_device()
    yield
    after = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(before[0])
    torch.set_default_device(before[1])
    assert after == before, "torch defaults (dtype, device) were changed and not restored"


@pytest.fixture
def explicit_device() -> Iterator[torch.device]:
    """Make every tensor that is created without a device fail; gives the device to name instead.

    The default device is one that no machine has, so ``torch.zeros(3)`` raises and
    ``torch.zeros(3, device=explicit_device)`` works.
    """
    with torch.device("cuda:99"):
        yield torch.device("cpu")
