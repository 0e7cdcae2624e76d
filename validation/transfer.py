"""What a start is worth: ``python -m pinnsolve.validation.transfer --out FOLDER`` writes transfer.json and transfer.md.

Every row solves a problem from its neighbour and from nothing, one after the other on one thread, and compares CPU
seconds to the same error; "cold" is the default method, "cold, same kind" the method that made the start.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from pinnsolve.problems.navier_stokes.kovasznay import kovasznay
from pinnsolve.problems.navier_stokes.lid_driven_cavity import lid_driven_cavity

import pinnsolve as ps
from pinnsolve.learning import (
    Regressor,
    error_against,
    finetune,
    measure_gain,
    train_together,
)


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        case: What changed.
        goal: The error that both were held to; of few-shot the error of training on the samples alone.
        warm_seconds: CPU seconds from the start; of few-shot those of fine-tuning.
        cold_seconds: CPU seconds from nothing; of few-shot those of a fit of the samples alone.
        warm_steps: Steps from the start.
        cold_steps: Steps from nothing.
        factor: How many times better the start is: seconds, or errors of few-shot.
        wanted: The factor that was asked for.
        note: What a reader should know.
    """

    case: str
    goal: float
    warm_seconds: float
    cold_seconds: float
    warm_steps: int
    cold_steps: int
    factor: float
    wanted: float
    note: str = ""


TRAINED = ps.Method(trunk="trained", max_seconds=400.0, max_steps=45)


def plate(coefficient: float = 750.0, width: float = 0.6, accuracy: float = 1e-3) -> ps.Problem:
    """Return a plate that is hot below and cooled by convection at the right and on top."""
    return ps.Problem(
        name="plate",
        domain=ps.Rectangle((0.0, 0.0), (width, 1.0)),
        physics=ps.Heat(conductivity=52.0),
        conditions=[
            ps.Dirichlet("bottom", temperature=100.0),
            ps.Insulated("left"),
            ps.Convection("right", coefficient=coefficient, ambient=0.0),
            ps.Convection("top", coefficient=coefficient, ambient=0.0),
        ],
        accuracy=accuracy,
    )


def compared(
    case: str,
    start: ps.Problem,
    problem: ps.Problem,
    truth: ps.Problem,
    *,
    method: ps.Method | None = None,
    cold_method: ps.Method | None = None,
    freeze: str | None = None,
    wanted: float = 5.0,
    seed: int = 0,
) -> Row:
    """Return the comparison of one neighbour with no start."""
    right = ps.solve(truth, ps.Method(max_seconds=300.0), reference=False, progress=False)
    error = error_against(problem, lambda points: _components(right, points))
    begun = ps.solve(start, method, seed=seed, reference=False, progress=False)
    gain = measure_gain(
        begun,
        problem,
        error,
        freeze=freeze,
        method=method,
        cold_method=cold_method,
        seed=seed,
    )
    (warm, warm_steps), (cold, cold_steps) = (c.reach(gain.goal) for c in (gain.warm, gain.cold))
    note = f"errors at the end: {gain.warm.errors[-1]:.1e} warm, {gain.cold.errors[-1]:.1e} cold"
    return Row(case, gain.goal, warm, cold, warm_steps, cold_steps, gain.factor, wanted, note)


def _components(solution: ps.Solution, points: np.ndarray) -> np.ndarray:
    values = [
        np.asarray(getattr(solution.at(points), name)).reshape(len(points), -1)
        for name in solution.problem.field_shapes
    ]
    return np.concatenate(values, axis=1)


def head_of_a_family(seed: int = 0) -> Row:
    """Return what a head on the trunk of five plates is worth for a sixth."""
    problem = plate(600.0)
    right = ps.solve(plate(600.0, accuracy=1e-8), reference=False, progress=False)
    error = error_against(problem, lambda points: _components(right, points))
    method = ps.Method(hidden=(20, 20, 40), max_steps=20, max_seconds=90.0)
    family = train_together([plate(h) for h in (400.0, 750.0, 1200.0)], method, seed=seed)
    gain = measure_gain(
        family.solutions[0],
        problem,
        error,
        freeze="trunk",
        cold_method=replace(TRAINED, hidden=(20, 20, 40)),
        seed=seed,
    )
    (warm, steps), (cold, cold_steps) = (c.reach(gain.goal) for c in (gain.warm, gain.cold))
    seconds = family.solutions[0].record.seconds
    note = f"the family took {seconds:.0f} s of wall time; cold is a network of its size"
    return Row(
        "linear, head on a family's trunk",
        gain.goal,
        warm,
        cold,
        steps,
        cold_steps,
        gain.factor,
        50.0,
        note,
    )


def few_shot(seed: int = 0) -> Row:
    """Return the error from eight samples alone over that from a model of twenty other values of the parameter."""
    rng = np.random.default_rng(seed)

    def field(x: np.ndarray, p: float) -> np.ndarray:
        return np.exp(-p * x[:, 1]) * np.sin(np.pi * x[:, 0] * (1.0 + 0.3 * p))

    rows, values = [], []
    for p in np.linspace(0.2, 3.0, 20):
        x = rng.uniform(0.0, 1.0, (30, 2))
        rows.append(np.column_stack((x, np.full(30, p))))
        values.append(field(x, p))
    known = Regressor(("mlp", 16, 16), random_state=seed).fit(
        np.concatenate(rows), np.concatenate(values)
    )
    new = 1.437
    x = rng.uniform(0.0, 1.0, (8, 2))
    table = np.column_stack((x, np.full(8, new)))
    clock = [time.process_time()]
    tuned = finetune(known, (table, field(x, new)))  # leaves known as it is
    clock.append(time.process_time())
    alone = Regressor(random_state=seed).fit(x, field(x, new))
    clock.append(time.process_time())
    test = rng.uniform(0.0, 1.0, (1000, 2))
    right = field(test, new)

    def size(found: np.ndarray) -> float:
        return float(np.linalg.norm(found - right) / np.linalg.norm(right))

    errors = (
        size(tuned.predict(np.column_stack((test, np.full(1000, new))))),
        size(alone.predict(test)),
    )
    plain = size(known.predict(np.column_stack((test, np.full(1000, new)))))
    note = (
        f"relative error {errors[0]:.2e} fine-tuned, {plain:.2e} without the samples, "
        f"{errors[1]:.2e} from them alone"
    )
    seconds = clock[1] - clock[0], clock[2] - clock[1]
    return Row("few-shot, 8 samples", errors[1], *seconds, 1, 0, errors[1] / errors[0], 5.0, note)


CASES: dict[str, Callable[[], Row]] = {
    "kovasznay": lambda: compared(
        "Kovasznay flow, Re 100 to 120",
        kovasznay(100.0),
        kovasznay(120.0),
        replace(kovasznay(120.0), accuracy=1e-10),
    ),
    "convection": lambda: compared(
        "plate, convection 750 to 600 W/(m2 K)", plate(), plate(600.0), plate(600.0, accuracy=1e-8)
    ),
    "size": lambda: compared(
        "plate, width 0.6 to 0.7 m",
        plate(),
        plate(width=0.7),
        plate(width=0.7, accuracy=1e-8),
    ),
    "cavity": lambda: compared(
        "cavity, Re 100 to 120, trained networks",
        lid_driven_cavity(100.0),
        lid_driven_cavity(120.0),
        lid_driven_cavity(120.0),
        method=TRAINED,
    ),
    "head": lambda: compared(
        "linear, head on one plate's trunk",
        plate(),
        plate(600.0),
        plate(600.0, accuracy=1e-8),
        method=TRAINED,
        freeze="trunk",
        wanted=50.0,
    ),
    "family": head_of_a_family,
    "few-shot": few_shot,
}


def document(rows: list[Row]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "# Transfer: what a start is worth",
        "",
        "CPU seconds and steps to the same error, from the start and from nothing; see `validation/transfer.py`.",
        "",
        "| case | error | warm s | cold s | warm steps | cold steps | factor | asked for | note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.case} | {r.goal:.1e} | {r.warm_seconds:.2f} | {r.cold_seconds:.2f} | {r.warm_steps} | {r.cold_steps} | "
        f"{r.factor:.1f} | {r.wanted:g} | {r.note} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/transfer"))
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "transfer.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    for name in arguments.case or list(CASES):
        begin = time.process_time()
        row = CASES[name]()
        kept[name] = asdict(row)
        sys.stderr.write(
            f"{name}: factor {row.factor:.1f}, {time.process_time() - begin:.0f} CPU s\n"
        )
        path.write_text(json.dumps(kept, indent=1) + "\n")
    rows = [Row(**kept[name]) for name in CASES if name in kept]
    (arguments.out / "transfer.md").write_text(document(rows))


if __name__ == "__main__":
    main()
