"""Long times solved slab by slab."""

from pinnsolve.time_slabs.solve import answer_in_slabs, solve_in_slabs

__all__ = ["answer_in_slabs", "solve_in_slabs"]
