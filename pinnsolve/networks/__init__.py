"""Networks that propagate derivatives together with values."""

from pinnsolve.networks.adapted import Adapted, LowRank
from pinnsolve.networks.corners import CornerFunctions
from pinnsolve.networks.embedding import Embedding, Fourier, Identity, Periodic
from pinnsolve.networks.exact_boundary import ExactBoundary
from pinnsolve.networks.frozen import FrozenInputs
from pinnsolve.networks.hidden_features import HiddenFeatures
from pinnsolve.networks.jump_flows import JumpFlow
from pinnsolve.networks.kinked import Kinked
from pinnsolve.networks.linear import LinearNetwork, Table
from pinnsolve.networks.low_precision import LowPrecisionMLP
from pinnsolve.networks.mlp import MLP, Tape
from pinnsolve.networks.network import Network, Pullback
from pinnsolve.networks.partly_trained import PartlyTrained
from pinnsolve.networks.plane_corners import PlaneCornerFunctions
from pinnsolve.networks.random_features import (
    RandomFeatures,
    Singular,
    VectorSingular,
    added_up,
    draw_features,
)
from pinnsolve.networks.start_corners import StartCornerFunctions
from pinnsolve.networks.stream_function import StreamFunction
from pinnsolve.networks.time_slabs import TimeSlabs
from pinnsolve.networks.transformed import OutputTransform, Transformed

__all__ = [
    "MLP",
    "Adapted",
    "CornerFunctions",
    "Embedding",
    "ExactBoundary",
    "Fourier",
    "FrozenInputs",
    "HiddenFeatures",
    "Identity",
    "JumpFlow",
    "Kinked",
    "LinearNetwork",
    "LowPrecisionMLP",
    "LowRank",
    "Network",
    "OutputTransform",
    "PartlyTrained",
    "Periodic",
    "PlaneCornerFunctions",
    "Pullback",
    "RandomFeatures",
    "Singular",
    "StartCornerFunctions",
    "StreamFunction",
    "Table",
    "Tape",
    "TimeSlabs",
    "Transformed",
    "VectorSingular",
    "added_up",
    "draw_features",
]
