"""Independent classical solutions of the same declaration."""

from pinnsolve.reference.find import find_reference
from pinnsolve.reference.reference import NoReference, Reference

__all__ = ["NoReference", "Reference", "find_reference"]
