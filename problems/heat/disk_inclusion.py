"""A disk of another conductivity in a uniform gradient of temperature, exact on a square around it.

Far away T = G x. With conductivities k_i in the disk of radius a and k_m around it, ``T = 2 k_m / (k_i + k_m) G x``
inside and ``T = G x (1 - (k_i - k_m) / (k_i + k_m) a^2 / r^2)`` outside (H. S. Carslaw & J. C. Jaeger, Conduction of
Heat in Solids, 16.4). The exact temperature is given on the sides of the square.
"""

from __future__ import annotations

import pinnsolve as ps


def disk_inclusion(
    inner_conductivity: float = 10.0,
    outer_conductivity: float = 1.0,
    radius: float = 0.3,
    gradient: float = 1.0,
) -> ps.Problem:
    """Steady conduction around a disk of another material.

    Args:
        inner_conductivity: k_i in W/(m K).
        outer_conductivity: k_m in W/(m K).
        radius: a in m, below 1.
        gradient: G in K/m.
    """
    if not 0.0 < radius < 1.0:
        raise ValueError(f"radius must lie between 0 and 1 m, half a side, got {radius}")
    disk = ps.Disk((0.0, 0.0), radius)
    physics = ps.Heat(
        conductivity=ps.by_region({disk: inner_conductivity}, otherwise=outer_conductivity)
    )
    total = inner_conductivity + outer_conductivity
    inside = 2.0 * outer_conductivity / total
    dipole = (inner_conductivity - outer_conductivity) / total * radius**2

    def temperature(x: ps.Coordinates) -> ps.Jet:
        square = x.x**2 + x.y**2
        is_inside = square <= radius**2
        around = 1.0 - dipole / ps.where(is_inside, radius**2, square)
        return gradient * x.x * ps.where(is_inside, inside, around)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"temperature": temperature(x)}

    domain = ps.Rectangle((-1.0, -1.0), (1.0, 1.0))
    slopes = {"inside": (0.5 * radius, inside), "at the edge": (radius, inside)}
    return ps.Problem(
        name="disk_inclusion",
        domain=domain,
        physics=physics,
        conditions=[
            *(ps.Dirichlet(part, temperature=temperature) for part in domain.parts),
            ps.Interface(disk),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                f"T {name}",
                "temperature",
                (place, 0.0),
                unit="K",
                target=slope * gradient * place,
                tolerance=1e-4 * abs(slope * gradient * place),
                source="exact",
            )
            for name, (place, slope) in slopes.items()
        ],
        accuracy=1e-4,
        description="disk of another conductivity in a uniform gradient of temperature, with an exact solution",
    )
