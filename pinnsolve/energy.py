"""What a run took from the mains: kWh, the CO2e that stands for, and where the numbers come from.

A :class:`Meter` is a value that is handed to a run. :class:`EstimatedEnergy`, the default, multiplies the CPU seconds
of the process by a stated power: free of cost, and it says that it is an estimate. :class:`TrackedEnergy` asks
codecarbon, which reads the processor's own counters where the system shows them (Intel RAPL) and takes more than a
second to stop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol, final

WATTS_PER_CORE = 10.0
"""Power of one busy core with its share of memory and losses, in W: server processors of the 2020s are rated at 200 to
350 W for 24 to 96 cores, desktop ones at 65 to 125 W for 6 to 16."""

KG_PER_KWH = 0.475
"""World average of electricity in kg CO2e/kWh: IEA, Global Energy & CO2 Status Report 2019."""

_JOULE_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Energy:
    """What a run consumed.

    Attributes:
        kwh: Electric energy in kWh.
        co2e_kg: Greenhouse gases that stand for it, in kg CO2 equivalent.
        seconds: Wall time that it covers, in s.
        cpu_seconds: CPU time of the process in it, all threads together, in s.
        source: How the numbers were found, in words.
        measured: Whether hardware counters or a tracker's model of this machine were asked; False for a plain
            estimate from CPU time.
    """

    kwh: float
    co2e_kg: float
    seconds: float
    cpu_seconds: float
    source: str
    measured: bool = False

    @property
    def text(self) -> str:
        """One line for tables: ``2.1e-05 kWh, 1e-05 kg CO2e (estimate: ...)``."""
        return f"{self.kwh:.2g} kWh, {self.co2e_kg:.2g} kg CO2e ({self.source})"


Running = Callable[[], Energy]
"""A meter that runs: returns what was consumed since it was started, and ends it."""


class Meter(Protocol):
    """Knows how to measure the energy of what follows."""

    def start(self) -> Running:
        """Begin to measure; what comes back reads the meter and ends it."""


@dataclass(frozen=True)
class EstimatedEnergy:
    """CPU seconds of this process times a stated power.

    An accelerator is counted only if its power is stated.

    Attributes:
        watts_per_core: Power of one busy core in W.
        kg_per_kwh: CO2e of the electricity in kg/kWh.
        accelerator_watts: Mean power of accelerators during the run, in W; 0 if there are none.
    """

    watts_per_core: float = WATTS_PER_CORE
    kg_per_kwh: float = KG_PER_KWH
    accelerator_watts: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative powers."""
        for name in ("watts_per_core", "kg_per_kwh", "accelerator_watts"):
            value = getattr(self, name)
            if not 0.0 <= value < float("inf"):
                raise ValueError(f"{name} must be finite and >= 0, got {value}")

    def start(self) -> Running:
        """Begin to count CPU seconds."""
        wall, cpu = time.perf_counter(), time.process_time()

        def read() -> Energy:
            return self.energy_of(time.perf_counter() - wall, time.process_time() - cpu)

        return read

    def energy_of(self, seconds: float, cpu_seconds: float) -> Energy:
        """Return the estimate for a run.

        Args:
            seconds: Its wall time in s.
            cpu_seconds: Its CPU time in s.
        """
        joule = cpu_seconds * self.watts_per_core + seconds * self.accelerator_watts
        kwh = joule / _JOULE_PER_KWH
        source = f"estimate: CPU time x {self.watts_per_core:g} W a core"
        if self.accelerator_watts:
            source += f" + time x {self.accelerator_watts:g} W for accelerators"
        source += f", {self.kg_per_kwh:g} kg/kWh"
        return Energy(kwh, kwh * self.kg_per_kwh, seconds, cpu_seconds, source)


@dataclass(frozen=True)
class TrackedEnergy:
    """codecarbon's offline tracker: hardware counters where there are any, its model of the machine if not.

    Nothing is sent or written. Starting and stopping it takes more than a second.

    Attributes:
        country: ISO code of three letters, whose electricity counts (``FRA``); empty for the world average.
    """

    country: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no ISO code."""
        code = self.country
        if code and not (len(code) == 3 and code.isalpha() and code.isupper()):
            raise ValueError(
                f"country must be an ISO code of three letters, like FRA, got {code!r}"
            )

    def start(self) -> Running:
        """Start the tracker.

        Raises:
            ValueError: If codecarbon is not installed, or does not know the country.
        """
        try:
            from codecarbon import OfflineEmissionsTracker
        except ImportError as error:
            raise ValueError(
                "TrackedEnergy needs codecarbon; pip install 'pinnsolve[track]', or take EstimatedEnergy()"
            ) from error
        wall, cpu = time.perf_counter(), time.process_time()
        with _silent():
            tracker = OfflineEmissionsTracker(
                country_iso_code=self.country or _ANY_COUNTRY,
                output_methods=[],
                allow_multiple_runs=True,
                tracking_mode="process",
                log_level="critical",
            )
            tracker.start()
        return lambda: self._read(tracker, wall, cpu)

    def _read(self, tracker: object, wall: float, cpu: float) -> Energy:
        """Stop the tracker; what ran while it stops is not counted as CPU time of the run."""
        seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        with _silent():
            emissions = tracker.stop()  # type: ignore[attr-defined]
        found = getattr(tracker, "final_emissions_data", None)
        if found is None or emissions is None:
            raise ValueError(
                f"codecarbon gave no result for country {self.country!r}; check the code, or take EstimatedEnergy()"
            )
        kwh = float(found.energy_consumed)
        source = f"codecarbon {found.codecarbon_version}, offline"
        if self.country:
            return Energy(
                kwh, float(emissions), seconds, cpu_seconds, f"{source}, {self.country}", True
            )
        source += f", world average {KG_PER_KWH:g} kg/kWh"
        return Energy(kwh, kwh * KG_PER_KWH, seconds, cpu_seconds, source, measured=True)


def meter_named(words: str) -> Meter:
    """Return the meter that a command line asks for.

    Args:
        words: ``estimate``, ``codecarbon``, or ``codecarbon:FRA`` for a country's electricity.

    Raises:
        ValueError: If it is none of these, or codecarbon is not installed.
    """
    kind, _, country = words.partition(":")
    if words == "estimate":
        return EstimatedEnergy()
    if kind != "codecarbon":
        raise ValueError(f"--energy must be estimate, codecarbon or codecarbon:FRA, got {words!r}")
    if find_spec("codecarbon") is None:
        raise ValueError(
            "--energy codecarbon needs codecarbon; pip install 'pinnsolve[track]', or take --energy estimate"
        )
    return TrackedEnergy(country)


_ANY_COUNTRY = "FRA"
"""codecarbon wants one; only its kWh are taken then."""


def summed(parts: Sequence[Energy | None]) -> Energy | None:
    """Return the energy of several runs together; None if that of one of them is not known.

    Args:
        parts: That of each run.
    """
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known:
        return None
    return Energy(
        sum(part.kwh for part in known),
        sum(part.co2e_kg for part in known),
        sum(part.seconds for part in known),
        sum(part.cpu_seconds for part in known),
        "; ".join(dict.fromkeys(part.source for part in known)),
        all(part.measured for part in known),
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep codecarbon from logging, which it does before it reads its log level."""
    logger = logging.getLogger("codecarbon")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


@final
class Reading:
    """What :func:`metered` fills in at its end."""

    def __init__(self) -> None:
        self._energy: Energy | None = None

    @property
    def energy(self) -> Energy:
        """What was consumed.

        Raises:
            ValueError: If the context has not ended yet.
        """
        if self._energy is None:
            raise ValueError("the meter still runs; read it after the with block")
        return self._energy

    def close(self, energy: Energy) -> None:
        """Take down the result."""
        self._energy = energy


@contextmanager
def metered(meter: Meter | None = None) -> Iterator[Reading]:
    """Measure the energy of what is done inside; ``reading.energy`` has it afterwards.

    Args:
        meter: How; None estimates it.

    Yields:
        What has the result once the block ends, by an error too.
    """
    reading = Reading()
    running = (EstimatedEnergy() if meter is None else meter).start()
    try:
        yield reading
    finally:
        reading.close(running())
