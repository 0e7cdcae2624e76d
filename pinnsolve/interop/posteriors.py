"""Posteriors in saved solutions: numbers and text only."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pinnsolve.problem import Problem
from pinnsolve.uncertainty import Posterior, Profile

_ARRAYS = ("search", "search_covariance", "data_factor", "prior_factor", "root", "samples")
_NUMBERS = ("log_evidence", "num_data", "num_open")


def write_posterior(group: Any, posterior: Posterior) -> None:  # noqa: ANN401 - h5py is untyped
    """Write a posterior; draws of the field are left out.

    Args:
        group: An empty group of an HDF5 file.
        posterior: What is written.
    """
    for name in _ARRAYS:
        group[name] = getattr(posterior, name)
    group.attrs["method"] = posterior.method
    group.attrs["smoothness"] = json.dumps(dict(posterior.smoothness))
    group.attrs["freedom"] = json.dumps(dict(posterior.freedom))
    group.attrs["names"] = json.dumps(posterior.names)
    group.attrs["profiles"] = json.dumps(
        {name: _plain(item) for name, item in posterior.profiles.items()}
    )
    for name in _NUMBERS:
        group.attrs[name] = getattr(posterior, name)


def read_posterior(group: Any, problem: Problem) -> Posterior:  # noqa: ANN401
    """Return a posterior that :func:`write_posterior` wrote.

    Args:
        group: Where it was written.
        problem: The problem whose unknowns it is of.

    Raises:
        ValueError: If it is of other unknowns.
    """
    unknowns, names = problem.unknowns, json.loads(group.attrs["names"])
    if names != [unknown.name for unknown in unknowns]:
        raise ValueError(f"its posterior is of {', '.join(names)}")
    arrays = {name: np.asarray(group[name][...], dtype=np.float64) for name in _ARRAYS}
    return Posterior(
        method=group.attrs["method"],
        unknowns=unknowns,
        log_evidence=float(group.attrs["log_evidence"]),
        num_data=int(group.attrs["num_data"]),
        num_open=float(group.attrs["num_open"]),
        members=(),
        smoothness=json.loads(group.attrs["smoothness"]),
        freedom=json.loads(group.attrs.get("freedom", "{}")),  # older files have none
        profiles={
            name: _profile(item)
            for name, item in json.loads(group.attrs.get("profiles", "{}")).items()
        },
        **arrays,
    )


def _plain(profile: Profile) -> dict[str, object]:
    return {
        "centre": profile.centre,
        "search": profile.search.tolist(),
        "roots": profile.roots.tolist(),
        "std": profile.std,
    }


def _profile(plain: dict[str, Any]) -> Profile:
    return Profile(
        plain["centre"], np.array(plain["search"]), np.array(plain["roots"]), plain["std"]
    )
