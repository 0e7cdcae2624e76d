"""How many threads the training loop uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread inside the block, and its former number afterwards.

    A step is many small tensor operations, which gain nothing from threads, and one large symmetric product in
    SciPy's BLAS, which has a thread pool of its own. Two pools on the same cores get in each other's way: with
    one torch thread a step takes about three quarters of the time (two cores, 1,400 parameters, 4,000 rows).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
