"""Identities that hold for every shape: primitives, booleans and meshes alike."""

import numpy as np
import pytest

SEEDS = (0, 1, 2)


def _close_to_boundary(shape):
    """The distance at which a point counts as on the boundary."""
    return 1e-11 * shape.size


def test_measure_is_the_closed_form(built):
    assert built.shape.measure == pytest.approx(built.case.measure, rel=built.case.rtol)


def test_part_measures_are_the_closed_forms(built):
    assert set(built.shape.parts) == set(built.case.parts)
    measures = {part: built.shape.part_measure(part) for part in built.shape.parts}
    assert measures == pytest.approx(built.case.parts, rel=max(built.case.rtol, 1e-11))


def test_divergence_theorem_closes(shape):
    flux = 0.0
    for part in shape.parts:
        points, weights = shape.part_quadrature(part, 2000)
        flux += np.einsum("nd,nd,n->", points.points, points.normals, weights)
    assert flux == pytest.approx(shape.dim * shape.measure, rel=1e-5)


def test_total_normal_vanishes(shape):
    total, size = np.zeros(shape.dim), 0.0
    for part in shape.parts:
        points, weights = shape.part_quadrature(part, 2000)
        total += weights @ points.normals
        size += weights.sum()
    assert np.abs(total).max() < 1e-5 * size


def test_scaling_changes_units_only(scaled):
    shape, case, k = scaled.shape, scaled.case, scaled.k
    assert shape.measure == pytest.approx(case.measure * k**shape.dim, rel=case.rtol)
    for part, measure in case.parts.items():
        expected = measure * k ** (shape.dim - 1)
        assert shape.part_measure(part) == pytest.approx(expected, rel=max(case.rtol, 1e-11))
        points = shape.sample_part(part, 32, seed=0)
        assert np.abs(shape.signed_distance(points.points)).max() < _close_to_boundary(shape)
        assert shape.on_part(part, points.points).all()
        assert not shape.contains(points.points + 1e-6 * shape.size * points.normals).any()
    assert shape.contains(shape.sample_interior(64, seed=0)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_interior_points_are_inside_and_distinct(shape, seed):
    points = shape.sample_interior(300, seed=seed)
    assert points.shape == (300, shape.dim)
    assert points.dtype == np.float64
    assert (shape.signed_distance(points) < 0.0).all()
    assert shape.contains(points).all()
    assert len(np.unique(points, axis=0)) == 300


@pytest.mark.parametrize("seed", SEEDS)
def test_interior_mean_is_the_centroid(built, seed):
    points = built.shape.sample_interior(4096, seed=seed)
    if built.case.centroid is None:
        nodes, weights = built.shape.interior_quadrature(20_000)
        centroid = weights @ nodes / built.shape.measure
    else:
        centroid = np.array(built.case.centroid)
    assert np.abs(points.mean(axis=0) - centroid).max() < 5e-3 * built.shape.size


@pytest.mark.parametrize("seed", SEEDS)
def test_interior_counts_are_uniform(shape, seed):
    """Chi-square of the counts in a 3^D grid against those of independent uniform points."""
    lower, upper = shape.bounds
    generator = np.random.default_rng(seed)
    trial = lower + generator.random((5_000, shape.dim)) * (upper - lower)
    trial = trial[shape.contains(trial)]
    points = shape.sample_interior(2048, seed=seed)
    bins = 3**shape.dim

    def fractions(sample):
        index = np.minimum((3 * (sample - lower) / (upper - lower)).astype(int), 2)
        number = index @ 3 ** np.arange(shape.dim)
        return np.bincount(number, minlength=bins) / len(sample)

    expected, found = fractions(trial), fractions(points)
    variance = expected * (1.0 / len(points) + 1.0 / len(trial)) + 1e-6
    assert np.sum((found - expected) ** 2 / variance) < 2.0 * bins


@pytest.mark.parametrize("seed", SEEDS)
def test_part_points_lie_on_the_part(shape, seed):
    for part in shape.parts:
        points = shape.sample_part(part, 100, seed=seed)
        assert points.points.shape == points.normals.shape == (100, shape.dim)
        assert np.abs(shape.signed_distance(points.points)).max() < _close_to_boundary(shape)
        assert shape.on_part(part, points.points).all()
        assert shape.contains(points.points).all()
        if shape.dim > 1:
            assert len(np.unique(points.points, axis=0)) == 100


def test_part_points_lie_on_no_other_part(shape):
    for part in shape.parts:
        points = shape.sample_part(part, 100, seed=0).points
        for other in set(shape.parts) - {part}:
            assert np.count_nonzero(shape.on_part(other, points)) <= 1


def test_normals_are_unit_and_outward(shape):
    step = 1e-6 * shape.size
    for part in shape.parts:
        points = shape.sample_part(part, 100, seed=0)
        assert np.linalg.norm(points.normals, axis=1) == pytest.approx(1.0, abs=1e-14)
        assert not shape.contains(points.points + step * points.normals).any()
        assert shape.contains(points.points - step * points.normals).all()
        if len(shape.pieces_of(part)) == 1:
            normals = shape.normals_at(part, points.points)
            assert np.abs(normals - points.normals).max() < 1e-7


@pytest.mark.parametrize("seed", SEEDS)
def test_part_points_are_uniform(shape, seed):
    """The mean of the samples is the mean by quadrature, which is an independent rule."""
    for part in shape.parts:
        points = shape.sample_part(part, 2048, seed=seed).points
        nodes, weights = shape.part_quadrature(part, 4000)
        mean = weights @ nodes.points / shape.part_measure(part)
        if shape.dim == 1:
            continue  # a part is one point, or several of equal weight
        spread = np.sqrt(weights @ (nodes.points - mean) ** 2 / weights.sum())
        assert (np.abs(points.mean(axis=0) - mean) < 0.03 * spread + 1e-9 * shape.size).all()
        assert points.std(axis=0) == pytest.approx(spread, rel=0.05, abs=1e-9 * shape.size)


def test_same_seed_same_points_other_seed_others(shape):
    assert (shape.sample_interior(50, seed=3) == shape.sample_interior(50, seed=3)).all()
    assert (shape.sample_interior(50, seed=3) != shape.sample_interior(50, seed=4)).any()
    part = shape.parts[-1]
    first, again = (shape.sample_part(part, 50, seed=3).points for _ in range(2))
    assert (first == again).all()
    if shape.dim > 1:
        assert (first != shape.sample_part(part, 50, seed=4).points).any()


def test_interior_quadrature_sums_to_the_measure(shape):
    points, weights = shape.interior_quadrature(500)
    assert len(points) == len(weights) >= 400
    assert (weights > 0.0).all()
    assert weights.sum() == pytest.approx(shape.measure, rel=1e-12)
    assert shape.contains(points).all()


def test_part_quadrature_sums_to_the_part_measure(shape):
    for part in shape.parts:
        points, weights = shape.part_quadrature(part, 50)
        assert (weights > 0.0).all()
        assert weights.sum() == pytest.approx(shape.part_measure(part), rel=1e-12)
        assert np.abs(shape.signed_distance(points.points)).max() < _close_to_boundary(shape)


def test_bounds_hold_the_boundary(shape):
    lower, upper = shape.bounds
    slack = 1e-12 * shape.size
    for part in shape.parts:
        points = shape.sample_part(part, 200, seed=0).points
        assert (points >= lower - slack).all()
        assert (points <= upper + slack).all()


def test_contains_grows_by_the_tolerance(shape):
    for part in shape.parts:
        points = shape.sample_part(part, 20, seed=0)
        off = points.points + 1e-4 * points.normals
        assert not shape.contains(off, tolerance=0.5e-4).all()
        assert shape.contains(off, tolerance=1.001e-4).all()


def test_distance_is_at_most_the_way_to_a_boundary_point(shape):
    """No point is farther from the boundary than from any boundary point."""
    inside = shape.sample_interior(100, seed=0)
    distance = np.abs(shape.signed_distance(inside))
    for part in shape.parts:
        for target in shape.sample_part(part, 20, seed=0).points:
            assert (distance <= np.linalg.norm(inside - target, axis=1) * (1 + 1e-12)).all()


def test_outline_lies_on_the_parts(shape):
    outline = shape.outline()
    assert {part for part, _ in outline} == set(shape.parts)
    for part, line in outline:
        assert line.ndim == 2
        assert line.shape[1] == shape.dim
        assert shape.on_part(part, line, tolerance=1e-6 * shape.size).all()


def test_description_names_every_part(shape):
    text = shape.describe()
    assert all(part in text for part in shape.parts)
    assert "\n" not in text


def test_arrays_are_read_only(shape):
    points = shape.sample_part(shape.parts[0], 5, seed=0)
    for array in (points.points, points.normals, *shape.bounds):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_samples_extend_one_another(shape):
    """More points with the same seed start with the same points, up to rounding."""
    few, many = shape.sample_interior(20, seed=0), shape.sample_interior(40, seed=0)
    assert (few[:10] == many[:10]).all()
