"""Observers of a training: a plain JSONL log, TensorBoard, a live view on a terminal.

Each is called after every step with a record: with a :class:`pinnsolve.record.StepRecord` as the ``observer`` of
:func:`pinnsolve.training.train` and of :func:`pinnsolve.solver.answer`, with an
:class:`pinnsolve.learning.record.EpochRecord` as that of an estimator's ``fit``. All are context managers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

from pinnsolve.learning.alarms import Alarm, Watch

if TYPE_CHECKING:
    from rich.console import Console

Observer = Callable[[Any], None]
"""Takes one record after the other."""


def together(*observers: Observer) -> Observer:
    """Return an observer that hands every record to all of these, in order."""

    def observe(record: Any) -> None:  # noqa: ANN401 - a frozen record
        for observer in observers:
            observer(record)

    return observe


class _Closing(AbstractContextManager[Any]):
    """Closed at the end of a with block, by an error too."""

    def close(self) -> None:
        """Write what is left and let go of the file."""

    def __enter__(self) -> Self:
        """Open it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


@final
class JsonLog(_Closing):
    """One line of JSON for every record; what is not a finite number is null. Lines are there at once, for ``tail -f``.

    Args:
        path: The file; records are added to what it holds.

    Raises:
        ValueError: If it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise ValueError(f"{path}: cannot be written ({error.strerror or error})") from error

    def __call__(self, record: Any) -> None:  # noqa: ANN401
        """Write a record."""
        line = {"kind": type(record).__name__, **{name: _plain(v) for name, v in _items(record)}}
        self._file.write(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """Return the records of a log, as plain data.

    A last line that was cut off by a crash is left out.

    Args:
        path: A file that :class:`JsonLog` wrote.

    Raises:
        ValueError: If it is none.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a log ({error})") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}: line {number} is no record ({error})") from error
        if not isinstance(item, dict) or "kind" not in item:
            raise ValueError(f"{path}: line {number} is no record; give a file that JsonLog wrote")
        found.append(item)
    return found


@final
class TensorBoardLog(_Closing):
    """Curves for ``tensorboard --logdir FOLDER``: one for every number of a record, over its step or epoch.

    Args:
        folder: Where event files are written.

    Raises:
        ValueError: If TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ValueError(
                "TensorBoardLog needs TensorBoard: pip install 'pinnsolve[track]', or take JsonLog"
            ) from error
        self._writer = SummaryWriter(str(folder))

    def __call__(self, record: Any) -> None:  # noqa: ANN401
        """Write the numbers of a record that are finite."""
        step = int(getattr(record, "step", getattr(record, "epoch", 0)))
        for name, value in _items(record):
            if (
                name not in ("step", "epoch")
                and isinstance(value, int | float)
                and math.isfinite(value)
            ):
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


@final
class LiveView(_Closing):
    """A table of the last numbers and the alarms so far, drawn again after every record.

    Args:
        console: Where; it stays silent unless that is a terminal.
    """

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._watch = Watch()
        self._live = Live(
            console=console, transient=False, refresh_per_second=4, auto_refresh=False
        )
        self._shown = console.is_terminal
        if self._shown:
            self._live.start()

    def __call__(self, record: Any) -> None:  # noqa: ANN401
        """Show a record."""
        self._watch(record)
        if self._shown:
            self._live.update(live_table(record, self._watch.alarms), refresh=True)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What was found so far."""
        return self._watch.alarms

    def close(self) -> None:
        """Leave the last table."""
        if self._shown:
            self._live.stop()


def live_table(record: Any, alarms: tuple[Alarm, ...]) -> Any:  # noqa: ANN401 - rich's table
    """Return the numbers of a record and the alarms as a table.

    Args:
        record: The last record.
        alarms: The alarms so far.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    for name, value in _items(record):
        if isinstance(value, float) and math.isnan(value):
            continue
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), Text(text))
    for alarm in alarms:
        table.add_row(Text(alarm.kind, style="bold red"), Text(f"{alarm.step}: {alarm.message}"))
    return table


def _items(record: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield name and value of the fields of a record.

    Raises:
        ValueError: If it is no record.
    """
    if not is_dataclass(record):
        raise ValueError(f"an observer takes records of a training, got {type(record).__name__}")
    for item in fields(record):
        yield item.name, getattr(record, item.name)


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
