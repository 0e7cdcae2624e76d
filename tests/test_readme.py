"""The Python of the README and of the guide to learning is run, in order, as a reader would."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def fences(text: str) -> list[tuple[int, str]]:
    """Return the line number and the code of every Python fence."""
    found = re.finditer(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [(text[: match.start(1)].count("\n"), match[1]) for match in found]


def test_fences_are_found() -> None:
    text = "# T\n```python\na = 1\n```\n```sh\nls\n```\n```python\nb = a\n```\n"
    assert fences(text) == [(2, "a = 1\n"), (8, "b = a\n")]


@pytest.mark.parametrize("name", ["README.md", "docs/learning.md"])
def test_python_of_a_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = fences((ROOT / name).read_text(encoding="utf-8"))
    assert code
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)  # dataclasses look their module up
    for line, source in code:
        # Line numbers of errors are those of the page.
        exec(compile("\n" * line + source, name, "exec"), vars(module))
