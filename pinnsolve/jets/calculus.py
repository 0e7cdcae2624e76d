"""The words of vector calculus on jets.

Conventions: ``grad(u)[i][j] = du_i/dx_j``; ``div`` of a tensor contracts its last index; only
space axes take part; time has its own word ``dt``.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinnsolve.jets.jet import Frame, Jet, as_jet
from pinnsolve.jets.scalar import Product, Scalar, Shifted, Sum


def grad(f: Jet) -> Jet:
    """Return the gradient: shape (D,) of a scalar, (C, D) of a vector."""
    if len(f.shape) > 1:
        raise ValueError(f"grad takes a scalar or a vector field, got shape {f.shape}")
    dim = f.frame.space_dim
    parts = tuple(Shifted(part, axis) for part in f.parts for axis in range(dim))
    return Jet((*f.shape, dim), parts, f.frame)


def div(f: Jet) -> Jet:
    """Return the divergence: of a vector a scalar, of a tensor (C, D) a vector of row divergences."""
    dim = f.frame.space_dim
    if not f.shape or f.shape[-1] != dim:
        raise ValueError(
            f"div in {dim}-D takes a field whose last dimension is {dim}, got shape {f.shape}"
        )
    rows = [f.parts[i : i + dim] for i in range(0, len(f.parts), dim)]
    parts = tuple(_sum(Shifted(part, axis) for axis, part in enumerate(row)) for row in rows)
    return Jet(f.shape[:-1], parts, f.frame)


def laplacian(f: Jet) -> Jet:
    """Return the Laplacian of every component."""
    axes = range(f.frame.space_dim)
    parts = tuple(_sum(Shifted(Shifted(part, a), a) for a in axes) for part in f.parts)
    return Jet(f.shape, parts, f.frame)


def dt(f: Jet) -> Jet:
    """Return the time derivative of every component.

    Raises:
        ValueError: If the problem is steady.
    """
    if not f.frame.has_time:
        raise ValueError(
            "dt() needs time as a coordinate: give the problem time=TimeInterval(start, end)"
        )
    return Jet(f.shape, tuple(Shifted(part, f.frame.space_dim) for part in f.parts), f.frame)


def curl(f: Jet) -> Jet:
    """Return the curl: a vector in 3-D; in 2-D the scalar dv/dx - du/dy."""
    dim = f.frame.space_dim
    if f.shape != (dim,) or dim not in (2, 3):
        raise ValueError(f"curl takes a vector field in 2-D or 3-D, got shape {f.shape} in {dim}-D")
    if dim == 2:
        u, v = f.parts
        return Jet((), (Sum((1.0, Shifted(v, 0)), (-1.0, Shifted(u, 1))),), f.frame)
    u, v, w = f.parts
    pairs = ((w, 1, v, 2), (u, 2, w, 0), (v, 0, u, 1))
    parts = tuple(Sum((1.0, Shifted(a, i)), (-1.0, Shifted(b, j))) for a, i, b, j in pairs)
    return Jet((3,), parts, f.frame)


def sym_grad(u: Jet) -> Jet:
    """Return the symmetric gradient ``(grad u + grad u^T) / 2`` of a vector field."""
    g = grad(u)
    return 0.5 * (g + transpose(g))


def dot(a: Jet, b: object) -> Jet:
    """Return the product that contracts the last index of ``a`` with the first of ``b``."""
    right = as_jet(b, a.frame)
    if not a.shape or not right.shape or a.shape[-1] != right.shape[0]:
        raise ValueError(f"dot contracts matching indices, got shapes {a.shape} and {right.shape}")
    n = a.shape[-1]
    rows = [a.parts[i : i + n] for i in range(0, len(a.parts), n)]
    width = len(right.parts) // n
    columns = [right.parts[j::width] for j in range(width)]
    parts = tuple(_inner(row, column) for row in rows for column in columns)
    return Jet((*a.shape[:-1], *right.shape[1:]), parts, a.frame)


def inner(a: Jet, b: Jet) -> Jet:
    """Return the full contraction of two fields of one shape, a scalar."""
    if a.shape != b.shape:
        raise ValueError(f"inner takes fields of one shape, got {a.shape} and {b.shape}")
    if a.frame != b.frame:
        raise ValueError(f"fields on different coordinates cannot meet: {a.frame} and {b.frame}")
    return Jet((), (_inner(a.parts, b.parts),), a.frame)


def outer(a: Jet, b: object) -> Jet:
    """Return the outer product of two vectors, shape (A, B)."""
    right = as_jet(b, a.frame)
    if len(a.shape) != 1 or len(right.shape) != 1:
        raise ValueError(f"outer takes two vectors, got shapes {a.shape} and {right.shape}")
    parts = tuple(Product(p, q) for p in a.parts for q in right.parts)
    return Jet((*a.shape, *right.shape), parts, a.frame)


def trace(a: Jet) -> Jet:
    """Return the trace of a square tensor."""
    n = _order(a)
    return Jet((), (_sum(a.parts[i * n + i] for i in range(n)),), a.frame)


def transpose(a: Jet) -> Jet:
    """Return the transpose of a square tensor."""
    n = _order(a)
    return Jet(a.shape, tuple(a.parts[j * n + i] for i in range(n) for j in range(n)), a.frame)


def identity(frame: Frame) -> Jet:
    """Return the unit tensor of the space dimension."""
    n = frame.space_dim
    return as_jet([[float(i == j) for j in range(n)] for i in range(n)], frame)


def advect(velocity: Jet, f: Jet) -> Jet:
    """Return ``(velocity . grad) f`` for a scalar or vector ``f``."""
    return dot(grad(f), velocity)


def _order(a: Jet) -> int:
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"expected a square tensor field, got shape {a.shape}")
    return a.shape[0]


def _sum(terms: Iterable[Scalar]) -> Scalar:
    return Sum(*((1.0, term) for term in terms))


def _inner(left: tuple[Scalar, ...], right: tuple[Scalar, ...]) -> Scalar:
    return _sum(Product(p, q) for p, q in zip(left, right, strict=True))
