"""Least squares by triangularisation, against SciPy's of the augmented system."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.linalg
import torch

from pinnsolve.optimise.orthogonal import Chunks, least_squares, triangularise

SEEDS = (0, 1, 2)
CHUNKINGS = ((1000,), (17, 40, 3), (1,))
"""Sizes of row chunks, repeated until the rows are used up."""


def random_system(seed: int, rows: int = 90, columns: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """A well-conditioned system whose columns differ in size by six decades."""
    generator = np.random.default_rng(seed)
    jacobian = generator.standard_normal((rows, columns)) * np.logspace(-3, 3, columns)
    return jacobian, generator.standard_normal(rows)


def nearly_dependent(
    seed: int, condition: float, rows: int = 90, columns: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    """A system of a given condition number, with a right side that it can meet up to 1e-3."""
    generator = np.random.default_rng(seed)
    left, _ = np.linalg.qr(generator.standard_normal((rows, columns)))
    right, _ = np.linalg.qr(generator.standard_normal((columns, columns)))
    jacobian = (left * np.logspace(0.0, -np.log10(condition), columns)) @ right.T
    noise = 1e-3 * generator.standard_normal(rows)
    return jacobian, jacobian @ generator.standard_normal(columns) + noise


def chunked(
    jacobian: np.ndarray, rows: np.ndarray, sizes: tuple[int, ...], passes: list[int] | None = None
) -> Chunks:
    def chunks() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if passes is not None:
            passes.append(1)
        start = 0
        while start < len(rows):
            for size in sizes:
                part = slice(start, start + size)
                yield torch.from_numpy(rows[part]), torch.from_numpy(jacobian[part])
                start += size

    return chunks


def augmented_solution(jacobian: np.ndarray, rows: np.ndarray, *dampings: float) -> np.ndarray:
    """Minimiser of ``|J d + r|^2 + sum of damping^2 |norms d|^2`` by SciPy."""
    norms = np.linalg.norm(jacobian, axis=0)
    below = [damping * np.diag(norms) for damping in dampings]
    zeros = np.zeros(len(norms) * len(dampings))
    found, *_ = scipy.linalg.lstsq(
        np.vstack([jacobian, *below]), np.concatenate([-rows, zeros]), lapack_driver="gelsy"
    )
    return np.asarray(found)


def assert_same(found: np.ndarray, expected: np.ndarray, jacobian: np.ndarray, rtol: float) -> None:
    """Compare steps with their columns scaled to norm one."""
    norms = np.linalg.norm(jacobian, axis=0)
    scale = np.abs(norms * expected).max()
    np.testing.assert_allclose(norms * found, norms * expected, rtol=0.0, atol=rtol * scale)


@pytest.mark.parametrize("max_rows", [8192, 20, 5])
@pytest.mark.parametrize("sizes", CHUNKINGS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_step_is_the_least_squares_solution(seed, sizes, max_rows) -> None:
    jacobian, rows = random_system(seed)
    triangle = triangularise(chunked(jacobian, rows, sizes), 12, 90, max_rows=max_rows)
    assert_same(triangle.step(), augmented_solution(jacobian, rows), jacobian, 1e-11)


@pytest.mark.parametrize("max_rows", [8192, 20])
@pytest.mark.parametrize("condition", [1e6, 1e10])
@pytest.mark.parametrize("seed", SEEDS)
def test_ill_conditioned_systems_keep_the_digits_that_normal_equations_lose(
    seed, condition, max_rows
) -> None:
    """A step of normal equations would be wrong by condition^2 eps: by 1e-4, and altogether."""
    jacobian, rows = nearly_dependent(seed, condition)
    triangle = triangularise(
        chunked(jacobian, rows, (17, 40)), 12, 90, damping=1e-14, max_rows=max_rows
    )
    expected = augmented_solution(jacobian, rows, 1e-14)
    assert_same(triangle.step(), expected, jacobian, 100.0 * condition * 2.2e-16)


@pytest.mark.parametrize("seed", SEEDS)
def test_tikhonov_term_of_dependent_columns(seed) -> None:
    """Columns that are the same share the step, as the smallest solution does."""
    jacobian, rows = random_system(seed, columns=6)
    doubled = np.hstack([jacobian, jacobian])
    step = triangularise(chunked(doubled, rows, (30,)), 12, 90, damping=1e-4).step()
    np.testing.assert_allclose(step[:6], step[6:], rtol=1e-4)
    assert_same(step, augmented_solution(doubled, rows, 1e-4), doubled, 1e-5)
    assert_same(step[:6] + step[6:], augmented_solution(jacobian, rows), jacobian, 1e-6)


@pytest.mark.parametrize("max_rows", [12, 13, 30, 89])
@pytest.mark.parametrize("condition", [10.0, 1e4])
@pytest.mark.parametrize("seed", SEEDS)
def test_merging_chunk_by_chunk_gives_the_triangle_of_all_at_once(
    seed, condition, max_rows
) -> None:
    jacobian, rows = nearly_dependent(seed, condition)
    chunks = chunked(jacobian, rows, (17, 40, 3))
    whole = triangularise(chunks, 12, 90)
    merged = triangularise(chunks, 12, 90, max_rows=max_rows)
    signs = np.sign(np.diag(merged.factor)) * np.sign(np.diag(whole.factor))
    np.testing.assert_allclose(signs[:, None] * merged.factor, whole.factor, rtol=0, atol=1e-12)
    np.testing.assert_allclose(signs * merged.right, whole.right, rtol=0, atol=1e-12)
    np.testing.assert_allclose(merged.column_norms, whole.column_norms, rtol=1e-14)
    assert merged.least_loss == pytest.approx(whole.least_loss, rel=1e-10)
    assert_same(merged.step(), whole.step(), jacobian, 1e-10)


@pytest.mark.parametrize("damping", [1e-5, 1e-2, 1.0, 30.0])
@pytest.mark.parametrize("max_rows", [8192, 20])
@pytest.mark.parametrize("seed", SEEDS)
def test_damping_is_that_of_the_augmented_system(seed, max_rows, damping) -> None:
    jacobian, rows = random_system(seed)
    triangle = triangularise(chunked(jacobian, rows, (40,)), 12, 90, max_rows=max_rows)
    expected = augmented_solution(jacobian, rows, damping)
    assert_same(triangle.step(damping), expected, jacobian, 1e-11)
    assert_same(triangle.step(), augmented_solution(jacobian, rows), jacobian, 1e-11)  # unharmed


def test_more_damping_makes_shorter_steps() -> None:
    jacobian, rows = random_system(0)
    triangle = triangularise(chunked(jacobian, rows, (40,)), 12, 90)
    norms = np.linalg.norm(jacobian, axis=0)
    lengths = [np.linalg.norm(norms * triangle.step(d)) for d in (0.0, 0.1, 1.0, 10.0, 1e3)]
    assert all(b < a for a, b in itertools.pairwise(lengths))
    assert lengths[-1] < 1e-5 * lengths[0]


@pytest.mark.parametrize("max_rows", [8192, 20])
@pytest.mark.parametrize("sizes", CHUNKINGS)
@pytest.mark.parametrize("seed", SEEDS)
def test_least_loss_is_the_loss_at_the_minimiser(seed, sizes, max_rows) -> None:
    for jacobian, rows in (random_system(seed), nearly_dependent(seed, 1e5)):
        triangle = triangularise(chunked(jacobian, rows, sizes), 12, 90, max_rows=max_rows)
        loss = 0.5 * np.sum((jacobian @ triangle.step() + rows) ** 2)
        assert triangle.least_loss == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("max_rows", [8192, 20])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_system_that_can_be_met_has_no_loss(seed, max_rows) -> None:
    jacobian, _ = random_system(seed)
    wanted = np.random.default_rng(seed + 10).standard_normal(12)
    rows = -jacobian @ wanted
    triangle = triangularise(chunked(jacobian, rows, (40,)), 12, 90, max_rows=max_rows)
    assert triangle.least_loss < 1e-24 * 0.5 * np.sum(rows**2)
    assert_same(triangle.step(), wanted, jacobian, 1e-12)


@pytest.mark.parametrize("damping", [0.0, 1e-3])
@pytest.mark.parametrize("max_rows", [8192, 20])
@pytest.mark.parametrize("seed", SEEDS)
def test_columns_of_zeros_do_not_move(seed, max_rows, damping) -> None:
    jacobian, rows = random_system(seed)
    jacobian[:, [0, 5, 11]] = 0.0
    kept = np.delete(np.arange(12), [0, 5, 11])
    triangle = triangularise(chunked(jacobian, rows, (40,)), 12, 90, max_rows=max_rows)
    step = triangle.step(damping)
    np.testing.assert_allclose(step[[0, 5, 11]], 0.0, rtol=0.0, atol=1e-9)
    expected = augmented_solution(jacobian[:, kept], rows, *([damping] if damping else []))
    assert_same(step[kept], expected, jacobian[:, kept], 1e-10)


@pytest.mark.parametrize("max_rows", [8192, 2])
def test_fewer_rows_than_parameters(max_rows) -> None:
    """The Tikhonov term chooses among the solutions: one of small scaled norm."""
    jacobian, rows = random_system(0, rows=5)
    triangle = triangularise(chunked(jacobian, rows, (2,)), 12, 5, damping=1e-8, max_rows=max_rows)
    step = triangle.step()
    np.testing.assert_allclose(jacobian @ step, -rows, rtol=0.0, atol=1e-6)
    norms = np.linalg.norm(jacobian, axis=0)
    smallest = np.linalg.pinv(jacobian / norms) @ -rows
    np.testing.assert_allclose(norms * step, smallest, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize(("columns", "max_rows"), [(1, 1), (1, 2), (2, 1)])
def test_the_smallest_systems(columns, max_rows) -> None:
    jacobian, rows = random_system(0, rows=7, columns=columns)
    triangle = triangularise(chunked(jacobian, rows, (3,)), columns, 7, max_rows=max_rows)
    assert_same(triangle.step(), augmented_solution(jacobian, rows), jacobian, 1e-12)


def test_what_fits_is_passed_once_and_nothing_of_the_caller_is_changed() -> None:
    jacobian, rows = random_system(0)
    before = jacobian.copy(), rows.copy()
    for max_rows, wanted in ((8192, 1), (20, 2)):
        passes: list[int] = []
        triangle = triangularise(chunked(jacobian, rows, (90,), passes), 12, 90, max_rows=max_rows)
        triangle.step(0.1)
        assert len(passes) == wanted
    np.testing.assert_array_equal(jacobian, before[0])
    np.testing.assert_array_equal(rows, before[1])


@pytest.mark.parametrize("sizes", [(40,), (3, 20, 17), (1, 1, 38)])
def test_several_right_sides_at_once_chunk_by_chunk(sizes: tuple[int, ...]) -> None:
    generator = np.random.default_rng(3)
    rows, wanted = (torch.from_numpy(generator.normal(size=(40, n))) for n in (7, 3))
    chunks = zip(rows.split(sizes), wanted.split(sizes), strict=True)
    expected = np.linalg.lstsq(rows.numpy(), wanted.numpy(), rcond=None)[0]
    np.testing.assert_allclose(least_squares(chunks, 7), expected, rtol=1e-11, atol=1e-12)
    with pytest.raises(ValueError, match="no rows to fit"):
        least_squares([], 7)
