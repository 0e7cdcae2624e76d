"""Where the trials of tuning run: in this process, in several, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pinnsolve.energy import Energy, Meter, metered
from pinnsolve.learning.search_spaces import Outcome, Rivals, Search, Settings

Measured = tuple[Outcome, Energy]
"""What a trial gave, and what it consumed."""

Task = tuple[Settings, Rivals | None, int]
"""Settings, what they are compared with, and the number of the folds."""

Run = Callable[[Sequence[Task], float], Sequence[Measured]]
"""Evaluates several settings, given the time limit of one fit."""


def measured(search: Search, meter: Meter, task: Task, limit: float) -> Measured:
    """Return what a trial gives and consumes, in the process that calls this.

    Args:
        search: What is tuned.
        meter: How energy is measured.
        task: The settings, their rivals, and the folds.
        limit: Seconds that one fit or solve may take.
    """
    settings, rivals, repeat = task
    with metered(meter) as reading:
        outcome = search.evaluate(settings, rivals, limit, repeat)
    return outcome, reading.energy


@contextmanager
def runner(search: Search, meter: Meter, num_jobs: int, cluster: str | None) -> Iterator[Run]:
    """Give what evaluates trials.

    Args:
        search: What is tuned.
        meter: How energy is measured.
        num_jobs: Trials at the same time.
        cluster: Address of a Ray cluster, or ``local``; None runs them here, or in processes if there are several.

    Raises:
        ValueError: If there is no Ray, or no such cluster.
    """

    def here(tasks: Sequence[Task], limit: float) -> Sequence[Measured]:
        return [measured(search, meter, task, limit) for task in tasks]

    def in_processes(tasks: Sequence[Task], limit: float) -> Sequence[Measured]:
        from joblib import Parallel, delayed

        calls = (delayed(measured)(search, meter, task, limit) for task in tasks)
        found: Sequence[Measured] = Parallel(n_jobs=num_jobs, backend="loky")(calls)
        return found

    if cluster is None:
        yield here if num_jobs == 1 else in_processes
    else:
        with _ray(search, meter, num_jobs, cluster) as run:
            yield run


@contextmanager
def _ray(search: Search, meter: Meter, num_jobs: int, cluster: str) -> Iterator[Run]:
    """Give what evaluates trials on a Ray cluster; one that was begun for them ends with them."""
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "cluster= needs Ray, which is not installed: pip install 'pinnsolve[cluster]'"
        ) from error
    begun_before = ray.is_initialized()
    if not begun_before:
        local = cluster == "local"
        try:
            ray.init(
                address=cluster if not local else "local",
                num_cpus=num_jobs if local else None,
                log_to_driver=False,
                logging_level="error",
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"no Ray cluster at {cluster!r} ({type(error).__name__}); start one with ray start --head, or give "
                "'local'"
            ) from error
    remote = ray.remote(measured)

    def run(tasks: Sequence[Task], limit: float) -> Sequence[Measured]:
        found: Sequence[Measured] = ray.get(
            [remote.remote(search, meter, task, limit) for task in tasks]
        )
        return found

    try:
        yield run
    finally:
        if not begun_before:
            ray.shutdown()
