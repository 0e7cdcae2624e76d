"""Networks that propagate derivatives together with values."""

from pinnsolve.networks.frozen import FrozenInputs
from pinnsolve.networks.mlp import MLP, Tape
from pinnsolve.networks.network import Network

__all__ = ["MLP", "FrozenInputs", "Network", "Tape"]
