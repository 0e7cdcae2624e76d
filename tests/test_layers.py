"""The architecture, read off the syntax trees of the sources: nothing is imported here.

Layers import only from layers before them; problems and validation use only public names; and a few
habits that keep files small and functions pure.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

LAYERS = [
    "naming",
    "csv_columns",
    "replacing",
    "value_file",
    "multi_index",
    "jets",
    "geometry",
    "ranges",
    "priors",
    "unknowns",
    "unknown_functions",
    "estimated_functions",
    "sources",
    "prior_rows",
    "physics",
    "conditions",
    "measurements",
    "tabulated",
    "quantities",
    "trial",
    "declaration",
    "trial_points",
    "interface_checks",
    "measurement_checks",
    "determinacy",
    "declaration_checks",
    "problem",
    "status",
    "collocation",
    "blocks",
    "fingerprint",
    "scaling",
    "networks",
    "streams",
    "grouping",
    "residuals",
    "architecture",
    "distributed",
    "optimise",
    "method",
    "energy",
    "record",
    "levels",
    "estimates",
    "quadrature",
    "uncertainty",
    "noise_estimates",
    "verdict",
    "reference",
    "evaluation",
    "trained_fields",
    "solution",
    "exact_fields",
    "judging_data",
    "judging_unknowns",
    "judging",
    "judging_ranges",
    "sampling",
    "threads",
    "training",
    "inference",
    "progress",
    "solver",
    "continuation",
    "time_slabs",
    "interop",
    "catalogue",
    "report",
    "settings",
    "terminal",
    "gathered_run",
    "learning",
    "cli",
]
"""Modules and subpackages of pinnsolve; each may import itself and those before it.

The front doors ``pinnsolve/__init__.py`` and ``pinnsolve/__main__.py`` stand outside: they may
import all, and no layer may import them.
"""

DEFERRED = {("solution", "interop"), ("cli", "validation")}
"""A layer may call on a later one inside a function: ``Solution.save()`` and its like hand over, and so do the
commands that run benchmarks and validation."""

LIGHT = {"torch", "numpy", "pinnsolve"}
"""What a module may import at its top, besides the standard library: importing stays fast."""

ALSO_LIGHT = {
    "cli": {"typer", "rich"},
    "terminal": {"typer", "rich"},
    "learning": {"sklearn", "typer", "rich"},
}
"""Further imports at the top of layers that ``import pinnsolve`` does not load."""

MAX_LINES = 400

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "pinnsolve"
CLIENTS = [ROOT / "problems", ROOT / "validation"]


class Import(NamedTuple):
    """One imported name: ``import module`` (name is None) or ``from module import name``."""

    module: str
    name: str | None
    line: int

    @property
    def dotted(self) -> str:
        return self.module if self.name is None else f"{self.module}.{self.name}"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def package_of(path: Path) -> list[str]:
    """Return the package that relative imports of a file start from, by its installed name."""
    parts = list(path.relative_to(ROOT).parent.parts)
    return parts if parts[0] == "pinnsolve" else ["pinnsolve", *parts]


def executed_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below one that run at import: not functions, not TYPE_CHECKING blocks."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
        yield child
        yield from executed_at_import(child)


def imports_of(path: Path, *, top_only: bool = False) -> Iterator[Import]:
    """Yield every import of a file, or only those that run when it is imported."""
    tree = tree_of(path)
    for node in executed_at_import(tree) if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            package = package_of(path)
            prefix = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*prefix, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)


def layer_of(path: Path) -> str:
    """Return the layer of a library file: its module, or the subpackage it is in."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def layered_sources() -> list[Path]:
    return [path for path in sources(LIBRARY) if layer_of(path) not in {"__init__", "__main__"}]


@cache
def public_names(module: str) -> frozenset[str] | None:
    """Return what a module's ``__all__`` lists, with its submodules; None without ``__all__``."""
    path = ROOT.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not source.is_file():
        return None
    submodules = {p.stem for p in path.glob("*") if p.suffix == ".py" or p.is_dir()}
    for node in tree_of(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return frozenset({*ast.literal_eval(node.value), *submodules})
    return None


def is_private(dotted: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in dotted.split("."))


def is_public(module: str, name: str) -> bool:
    """Whether a name may be used by problems and validation."""
    names = public_names(module)
    return not is_private(f"{module}.{name}") and (names is None or name in names)


def aliases_of_pinnsolve(path: Path) -> dict[str, str]:
    """Return the local names under which a file knows modules of pinnsolve (``ps``)."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] == "pinnsolve"
    }


def private_attributes(path: Path) -> list[str]:
    """Return the places where a file reaches for what is not public of an object or a module."""
    aliases = aliases_of_pinnsolve(path)
    wrong = []
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Attribute):
            continue
        owner = ast.unparse(node.value)
        hidden = is_private(node.attr) and owner not in {"self", "cls"}
        if hidden or (owner in aliases and not is_public(aliases[owner], node.attr)):
            wrong.append(f"{place(path, node.lineno)}: {owner}.{node.attr} is not public")
    return wrong


def test_every_module_has_a_layer() -> None:
    unknown = sorted({layer_of(path) for path in layered_sources()} - set(LAYERS))
    assert not unknown, f"give {unknown} a place in LAYERS"


def test_imports_point_only_upwards() -> None:
    wrong = []
    for path in layered_sources():
        layer = layer_of(path)
        if layer not in LAYERS:
            continue  # test_every_module_has_a_layer says so
        top_lines = {item.line for item in imports_of(path, top_only=True)}
        for item in imports_of(path):
            parts = item.dotted.split(".")
            if parts[0] != "pinnsolve":
                continue
            target = parts[1] if len(parts) > 1 else "pinnsolve itself"
            if (layer, target) in DEFERRED and item.line not in top_lines:
                continue
            if target not in LAYERS[: LAYERS.index(layer) + 1]:
                wrong.append(f"{place(path, item.line)}: {layer} imports {target}")
    assert not wrong, "\n".join(wrong)


def test_only_light_libraries_are_imported_at_the_top() -> None:
    wrong = []
    for path in layered_sources():
        allowed = LIGHT | ALSO_LIGHT.get(layer_of(path), set()) | set(sys.stdlib_module_names)
        for item in imports_of(path, top_only=True):
            if item.module.split(".")[0] not in allowed:
                wrong.append(f"{place(path, item.line)}: {item.module}: import it where it is used")
    assert not wrong, "\n".join(wrong)


def test_problems_and_validation_use_only_public_names() -> None:
    wrong = []
    for path in sources(*CLIENTS):
        for item in imports_of(path):
            parts = item.dotted.split(".")
            if parts[0] != "pinnsolve" or parts[1:2] in (["problems"], ["validation"]):
                continue
            public = item.name is None or is_public(item.module, item.name)
            if is_private(item.module) or not public:
                wrong.append(f"{place(path, item.line)}: {item.dotted} is not public")
        wrong += private_attributes(path)
    assert not wrong, "\n".join(wrong)


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(LIBRARY, *CLIENTS)
    }
    long = {name: length for name, length in lengths.items() if length > MAX_LINES}
    assert not long, f"more than {MAX_LINES} lines: {long}"


def test_files_are_named_by_what_is_in_them() -> None:
    drawers = [
        str(path.relative_to(ROOT))
        for path in sources(LIBRARY, *CLIENTS)
        if path.stem in {"utils", "util", "helpers", "misc", "common"}
    ]
    assert not drawers


@pytest.mark.parametrize("habit", ["print", "bare except", "global"])
def test_habits(habit: str) -> None:
    def has(node: ast.AST) -> bool:
        match habit, node:
            case "print", ast.Call(func=ast.Name(id="print")):
                return True
            case "bare except", ast.ExceptHandler(type=None):
                return True
            case "global", ast.Global():
                return True
        return False

    found = [
        place(path, node.lineno)
        for path in sources(LIBRARY, *CLIENTS)
        for node in ast.walk(tree_of(path))
        if has(node)
    ]
    assert not found, f"{habit}: {found}"


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    present = {
        ".".join(package_of(path)) for path in sources(LIBRARY, *CLIENTS) if path.stem != "conftest"
    }
    missing = sorted(present - set(listed))
    assert not missing, f"add to packages in pyproject.toml: {missing}"
