"""The parts that an audit compares: groups, regions of the input space, ranges of each input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnsolve.learning.data.tables import is_numeric, numbers, space_of

Mask = npt.NDArray[np.bool_]

Part = tuple[str, str, Mask]
"""Kind, name and rows of a part."""


def group_parts(groups: Mapping[str, npt.NDArray[Any]]) -> list[Part]:
    """Return one part per value of every column."""
    return [
        ("group", f"{name} = {value}", column == value)
        for name, column in groups.items()
        for value in np.unique(column)
    ]


def region_parts(frame: Any, number: int, least_rows: int, seed: int) -> list[Part]:  # noqa: ANN401
    """Return clusters of rows in standardised inputs, each named by the inputs it stands out by."""
    from scipy.cluster.vq import kmeans2

    if number < 2 or len(frame) < number * least_rows:
        return []
    if all(frame[name].nunique() < 2 for name in frame.columns):
        return []
    numeric = [
        name for name in frame.columns if is_numeric(frame[name]) and frame[name].nunique() > 1
    ]
    if not numeric:
        return []
    space = space_of(frame[numeric])
    points = space.points(frame)
    centres, labels = kmeans2(points, number, seed=seed, minit="++", missing="warn")
    regions = []
    for k, centre in enumerate(centres):
        far = np.argsort(-np.abs(centre))[:2]
        words = ", ".join(f"{space.names[i]} {'high' if centre[i] > 0 else 'low'}" for i in far)
        regions.append(("region", f"{k + 1} ({words})", labels == k))
    return regions


def range_parts(frame: Any, number: int) -> list[Part]:  # noqa: ANN401
    """Return ranges of numeric inputs with equally many rows, and the values of the others."""
    found: list[Part] = []
    if number < 2:
        return found
    for name in frame.columns:
        column = frame[name]
        if column.nunique() < 2:
            continue
        if not is_numeric(column) or column.nunique() <= number:
            text = column.astype(str).to_numpy()
            found += [("range", f"{name} = {value}", text == value) for value in np.unique(text)]
            continue
        values = numbers(column)
        edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, number + 1)))
        bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
        found += [
            ("range", f"{name} from {edges[k]:.4g} to {edges[k + 1]:.4g}", bins == k)
            for k in range(len(edges) - 1)
        ]
    return found
