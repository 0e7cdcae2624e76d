"""How strong a prior should be, by the data: evidence, discrepancy principle, L-curve.

With the field eliminated the unknowns' problem is a small linear one, rows ``V d + b`` of the data and ``s (L d + l)``
of a prior of strength s, so each rule is a search along one line and costs no training.

- *Evidence*: the s under which the data are most probable (D. J. C. MacKay, "Bayesian interpolation", Neural
  Computation 4 (1992) 415-447).
- *Discrepancy*: the largest s with which the misfit is not above the noise (V. A. Morozov, 1966).
- *L-curve*: the corner of the misfit against the roughness, both logarithmic (P. C. Hansen & D. P. O'Leary, "The use of
  the L-curve in the regularization of discrete ill-posed problems", SIAM J. Sci. Comput. 14 (1993) 1487-1503).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.method import SmoothnessRule
from pinnsolve.uncertainty.gaussian import Gaussian, gaussian_of

Array = npt.NDArray[np.float64]

WEAKEST, STRONGEST = 1e-6, 1e4
"""Ends of the search."""

_NUM_PLACES = 41
"""Strengths over which an average is taken."""

_STILL = 0.02
"""Change of the logarithm of the evidence below which stronger priors are all the same."""

_MASS = 0.9
"""Share of the evidence that counts: the most probable strengths. Weaker ones, of almost no probability, would make
second moments of ill-posed problems as large as one likes. With 0.9 the bands of Cauchy's problem cover about 95 % over
truths of one to two waves; with 0.95 they are a quarter wider and cover more than they say."""

_MOST_TOGETHER = 200
"""Most combinations of the strengths of several functions over which an average is taken."""

_FEWEST_PLACES = 3
"""Fewest strengths of a function over which an average is taken: the ends of its range and the chosen one."""

_PER_DECADE = 6
"""Strengths tried per factor of ten before the best one is refined."""


@dataclass(frozen=True)
class LinearRows:
    """Rows ``jacobian d + misfit`` of unit noise.

    Attributes:
        jacobian: Shape (M, K).
        misfit: Shape (M,).
    """

    jacobian: Array
    misfit: Array


@dataclass(frozen=True)
class _Balance:
    """What a strength leads to: logarithms of evidence (but for a constant), misfit and roughness."""

    evidence: float
    misfit: float
    roughness: float


def chosen_strength(
    data: LinearRows, prior: LinearRows, num_free: float, rule: SmoothnessRule = "evidence"
) -> float:
    """Return the strength of a prior that the data ask for.

    Args:
        data: The data, the field eliminated, and what other priors say.
        prior: The prior at strength 1.
        num_free: What the squared misfit is expected to be: the number of data less what open fields use up.
        rule: How it is chosen.

    Raises:
        ValueError: If there is no such rule.
    """
    places = np.linspace(
        math.log(WEAKEST),
        math.log(STRONGEST),
        round(_PER_DECADE * math.log10(STRONGEST / WEAKEST)) + 1,
    )
    small = _reduced(data)
    left = float(
        data.misfit @ data.misfit - small.misfit @ small.misfit
    )  # no unknown takes it away
    tried = [_balance(small, prior, float(place), left) for place in places]
    match rule:
        case "evidence":
            scores = np.array([item.evidence for item in tried])
            place = _refined(places, scores, lambda p: _balance(small, prior, p, left).evidence)
        case "discrepancy":
            place = _crossing(places, np.array([item.misfit for item in tried]), math.log(num_free))
        case "l-curve":
            bends = _curvature(
                np.array([item.misfit for item in tried]),
                np.array([item.roughness for item in tried]),
            )
            place = float(places[1 + int(np.argmax(bends))])
        case _:
            raise ValueError(f"rule must be evidence, discrepancy or l-curve, got {rule!r}")
    return math.exp(place)


def root_over_strengths(
    data: LinearRows, priors: Sequence[LinearRows], chosen: Sequence[float]
) -> Array:
    """Return a square root (K, K) of the unknowns' second moments about their estimate, over all strengths.

    Strengths that data chose are themselves uncertain, most of all where they cannot tell a straight line from a curve.
    The most probable ones of each function, those of the others held, count by their evidence together, evenly on a
    logarithmic scale up to where stronger ones change nothing. Of many functions those whose strengths the data tell
    best are held at the chosen ones.

    Args:
        data: The data, the field eliminated, and what priors of given strength say.
        priors: One prior at strength 1 for each function.
        chosen: The strengths that the estimate was made with.
    """
    small, at = _reduced(data), [math.log(strength) for strength in chosen]
    axes = _axes([_probable(small, priors, at, i) for i in range(len(priors))], at)
    about = _at(small, priors, at).step
    found = [_at(small, priors, places) for places in itertools.product(*axes)]
    together = itertools.product(*axes)
    ranks = _ranks(priors)
    evidence = [_evidence(item, ranks, p) for item, p in zip(found, together, strict=True)]
    weights = np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()
    columns = [
        math.sqrt(weight) * np.column_stack((item.root, item.step - about))
        for item, weight in zip(found, weights, strict=True)
    ]
    upper = np.asarray(np.linalg.qr(np.hstack(columns).T, mode="r"))
    return np.asarray(upper.T)


def _probable(data: LinearRows, priors: Sequence[LinearRows], at: Sequence[float], i: int) -> Array:
    """Return logarithms of the most probable strengths of one prior, those of the others held."""
    places = np.linspace(math.log(WEAKEST), math.log(STRONGEST), _NUM_PLACES)
    each = [[*at[:i], float(place), *at[i + 1 :]] for place in places]
    ranks = _ranks(priors)
    evidence = np.array([_evidence(_at(data, priors, p), ranks, p) for p in each])
    still = np.abs(evidence - evidence[-1]) < _STILL
    last = len(places) - int(np.argmin(still[::-1])) if not still.all() else 1
    weights = np.exp(evidence[:last] - evidence[:last].max())
    weights /= weights.sum()
    order = np.argsort(-weights)
    before = np.concatenate(([0.0], np.cumsum(weights[order])[:-1]))
    return np.asarray(np.sort(places[order[before < _MASS]]))


def _axes(ranges: Sequence[Array], at: Sequence[float]) -> list[list[float]]:
    """Return places of each function, at most `_MOST_TOGETHER` combinations; the narrowest ranges of many are held."""
    most = int(math.log(_MOST_TOGETHER, _FEWEST_PLACES))
    widest = sorted(range(len(ranges)), key=lambda i: -len(ranges[i]))[:most]
    num = int(_MOST_TOGETHER ** (1.0 / len(widest)))
    return [
        _thinned(places, num, at[i]) if i in widest else [at[i]] for i, places in enumerate(ranges)
    ]


def _thinned(places: Array, num: int, chosen: float) -> list[float]:
    """Return at most so many of the places, evenly, with the one that is nearest to the chosen place."""
    kept = np.linspace(0, len(places) - 1, min(num, len(places))).round().astype(int)
    nearest = int(np.argmin(np.abs(places - chosen)))
    if nearest not in kept:  # the ends are kept, so it is between them
        kept[1 + int(np.argmin(np.abs(kept[1:-1] - nearest)))] = nearest
    return [float(place) for place in places[kept]]


def _reduced(rows: LinearRows) -> LinearRows:
    """Return K rows that say the same, but for a constant of the sum of squares."""
    count = rows.jacobian.shape[1]
    if len(rows.misfit) <= count:
        return rows
    basis, upper = np.linalg.qr(rows.jacobian)
    return LinearRows(upper, basis.T @ rows.misfit)


def _at(data: LinearRows, priors: Sequence[LinearRows], places: Sequence[float]) -> Gaussian:
    """Return the unknowns with priors at strengths, of which the logarithms are given."""
    scaled = [(math.exp(place), prior) for place, prior in zip(places, priors, strict=True)]
    jacobian = np.concatenate((data.jacobian, *(s * prior.jacobian for s, prior in scaled)))
    misfit = np.concatenate((data.misfit, *(s * prior.misfit for s, prior in scaled)))
    return gaussian_of(jacobian, misfit)


def _ranks(priors: Sequence[LinearRows]) -> list[int]:
    return [int(np.linalg.matrix_rank(prior.jacobian)) for prior in priors]


def _evidence(found: Gaussian, ranks: Sequence[int], places: Sequence[float]) -> float:
    """Return the logarithm of the evidence of strengths of priors of these ranks, but for a constant."""
    volume = sum(rank * place for rank, place in zip(ranks, places, strict=True))
    evidence = volume - 0.5 * (found.least + found.log_determinant)
    return evidence if math.isfinite(evidence) else -math.inf


def _balance(data: LinearRows, prior: LinearRows, place: float, left: float) -> _Balance:
    found = _at(data, [prior], [place])
    evidence = _evidence(found, _ranks([prior]), [place])
    rest = data.jacobian @ found.step + data.misfit
    rough = prior.jacobian @ found.step + prior.misfit
    return _Balance(
        evidence,
        math.log(max(float(rest @ rest) + left, 1e-300)),
        math.log(max(float(rough @ rough), 1e-300)),
    )


def _refined(places: Array, scores: Array, score: Callable[[float], float]) -> float:
    """Return the place of the highest score, by golden sections about the best place that was tried."""
    from scipy.optimize import minimize_scalar

    best = int(np.argmax(scores))
    low, high = places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]
    found = minimize_scalar(lambda p: -score(p), bounds=(low, high), method="bounded")
    return float(found.x)


def _crossing(places: Array, misfits: Array, wanted: float) -> float:
    """Return where the misfit, which grows with the strength, reaches what is wanted; an end if it never does."""
    rising = np.maximum.accumulate(misfits)
    if rising[0] >= wanted:
        return float(places[0])
    if rising[-1] <= wanted:
        return float(places[-1])
    after = int(np.searchsorted(rising, wanted))
    share = (wanted - rising[after - 1]) / (rising[after] - rising[after - 1])
    return float(places[after - 1] + share * (places[after] - places[after - 1]))


def _curvature(across: Array, up: Array) -> Array:
    """Return the curvature of a curve at its inner points, positive at the corner of an L."""
    dx, dy = 0.5 * (across[2:] - across[:-2]), 0.5 * (up[2:] - up[:-2])
    ddx, ddy = np.diff(across, 2), np.diff(up, 2)
    speed = (dx**2 + dy**2) ** 1.5
    return np.asarray((dx * ddy - dy * ddx) / np.where(speed > 1e-12, speed, np.inf))
