"""What a model's predictions hang on: permutation importance, integrated gradients, partial dependence.

All three ask the model only, whatever it is. Gradients are captum's where the model is a function of torch tensors, and
central differences of its predictions elsewhere; a model with jumps, trees say, has none, which their sum tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pinnsolve.learning.data.tables import Array, as_frame, is_numeric, numbers, require_columns

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

Output = Callable[[Any], Array]
"""Takes rows as the model does, returns one number per row, shape (N,)."""


@dataclass(frozen=True)
class Importance:
    """What one input is worth.

    Attributes:
        name: The input.
        drop: Increase of the mean error when its values are shuffled among the rows.
        interval: 95 % interval of it over shuffles and rows.
        share: The increase relative to the error as it is.
    """

    name: str
    drop: float
    interval: tuple[float, float]
    share: float


def permutation_importance(
    model: Any,  # noqa: ANN401 - whatever has predict()
    inputs: object,
    truth: object,
    *,
    num_repeats: int = 5,
    seed: int = 0,
) -> tuple[Importance, ...]:
    """Return how much worse a model predicts without each input, the most important first.

    Inputs that stand in for each other share their importance: each alone can be done without.

    Args:
        model: Any estimator with ``predict``.
        inputs: Rows that were not learned from.
        truth: Their targets, shape (N,).
        num_repeats: Shuffles of each input.
        seed: Seed of the shuffles.

    Raises:
        ValueError: If lengths differ.
    """
    frame, known = as_frame(inputs), np.asarray(truth)
    if known.shape != (len(frame),):
        raise ValueError(f"truth needs the shape ({len(frame)},), got {known.shape}")
    generator = np.random.default_rng(seed)
    base = _losses(model, inputs, known)
    found = []
    for place, name in enumerate(frame.columns):
        drops = []
        for _ in range(num_repeats):
            order = generator.permutation(len(frame))
            drops.append(_losses(model, _shuffled(inputs, place, order), known) - base)
        rows = np.mean(drops, axis=0)
        drop, spread = float(rows.mean()), float(rows.std(ddof=1)) / len(rows) ** 0.5
        repeats = np.mean(drops, axis=1)
        spread = (
            float(np.hypot(spread, repeats.std(ddof=1) / num_repeats**0.5))
            if num_repeats > 1
            else spread
        )
        size = float(base.mean()) or 1.0
        interval = (drop - 1.96 * spread, drop + 1.96 * spread)
        found.append(Importance(str(name), drop, interval, drop / size))
    return tuple(sorted(found, key=lambda item: -item.drop))


def _losses(model: Any, inputs: Any, known: npt.NDArray[Any]) -> Array:  # noqa: ANN401
    """Return the error of every row: absolute for numbers, 0 or 1 for classes."""
    predicted = np.asarray(model.predict(inputs))
    if hasattr(model, "classes_"):
        return np.asarray(predicted.astype(str) != known.astype(str), dtype=np.float64)
    return np.asarray(np.abs(predicted - known), dtype=np.float64)


def _shuffled(inputs: Any, place: int, order: npt.NDArray[np.int64]) -> Any:  # noqa: ANN401
    """Return rows with the values of one column in another order."""
    if hasattr(inputs, "iloc"):
        changed = inputs.copy()
        changed.isetitem(place, inputs.iloc[order, place].array)
        return changed
    values = np.array(inputs)
    values[:, place] = values[order, place]
    return values


@dataclass(frozen=True, eq=False)
class Attributions:
    """What each input adds to each prediction, beside a baseline row.

    Attributes:
        names: The inputs.
        values: Contribution of each input to each row's prediction, shape (N, D).
        gap: Largest difference between the sum of a row's contributions and what its prediction differs from the
            baseline's, relative to the largest such difference. Near 0 for smooth models; near 1 for trees, whose
            gradients say nothing.
    """

    names: tuple[str, ...]
    values: Array
    gap: float

    @property
    def means(self) -> Array:
        """Mean magnitude of the contributions of each input, shape (D,)."""
        return np.asarray(np.abs(self.values).mean(axis=0))

    @property
    def complete(self) -> bool:
        """Whether the contributions add up to the predictions, to 5 %."""
        return self.gap < 0.05


def integrated_gradients(
    model: Any,  # noqa: ANN401 - whatever has predict()
    inputs: object,
    *,
    baseline: object | None = None,
    output: int | None = None,
    num_steps: int = 32,
) -> Attributions:
    """Return attributions by the mean gradient on the way from a baseline row to each row.

    ``(x_i - b_i) int_0^1 df/dx_i (b + a (x - b)) da`` (M. Sundararajan, A. Taly & Q. Yan, "Axiomatic attribution for
    deep networks", 2017), by Gauss and Legendre's rule; the contributions of a row add up to ``f(x) - f(b)``.

    Args:
        model: A ``torch.nn.Module`` that maps rows (N, D) to (N,) or (N, C); or any estimator with ``predict``, or
            ``predict_proba`` where ``output`` says of which class.
        inputs: Rows of numbers.
        baseline: A row (D,); None takes the mean.
        output: Which target or class; None for a model with one number per row.
        num_steps: Points on the way.

    Raises:
        ValueError: If an input is no number, or the baseline has another length.
    """
    import torch

    frame = as_frame(inputs)
    text = [str(name) for name in frame.columns if not is_numeric(frame[name])]
    if text:
        raise ValueError(
            f"gradients need numbers, but {text[0]!r} is text; leave it out, or encode it first"
        )
    rows = np.column_stack([numbers(frame[name]) for name in frame.columns])
    start = rows.mean(axis=0) if baseline is None else np.asarray(baseline, dtype=np.float64)
    if start.shape != (rows.shape[1],):
        raise ValueError(f"the baseline needs the shape ({rows.shape[1]},), got {start.shape}")
    names = tuple(str(name) for name in frame.columns)
    if isinstance(model, torch.nn.Module):
        return _by_captum(model, names, rows, start, output, num_steps)
    whole = _output_of(model, output)

    def evaluate(values: Array) -> Array:
        return whole(_like(inputs, frame, values))

    return _by_differences(evaluate, names, rows, start, num_steps)


def _by_captum(
    model: Any,  # noqa: ANN401 - a torch module
    names: tuple[str, ...],
    rows: Array,
    start: Array,
    output: int | None,
    num_steps: int,
) -> Attributions:
    import torch
    from captum.attr import IntegratedGradients

    like = next(model.parameters(), torch.zeros((), dtype=torch.float64))
    x: Tensor = torch.from_numpy(rows).to(like)
    b: Tensor = torch.from_numpy(start)[None].to(like)
    found, delta = IntegratedGradients(model).attribute(
        x, b.expand_as(x), target=output, n_steps=num_steps, return_convergence_delta=True
    )
    values = found.detach().cpu().numpy().astype(np.float64)
    total = values.sum(axis=1) - delta.detach().cpu().numpy()
    return Attributions(names, values, _gap(values, total))


def _by_differences(
    evaluate: Output, names: tuple[str, ...], rows: Array, start: Array, num_steps: int
) -> Attributions:
    """Return attributions by central differences at Gauss-Legendre points."""
    nodes, weights = np.polynomial.legendre.leggauss(num_steps)
    away = rows - start
    step = 1e-3 * np.maximum(rows.std(axis=0), 1e-12)
    means = np.zeros_like(rows)
    for node, weight in zip(0.5 * (nodes + 1.0), 0.5 * weights, strict=True):
        at = start + node * away
        for place in range(rows.shape[1]):
            shift = np.zeros(rows.shape[1])
            shift[place] = step[place]
            slope = (evaluate(at + shift) - evaluate(at - shift)) / (2.0 * step[place])
            means[:, place] += weight * slope
    values = away * means
    total = evaluate(rows) - evaluate(start[None])
    return Attributions(names, values, _gap(values, total))


def _gap(values: Array, total: Array) -> float:
    largest = float(np.abs(total).max(initial=0.0))
    return float(np.abs(values.sum(axis=1) - total).max(initial=0.0)) / (largest or 1.0)


@dataclass(frozen=True)
class Dependence:
    """The mean prediction over one input.

    Attributes:
        name: The input.
        values: Where it was held, numbers or categories.
        mean: Mean prediction with all rows held there.
    """

    name: str
    values: tuple[float | str, ...]
    mean: tuple[float, ...]


def partial_dependence(
    model: Any,  # noqa: ANN401
    inputs: object,
    name: str,
    *,
    output: int | None = None,
    num_values: int = 20,
    most_rows: int = 1000,
    seed: int = 0,
) -> Dependence:
    """Return the mean prediction with one input held at values from its 5 % to its 95 % quantile.

    Rows that never occur may come about where inputs hang together; see a model's domain.

    Args:
        model: Any estimator.
        inputs: Rows.
        name: The input.
        output: Which target or class; None for a model with one number per row.
        num_values: Values it is held at.
        most_rows: Rows that are averaged over; more are drawn from.
        seed: Seed of that draw.

    Raises:
        ValueError: If there is no such input.
    """
    frame = as_frame(inputs)
    require_columns(frame, (name,), "partial dependence")
    rows = np.random.default_rng(seed).permutation(len(frame))[:most_rows]
    some = frame.iloc[np.sort(rows)]
    column, evaluate = frame[name], _output_of(model, output)
    values: Sequence[float | str]
    if is_numeric(column) and column.nunique() > num_values:
        spread = np.nanquantile(numbers(column), np.linspace(0.05, 0.95, num_values))
        values = [float(v) for v in np.unique(spread)]
    elif is_numeric(column):
        values = [float(v) for v in np.unique(numbers(column))]
    else:
        values = sorted(column.astype(str).unique())
    means = []
    for value in values:
        held = some.copy()
        held[name] = value
        means.append(float(np.mean(evaluate(held if hasattr(inputs, "iloc") else held.to_numpy()))))
    return Dependence(name, tuple(values), tuple(means))


def _output_of(model: Any, output: int | None) -> Output:  # noqa: ANN401
    """Return what gives one number per row: the prediction, or the probability of a class."""

    def evaluate(rows: Any) -> Array:  # noqa: ANN401
        classes = hasattr(model, "classes_")
        found = np.asarray(model.predict_proba(rows) if classes else model.predict(rows))
        if found.ndim == 2 and output is None:
            if classes and found.shape[1] == 2:
                return np.asarray(found[:, 1], dtype=np.float64)
            raise ValueError(
                f"the model gives {found.shape[1]} numbers per row; say which with output=0 ... {found.shape[1] - 1}"
            )
        chosen = found if found.ndim == 1 else found[:, output]
        return np.asarray(chosen, dtype=np.float64)

    return evaluate


def _like(inputs: Any, frame: pd.DataFrame, values: Array) -> Any:  # noqa: ANN401
    """Return numbers as the kind of table that the model was given."""
    if not hasattr(inputs, "iloc"):
        return values
    import pandas as pd

    return pd.DataFrame(values, columns=frame.columns)
