"""Bad luck: too little memory, unknowns that run away. Each ends in a Status with the cure."""

from __future__ import annotations

import pytest
import torch

import pinnsolve as ps
from pinnsolve.optimise import GaussNewton
from pinnsolve.residuals import System
from pinnsolve.training import train
from pinnsolve.training.mishaps import is_out_of_memory, runaways


def rod(**options: object) -> ps.Problem:
    """``2 T'' + 3 = 0`` between 1 K and 5 K."""
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)]
    return ps.Problem("rod", ps.Interval(0.0, 2.0), ps.Heat(2.0, source=3.0), ends, **options)


def narrow_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let every Jacobian of more than ``most`` points fail as torch does, and note the sizes that were tried."""
    tried: list[int] = []
    whole = System.linearised

    def linearised(self: System, theta: torch.Tensor):
        largest = max(group.num_points for group in self.groups)
        tried.append(largest)
        if largest > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return whole(self, theta)

    monkeypatch.setattr(System, "linearised", linearised)
    return tried


METHOD = ps.Method(trunk="trained", points=ps.PointCounts(200, 2), max_steps=4, resample_every=0)


def test_a_step_that_does_not_fit_is_taken_in_smaller_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the same result but for the order of the rows."""
    free = train(rod(), METHOD)
    monkeypatch.setattr("pinnsolve.training.trunk.balanced", lambda system, theta: weighted[0])
    weighted = [free.system]
    tried = narrow_memory(monkeypatch, 60)
    tight = train(rod(), METHOD)
    assert tried[:4] == [200, 100, 50, 50]
    assert tight.solution.status == free.solution.status
    torch.testing.assert_close(tight.theta, free.theta, rtol=0.0, atol=1e-9)


def test_memory_that_is_never_enough_ends_with_the_last_good_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = train(rod(), METHOD)
    monkeypatch.setattr("pinnsolve.training.trunk.balanced", lambda system, theta: weighted[0])
    weighted = [free.system]
    narrow_memory(monkeypatch, 0)
    solution = train(rod(), METHOD).solution
    assert solution.status.reason is ps.StopReason.OUT_OF_MEMORY
    assert "batches of 16 points" in solution.status.message
    assert "MatrixFree" in solution.status.message
    assert torch.isfinite(solution.parameters).all()


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


def with_unknown(bounds: tuple[float, float] | None) -> ps.Problem:
    """A rod whose source is to be found, from one reading that no source can explain."""
    source = ps.Unknown("source", 3.0, bounds=bounds, unit="W/m3")
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)]
    readings = ps.Measurements([[1.0]], {"temperature": [20.0]}, sigma=1.0)
    return ps.Problem(
        "rod", ps.Interval(0.0, 2.0), ps.Heat(2.0, source=source), ends, measurements=readings
    )


@pytest.mark.parametrize("bounds", [None, (1.0, 5.0)])
def test_unknowns_far_from_everything_are_named(bounds: tuple[float, float] | None) -> None:
    problem = with_unknown(bounds)
    near = torch.tensor([0.1, 0.2, 3.0], dtype=torch.float64)
    far = torch.tensor([0.1, 0.2, 8.0 if bounds else 2e4], dtype=torch.float64)
    assert runaways(problem, near) == ""
    assert runaways(problem, far) == ("source = 4.999 W/m3" if bounds else "source = 6e+04 W/m3")
    assert runaways(rod(), near) == ""


def test_an_unknown_that_runs_away_is_a_status_and_never_trusted() -> None:
    method = ps.Method(points=ps.PointCounts(100, 2), max_steps=200, optimiser=GaussNewton())
    solution = ps.solve(with_unknown((1.0, 5.0)), method, reference=False, progress=False)
    assert solution.status.reason is ps.StopReason.RUNAWAY
    assert "source = 4.99" in solution.status.message
    assert "Give bounds or a better initial value" in solution.status.message
    assert not solution.verdict.trusted
