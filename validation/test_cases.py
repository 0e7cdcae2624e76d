"""The regression suite for pytest: ``pytest validation/``, or ``pytest validation/ --suite full``.

Each case runs in this process with seed 0; ``pinnsolve validate`` runs the same with more seeds, against a baseline.
"""

from __future__ import annotations

import torch
from pinnsolve.validation.regression.declarations import declaration
from pinnsolve.validation.regression.document import case_entry
from pinnsolve.validation.regression.one_run import measure
from pinnsolve.validation.suite import Case


def test_case(case: Case) -> None:
    """Trusted, within the tolerances and the time budget that the problem states."""
    stated = declaration(case)
    assert stated["error"] is None
    entry = case_entry(stated, [measure(case, seed=0, threads=torch.get_num_threads())])
    assert entry["passed"], "\n".join([*entry["failures"], entry["known_shortfall"]])
