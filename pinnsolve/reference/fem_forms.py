"""The weak form of a problem, read off its declaration.

No equation is written again. Each conservation law ``div F = S`` of the physics is tested with
functions v,

    R(v) = integral of F : grad v + S v  -  boundary integral of g v  =  0,

with F and S from ``Physics.balances`` and the prescribed outward flux g = F n - row from the
conditions, all evaluated as jets at quadrature points. The tangent matrix comes from their
derivatives with respect to the field's value and gradient there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import normal_jet
from pinnsolve.collocation import tensor
from pinnsolve.conditions import Condition
from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.jets.scalar import Leaf
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.problem import Problem
from pinnsolve.reference.fem_levels import Array
from pinnsolve.reference.fem_space import Rule, Space

_TOLERANCE = 1e-9


class UnsuitedError(ValueError):
    """The problem cannot be put in the form this method solves; the text says why."""


@dataclass(frozen=True, eq=False)
class Site:
    """The declaration at N points, with the field's values and gradients there as variables.

    Attributes:
        fields: The fields.
        x: The coordinates.
        normal: Outward unit normals; zeros inside.
        state: Values and gradients, shape (N, C, 1 + D), with derivatives recorded.
    """

    fields: Fields
    x: Coordinates
    normal: Jet
    state: Tensor


@dataclass(frozen=True, eq=False)
class ConditionRows:
    """The scalar equations of one condition, sorted by what they settle.

    Attributes:
        condition: The condition.
        essential: Names of the rows that give values.
        natural: Component number of each row that gives an outward flux, by name of the row.
    """

    condition: Condition
    essential: tuple[str, ...]
    natural: dict[str, int] = field(default_factory=dict)


def site_at(problem: Problem, points: Array, normals: Array, states: Array) -> Site:
    """Return the declaration at points (N, D) with normals (N, D) and states (N, C, 1 + D)."""
    frame = problem.frame
    state = tensor(states).requires_grad_(True)

    def source(component: int) -> Callable[[MultiIndex], Tensor]:
        def supply(index: MultiIndex) -> Tensor:
            if len(index) > 1:
                raise UnsuitedError(
                    "a flux or a condition contains second derivatives of the field"
                )
            return state[:, component, 0 if index == VALUE else 1 + index[0]]

        return supply

    leaves = [Leaf(source(c)) for c in range(states.shape[1])]
    fields = Fields.from_components(problem.field_shapes, list(leaves), frame)
    return Site(
        fields, Coordinates(tensor(points), frame), normal_jet(tensor(normals), frame), state
    )


def sorted_rows(problem: Problem, condition: Condition, space: Space) -> ConditionRows:
    """Return which equations of a condition give values and which give fluxes.

    Raises:
        UnsuitedError: If one is neither the one nor the other.
    """
    rule = next(space.facet_rules(condition.part))
    site = _trial_site(problem, rule)
    rows = condition.residual(site.fields, site.x, site.normal, problem.physics)
    outward = _outward_fluxes(problem, site)
    essential, natural = [], {}
    for name, row in rows.items():
        slope = _derivative(_column(row.value, site), site)
        if np.all(slope[..., 1:] == 0.0):
            essential.append(name)
        elif name in problem.component_names:
            component = problem.component_names.index(name)
            own = _derivative(outward[component], site)
            if not np.allclose(
                slope[..., 1:], own[..., 1:], rtol=0.0, atol=_TOLERANCE * np.abs(own).max()
            ):
                raise UnsuitedError(
                    f"{condition.label}: {name} is not an outward flux minus what is given"
                )
            natural[name] = component
        elif not _is_homogeneous(row, slope, site):
            raise UnsuitedError(f"{condition.label}: {name} is not an equation of one component")
    return ConditionRows(condition, tuple(essential), natural)


def interior_density(
    problem: Problem, rule: Rule, states: Array, *, with_tangent: bool
) -> tuple[Array, Array]:
    """Return (S, F) at the points of a rule and its derivatives.

    Args:
        problem: The declaration.
        rule: M cells with Q points.
        states: Values and gradients there, (M, Q, C, 1 + D).
        with_tangent: Whether derivatives are wanted.

    Returns:
        The density (M, Q, C, 1 + D) that is tested with (v, grad v), and its tangent
        (M, Q, C, 1 + D, C, 1 + D), empty if it is not wanted.
    """
    site = _site_of(problem, rule, states)
    (balance,) = problem.physics.balances(site.fields, site.x).values()
    sources = [balance.source] if balance.source.shape == () else list(balance.source)
    fluxes = [balance.flux] if len(balance.flux.shape) == 1 else list(balance.flux)
    columns = [
        [_column(entry.value, site) for entry in (source, *flux)]
        for source, flux in zip(sources, fluxes, strict=True)
    ]
    return _collected(columns, site, states.shape, with_tangent=with_tangent)


def boundary_density(
    problem: Problem, rows: ConditionRows, rule: Rule, states: Array, *, with_tangent: bool
) -> tuple[Array, Array]:
    """Return the prescribed outward flux with the sign of the weak form, shaped as in the interior.

    The flux must not depend on the field's gradient, which is therefore left out.
    """
    still = np.concatenate((states[..., :1], np.zeros_like(states[..., 1:])), axis=-1)
    site = _site_of(problem, rule, still)
    equations = rows.condition.residual(site.fields, site.x, site.normal, problem.physics)
    outward = _outward_fluxes(problem, site)
    columns: list[list[Tensor]] = [[] for _ in range(states.shape[2])]
    for name, component in rows.natural.items():
        columns[component] = [_column(equations[name].value, site) - outward[component]]
    zero = site.state.new_zeros(len(site.state))
    padded = [(own or [zero]) + [zero] * (states.shape[3] - 1) for own in columns]
    density, tangent = _collected(padded, site, states.shape, with_tangent=with_tangent)
    if with_tangent:
        tangent[..., 1:] = 0.0
    return density, tangent


def essential_rows(problem: Problem, rows: ConditionRows, rule: Rule) -> list[tuple[Array, Array]]:
    """Return ``c . u = g`` for each row that gives values: c of shape (M, Q, C), g of (M, Q)."""
    shape = (*rule.weights.shape, len(problem.component_names))
    site = _site_of(problem, rule, np.zeros((*shape, 1 + problem.domain.dim)))
    equations = rows.condition.residual(site.fields, site.x, site.normal, problem.physics)
    columns = [_column(equations[name].value, site) for name in rows.essential]
    return [
        (_derivative(c, site)[..., 0].reshape(shape), -c.detach().numpy().reshape(shape[:-1]))
        for c in columns
    ]


def _site_of(problem: Problem, rule: Rule, states: Array) -> Site:
    dim = problem.domain.dim
    flat = states.reshape(-1, *states.shape[2:])
    return site_at(problem, rule.points.reshape(-1, dim), rule.normals.reshape(-1, dim), flat)


def _trial_site(problem: Problem, rule: Rule) -> Site:
    """Return the points of a rule with made-up, positive fields."""
    num, width = len(problem.component_names), 1 + problem.domain.dim
    shape = (*rule.weights.shape, num, width)
    return _site_of(
        problem,
        rule,
        np.broadcast_to(1.0 + 0.1 * np.arange(num * width).reshape(num, width), shape),
    )


def _outward_fluxes(problem: Problem, site: Site) -> list[Tensor]:
    """Return the natural flux through the boundary, one (N,) per component."""
    from pinnsolve.jets import dot

    fluxes = problem.physics.natural_fluxes(site.fields, site.x)
    outward = [dot(fluxes[name], site.normal) for name in problem.field_shapes]
    parts = [part for jet in outward for part in ([jet] if jet.shape == () else list(jet))]
    return [_column(part.value, site) for part in parts]


def _is_homogeneous(row: Jet, slope: Array, site: Site) -> bool:
    """Whether an equation gives zero flux in some direction: it adds nothing to the weak form."""
    value = row.value.detach().numpy()
    predicted = np.einsum("nci,nci->n", slope, site.state.detach().numpy())
    size = np.einsum("nci,nci->n", np.abs(slope), np.abs(site.state.detach().numpy()))
    return bool(np.all(np.abs(value - predicted) <= _TOLERANCE * size)) and not np.any(
        slope[..., 0]
    )


def _column(value: Tensor, site: Site) -> Tensor:
    return value.to(torch.float64).expand(len(site.state))


def _derivative(column: Tensor, site: Site) -> Array:
    """Return the pointwise derivative (N, C, 1 + D) of a column with respect to the state."""
    if not column.requires_grad:
        return np.zeros(tuple(site.state.shape))
    (slope,) = torch.autograd.grad(column.sum(), site.state, retain_graph=True, allow_unused=True)
    return np.zeros(tuple(site.state.shape)) if slope is None else slope.numpy()


def _collected(
    columns: list[list[Tensor]], site: Site, shape: tuple[int, ...], *, with_tangent: bool
) -> tuple[Array, Array]:
    """Return C by 1 + D columns (N,) as a density of shape (M, Q, C, 1 + D), and its tangent."""
    own = [torch.stack([c.detach() for c in row], dim=-1) for row in columns]
    density = torch.stack(own, dim=-2).numpy().reshape(shape)
    if not with_tangent:
        return density, np.empty((*shape[:2], 0))
    slopes = [np.stack([_derivative(c, site) for c in row], axis=1) for row in columns]
    return density, np.stack(slopes, axis=1).reshape(*shape, *shape[2:])
