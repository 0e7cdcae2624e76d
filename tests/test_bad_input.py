"""Bad input through the command line: exit status 2, one line with the cure, nothing half-written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import h5py
import meshio
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pinnsolve.cli import app

DECLARATION = {
    "domain": "ps.Rectangle((0.0, 0.0), (1.0, 0.5))",
    "physics": "ps.Heat(conductivity=2.0)",
    "conditions": """[
        ps.Dirichlet("left", temperature=0.0),
        ps.Dirichlet("right", temperature=1.0),
        ps.Insulated("bottom"),
        ps.Insulated("top"),
    ]""",
    "measurements": "None",
    "time": "None",
}

SOLID = {
    "conditions": """[
        ps.Fixed("left"), ps.Traction("right", vector=[1e6, 0.0]),
        ps.Traction("bottom"), ps.Traction("top"),
    ]"""
}

UNSTEADY = {
    "physics": "ps.Heat(conductivity=2.0, density=1.0, specific_heat=1.0)",
    "time": "ps.TimeInterval(0.0, 1.0)",
}


def problem_text(changes: Mapping[str, str]) -> str:
    """Return a problem file that is fine but for the changes."""
    items = {**DECLARATION, **changes}
    lines = [f"        {key}={value}," for key, value in items.items()]
    return "\n".join(
        [
            "import pinnsolve as ps",
            "",
            "",
            "def plate() -> ps.Problem:",
            "    return ps.Problem(",
            '        name="plate",',
            *lines,
            "    )",
            "",
        ]
    )


def sides(left: str, *more: str) -> dict[str, str]:
    """Return the conditions of the plate with another one on the left."""
    rest = (
        'ps.Dirichlet("right", temperature=1.0)',
        'ps.Insulated("bottom")',
        'ps.Insulated("top")',
    )
    return {"conditions": f"[{', '.join((left, *rest, *more))}]"}


def custom(expression: str) -> dict[str, str]:
    """Return own physics with one field and one expression as its equation."""
    ends = ", ".join(
        f'ps.Dirichlet("{part}", u=1.0)' for part in ("left", "right", "bottom", "top")
    )
    return {
        "physics": f'ps.CustomPhysics(fields={{"u": ()}}, equations=lambda f, x, m: {expression})',
        "conditions": f"[{ends}]",
    }


def measured(points: str, values: str) -> dict[str, str]:
    return {"measurements": f'ps.Measurements({points}, {{"temperature": {values}}}, sigma=0.1)'}


def from_csv(name: str) -> dict[str, str]:
    return {"measurements": f'ps.Measurements.from_csv("{name}", sigma=0.1)'}


def mesh(name: str, arguments: str = "") -> dict[str, str]:
    return {"domain": f'ps.Mesh.from_file("{name}"{arguments})'}


SOLID_OF = "ps.Elasticity(youngs_modulus={}, poissons_ratio={}, plane='strain')"

CASES: dict[str, tuple[dict[str, str], str]] = {
    "unknown boundary name": (
        sides('ps.Dirichlet("lefft", temperature=0.0)'),
        "no part 'lefft'.*There are .*left.*Did you mean 'left'",
    ),
    "condition that matches no point": (
        mesh("square.vtu", ', boundary="wall", parts={"left": lambda p: p[:, 0] > 5.0}'),
        r"square.vtu.*no boundary facet .* part 'left'.*check the predicate and scale=",
    ),
    "part without condition": (
        {
            "conditions": '[ps.Dirichlet("left", temperature=0.0), '
            'ps.Insulated("bottom"), ps.Insulated("top")]'
        },
        "no condition for temperature on the boundary part 'right'; add one",
    ),
    "contradicting conditions": (
        sides('ps.Dirichlet("left", temperature=0.0)', 'ps.Insulated("left")'),
        "contradicting conditions on 'left'.*Dirichlet.*Insulated.*keep one",
    ),
    "condition on a field that is not there": (
        sides('ps.Dirichlet("left", temprature=0.0)'),
        "temprature.*Did you mean 'temperature'",
    ),
    "condition that is no condition": (sides('"left"'), "conditions must be Dirichlet.*got 'left'"),
    "given value that is not finite": (
        sides('ps.Dirichlet("left", temperature=lambda x: ps.log(x.y - 2.0))'),
        "left.*temperature is not finite on the part; check the given values",
    ),
    "residual with too many equations": (
        custom('{"first": ps.laplacian(f.u), "second": f.u}'),
        "2 scalar equations for 1 field components.*wrong shape",
    ),
    "residual that is a vector": (
        custom("ps.grad(f.u)"),
        "2 scalar equations for 1 field components.*wrong shape",
    ),
    "residual that is no field": (
        custom("3.0"),
        "must return a field .* got float; build it from f",
    ),
    "residual that is not finite": (
        custom("ps.laplacian(f.u) + ps.log(x.x - 2.0)"),
        "not finite inside the domain; check sources and coefficients",
    ),
    "NaN in data": (
        measured("[[0.5, 0.2], [0.6, 0.2]]", "[0.5, float('nan')]"),
        "temperature is not a finite number in row 2; remove or repair",
    ),
    "NaN in a file": (from_csv("nan.csv"), "nan.csv.*temperature.*row 2"),
    "measurement outside the domain": (
        measured("[[0.5, 0.2], [500.0, 200.0]]", "[0.5, 0.6]"),
        r"1 of 2 points lie outside the domain, rows 2.*\[500.0, 200.0\].*check the units",
    ),
    "measurements for too many coordinates": (
        measured("[[0.5, 0.2, 0.1]]", "[0.5]"),
        "points need the columns x, y, got 3",
    ),
    "missing position in a file": (from_csv("no_x.csv"), "no_x.csv: no column 'x'.*There are"),
    "column of something else": (
        from_csv("pressure.csv"),
        "pressure.csv.*no field component 'pressure'.*There are temperature",
    ),
    "missing data file": (from_csv("nowhere.csv"), "nowhere.csv"),
    "text in a data file": (
        from_csv("words.csv"),
        "words.csv: line 3, column 'temperature_K': 'warm' is not a number",
    ),
    "unknown without data": (
        {"physics": 'ps.Heat(conductivity=ps.Unknown("k", 1.0))'},
        "unknown k: nothing to find it from; give measurements=",
    ),
    "truncated mesh": (mesh("cut.msh"), "cut.msh.*(cut off|damaged)"),
    "missing mesh": (mesh("nowhere.msh"), "no mesh file nowhere.msh. Check the path"),
    "mesh without boundary groups": (
        mesh("square.vtu"),
        'square.vtu.*names no part of its boundary. Give boundary="wall"',
    ),
    "open surface": (
        mesh("open.stl", ', boundary="skin"'),
        "open.stl.*surface is not closed, it has 3 open edges.*Close the holes",
    ),
    "negative conductivity": (
        {"physics": "ps.Heat(conductivity=-2.0)"},
        "conductivity must be .*> 0.*-2",
    ),
    "conductivity that is not a number": (
        {"physics": "ps.Heat(conductivity=float('nan'))"},
        "conductivity must be .*> 0.*nan",
    ),
    "Poisson's ratio of one half": (
        {"physics": SOLID_OF.format("1e9", "0.5"), **SOLID},
        "poissons_ratio must lie in .* got 0.5.*use 0.49 or less",
    ),
    "Poisson's ratio beyond one half": (
        {"physics": SOLID_OF.format("1e9", "0.6"), **SOLID},
        "poissons_ratio must lie in .* got 0.6",
    ),
    "negative Young's modulus": (
        {"physics": SOLID_OF.format("-1e9", "0.3"), **SOLID},
        "youngs_modulus must be .*> 0 Pa, got -1",
    ),
    "unsteady without start": (UNSTEADY, "an unsteady problem needs Initial.temperature="),
    "start without time": (
        sides('ps.Dirichlet("left", temperature=0.0)', "ps.Initial(temperature=0.0)"),
        "Initial.. needs time: give the problem time=",
    ),
    "domain without extent": (
        {"domain": "ps.Rectangle((0.0, 0.0), (1.0, 0.0))"},
        "Rectangle",
    ),
    "no scale": (
        sides('ps.Dirichlet("left", temperature=1.0)'),
        "'temperature'.*(scales|size)",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the bad files that the cases speak of."""
    monkeypatch.chdir(tmp_path)
    tables = {
        "nan.csv": "x_m,y_m,temperature_K\n0.1,0.2,3.0\n0.2,0.2,nan\n",
        "no_x.csv": "place,y_m,temperature_K\n0.1,0.2,3.0\n",
        "pressure.csv": "x_m,y_m,pressure_Pa\n0.1,0.2,3.0\n",
        "words.csv": "x_m,y_m,temperature_K\n0.1,0.2,3.0\n0.2,0.2,warm\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 0.5, 0], [0, 0.5, 0]], dtype=float)
    triangles = [("triangle", np.array([[0, 1, 2], [0, 2, 3]]))]
    meshio.write("square.vtu", meshio.Mesh(square, triangles))
    meshio.write("whole.msh", meshio.Mesh(square, triangles), file_format="gmsh22", binary=False)
    whole = Path("whole.msh").read_bytes()
    Path("cut.msh").write_bytes(whole[: len(whole) // 2])
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
    sheet = [("triangle", np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2]]))]
    meshio.write("open.stl", meshio.Mesh(corners, sheet))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refusal(done: Result) -> str:
    """Return the one line of a command that refused its input."""
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in line
    return line


@pytest.mark.parametrize("name", CASES)
def test_declaration_is_refused(folder: Path, name: str) -> None:
    changes, message = CASES[name]
    (folder / "plate.py").write_text(problem_text(changes))
    before = {item.name for item in folder.iterdir()}
    line = refusal(run("solve", "plate.py", "--out", "there"))
    assert re.search(message, line), line
    assert {item.name for item in folder.iterdir()} - {"__pycache__"} == before


def test_the_plate_itself_is_fine(folder: Path) -> None:
    """So that each refusal is about its change alone."""
    (folder / "plate.py").write_text(problem_text({}))
    assert run("show", "plate.py", "--out", "plate.png").exit_code == 0


def hdf5_of_something_else(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["pressure"] = np.arange(3.0)


def half_a_solution(path: Path) -> None:
    hdf5_of_something_else(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (hdf5_of_something_else, "not a saved solution"),
        (half_a_solution, "not an HDF5 file|cannot be read|damaged"),
        (lambda path: path.write_text("text"), "not an HDF5 file"),
        (lambda path: None, "there is no such file"),
    ],
    ids=["something else", "half", "text", "nothing"],
)
def test_report_of_what_is_no_solution_is_refused(folder: Path, make, message: str) -> None:
    (folder / "run").mkdir()
    make(folder / "run" / "solution.h5")
    before = {item.name for item in (folder / "run").iterdir()}
    line = refusal(run("report", "run"))
    assert re.search(message, line), line
    assert "solution.h5" in line
    assert {item.name for item in (folder / "run").iterdir()} == before


@pytest.mark.parametrize("place", ["plate.py", "plate.py/deep/run", "/proc/nowhere"])
@pytest.mark.parametrize("command", ["solve", "show"])
def test_output_that_cannot_be_written_is_refused_before_training(
    folder: Path, command: str, place: str
) -> None:
    (folder / "plate.py").write_text(problem_text({}))
    before = {item.name for item in folder.iterdir()}
    out = place if command == "solve" else f"{place}/plate.png"
    assert "cannot be written to" in refusal(run(command, "plate.py", "--out", out))
    assert {item.name for item in folder.iterdir()} - {"__pycache__"} == before


@pytest.mark.parametrize("name", ["solution.h5", "solution.vtu", "result.json", "report.html"])
def test_folder_in_the_place_of_a_file_is_refused(folder: Path, name: str) -> None:
    """A whole run, then a file that cannot be replaced: no traceback, no temporary files."""
    (folder / "plate.py").write_text(problem_text({}))
    (folder / "there" / name / "full").mkdir(parents=True)
    options = ["--max-seconds", "0.01", "--no-reference", "--out", "there"]
    assert name in refusal(run("solve", "plate.py", *options))
    left = {item.name for item in (folder / "there").iterdir()}
    assert left <= {"solution.h5", "solution.vtu", "result.json", "report.html"}
