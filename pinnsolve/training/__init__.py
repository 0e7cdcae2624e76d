"""Training: fixed features first, where they may do; then, if need be, all parameters of a network."""

from pinnsolve.training.convergence import STOP_SHARE
from pinnsolve.training.run import Observer, Trained, Watcher, train
from pinnsolve.training.trunk import on_fresh_points, prepare

__all__ = [
    "STOP_SHARE",
    "Observer",
    "Trained",
    "Watcher",
    "on_fresh_points",
    "prepare",
    "train",
]
