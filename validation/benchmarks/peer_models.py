"""The cases as a user of DeepXDE writes them after its documentation: its own geometry, equations and conditions.

Where the documentation has the very case (Kovasznay flow, Burgers, Allen-Cahn) its formulation is taken: output
transforms that meet the conditions exactly, a pressure given at the outflow. The others follow the nearest
example: the heat equation for the rod, the Helmholtz equation with exact boundary values, the elastic plate with
stresses as outputs. Variables are scaled to order one, as the documentation advises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PeerSettings:
    """Sizes of a DeepXDE run.

    Attributes:
        hidden: Widths of the hidden layers.
        num_domain: Points inside.
        num_boundary: Points on the boundary.
        num_initial: Points at the start.
        adam_iterations: Iterations of Adam before L-BFGS, if the time allows.
        reason: Where the sizes come from.
        activation: Activation function.
    """

    hidden: tuple[int, ...]
    num_domain: int
    num_boundary: int
    num_initial: int
    adam_iterations: int
    reason: str
    activation: str = "tanh"


@dataclass(frozen=True)
class PeerModel:
    """A DeepXDE model before it is compiled.

    Attributes:
        data: ``dde.data.PDE`` or ``dde.data.TimePDE``.
        net: The network.
        columns: Maps a compiled model and points (N, D) in SI units to the compared columns (N, C).
    """

    data: Any
    net: Any
    columns: Callable[[Any, Array], Array]


def _everywhere(_: Any, on_boundary: bool) -> bool:  # noqa: ANN401
    return on_boundary


def _side(axis: int, value: float) -> Callable[[Any, bool], bool]:
    return lambda x, on_boundary: bool(on_boundary and np.isclose(x[axis], value))


def _network(dde: Any, s: PeerSettings, outputs: int) -> Any:  # noqa: ANN401
    return dde.nn.FNN([2, *s.hidden, outputs], s.activation, "Glorot normal")


def _first(count: int) -> Callable[[Any, Array], Array]:
    return lambda model, points: np.asarray(model.predict(points))[:, :count]


def poisson(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return Poisson's equation on the unit square with soft Dirichlet conditions."""
    pi = math.pi

    def equation(x: Any, u: Any) -> Any:  # noqa: ANN401
        u_xx, u_yy = (dde.grad.hessian(u, x, i=i, j=i) for i in (0, 1))
        return -u_xx - u_yy - 2 * pi**2 * torch.sin(pi * x[:, 0:1]) * torch.sin(pi * x[:, 1:2])

    square = dde.geometry.Rectangle([0, 0], [1, 1])
    edge = dde.icbc.DirichletBC(square, lambda x: 0, _everywhere)
    data = dde.data.PDE(
        square, equation, edge, num_domain=s.num_domain, num_boundary=s.num_boundary
    )
    return PeerModel(data, _network(dde, s, 1), _first(1))


def heat_rod(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return the heated rod in units of 0.1 m, 32 s and 100 K."""
    diffusivity = 35.0 / (7200.0 * 440.5) * 32.0 / 0.1**2

    def equation(x: Any, u: Any) -> Any:  # noqa: ANN401
        return dde.grad.jacobian(u, x, i=0, j=1) - diffusivity * dde.grad.hessian(u, x, i=0, j=0)

    def heated(x: Array) -> Array:
        return np.asarray(np.sin(math.pi / 40.0 * 32.0 * x[:, 1:2]))

    rod = dde.geometry.GeometryXTime(dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 1))
    conditions = [
        dde.icbc.DirichletBC(rod, lambda x: 0, _side(0, 0.0)),
        dde.icbc.DirichletBC(rod, heated, _side(0, 1.0)),
        dde.icbc.IC(rod, lambda x: 0, lambda _, on_initial: on_initial),
    ]
    data = _time_data(dde, rod, equation, conditions, s)

    def columns(model: Any, points: Array) -> Array:  # noqa: ANN401
        return 100.0 * np.asarray(model.predict(points / np.array([0.1, 32.0])))

    return PeerModel(data, _network(dde, s, 1), columns)


def kirsch(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return the plate in units of a, S and E, with displacement and stress as outputs."""
    del torch
    nu = 0.3
    factor = 1.0 / (1.0 - nu**2)

    def equations(x: Any, f: Any) -> list[Any]:  # noqa: ANN401
        def d(i: int, j: int) -> Any:  # noqa: ANN401
            return dde.grad.jacobian(f, x, i=i, j=j)

        strain_x, strain_y, shear = d(0, 0), d(1, 1), d(0, 1) + d(1, 0)
        return [
            d(2, 0) + d(4, 1),
            d(4, 0) + d(3, 1),
            factor * (strain_x + nu * strain_y) - f[:, 2:3],
            factor * (strain_y + nu * strain_x) - f[:, 3:4],
            shear / (2.0 * (1.0 + nu)) - f[:, 4:5],
        ]

    def stress(component: int) -> Callable[[Array], Array]:
        from .truth import kirsch_stress

        return lambda x: kirsch_stress(x, 1.0, 1.0)[:, component : component + 1]

    def free(first: int, second: int) -> Callable[[Any, Any, Any], Any]:
        return lambda x, f, _: (
            f[:, first : first + 1] * x[:, 0:1] + f[:, second : second + 1] * x[:, 1:2]
        )

    hole = dde.geometry.Disk([0, 0], 1)
    plate = dde.geometry.CSGDifference(dde.geometry.Rectangle([0, 0], [4, 4]), hole)

    def on_hole(x: Array, on_boundary: bool) -> bool:
        return bool(on_boundary and hole.on_boundary(x))

    given = [(0, 0.0, 0), (0, 0.0, 4), (1, 0.0, 1), (1, 0.0, 4)]
    pulled = [(0, 4.0, 2, 0), (0, 4.0, 4, 2), (1, 4.0, 3, 1), (1, 4.0, 4, 2)]
    conditions = [
        dde.icbc.DirichletBC(plate, lambda x: 0, _side(axis, at), component=output)
        for axis, at, output in given
    ]
    conditions += [
        dde.icbc.DirichletBC(plate, stress(column), _side(axis, at), component=output)
        for axis, at, output, column in pulled
    ]
    conditions += [dde.icbc.OperatorBC(plate, free(*pair), on_hole) for pair in ((2, 4), (4, 3))]
    data = dde.data.PDE(
        plate,
        equations,
        conditions,
        num_domain=s.num_domain,
        num_boundary=s.num_boundary,
        train_distribution="pseudo",  # the default repeats points where shapes are subtracted
    )

    def columns(model: Any, points: Array) -> Array:  # noqa: ANN401
        return 10e6 * np.asarray(model.predict(points / 0.1))[:, 2:5]

    return PeerModel(data, _network(dde, s, 5), columns)


def _navier_stokes(dde: Any, viscosity: float) -> Callable[[Any, Any], list[Any]]:  # noqa: ANN401
    def equations(x: Any, f: Any) -> list[Any]:  # noqa: ANN401
        u, v = f[:, 0:1], f[:, 1:2]
        momentum = []
        for component in (0, 1):
            along, across = (dde.grad.jacobian(f, x, i=component, j=j) for j in (0, 1))
            second = [dde.grad.hessian(f, x, component=component, i=i, j=i) for i in (0, 1)]
            pressure = dde.grad.jacobian(f, x, i=2, j=component)
            momentum.append(u * along + v * across + pressure - viscosity * (second[0] + second[1]))
        divergence = dde.grad.jacobian(f, x, i=0, j=0) + dde.grad.jacobian(f, x, i=1, j=1)
        return [*momentum, divergence]

    return equations


def kovasznay(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return Kovasznay flow with given velocity everywhere and given pressure at the outflow."""
    del torch
    rate, wave = 20.0 - math.sqrt(400.0 + 4.0 * math.pi**2), 2.0 * math.pi

    def u(x: Array) -> Array:
        return np.asarray(1.0 - np.exp(rate * x[:, 0:1]) * np.cos(wave * x[:, 1:2]))

    def v(x: Array) -> Array:
        return np.asarray(rate / wave * np.exp(rate * x[:, 0:1]) * np.sin(wave * x[:, 1:2]))

    def p(x: Array) -> Array:
        return np.asarray(0.5 * (1.0 - np.exp(2.0 * rate * x[:, 0:1])))

    box = dde.geometry.Rectangle([-0.5, -0.5], [1, 1.5])
    conditions = [
        dde.icbc.DirichletBC(box, u, _everywhere, component=0),
        dde.icbc.DirichletBC(box, v, _everywhere, component=1),
        dde.icbc.DirichletBC(box, p, _side(0, 1.0), component=2),
    ]
    counts = {"num_domain": s.num_domain, "num_boundary": s.num_boundary}
    data = dde.data.PDE(box, _navier_stokes(dde, 1.0 / 40.0), conditions, **counts)
    return PeerModel(data, _network(dde, s, 3), _first(2))


def lid_driven_cavity(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return the cavity with given velocity on all sides and the pressure given in one corner."""
    del torch
    box = dde.geometry.Rectangle([0, 0], [1, 1])

    def lid(x: Array) -> Array:
        return np.asarray(np.isclose(x[:, 1:2], 1.0) * 4.0 * x[:, 0:1] * (1.0 - x[:, 0:1]))

    conditions = [
        dde.icbc.DirichletBC(box, lid, _everywhere, component=0),
        dde.icbc.DirichletBC(box, lambda x: 0, _everywhere, component=1),
        dde.icbc.PointSetBC(np.array([[0.0, 0.0]]), 0.0, component=2),
    ]
    counts = {"num_domain": s.num_domain, "num_boundary": s.num_boundary}
    data = dde.data.PDE(box, _navier_stokes(dde, 1.0 / 100.0), conditions, **counts)
    return PeerModel(data, _network(dde, s, 3), _first(2))


def burgers(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return Burgers' equation with soft conditions."""
    del torch

    def equation(x: Any, u: Any) -> Any:  # noqa: ANN401
        u_x, u_t = (dde.grad.jacobian(u, x, i=0, j=j) for j in (0, 1))
        return u_t + u * u_x - 0.01 / math.pi * dde.grad.hessian(u, x, i=0, j=0)

    strip = _strip(dde)
    conditions = [
        dde.icbc.DirichletBC(strip, lambda x: 0, _everywhere),
        dde.icbc.IC(
            strip, lambda x: -np.sin(math.pi * x[:, 0:1]), lambda _, on_initial: on_initial
        ),
    ]
    data = _time_data(dde, strip, equation, conditions, s)
    return PeerModel(data, _network(dde, s, 1), _first(1))


def helmholtz(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return the Helmholtz equation with an output that vanishes on the boundary."""
    pi = math.pi

    def equation(x: Any, u: Any) -> Any:  # noqa: ANN401
        u_xx, u_yy = (dde.grad.hessian(u, x, i=i, j=i) for i in (0, 1))
        wave = torch.sin(pi * x[:, 0:1]) * torch.sin(4 * pi * x[:, 1:2])
        return u_xx + u_yy + u - (1.0 - 17.0 * pi**2) * wave

    square = dde.geometry.Rectangle([-1, -1], [1, 1])
    counts = {"num_domain": s.num_domain, "num_boundary": s.num_boundary}
    net = _network(dde, s, 1)
    net.apply_output_transform(
        lambda x, u: (1 - x[:, 0:1] ** 2) * (1 - x[:, 1:2] ** 2) * u,
    )
    return PeerModel(dde.data.PDE(square, equation, [], **counts), net, _first(1))


def allen_cahn(dde: Any, torch: Any, s: PeerSettings) -> PeerModel:  # noqa: ANN401
    """Return the Allen-Cahn equation with an output that meets all conditions."""
    pi = math.pi

    def equation(x: Any, u: Any) -> Any:  # noqa: ANN401
        u_t, u_xx = dde.grad.jacobian(u, x, i=0, j=1), dde.grad.hessian(u, x, i=0, j=0)
        return u_t - 0.001 * u_xx - 5 * (u - u**3)

    net = _network(dde, s, 1)

    def transform(x: Any, u: Any) -> Any:  # noqa: ANN401
        place, time = x[:, 0:1], x[:, 1:2]
        return place**2 * torch.cos(pi * place) + time * (1 - place**2) * u

    net.apply_output_transform(transform)
    return PeerModel(_time_data(dde, _strip(dde), equation, [], s), net, _first(1))


def _strip(dde: Any) -> Any:  # noqa: ANN401
    """Return [-1, 1] in space by [0, 1] in time."""
    return dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))


def _time_data(dde: Any, domain: Any, equation: Any, conditions: list[Any], s: PeerSettings) -> Any:  # noqa: ANN401
    return dde.data.TimePDE(
        domain,
        equation,
        conditions,
        num_domain=s.num_domain,
        num_boundary=s.num_boundary,
        num_initial=s.num_initial,
    )


Builder = Callable[[Any, Any, PeerSettings], PeerModel]

_SAME = "same network and number of points as pinnsolve's trained networks"

PEERS: Mapping[str, tuple[Builder, PeerSettings]] = {
    "poisson": (poisson, PeerSettings((16,) * 4, 2291, 641, 0, 15_000, _SAME)),
    "heat_rod": (
        heat_rod,
        PeerSettings((20,) * 3, 2540, 80, 160, 20_000, "the documentation's heat equation"),
    ),
    "kirsch": (
        kirsch,
        PeerSettings((20,) * 4, 1431, 401, 0, 15_000, f"{_SAME}; stresses are further outputs"),
    ),
    "kovasznay": (kovasznay, PeerSettings((20,) * 4, 969, 271, 0, 30_000, _SAME)),
    "lid_driven_cavity": (lid_driven_cavity, PeerSettings((20,) * 4, 969, 271, 0, 15_000, _SAME)),
    "burgers": (
        burgers,
        PeerSettings((20,) * 3, 2540, 80, 160, 15_000, "the documentation's Burgers equation"),
    ),
    "helmholtz": (
        helmholtz,
        PeerSettings(
            (16,) * 4, 2291, 641, 0, 5_000, f"{_SAME}; else the documentation's example", "sin"
        ),
    ),
    "allen_cahn": (
        allen_cahn,
        PeerSettings((20,) * 3, 8000, 400, 800, 40_000, "the documentation's Allen-Cahn equation"),
    ),
}
"""How each case is built in DeepXDE, and its sizes; the larger of what one and the other tool would take is not
forced on it: where its documentation has the case with a smaller network, that one is run."""
