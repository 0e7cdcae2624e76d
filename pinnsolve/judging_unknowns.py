"""Do the data tell the unknowns? Checks, and what is told instead, in words."""

from __future__ import annotations

from pinnsolve.solution import Solution
from pinnsolve.uncertainty import MOST_IN_WORDS, Identifiability, Posterior, identifiability
from pinnsolve.unknowns import find_unknowns
from pinnsolve.verdict import Check, identifiability_name


def unknown_checks(solution: Solution) -> list[Check]:
    """Refuse to trust an unknown that the data do not tell: its interval is as wide as what was known before.

    Args:
        solution: The solution.
    """
    note = "95 % interval from the data alone / what was known before"
    ratios = _of_numbers(solution)
    return [Check(identifiability_name(name), ratios[name], 1.0, note) for name in ratios]


def not_identifiable(solution: Solution) -> tuple[str, ...]:
    """Return the unknown numbers that the data do not tell.

    Args:
        solution: The solution.
    """
    return tuple(name for name, ratio in _of_numbers(solution).items() if not ratio < 1.0)


def unknown_notes(solution: Solution) -> list[str]:
    """Return what the data leave open, and what they tell instead.

    Args:
        solution: The solution.
    """
    known = solution.posterior
    if known is None or not known.unknowns:
        return []
    found = identifiability(known)
    notes = [
        f"smoothness of {name} chosen from the data: {strength:.3g}"
        for name, strength in known.smoothness.items()
    ]
    notes += [_not_normal_text(known, name) for name in known.not_normal]
    if known.not_normal:
        notes.append(_BANDS_ARE_NORMAL)
    if known.num_data < len(known.unknowns):
        notes.append(_too_few_text(found, known.num_data))
    if not_identifiable(solution) and len(found.ratios) <= MOST_IN_WORDS:
        notes.append(str(found))
    return notes


_BANDS_ARE_NORMAL = (
    "standard deviations of the fields (std_at) still take it for normal, and are rough"
)


def _not_normal_text(known: Posterior, name: str) -> str:
    low, high = known.interval(name)
    return f"the likelihood of {name} is not normal: its 95 % interval {low:.4g} to {high:.4g} is that of its profile"


def _too_few_text(found: Identifiability, num_data: int) -> str:
    size = len(found.ratios)
    text = f"{num_data} measured numbers for {size} unknowns: the rest is settled by priors alone"
    if size > MOST_IN_WORDS:
        return f"{text}; the data tell {len(found.known)} combinations"
    return f"{text}; the data do not tell {', '.join(item.text for item in found.open)}"


def _of_numbers(solution: Solution) -> dict[str, float]:
    """Return the ratios of the numbers; a coefficient alone says nothing about its function."""
    if solution.posterior is None:
        return {}
    of_functions = {unknown.name for unknown in find_unknowns(solution.problem.functions)}
    ratios = identifiability(solution.posterior).ratios
    return {name: ratio for name, ratio in ratios.items() if name not in of_functions}
