"""References kept between runs: the same numbers come back, and only for the declaration that they are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import meshio
import numpy as np
import pytest
from typer.testing import CliRunner

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.cli import app
from pinnsolve.reference import NoReference, Reference, find
from pinnsolve.reference.folder import file_of, keep, kept
from pinnsolve.reference.reference import Reference as Plain


def plate(conductivity: float = 2.0, top: float = 3.0) -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.8))
    sides = [ps.Dirichlet(side, temperature=0.0) for side in ("left", "right", "bottom")]
    return ps.Problem(
        "plate",
        domain,
        ps.Heat(conductivity, source=lambda x: ps.sin(x.x)),
        [*sides, ps.Neumann("top", temperature=lambda x: top * x.x)],
        accuracy=1e-2,
    )


def layers() -> ps.Problem:
    def conductivity(temperature: ps.Jet, x: ps.Coordinates) -> ps.Jet:
        return ps.where(x.x.value < 0.3, 1.0, 5.0, frame=x.frame)

    ends = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)]
    return ps.Problem("layers", ps.Interval(0.0, 1.0), ps.Heat(conductivity), ends)


def ring_flow() -> ps.Problem:
    """Unsteady, periodic, with a level of pressure that nothing sets."""

    def start(x: ps.Coordinates) -> list[ps.Jet]:
        return [ps.sin(6.283185307179586 * x.y), 0.0 * x.x]

    return ps.Problem(
        "ring flow",
        ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        ps.NavierStokes(1.0, 0.1),
        [ps.Periodic("left", "right"), ps.Periodic("bottom", "top"), ps.Initial(velocity=start)],
        time=ps.TimeInterval(0.0, 0.1),
        accuracy=5e-2,
    )


def strip(path: Path, columns: tuple[float, ...]) -> ps.Mesh:
    """Return [0, 2] x [0, 1], cut into quadrilaterals at some places."""
    nodes = np.array([[x, y, 0.0] for x in columns for y in (0.0, 1.0)])
    quads = np.array([[2 * i, 2 * i + 2, 2 * i + 3, 2 * i + 1] for i in range(len(columns) - 1)])
    meshio.write_points_cells(path, nodes, [("quad", quads)])
    return ps.Mesh.from_file(path, boundary="edge")


def meshed(path: Path, columns: tuple[float, ...] = (0.0, 1.0, 2.0)) -> ps.Problem:
    mesh = strip(path / "strip.vtu", columns)
    edge = ps.Dirichlet("edge", temperature=lambda x: x.x**2)
    return ps.Problem("meshed", mesh, ps.Heat(1.0), [edge], accuracy=0.3)


def found(problem: ps.Problem, folder: Path, **changes: object) -> Reference:
    reference = ps.find_reference(problem, cache=folder, **changes)  # type: ignore[arg-type]
    assert isinstance(reference, Reference), reference
    return reference


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the problems that were solved, one after the other."""
    names: list[str] = []
    for name in ("richardson_reference", "finite_element_reference"):
        solve = getattr(find, name)

        def watched(problem: ps.Problem, *, solve=solve, **limits: float) -> object:
            names.append(problem.name)
            return solve(problem, **limits)

        monkeypatch.setattr(find, name, watched)
    return names


@pytest.mark.parametrize("make", [plate, layers, ring_flow, meshed])
def test_the_same_numbers_come_back(make, tmp_path: Path, solves: list[str]) -> None:
    problem, same = (make(tmp_path) if make is meshed else make() for _ in range(2))
    first, second = found(problem, tmp_path), found(same, tmp_path)
    assert solves == [problem.name]
    points = problem.domain.sample_interior(50, seed=1)
    if problem.time is not None:
        points = np.column_stack((points, np.linspace(0.0, 0.1, len(points))))
    np.testing.assert_array_equal(first.evaluate(points), second.evaluate(points))
    assert second.error == first.error
    assert (second.method, second.num_unknowns) == (first.method, first.num_unknowns)
    assert "computed earlier, kept in" in second.note
    assert "computed earlier" not in first.note
    assert found(problem, tmp_path).note == second.note


@pytest.mark.parametrize("other", [plate(2.1), plate(top=3.1)], ids=["coefficient", "function"])
def test_another_declaration_has_a_file_of_its_own(
    other: ps.Problem, tmp_path: Path, solves: list[str]
) -> None:
    one = found(plate(), tmp_path).evaluate(np.array([[0.5, 0.5]]))
    assert found(other, tmp_path).evaluate(np.array([[0.5, 0.5]])) != pytest.approx(one, rel=1e-3)
    assert solves == ["plate", "plate"]
    assert len(list(tmp_path.iterdir())) == 2


def test_another_mesh_with_the_same_outline_is_another_declaration(tmp_path: Path) -> None:
    one, other = meshed(tmp_path), meshed(tmp_path, (0.0, 0.5, 2.0))
    assert file_of(tmp_path, one) != file_of(tmp_path, other)
    assert file_of(tmp_path, one) == file_of(tmp_path, meshed(tmp_path))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with h5py.File(path, "r") as file:
        place = file["fine values"].id.get_offset()
    content[place + 8] ^= 1
    path.write_bytes(bytes(content))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def replace_by_text(path: Path) -> None:
    path.write_text("no HDF5")


def replace_by_another_file(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["values"] = [1.0]


@pytest.mark.parametrize("spoil", [damage, truncate, replace_by_text, replace_by_another_file])
def test_a_damaged_file_is_computed_anew_and_said(spoil, tmp_path, solves: list[str]) -> None:
    before = found(plate(), tmp_path).evaluate(np.array([[0.5, 0.5]]))
    spoil(file_of(tmp_path, plate()))
    again = found(plate(), tmp_path)
    assert "was damaged" in again.note
    assert again.note.endswith("computed anew")
    assert again.evaluate(np.array([[0.5, 0.5]])) == pytest.approx(before, rel=1e-12)
    found(plate(), tmp_path)
    assert solves == ["plate", "plate"]


def test_the_file_of_another_declaration_is_computed_anew_and_said(tmp_path: Path) -> None:
    found(plate(2.5), tmp_path)
    file_of(tmp_path, plate(2.5)).rename(file_of(tmp_path, plate()))
    again = found(plate(), tmp_path)
    assert "was of another declaration (the equation" in again.note
    assert kept(tmp_path, plate()).reference is not None


def test_recompute_and_more_time_compute_anew(tmp_path: Path, solves: list[str]) -> None:
    found(plate(), tmp_path)
    found(plate(), tmp_path, recompute=True)
    assert solves == ["plate"] * 2
    found(plate(), tmp_path, max_seconds=100.0)
    assert solves == ["plate"] * 2, "it is as accurate as is wanted"
    rough = replace(found(plate(), tmp_path), error={"temperature": 0.1})
    keep(tmp_path, plate(), rough, 10.0)
    found(plate(), tmp_path, max_seconds=5.0)
    assert solves == ["plate"] * 2, "less time would not give a better one"
    found(plate(), tmp_path, max_seconds=20.0)
    assert solves == ["plate"] * 3


def test_nothing_is_written_without_a_folder_or_without_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(ps.find_reference(plate()), Reference)
    disk = ps.Disk((0.0, 0.0), 1.0)
    problem = ps.Problem("disk", disk, ps.Heat(1.0), [ps.Dirichlet("circle", temperature=1.0)])
    assert isinstance(ps.find_reference(problem, cache=tmp_path / "kept"), NoReference)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_said_and_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not kept:" in found(plate(), tmp_path / "file").note
    with pytest.raises(ValueError, match="references cannot be kept there"):
        ps.solve(plate(), reference=ps.ReferenceFolder(str(tmp_path / "file")))


def test_only_references_that_were_computed_here_can_be_kept(tmp_path: Path) -> None:
    own = Plain("by hand", lambda points: points[:, :1], {"temperature": 0.0}, 1, 0.0)
    with pytest.raises(ValueError, match="only references that find_reference computed"):
        keep(tmp_path, plate(), own, 1.0)


PROBLEM = """
import pinnsolve as ps


def rod() -> ps.Problem:
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)]
    return ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(1.0, source=lambda x: ps.sin(3.0 * x.x)), ends)
"""


def test_the_command_line_keeps_references_and_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solves: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rod.py").write_text(PROBLEM)
    found(make_problem("rod.py"), tmp_path / "kept" / "here")
    for extra, count in (([], 1), (["--recompute-references"], 2)):
        done = CliRunner().invoke(app, ["solve", "rod.py", "--references", "kept/here", *extra])
        assert done.exit_code == 0, done.output
        assert len(solves) == count
    assert [path.suffix for path in (tmp_path / "kept" / "here").iterdir()] == [".h5"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--recompute-references"], "needs --references DIR"),
        (["--references", "kept", "--no-reference"], "exclude each other"),
        (["--references", "rod.py"], "references cannot be kept there"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rod.py").write_text(PROBLEM)
    done = CliRunner().invoke(app, ["solve", "rod.py", *words])
    assert done.exit_code == 2
    assert text in " ".join(done.stderr.split())
