"""Classification with small networks: L-BFGS on all rows, with a normal prior on the weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from pinnsolve.learning.models import TableModel
from pinnsolve.learning.record import FitStop
from pinnsolve.learning.rows import Rows

Array = npt.NDArray[np.float64]


class _TimeIsOverError(RuntimeError):
    """Ends SciPy's loop from inside."""


def negative_log_likelihood(outputs: Tensor, rows: Rows) -> Tensor:
    """Return ``-sum_n w_n log p_n`` of the classes that were seen.

    Args:
        outputs: Logits, shape (N, C).
        rows: One column per class in ``y``.
    """
    return -(rows.weight * (rows.y * log_softmax(outputs, dim=1)).sum(1)).sum()


def fit_by_lbfgs(
    model: TableModel,
    rows: Rows,
    theta: Tensor,
    *,
    decay: float,
    max_steps: int,
    note: Callable[[float, float], None],
    deadline: Callable[[], bool],
) -> tuple[Tensor, FitStop]:
    """Return the parameters that minimise ``-sum w log p + decay/2 |weights|^2``, and why the search ended.

    Args:
        model: The network.
        rows: What to learn from.
        theta: Initial parameters, shape (P,).
        decay: Precision of the weights' prior.
        max_steps: Most iterations.
        note: Called after every iteration with the mean loss and the norm of the gradient.
        deadline: Whether the time is over.
    """
    from scipy.optimize import minimize

    mask = decay * model.decayed().to(theta)
    total = float(rows.weight.sum())
    latest = {"loss": np.inf, "slope": np.inf}
    best = theta.detach().cpu().double().numpy()

    def objective(flat: Array) -> tuple[float, Array]:
        at = torch.from_numpy(flat).to(theta).requires_grad_()
        fit = negative_log_likelihood(model.outputs(at, rows.x), rows)
        whole = fit + 0.5 * (mask * at.square()).sum()
        (slope,) = torch.autograd.grad(whole, at)
        latest.update(loss=float(fit.detach()) / total, slope=float(slope.norm()) / total)
        return float(whole.detach()), slope.cpu().double().numpy()

    def after_step(flat: Array) -> None:
        nonlocal best
        best = flat.copy()
        note(latest["loss"], latest["slope"])
        if deadline():
            raise _TimeIsOverError

    options = {"maxiter": max_steps, "maxfun": 2 * max_steps, "gtol": 1e-6 * total, "ftol": 1e-9}
    try:
        found = minimize(
            objective, best, jac=True, method="L-BFGS-B", callback=after_step, options=options
        )
    except _TimeIsOverError:
        return torch.from_numpy(best).to(theta), FitStop.MAX_SECONDS
    if not np.isfinite(found.fun):
        return torch.from_numpy(best).to(theta), FitStop.NON_FINITE
    stop = FitStop.CONVERGED if found.status == 0 else FitStop.MAX_STEPS
    return torch.from_numpy(found.x).to(theta), stop
