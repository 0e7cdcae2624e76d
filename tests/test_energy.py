"""Energy of a run: units, sums, and what the numbers say of themselves."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

import pinnsolve as ps
from pinnsolve.energy import KG_PER_KWH, Energy, EstimatedEnergy, TrackedEnergy, metered, summed
from pinnsolve.interop.hdf5 import Companions, read_solution, write_solution
from pinnsolve.report.result import gather, result_document


def test_one_kilowatt_hour() -> None:
    """1 kW for one hour; 100 cores of 10 W are one, so are 1,000 W of an accelerator."""
    cpu = EstimatedEnergy(watts_per_core=10.0).energy_of(3600.0, 360000.0)
    assert cpu.kwh == pytest.approx(1.0)
    assert cpu.co2e_kg == pytest.approx(KG_PER_KWH)
    gpu = EstimatedEnergy(watts_per_core=0.0, accelerator_watts=1000.0).energy_of(3600.0, 7.0)
    assert gpu.kwh == pytest.approx(1.0)
    assert not cpu.measured
    assert "estimate" in cpu.source
    assert "accelerators" in gpu.source
    assert "1 kWh, 0.47 kg CO2e (estimate" in cpu.text.replace("0.48", "0.47")


def test_parts_add_up_to_the_whole() -> None:
    def work() -> None:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    with metered() as whole:
        with metered() as first:
            work()
        with metered() as second:
            work()
    total = first.energy.kwh + second.energy.kwh
    assert total <= whole.energy.kwh <= 1.2 * total
    assert first.energy.cpu_seconds >= 0.05
    assert whole.energy.kwh == pytest.approx(whole.energy.cpu_seconds * 10.0 / 3.6e6)


def test_read_too_early_and_after_an_error() -> None:
    with metered() as reading, pytest.raises(ValueError, match="still runs"):
        _ = reading.energy
    with pytest.raises(KeyError), metered() as reading:
        raise KeyError
    assert reading.energy.kwh >= 0.0


@pytest.mark.parametrize("change", [{"watts_per_core": -1.0}, {"kg_per_kwh": float("nan")}])
def test_refuses_powers_that_are_none(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite and >= 0"):
        EstimatedEnergy(**change)


@pytest.mark.parametrize("country", ["France", "fra", "F1A"])
def test_refuses_what_is_no_country(country: str) -> None:
    with pytest.raises(ValueError, match="ISO code of three letters"):
        TrackedEnergy(country)


def test_codecarbon(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("codecarbon")
    monkeypatch.chdir(tmp_path)
    with metered(TrackedEnergy("FRA")) as reading:
        time.sleep(0.01)
    energy = reading.energy
    assert energy.measured
    assert energy.kwh > 0.0
    assert 0.0 < energy.co2e_kg / energy.kwh < 0.2  # French electricity: 56 g/kWh
    assert "codecarbon" in energy.source
    assert "FRA" in energy.source
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []  # nothing written


def test_sum() -> None:
    a, b = Energy(1.0, 2.0, 3.0, 4.0, "a"), Energy(10.0, 20.0, 30.0, 40.0, "b", measured=True)
    assert summed([a, b, a]) == Energy(12.0, 24.0, 36.0, 48.0, "a; b")
    assert summed([b]) == b
    assert summed([a, None]) is None


class Fixed:
    """A meter that always says the same."""

    def start(self):
        return lambda: Energy(2.0, 1.0, 3.0, 4.0, "made up")


@pytest.fixture(scope="module")
def problem() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0),
        [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
    )


def test_solve_records_it(problem: ps.Problem, tmp_path: Path) -> None:
    solution = ps.solve(problem, reference=False)
    energy = solution.record.energy
    assert energy is not None
    assert energy.kwh == pytest.approx(energy.cpu_seconds * 10.0 / 3.6e6)
    assert energy.cpu_seconds > 0.0
    assert energy.seconds <= solution.record.seconds * 1.5 + 0.5
    write_solution(solution, tmp_path / "a.h5")
    assert read_solution(tmp_path / "a.h5", problem).record.energy == energy
    document = result_document(gather(solution, Companions()))
    assert document["energy"] == json.loads(json.dumps(asdict(energy)))


def test_solve_takes_a_meter(problem: ps.Problem) -> None:
    solution = ps.solve(problem, reference=False, meter=Fixed())
    assert solution.record.energy == Energy(2.0, 1.0, 3.0, 4.0, "made up")
