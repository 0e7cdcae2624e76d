"""Networks that propagate derivatives together with values."""

from pinnsolve.networks.embedding import Embedding, Fourier, Identity, Periodic
from pinnsolve.networks.exact_boundary import ExactBoundary
from pinnsolve.networks.frozen import FrozenInputs
from pinnsolve.networks.mlp import MLP, Tape
from pinnsolve.networks.network import Network
from pinnsolve.networks.stream_function import StreamFunction
from pinnsolve.networks.transformed import OutputTransform, Transformed

__all__ = [
    "MLP",
    "Embedding",
    "ExactBoundary",
    "Fourier",
    "FrozenInputs",
    "Identity",
    "Network",
    "OutputTransform",
    "Periodic",
    "StreamFunction",
    "Tape",
    "Transformed",
]
