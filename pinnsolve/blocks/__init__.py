"""A problem at points: named blocks of scalar equations, the functional core that every discretisation shares.

A block is a set of N points where the same equations hold: the interior, a boundary part, the
start, the sensors.
"""

from pinnsolve.blocks.block import Block, Kind, Rows, Site, normal_jet, scalar_equations
from pinnsolve.blocks.drawn import (
    Choose,
    Draw,
    PointCounts,
    boundary_block,
    condition_block,
    draw_uniformly,
    initial_block,
    interface_block,
    interior_block,
    make_blocks,
)
from pinnsolve.blocks.placed import data_blocks, gauge_block, prior_blocks

__all__ = [
    "Block",
    "Choose",
    "Draw",
    "Kind",
    "PointCounts",
    "Rows",
    "Site",
    "boundary_block",
    "condition_block",
    "data_blocks",
    "draw_uniformly",
    "gauge_block",
    "initial_block",
    "interface_block",
    "interior_block",
    "make_blocks",
    "normal_jet",
    "prior_blocks",
    "scalar_equations",
]
