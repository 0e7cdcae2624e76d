"""Finished runs as files, so that a suite that was interrupted goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinnsolve.replacing import write_text

from .one_run import Document
from .processes import Run
from .versions import versions

RUNS = "runs"


def kept_run(folder: Path, run: Run, stated: Mapping[str, Any]) -> Document | None:
    """Return the document of a run that was made before, by this code and of this declaration, or None.

    Args:
        folder: Where the suite writes to.
        run: The run.
        stated: What the case declares.
    """
    try:
        known = json.loads(_path(folder, run).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never made, or damaged: it is made again
        return None
    if not isinstance(known, dict) or known.get("asked") != _asked(run, stated):
        return None
    document: Document = known["run"] | {"kept": True}
    return document


def keep_run(folder: Path, run: Run, stated: Mapping[str, Any], document: Document) -> None:
    """Write the document of a run, unless it crashed: that may go better another time.

    Args:
        folder: Where the suite writes to.
        run: The run.
        stated: What the case declares.
        document: Its document.

    Raises:
        ValueError: If it cannot be written.
    """
    if document["error"] is None:
        path = _path(folder, run)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise ValueError(f"{path.parent}: cannot be made ({error.strerror})") from error
        text = json.dumps({"asked": _asked(run, stated), "run": document}, indent=1)
        write_text(path, text + "\n")


def _path(folder: Path, run: Run) -> Path:
    return folder / RUNS / f"{run.case.name}-{run.seed}.json"


def _asked(run: Run, stated: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "case": run.case.name,
        "seed": run.seed,
        "fingerprint": stated["fingerprint"],
        "versions": versions(),
    }
