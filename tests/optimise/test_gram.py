"""Normal equations against the products they stand for."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.optimise.gram import normal_equations


def random_chunks(seed: int, dtype: torch.dtype) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(n, generator=generator).to(dtype),
            torch.randn(n, 7, generator=generator).to(dtype),
        )
        for n in (5, 1, 12, 3)
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_chunks_add_up(seed, dtype, rtol) -> None:
    chunks = random_chunks(seed, dtype)
    rows, jacobian = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    gram, gradient, all_rows = normal_equations(iter(chunks), 7)
    expected = jacobian.T @ jacobian
    torch.testing.assert_close(gram.tril(), expected.tril(), rtol=rtol, atol=10 * rtol)
    torch.testing.assert_close(gradient, jacobian.T @ rows, rtol=rtol, atol=10 * rtol)
    assert torch.equal(all_rows, rows)
    assert gram.dtype == dtype


def test_jacobians_in_column_order_are_summed_alike() -> None:
    chunks = random_chunks(0, torch.float64)
    turned = [(rows, jacobian.T.contiguous().T) for rows, jacobian in chunks]
    for ours, theirs in zip(normal_equations(chunks, 7), normal_equations(turned, 7), strict=True):
        torch.testing.assert_close(
            ours.tril() if ours.ndim == 2 else ours, theirs.tril() if theirs.ndim == 2 else theirs
        )


def test_the_lower_triangle_is_what_cholesky_reads() -> None:
    chunks = random_chunks(0, torch.float64)
    jacobian = torch.cat([j for _, j in chunks])
    gram, _, _ = normal_equations(chunks, 7)
    factor = torch.linalg.cholesky(gram)
    torch.testing.assert_close(factor @ factor.T, jacobian.T @ jacobian)


def test_inputs_are_left_alone() -> None:
    chunks = random_chunks(0, torch.float64)
    copies = [(r.clone(), j.clone()) for r, j in chunks]
    normal_equations(chunks, 7)
    for (r, j), (s, k) in zip(chunks, copies, strict=True):
        assert torch.equal(r, s)
        assert torch.equal(j, k)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one row"):
        normal_equations([], 7)
