"""A wall of two layers between warm and cold air, whose temperature is known exactly.

Inner air 20 degC, h = 8 W/(m2 K); 0.1 m with k = 1 W/(m K); 0.05 m of insulation with k = 0.04 W/(m K); outer air
-10 degC, h = 25 W/(m2 K). The resistances add up: ``q = (T_inside - T_outside) / (1/h_1 + L_1/k_1 + L_2/k_2 + 1/h_2)``
= 19.80 W/m2, and the temperature is linear in each layer (F. P. Incropera & D. P. DeWitt, Fundamentals of Heat and
Mass Transfer, ch. 3: the composite wall).
"""

from __future__ import annotations

import pinnsolve as ps


def composite_wall(
    inner_conductivity: float = 1.0,
    outer_conductivity: float = 0.04,
    inner_thickness: float = 0.1,
    outer_thickness: float = 0.05,
) -> ps.Problem:
    """Steady conduction through a wall of two layers.

    Args:
        inner_conductivity: k of the inner layer in W/(m K).
        outer_conductivity: k of the outer layer in W/(m K).
        inner_thickness: In m.
        outer_thickness: In m.
    """
    inside, outside, inner_h, outer_h = 20.0, -10.0, 8.0, 25.0
    layer = ps.Interval(0.0, inner_thickness)
    end = inner_thickness + outer_thickness
    inner_k, outer_k = inner_conductivity, outer_conductivity
    physics = ps.Heat(conductivity=ps.by_region({layer: inner_k}, otherwise=outer_k))
    resistances = (1.0 / inner_h, inner_thickness / inner_k, outer_thickness / outer_k)
    flux = (inside - outside) / (sum(resistances) + 1.0 / outer_h)
    first = inside - flux / inner_h
    middle = first - flux * resistances[1]

    def exact(x: ps.Coordinates) -> dict[str, object]:
        beyond = middle - (x.x - inner_thickness) * (flux / outer_k)
        return {
            "temperature": ps.where(x.x <= inner_thickness, first - x.x * (flux / inner_k), beyond)
        }

    places = {"inner": (0.0, first), "middle": (inner_thickness, middle)}
    places["outer"] = end, middle - flux * resistances[2]
    return ps.Problem(
        name="composite_wall",
        domain=ps.Interval(0.0, end),
        physics=physics,
        conditions=[
            ps.Convection("left", coefficient=inner_h, ambient=inside),
            ps.Convection("right", coefficient=outer_h, ambient=outside),
            ps.Interface(layer),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "q",
                "heat_flux",
                (0.5 * inner_thickness,),
                component=(0,),
                unit="W/m2",
                target=flux,
                tolerance=1e-4 * flux,
                source="exact: resistances in series",
            ),
            *(
                ps.point_value(
                    f"T at the {name} surface",
                    "temperature",
                    (place,),
                    unit="degC",
                    target=value,
                    tolerance=1e-3,
                    source="exact: resistances in series",
                )
                for name, (place, value) in places.items()
            ),
        ],
        accuracy=1e-4,
        description="wall of two layers between warm and cold air, with an exact solution; q = 19.80 W/m2",
    )
