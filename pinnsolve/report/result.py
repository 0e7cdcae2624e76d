"""The result of a run as one value, and as a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from pinnsolve.interop.hdf5 import Companions
from pinnsolve.quantities import Quantity
from pinnsolve.ranges import in_words
from pinnsolve.report.comparison import exact_differences
from pinnsolve.report.functions import SampledFunction, function_documents, sampled_functions
from pinnsolve.solution import Solution
from pinnsolve.uncertainty import identifiability


@dataclass(frozen=True)
class QuantityResult:
    """A quantity of interest with its number.

    Attributes:
        quantity: What was asked for.
        value: The number; NaN if it could not be computed.
        trouble: Why not, or empty.
    """

    quantity: Quantity
    value: float
    trouble: str = ""

    @property
    def relative_error(self) -> float | None:
        """Deviation from the target relative to it (absolute for a target of 0), or None without one."""
        target = self.quantity.target
        if target is None:
            return None
        return abs(self.value - target) / (abs(target) or 1.0)

    @property
    def within(self) -> bool | None:
        """Whether the deviation is within the tolerance, or None without target or tolerance."""
        target, tolerance = self.quantity.target, self.quantity.tolerance
        if target is None or tolerance is None:
            return None
        return bool(abs(self.value - target) <= tolerance)


@dataclass(frozen=True)
class Result:
    """All that a run has to say.

    Attributes:
        solution: The solution with its verdict.
        companions: The reference and the command line.
        quantities: The quantities of interest.
        exact: Relative L2 errors against the exact solution by field and component, if there is
            one.
        functions: The identified functions on grids.
    """

    solution: Solution
    companions: Companions
    quantities: tuple[QuantityResult, ...]
    exact: Mapping[str, float] = field(default_factory=dict)
    functions: tuple[SampledFunction, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether there is a verdict and it is positive."""
        verdict = self.solution.verdict
        return verdict is not None and verdict.trusted


def gather(solution: Solution, companions: Companions) -> Result:
    """Evaluate the quantities and the errors of a solution.

    Args:
        solution: The solution.
        companions: Its reference and command line.
    """
    return Result(
        solution=solution,
        companions=companions,
        quantities=_quantities(solution),
        exact=exact_differences(solution),
        functions=sampled_functions(solution),
    )


def result_document(result: Result) -> dict[str, object]:
    """Return the result as plain data, ready for strict JSON.

    Args:
        result: The result.
    """
    solution, reference = result.solution, result.companions.reference
    problem, record = solution.problem, solution.record
    document = {
        "problem": problem.name,
        "origin": problem.origin,
        "parameters": dict(problem.parameters),
        "ranges": [asdict(item) for item in problem.ranges],
        "given": dict(problem.held),
        "accuracy": problem.accuracy,
        "status": {"reason": record.status.reason.value, "message": record.status.message},
        "verdict": _verdict(solution),
        "quantities": [_quantity(item) for item in result.quantities],
        "unknowns": _unknowns(solution),
        "functions": function_documents(result.functions),
        "posterior": _posterior(solution),
        "reference": None
        if reference is None
        else {
            "method": reference.method,
            "note": reference.note,
            "relative_l2": dict(reference.differences),
            "own_relative_l2": dict(reference.error_bar),
        },
        "exact": {"relative_l2": dict(result.exact)} if result.exact else None,
        "seconds": record.seconds,
        "steps": record.num_steps,
        "loss": record.loss,
        "num_parameters": record.num_parameters,
        "num_points": dict(record.num_points),
        "network": record.network,
        "precision": record.precision,
        "rungs": [asdict(rung) for rung in record.rungs],
        "energy": None if record.energy is None else asdict(record.energy),
        "device": record.device,
        "seed": record.seed,
        "versions": dict(record.versions),
        "command": result.companions.command,
    }
    plain = plain_data(document)
    return plain if isinstance(plain, dict) else {}


def result_text(result: Result) -> str:
    """Return the result as a strict JSON document: what is not a finite number is null."""
    return json.dumps(result_document(result), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _quantities(solution: Solution) -> tuple[QuantityResult, ...]:
    """Return the quantities; those of a solution with ranges at the lowest, middle and highest values."""
    problem = solution.problem
    if not (problem.ranges and problem.quantities):
        return tuple(_evaluated(quantity, solution) for quantity in problem.quantities)
    found = []
    for share in (0.0, 0.5, 1.0):
        values = {item.name: item.at_share(share) for item in problem.ranges}
        view = solution.given(**values)
        found += [
            _evaluated(replace(quantity, name=f"{quantity.name} at {in_words(values)}"), view)
            for quantity in problem.quantities
        ]
    return tuple(found)


def _evaluated(quantity: Quantity, solution: Solution) -> QuantityResult:
    try:
        return QuantityResult(quantity, float(quantity.evaluate(solution)))
    except Exception as error:  # noqa: BLE001 - a user's function must not lose the run
        return QuantityResult(quantity, math.nan, f"{type(error).__name__}: {error}")


def _quantity(item: QuantityResult) -> dict[str, object]:
    quantity = item.quantity
    return {
        "name": quantity.name,
        "value": item.value,
        "unit": quantity.unit,
        "target": quantity.target,
        "relative_error": item.relative_error,
        "tolerance": quantity.tolerance,
        "within_tolerance": item.within,
        "source": quantity.source,
        "target_uncertainty": quantity.uncertainty,
        **({"trouble": item.trouble} if item.trouble else {}),
    }


def _unknowns(solution: Solution) -> list[dict[str, object]]:
    return [
        {
            "name": estimate.name,
            "value": estimate.value,
            "std": estimate.std,
            "interval": list(estimate.interval),
            "cramer_rao_bound": estimate.bound,
            "unit": estimate.unit,
            "truth": estimate.truth,
        }
        for estimate in solution.estimates
    ]


def _posterior(solution: Solution) -> dict[str, object] | None:
    """Return what the numbers rest on: correlation, spectrum of the information, combinations, evidence."""
    known = solution.posterior
    if known is None:
        return None
    found = identifiability(known)
    return {
        "method": known.method,
        "names": list(known.names),
        "correlation": known.correlation.tolist(),
        "log_evidence": known.log_evidence,
        "num_data": known.num_data,
        "data_used_by_open_fields": known.num_open,
        "freedom_taken": dict(known.freedom),
        "interval_ratios": found.ratios,
        "profiles": {
            name: {
                "normal": item.is_normal,
                "open": list(item.is_open),
                "values": [known.value_of(name, float(z)) for z in item.search],
                "roots": item.roots.tolist(),
            }
            for name, item in known.profiles.items()
        },
        "combinations": [
            {"text": c.text, "relative_std": c.relative_std, "exponents": list(c.exponents)}
            for c in found.combinations
        ],
    }


def _verdict(solution: Solution) -> dict[str, object] | None:
    verdict = solution.verdict
    if verdict is None:
        return None
    checks = [
        {
            "name": check.name,
            "value": check.value,
            "limit": check.limit,
            "passed": check.passed,
            "note": check.note,
        }
        for check in verdict.checks
    ]
    return {
        "trusted": verdict.trusted,
        "state": verdict.state,
        "not_identifiable": list(verdict.not_identifiable),
        "accuracy": verdict.accuracy,
        "checks": checks,
        "notes": list(verdict.notes),
    }


def plain_data(value: object) -> object:
    """Return plain JSON data: numbers that are not finite become None, other objects their text."""
    match value:
        case None | bool() | str() | int():
            return value
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case np.integer():
            return int(value)
        case Mapping():
            return {str(key): plain_data(item) for key, item in value.items()}
        case Sequence():
            return [plain_data(item) for item in value]
        case _:
            return str(value)
