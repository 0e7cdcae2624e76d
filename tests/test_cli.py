"""The command line, as a user and as a script meet it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import meshio
import pytest
from typer.testing import CliRunner, Result

from pinnsolve.catalogue import shipped_problems
from pinnsolve.cli import app
from pinnsolve.interop.hdf5 import read_companions

PROBLEM = '''
import pinnsolve as ps


def rod(source: float = 800.0, length: float = 1.0, fine: bool = False, parts: int = 1) -> ps.Problem:
    """A rod with a source."""

    def exact(x):
        return {"temperature": 0.5 * source * x.x * (length - x.x)}

    return ps.Problem(
        name="rod",
        domain=ps.Interval(0.0, length),
        physics=ps.Heat(conductivity=1.0, source=source),
        conditions=[ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)],
        exact=exact,
        quantities=[
            ps.point_value("T(middle)", "temperature", (0.5 * length,), unit="K", target=source * length**2 / 8)
        ],
        description="a rod with a source",
    )
'''

FILES = {"solution.h5", "solution.vtu", "result.json", "report.html"}

COMMAND = [sys.executable, "-c", "from pinnsolve.cli import main; main()"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with one problem file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rod.py").write_text(PROBLEM)
    return tmp_path


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the rod was solved; not to be changed."""
    place = tmp_path_factory.mktemp("solved")
    (place / "rod.py").write_text(PROBLEM)
    done = run("solve", str(place / "rod.py"), "--out", str(place / "run"), "--set", "source=400")
    assert done.exit_code == 0, done.output
    return place


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def names(place: Path) -> set[str]:
    return {item.name for item in place.iterdir()}


def error_of(done: Result) -> str:
    """Return the one line on stderr of a command that refused its input."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_list_has_one_line_for_every_problem() -> None:
    done = run("list")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(shipped_problems())
    assert all(len(line.split()) > 3 for line in done.stdout.splitlines())


def test_solve_writes_everything(solved: Path) -> None:
    place = solved / "run"
    assert names(place) == FILES
    document = json.loads((place / "result.json").read_text())
    assert document["verdict"]["trusted"] is True
    assert document["parameters"] == {"source": 400.0, "length": 1.0, "fine": False, "parts": 1}
    assert document["origin"] == str(solved / "rod.py")
    (quantity,) = document["quantities"]
    assert quantity["target"] == 50.0
    assert quantity["relative_error"] < 1e-3
    assert document["exact"]["relative_l2"]["temperature"] < 1e-3
    assert document["reference"]["relative_l2"]["temperature"] < 1e-3
    assert "Trusted" in (place / "report.html").read_text()
    assert "temperature" in meshio.read(place / "solution.vtu").point_data


FRONT = '''
import pinnsolve as ps


def front(strength: float = 1.0, end: float = 1.0) -> ps.Problem:
    """A reaction that spreads."""

    def equations(f, x, m):
        return ps.dt(f.u) - ps.laplacian(f.u) - m.strength * f.u * (1.0 - f.u)

    return ps.Problem(
        name="front",
        domain=ps.Interval(0.0, 1.0),
        physics=ps.CustomPhysics({"u": ()}, equations, parameters={"strength": strength}),
        conditions=[
            ps.Dirichlet("left", u=1.0),
            ps.Dirichlet("right", u=0.0),
            ps.Initial(u=lambda x: 1.0 - x.x),
        ],
        time=ps.TimeInterval(0.0, end),
        accuracy=1e-2,
        description="a reaction that spreads",
    )
'''


def test_continuation_and_slabs(folder: Path) -> None:
    """Both are in the command that the result names; the report is made again from the file."""
    (folder / "front.py").write_text(FRONT)
    target = str(folder / "front.py")
    common = ("solve", target, "--no-reference", "--set", "end=0.4")
    for words in (("--through", "strength=1,4", "--set", "strength=9"), ("--slabs", "2")):
        done = run(*common, *words, "--out", "out")
        assert done.exit_code == 0, done.output
        document = json.loads((folder / "out" / "result.json").read_text())
        assert f"{words[0]} {words[1]}" in document["command"]
        assert run("report", "out").exit_code == 0
    assert document["network"].startswith("TimeSlabs(")
    assert "u across the edges of the slabs" in {c["name"] for c in document["verdict"]["checks"]}


def test_continuation_and_slabs_refuse_what_they_cannot_do() -> None:
    words = ("solve", "rod.py", "--slabs", "2")
    assert "time slabs: problem 'rod' is steady" in error_of(run(*words))
    assert "exclude each other; keep one" in error_of(run(*words, "--through", "source=1"))
    for bad in ("source", "source=", "=1", "source=1,,2"):
        assert "--through needs NAME=VALUE" in error_of(run("solve", "rod.py", "--through", bad))
    assert "no parameter 'sauce'" in error_of(run("solve", "rod.py", "--through", "sauce=1"))


def test_energy_by_a_meter_of_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--energy must be estimate" in error_of(run("solve", "rod.py", "--energy", "guess"))
    assert "ISO code" in error_of(run("solve", "rod.py", "--energy", "codecarbon:France"))
    monkeypatch.setattr("pinnsolve.energy.find_spec", lambda _: None)
    words = ("solve", "rod.py", "--energy", "codecarbon")
    assert "pip install 'pinnsolve[track]'" in error_of(run(*words))


def test_continuation_slabs_and_library_are_for_one_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    for words in (("--slabs", "2"), ("--through", "source=1"), ("--library", "solved")):
        assert "torchrun started 2" in error_of(run("solve", "rod.py", *words))


def test_solve_prints_tables_and_files(solved: Path) -> None:
    done = run("solve", "rod.py", "--seed", "1")
    assert done.exit_code == 0
    assert done.stderr == ""
    for words in ("T(middle)", "temperature against the reference", "pass", "Trusted.", "steps in"):
        assert words in done.stdout
    assert done.stdout.splitlines()[-4:] == [
        f"runs/rod/{name}" for name in sorted(FILES, key=order)
    ]


def order(name: str) -> int:
    return ["solution.h5", "solution.vtu", "result.json", "report.html"].index(name)


def test_not_trusted_has_status_1(folder: Path) -> None:
    """However good the solution: it is held to a target that it rightly misses."""
    wrong = PROBLEM.replace("target=source * length**2 / 8", "target=99.0, tolerance=0.5")
    assert wrong != PROBLEM
    (folder / "rod.py").write_text(wrong)
    done = run("solve", "rod.py", "--accuracy", "1e-6", "--max-seconds", "9", "--no-reference")
    assert done.exit_code == 1
    assert "Not trusted." in done.stdout
    assert "no independent reference: not asked for" in done.stdout
    document = json.loads(Path("runs/rod/result.json").read_text())
    assert document["accuracy"] == 1e-6
    assert document["reference"] is None
    failed = [item["name"] for item in document["verdict"]["checks"] if not item["passed"]]
    assert failed == ["T(middle)"]


def test_json_is_all_there_is_on_stdout() -> None:
    done = run("solve", "rod.py", "--json", "--out", "there", "--precision", "float64")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads(Path("there/result.json").read_text())
    assert json.loads(done.stdout)["precision"] == "float64"


def test_same_seed_gives_the_same_numbers(solved: Path) -> None:
    run("solve", "rod.py", "--set", "source=400", "--out", "again")
    first, again = (
        json.loads((p / "result.json").read_text()) for p in (solved / "run", Path("again"))
    )
    for key in ("quantities", "verdict", "exact", "reference", "loss", "steps"):
        assert again[key] == first[key]


def test_report_is_rebuilt_from_the_folder_alone(solved: Path) -> None:
    before = (solved / "run" / "report.html").read_text()
    (solved / "run" / "report.html").unlink()
    done = run("report", str(solved / "run"))
    assert done.exit_code == 0
    assert done.stdout.strip() == str(solved / "run" / "report.html")
    assert (solved / "run" / "report.html").read_text() == before


def test_command_in_the_file_solves_it_again(solved: Path) -> None:
    words = read_companions(solved / "run" / "solution.h5").command.split()
    assert words[:3] == ["pinnsolve", "solve", str(solved / "rod.py")]
    assert run(*words[1:], "--out", "again").exit_code == 0
    again = json.loads(Path("again/result.json").read_text())
    assert again["loss"] == json.loads((solved / "run" / "result.json").read_text())["loss"]


def test_report_says_that_the_problem_file_is_gone(folder: Path) -> None:
    run("solve", "rod.py", "--max-seconds", "0.2", "--no-reference")
    (folder / "rod.py").unlink()
    assert "no such file" in error_of(run("report", "runs/rod"))


@pytest.mark.parametrize("name", ["rod.py", "nafems_t4", "cooling_plate"])
def test_show_prints_and_draws(name: str) -> None:
    done = run("show", name, "--out", "picture.png")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "picture.png"
    for words in ("Dirichlet", "interior", "temperature", "scale"):
        assert words in done.stdout
    assert Path("picture.png").read_bytes().startswith(b"\x89PNG")


def test_show_draws_beside_the_results() -> None:
    assert run("show", "rod.py").exit_code == 0
    assert names(Path("runs/rod")) == {"problem.png"}


@pytest.mark.parametrize("command", ["solve", "show"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nafems_t5"], "no shipped problem 'nafems_t5'. .*Did you mean 'nafems_t4'"),
        (["other.py"], "no such file: other.py"),
        (["rod.py", "--set", "sorce=1"], "no parameter 'sorce'.*Did you mean 'source'"),
        (["rod.py", "--set", "source=much"], "source must be a number, got 'much'"),
        (["rod.py", "--set", "parts=1.5"], "parts must be a number, got '1.5'"),
        (["rod.py", "--set", "fine=perhaps"], "fine must be true or false, got 'perhaps'"),
        (["rod.py", "--set", "source"], "--set needs NAME=VALUE, got 'source'"),
        (["rod.py", "--set", "source=1", "--set", "source=2"], "gives 'source' twice"),
        (["rod.py", "--set", "length=-1"], "Interval must have start < end"),
    ],
)
def test_bad_problems_are_refused(
    folder: Path, command: str, words: list[str], message: str
) -> None:
    assert re.search(message, error_of(run(command, *words)))
    assert names(folder) == {"rod.py"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--precision", "float16"],
            "precision must be one of auto, float64, float32, bf16-mixed, fp16-mixed, got",
        ),
        (["--device", "abacus"], "no such device: 'abacus'"),
        (["--max-seconds", "0"], "max_seconds must be finite and > 0"),
        (["--max-seconds", "nan"], "max_seconds must be finite and > 0"),
        (["--accuracy", "7"], "accuracy is a relative error between"),
        (["--out", "rod.py"], "rod.py: cannot be written to"),
        (["--out", "rod.py/run"], "rod.py/run: cannot be written to"),
    ],
)
def test_bad_options_of_solve_are_refused(folder: Path, words: list[str], message: str) -> None:
    assert message in error_of(run("solve", "rod.py", *words))
    assert names(folder) == {"rod.py"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def rod(:\n", "SyntaxError"),
        ("import nowhere_to_be_found\n", "ModuleNotFoundError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit(0)\n", "SystemExit"),
        ("x = 1\n", r"needs one function `def rod(...) -> ps.Problem`; found no function"),
        ("def a(): ...\ndef b(): ...\n", "found a, b"),
        ("def rod(): return 3\n", "must return a Problem, got int"),
        ("def rod(): return {}['key']\n", "rod() raised KeyError: 'key'"),
        ("def rod(size): return size\n", "rod() raised TypeError"),
    ],
)
def test_bad_problem_files_are_refused(folder: Path, text: str, message: str) -> None:
    (folder / "rod.py").write_text(text)
    line = error_of(run("solve", "rod.py"))
    assert "rod.py: " in line
    assert message in line
    assert names(folder) <= {"rod.py", "__pycache__"}


def test_picture_of_another_kind_is_refused(folder: Path) -> None:
    assert "must end with .png" in error_of(run("show", "rod.py", "--out", "picture.jpg"))
    assert names(folder) == {"rod.py"}


def test_problem_without_scale_leaves_nothing_behind(folder: Path) -> None:
    line = error_of(run("solve", "rod.py", "--set", "source=0"))
    assert "the size of 'temperature' follows from nothing" in line
    assert names(folder) == {"rod.py"}


@pytest.mark.parametrize("content", [None, b"text", "other"])
def test_report_of_something_else_is_refused(folder: Path, content: object) -> None:
    (folder / "run").mkdir()
    path = folder / "run" / "solution.h5"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "other":
        with h5py.File(path, "w") as file:
            file["a"] = 1.0
    before = names(folder / "run")
    message = {
        None: "there is no such file",
        b"text": "not an HDF5 file",
        "other": "not a saved solution",
    }
    assert message[content] in error_of(run("report", "run"))
    assert names(folder / "run") == before


def test_report_of_a_solution_made_in_a_script_is_refused(folder: Path) -> None:
    import pinnsolve as ps

    namespace: dict[str, object] = {}
    exec(PROBLEM, namespace)
    problem = namespace["rod"]()  # type: ignore[operator]
    (folder / "run").mkdir()
    ps.solve(problem, ps.Method(max_steps=1), reference=False).save("run/solution.h5")
    assert "solved in a script" in error_of(run("report", "run"))


def subprocess_of(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["solve", "nafems_t5"], 2, "error: no shipped problem 'nafems_t5'."),
        (["solve", "rod.py", "--acuracy", "1"], 2, "error: No such option: --acuracy"),
    ],
)
def test_bad_input_of_a_process(words: list[str], status: int, message: str) -> None:
    process = subprocess_of(*words)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1


def test_process_that_solves() -> None:
    process = subprocess_of("solve", "rod.py", "--verbose", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["verdict"]["trusted"] is True
    assert err.startswith("step 1  loss ")


def test_interrupted_process_writes_what_it_has() -> None:
    words = ["solve", "heat_rod", "--accuracy", "2e-12", "--max-seconds", "100", "--verbose"]
    process = subprocess_of(*words)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("step 1 ")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=40)
    except subprocess.TimeoutExpired:  # it was lost once, on a loaded machine; why is not known
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert names(Path("runs/heat_rod")) == FILES
    document = json.loads(Path("runs/heat_rod/result.json").read_text())
    assert document["status"]["reason"] == "interrupted"
    assert document["steps"] >= 1
    assert "interrupted; this is the last good state" in out


def test_checkpoint_is_written_and_gone_on_from() -> None:
    words = ["solve", "rod.py", "--no-reference", "--checkpoint", "c.h5", "--json"]
    first = run(*words)
    assert first.exit_code == 0
    before = Path("c.h5").read_bytes()
    again = run(*words)
    assert Path("c.h5").read_bytes() == before
    one, two = (json.loads(done.stdout) for done in (first, again))
    for key in ("quantities", "verdict", "exact", "loss", "steps"):
        assert one[key] == two[key]
    refusal = error_of(run(*words, "--seed", "1", "--out", "there"))
    assert "c.h5: the checkpoint of another run: the seed was 0 and is now 1" in refusal
    assert not Path("there").exists()
    message = "there is no folder no; create it first"
    assert message in error_of(run("solve", "rod.py", "--checkpoint", "no/c.h5"))
