"""Networks that propagate derivatives together with values."""

from pinnsolve.networks.low_precision import LowPrecisionMLP
from pinnsolve.networks.mlp import MLP, Tape
from pinnsolve.networks.network import Network

__all__ = ["MLP", "LowPrecisionMLP", "Network", "Tape"]
