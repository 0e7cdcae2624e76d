"""Networks as text: the name of each class and its fields, from which the same frozen value is built again.

Given boundary values are not text but functions, so exact boundary values are named only, and made
again from the problem and its scaling.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from pinnsolve.architecture import exact_boundary_for
from pinnsolve.geometry.quadrics import Quadric
from pinnsolve.networks import (
    MLP,
    CornerFunctions,
    Embedding,
    ExactBoundary,
    Fourier,
    FrozenInputs,
    Identity,
    JumpFlow,
    Kinked,
    Network,
    OutputTransform,
    Periodic,
    PlaneCornerFunctions,
    RandomFeatures,
    Singular,
    StartCornerFunctions,
    StreamFunction,
    TimeSlabs,
    Transformed,
    VectorSingular,
)
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling


def network_text(network: Network) -> str:
    """Return a network as JSON.

    Raises:
        ValueError: If it is, or contains, something of a class that no text can rebuild.
    """
    return json.dumps(_network_item(network))


def network_of(text: str, problem: Problem, scaling: Scaling) -> Network:
    """Return the network that a text describes.

    Args:
        text: What :func:`network_text` returned.
        problem: The problem it solves.
        scaling: Maps between SI and network units.

    Raises:
        ValueError: If the text names a class that is none of a network's.
    """
    return _network(json.loads(text), problem, scaling)


def _network_item(network: Network) -> dict[str, Any]:
    if isinstance(network, Transformed):
        transform = _transform_item(network.transform)
        return {
            "class": "Transformed",
            "inner": _network_item(network.inner),
            "transform": transform,
        }
    if isinstance(network, FrozenInputs):
        fields = {"network": _network_item(network.network), "held": network.held}
        return {"class": "FrozenInputs", "fields": fields}
    if isinstance(network, TimeSlabs):
        return {"class": "TimeSlabs", "fields": _slabs_item(network)}
    if isinstance(network, RandomFeatures):
        return {"class": "RandomFeatures", "fields": _features_item(network)}
    if not isinstance(network, MLP):
        raise _not_saved("network", network, "use an MLP, Transformed or not")
    fields = {**asdict(network), "embedding": _embedding_item(network.embedding)}
    return {"class": "MLP", "fields": fields}


def _embedding_item(embedding: Embedding) -> dict[str, Any]:
    if isinstance(embedding, Kinked):
        levels = [asdict(level) for level in embedding.levels]
        fields = {"levels": levels, "base": _embedding_item(embedding.base)}
        return {"class": "Kinked", "fields": fields}
    if not isinstance(embedding, Identity | Periodic | Fourier):
        raise _not_saved("embedding", embedding, "use Identity, Periodic, Fourier or Kinked")
    return _item(embedding)


def _slabs_item(network: TimeSlabs) -> dict[str, Any]:
    return {
        "networks": [_network_item(item) for item in network.networks],
        "edges": network.edges,
        "axis": network.axis,
        "offsets": network.offsets,
        "factors": network.factors,
    }


def _slabs(fields: Any, problem: Problem, scaling: Scaling) -> TimeSlabs:  # noqa: ANN401 - JSON
    networks = tuple(_network(item, problem, scaling) for item in fields["networks"])
    numbers = {name: _tuples(fields[name]) for name in ("edges", "offsets", "factors")}
    return TimeSlabs(networks, axis=int(fields["axis"]), **numbers)


def _features_item(network: RandomFeatures) -> dict[str, Any]:
    base = None
    if network.base is not None:
        base = [_network_item(network.base[0]), network.base[1].tolist()]
    return {
        "slopes": network.slopes.tolist(),
        "offsets": network.offsets.tolist(),
        "num_outputs": network.num_outputs,
        "base": base,
        "embedding": _embedding_item(network.embedding),
        "corners": [_corner_item(corner) for corner in network.corners],
        "plane_corners": [_corner_item(corner) for corner in network.plane_corners],
        "spread": network.spread if math.isfinite(network.spread) else None,
    }


def _features(fields: Any, problem: Problem, scaling: Scaling) -> RandomFeatures:  # noqa: ANN401 - JSON
    base = fields["base"]
    if base is not None:
        base = (_network(base[0], problem, scaling), _numbers(base[1]))
    slopes, offsets = _numbers(fields["slopes"]), _numbers(fields["offsets"])
    embedding = _embedding(fields.get("embedding", _PLAIN))
    corners = tuple(_corner(item) for item in fields.get("corners", ()))
    plane = tuple(_plane_corner(item) for item in fields.get("plane_corners", ()))
    outputs = fields["num_outputs"]
    spread = fields.get("spread") or math.inf
    return RandomFeatures(slopes, offsets, outputs, base, embedding, corners, plane, spread)


def _corner_item(corner: Singular | VectorSingular) -> dict[str, Any]:
    return {"class": type(corner).__name__, **asdict(corner)}


def _corner(item: Any) -> Singular:  # noqa: ANN401 - JSON
    fields = dict(item)
    kind = fields.pop("class", "CornerFunctions")  # texts of earlier versions name none
    if kind == "StartCornerFunctions":
        return StartCornerFunctions(**_frozen(fields))
    if kind != "CornerFunctions":
        raise ValueError(f"unknown class of corner functions {kind!r}")
    return CornerFunctions(**_frozen(fields))


def _plane_corner(item: Any) -> VectorSingular:  # noqa: ANN401 - JSON
    fields = dict(item)
    kind = fields.pop("class", "PlaneCornerFunctions")  # texts of earlier versions name none
    if kind == "JumpFlow":
        return JumpFlow(**_frozen(fields))
    if kind != "PlaneCornerFunctions":
        raise ValueError(f"unknown class of singular vector fields {kind!r}")
    return PlaneCornerFunctions(**_frozen(fields))


def _numbers(values: Any) -> Tensor:  # noqa: ANN401 - JSON
    return torch.tensor(values, dtype=torch.float64, device="cpu")


def _transform_item(transform: OutputTransform) -> dict[str, Any]:
    if isinstance(transform, ExactBoundary):
        return {"class": "ExactBoundary"}
    if isinstance(transform, StreamFunction):
        return _item(transform)
    raise _not_saved("output transform", transform, "use ExactBoundary or StreamFunction")


def _item(value: Identity | Periodic | Fourier | StreamFunction) -> dict[str, Any]:
    return {"class": type(value).__name__, "fields": asdict(value)}


def _not_saved(what: str, value: object, instead: str) -> ValueError:
    return ValueError(f"{what} of class {type(value).__name__} cannot be saved; {instead}")


def _network(item: Any, problem: Problem, scaling: Scaling) -> Network:  # noqa: ANN401 - JSON
    if item["class"] == "Transformed":
        inner = _network(item["inner"], problem, scaling)
        return Transformed(inner, _transform(item["transform"], problem, scaling))
    if item["class"] == "FrozenInputs":
        inner = _network(item["fields"]["network"], problem, scaling)
        return FrozenInputs(inner, _tuples(item["fields"]["held"]))
    if item["class"] == "RandomFeatures":
        return _features(item["fields"], problem, scaling)
    if item["class"] == "TimeSlabs":
        return _slabs(item["fields"], problem, scaling)
    if item["class"] != "MLP":
        raise ValueError(f"unknown network class {item['class']!r}")
    fields = dict(item["fields"])
    embedding = _embedding(fields.pop("embedding", _PLAIN))
    return MLP(**{**fields, "hidden": tuple(fields["hidden"])}, embedding=embedding)


_PLAIN = {"class": "Identity", "fields": {}}
"""The embedding of networks whose text names none."""


def _embedding(item: Any) -> Embedding:  # noqa: ANN401 - JSON
    if item["class"] == "Kinked":
        levels = tuple(Quadric(**_frozen(level)) for level in item["fields"]["levels"])
        return Kinked(levels, _embedding(item["fields"]["base"]))
    kinds: dict[str, type[Identity | Periodic | Fourier]] = {
        "Identity": Identity,
        "Periodic": Periodic,
        "Fourier": Fourier,
    }
    if item["class"] not in kinds:
        raise ValueError(f"unknown embedding class {item['class']!r}")
    return kinds[item["class"]](**_frozen(item["fields"]))


def _transform(item: Any, problem: Problem, scaling: Scaling) -> OutputTransform:  # noqa: ANN401 - JSON
    if item["class"] == "ExactBoundary":
        return exact_boundary_for(problem, scaling)
    if item["class"] != "StreamFunction":
        raise ValueError(f"unknown output transform class {item['class']!r}")
    return StreamFunction(**_frozen(item["fields"]))


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with tuples where JSON has lists."""
    return {name: _tuples(value) for name, value in fields.items()}


def _tuples(value: Any) -> Any:  # noqa: ANN401 - JSON
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
