"""Runs in processes of their own: a crash, a kill or a run that hangs costs one run, not the suite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Self

from ..suite import Case
from .one_run import Document, crashed

LONGEST_SECONDS = 3600.0
"""A run that takes longer hangs, and is ended."""

_TAIL = 1500
"""Characters of an error message that are kept."""

_PAUSE = 0.05
"""Time between two looks at the processes, in s."""

_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """A case to be solved with a seed.

    Attributes:
        case: The case.
        seed: Seed of points and parameters.
    """

    case: Case
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        """Name of the case, and seed."""
        return self.case.name, self.seed


Watch = Callable[[Run, Document | None], None]
"""``watch(run, None)`` when it begins, ``watch(run, document)`` when it has ended."""

Execute = Callable[[Sequence[Run], Watch], None]
"""Makes runs, in any order, and tells of each."""


@dataclass(frozen=True)
class Started:
    """A process that makes a run.

    Attributes:
        run: The run.
        threads: Cores that it is given.
        process: The process.
        out: What it printed.
        trouble: What it complained of.
        began: When, on the monotonic clock in s.
    """

    run: Run
    threads: int
    process: subprocess.Popen[bytes]
    out: IO[bytes]
    trouble: IO[bytes]
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, run: Run, threads: int) -> Self:
        """Start a process.

        Args:
            run: What it is to do.
            threads: Cores that it may use.
        """
        out, trouble = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - ended() closes
        case = {**asdict(run.case), "settings": run.case.texts}
        command = [sys.executable, "-m", f"{__package__}.one_run", "--case", json.dumps(case)]
        process = subprocess.Popen(
            [*command, "--seed", str(run.seed), "--threads", str(threads)],
            env=os.environ | dict.fromkeys(_THREAD_COUNTS, str(threads)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=trouble,
        )
        return cls(run, threads, process, out, trouble)

    def ended(self, longest: float = LONGEST_SECONDS) -> Document | None:
        """Return the document of the run, or None while it goes on.

        Args:
            longest: Wall time after which it is ended, in s.
        """
        late = time.monotonic() - self.began > longest
        if self.process.poll() is None and not late:
            return None
        self.process.kill()
        code = self.process.wait()
        with self.out as out, self.trouble as trouble:
            out.seek(0)
            trouble.seek(0)
            lines, complaint = out.read().splitlines(), trouble.read()
        if code == 0 and lines:
            document: Document = json.loads(lines[-1])
            return document
        text = complaint.decode(errors="replace").strip()[-_TAIL:]
        words = f"hung: ended after {longest:g} s" if late else _how_it_ended(code)
        return crashed(
            self.run.case, self.run.seed, f"{words}\n{text}".strip(), threads=self.threads
        )

    def stop(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.out.close()
        self.trouble.close()


def run_in_process(run: Run, threads: int) -> Document:
    """Make a run in a process of its own and wait for it.

    Args:
        run: The run.
        threads: Cores that it may use.
    """
    started = Started.of(run, threads)
    try:
        while (document := started.ended()) is None:
            time.sleep(_PAUSE)
        return document
    finally:
        started.stop()


def in_processes(jobs: int) -> Execute:
    """Return what makes runs in several processes at a time on this machine, each with its share of the cores.

    Args:
        jobs: How many at a time.

    Raises:
        ValueError: If there is not a core for each.
    """
    cores = available_cores()
    if not 1 <= jobs <= cores:
        raise ValueError(f"jobs must be from 1 to the number of cores, {cores}; got {jobs}")
    threads = _fewer_if_asked(cores // jobs)

    def execute(runs: Sequence[Run], watch: Watch) -> None:
        waiting, going = deque(runs), list[Started]()
        try:
            while waiting or going:
                while waiting and len(going) < jobs:
                    watch(waiting[0], None)
                    going.append(Started.of(waiting.popleft(), threads))
                time.sleep(_PAUSE)
                for started in tuple(going):
                    if (document := started.ended()) is not None:
                        going.remove(started)
                        watch(started.run, document)
        finally:
            for started in going:
                started.stop()

    return execute


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fewer_if_asked(threads: int) -> int:
    """Return the number of threads, limited by ``OMP_NUM_THREADS``."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    limit = int(asked) if asked.isdecimal() and int(asked) > 0 else threads
    return min(threads, limit)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = " (too little memory?)" if name == "SIGKILL" else ""
    return f"ended by {name}{why}"
