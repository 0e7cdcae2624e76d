"""Independent classical solutions of the same declaration."""

from pinnsolve.reference.find import find_reference
from pinnsolve.reference.folder import ReferenceFolder
from pinnsolve.reference.reference import NoReference, Reference

__all__ = ["NoReference", "Reference", "ReferenceFolder", "find_reference"]
