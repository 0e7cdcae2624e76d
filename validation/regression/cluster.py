"""Runs on the nodes of a Ray cluster; those of a node that is lost are made again on another."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from .one_run import BUDGET_CORES, crashed
from .processes import Execute, Run, Watch, run_in_process
from .versions import code_digest

_REACHED_SECONDS = 10.0
"""Time for the head of the cluster to answer, in s."""

RETRIES = 3
"""How often a run is made again if the worker that made it was lost."""


def on_cluster(address: str) -> Execute:
    """Return what makes runs on a Ray cluster, as many at a time as it has cores for.

    pinnsolve must be installed on all of its nodes, in the same version: a run by another is an error.

    Args:
        address: ``HOST:PORT`` of its head, or ``auto`` for a cluster that this machine is a node of.

    Raises:
        ValueError: If Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "--cluster needs Ray, which is not installed: pip install 'pinnsolve[cluster]'"
        ) from error

    def execute(runs: Sequence[Run], watch: Watch) -> None:
        _refuse_silence(address)
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"no Ray cluster at {address!r} ({_first_line(error)}); start one with ray start --head"
            ) from error
        try:
            _distribute(runs, watch)
        finally:
            ray.shutdown()

    return execute


def _distribute(runs: Sequence[Run], watch: Watch) -> None:
    import ray

    threads = _threads()
    remote = ray.remote(num_cpus=threads, max_retries=RETRIES)(run_in_process)
    pending = {remote.remote(run, threads): run for run in runs}
    for run in runs:
        watch(run, None)
    while pending:
        (ready, *_), _ = ray.wait(list(pending), num_returns=1)
        run = pending.pop(ready)
        try:
            document = ray.get(ready)
        except ray.exceptions.RayError as error:
            document = crashed(run.case, run.seed, _first_line(error), threads=threads)
        made_by = document.get("versions", {}).get("code", code_digest())
        if made_by != code_digest():
            words = f"made by another pinnsolve (code {made_by}, here {code_digest()}): install the same everywhere"
            document = crashed(run.case, run.seed, words, threads=threads)
        watch(run, document)


def _refuse_silence(address: str) -> None:
    """Refuse an address where nothing listens: Ray itself would try for minutes.

    Raises:
        ValueError: If it is of the form HOST:PORT and cannot be reached.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and port.isdecimal()):
        return
    try:
        with socket.create_connection((host, int(port)), timeout=_REACHED_SECONDS):
            pass
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"no Ray cluster at {address!r} ({error}); start one with ray start --head"
        ) from error


def _threads() -> int:
    """Return the cores of a run: those that budgets are stated for, if any node has as many."""
    import ray

    most = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    return max(1, min(BUDGET_CORES, most))


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
