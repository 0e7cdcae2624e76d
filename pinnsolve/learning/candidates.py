"""From the size of a table to the networks that are tried on it, and to how they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pinnsolve.learning.models import GatedResidual, Linear, SkipMLP, SmoothModel
from pinnsolve.learning.selection import Model, Recipe
from pinnsolve.naming import near_match_text
from pinnsolve.networks import MLP, Fourier

Architecture = str | Sequence[str | int]
"""``"auto"``, ``"linear"``, or a kind with widths: ``("mlp", 16, 16)``, ``("fourier", 64)``, ``("gated", 64, 64)``."""

KINDS = ("auto", "linear", "mlp", "fourier", "gated")
OPTIMISERS = ("auto", "gauss-newton", "lbfgs", "adamw", "soap")
FIRST_ORDER = ("adamw", "soap")

_MOST_ROWS = 5000
"""Rows up to which every step sees all of them."""

_MOST_WORK = 4e9
"""Operations of one Gauss-Newton step, rows times the square of the parameters, beyond which it does not pay."""

_MOST_PARAMETERS = 1500


@dataclass(frozen=True)
class Task:
    """The sizes that decide.

    Attributes:
        num_rows: Rows, as often as they count.
        num_inputs: Columns, after categories became columns.
        num_outputs: Targets, or classes.
        classify: Whether the outputs are logits.
    """

    num_rows: float
    num_inputs: int
    num_outputs: int
    classify: bool


def optimiser_for(task: Task, architecture: Architecture, optimiser: str) -> str:
    """Return the optimiser of a fit.

    Args:
        task: The sizes.
        architecture: As the user gave it.
        optimiser: As the user gave it; ``auto`` goes by the sizes.

    Raises:
        ValueError: If there is no such optimiser, or it cannot train this.
    """
    if optimiser not in OPTIMISERS:
        raise ValueError(
            f"unknown optimiser {optimiser!r}. {near_match_text(str(optimiser), OPTIMISERS)}"
        )
    kind = kind_of(architecture)
    if optimiser == "gauss-newton" and (task.classify or kind == "gated"):
        what = "classes" if task.classify else "a gated network"
        raise ValueError(
            f"optimiser 'gauss-newton' cannot train {what}; use 'auto', 'lbfgs' or 'adamw'"
        )
    if optimiser == "lbfgs" and not task.classify:
        raise ValueError("optimiser 'lbfgs' is for classes; use 'gauss-newton', 'adamw' or 'soap'")
    if optimiser != "auto":
        return optimiser
    if kind == "gated" or task.num_rows > _MOST_ROWS:
        return "adamw"
    given = None if kind == "auto" else model_of(task, architecture)
    if task.classify:
        return "lbfgs"
    small = Linear(task.num_inputs, task.num_outputs) if given is None else given
    if not isinstance(small, SmoothModel) or small.num_parameters > _MOST_PARAMETERS:
        return "adamw"
    return "gauss-newton"


def rungs_for(
    task: Task, architecture: Architecture, optimiser: str
) -> tuple[tuple[Recipe, ...], ...]:
    """Return the candidates from small to large.

    Args:
        task: The sizes.
        architecture: As the user gave it.
        optimiser: What :func:`optimiser_for` returned.
    """
    if kind_of(architecture) != "auto":
        models: tuple[Model, ...] = (model_of(task, architecture),)
    elif optimiser == "gauss-newton":
        tried = (mlp(task, 8), mlp(task, 16), mlp(task, 16, 16), mlp(task, 32, 32))
        linear = Linear(task.num_inputs, task.num_outputs)
        models = (linear, *(one for one in tried if _affordable(one, task)))
    elif optimiser == "lbfgs":
        models = (Linear(task.num_inputs, task.num_outputs), mlp(task, 16), mlp(task, 64))
    else:
        models = (GatedResidual(task.num_inputs, task.num_outputs, width=64, depth=2),)
    if optimiser != "lbfgs":
        return tuple((Recipe(model),) for model in models)
    return tuple(tuple(Recipe(model, decay) for decay in _decays(model)) for model in models)


def _decays(model: Model) -> tuple[float, ...]:
    return (0.03, 0.3, 3.0, 30.0) if isinstance(model, Linear) else (0.1, 0.3, 1.0, 3.0)


def _affordable(model: Model, task: Task) -> bool:
    if not isinstance(model, SmoothModel):
        return False
    size = model.num_parameters
    work = task.num_rows * task.num_outputs * float(size) ** 2
    few = size <= max(120.0, 0.9 * task.num_rows * task.num_outputs)
    return few and size <= _MOST_PARAMETERS and work <= _MOST_WORK


def kind_of(architecture: Architecture) -> str:
    """Return the kind of an architecture.

    Raises:
        ValueError: If there is no such kind, or its widths are not positive whole numbers.
    """
    parts = (architecture,) if isinstance(architecture, str) else tuple(architecture)
    kind = parts[0] if parts else ""
    if kind not in KINDS:
        raise ValueError(f"unknown architecture {kind!r}. {near_match_text(str(kind), KINDS)}")
    widths = parts[1:]
    whole = all(isinstance(w, int) and not isinstance(w, bool) and w > 0 for w in widths)
    needs = kind not in ("auto", "linear")
    if not whole or needs != bool(widths) or (kind == "gated" and len(set(widths)) != 1):
        raise ValueError(
            "an architecture is 'auto', 'linear', or a kind with its widths, such as ('mlp', 16, 16), ('fourier', 64) "
            f"or ('gated', 64, 64) with equal widths, got {architecture!r}"
        )
    return str(kind)


def model_of(task: Task, architecture: Architecture) -> Model:
    """Return the network that a user asked for by kind and widths."""
    kind = kind_of(architecture)
    widths = tuple(int(width) for width in architecture[1:]) if kind != "linear" else ()
    if kind == "linear":
        return Linear(task.num_inputs, task.num_outputs)
    if kind == "gated":
        return GatedResidual(task.num_inputs, task.num_outputs, widths[0], len(widths))
    if kind == "mlp":
        return mlp(task, *widths)
    waves = Fourier.random(task.num_inputs, scales=(0.05, 0.2), per_scale=16)
    return SkipMLP(MLP(task.num_inputs, task.num_outputs, widths, embedding=waves))


def mlp(task: Task, *widths: int) -> SkipMLP:
    """Return a linear part with a tanh network of the given widths."""
    return SkipMLP(MLP(task.num_inputs, task.num_outputs, widths))
