"""What to make of a solution with measurements: its posterior in three ways, and where to measure next."""

from pinnsolve.inference.posteriors import posterior

__all__ = ["posterior"]
