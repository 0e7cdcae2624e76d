"""A run's folder: whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pinnsolve.replacing import replacing, write_text
from pinnsolve.report.folder import output_folder, read_run, write_run
from pinnsolve.report.html import report_page
from pinnsolve.report.result import Result, result_document

ResultOf = Callable[..., Result]
FILES = {"solution.h5", "solution.vtu", "result.json", "report.html"}


def names(folder: Path) -> set[str]:
    return {item.name for item in folder.iterdir()}


def test_all_files_are_written(result_of: ResultOf, tmp_path: Path) -> None:
    result = result_of("heat_rod", reference=True)
    files = write_run(result, tmp_path)
    assert names(tmp_path) == {file.name for file in files} == FILES
    assert json.loads((tmp_path / "result.json").read_text())["problem"] == "heat_rod"


def test_what_is_read_is_what_was_written(result_of: ResultOf, tmp_path: Path) -> None:
    result = result_of("heat_rod", reference=True)
    write_run(result, tmp_path)
    again = read_run(tmp_path, result.solution.problem)
    assert result_document(again) == result_document(result)
    assert report_page(again) == (tmp_path / "report.html").read_text(encoding="utf-8")


def test_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    with output_folder(tmp_path / "a" / "b") as folder:
        write_text(folder / "file", "text")
    assert (tmp_path / "a" / "b" / "file").read_text() == "text"


def test_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with output_folder(tmp_path / "old" / "a" / "b") as folder:
        assert folder.is_dir()
    assert names(tmp_path) == {"old"}
    assert names(tmp_path / "old") == set()


def test_folder_that_was_there_stays(tmp_path: Path) -> None:
    with output_folder(tmp_path):
        pass
    assert tmp_path.is_dir()


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with (
        pytest.raises(ValueError, match=r"cannot be written to .*--out"),
        output_folder(tmp_path / "file" / "run"),
    ):
        pytest.fail("not reached")
    assert (tmp_path / "file").read_text() == "old"


def test_failed_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half\ud800")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"file.txt"}


def test_full_disk_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with (
        pytest.raises(ValueError, match=r"file\.txt: cannot be written \(No space left"),
        replacing(path),
    ):
        raise OSError(28, "No space left on device")


def test_reference_values_survive(result_of: ResultOf, tmp_path: Path) -> None:
    result = result_of("heat_rod", reference=True)
    write_run(result, tmp_path)
    again = read_run(tmp_path, result.solution.problem).companions.reference
    np.testing.assert_array_equal(again.values, result.companions.reference.values)
