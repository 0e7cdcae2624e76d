"""Checkpoints: a run that was stopped anywhere goes on to bitwise the same result; no other file is taken."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.fingerprint import declared, first_difference
from pinnsolve.optimise import Adam, GaussNewton, HandOver, Ladder, Schedule, Stage
from pinnsolve.optimise.first_order import AdamState
from pinnsolve.optimise.mixed import loss_and_gradient
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT64
from pinnsolve.optimise.schedule import OptimiserState
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import System
from pinnsolve.training import Trained, prepare, train, trunk
from pinnsolve.training.checkpoint import read_checkpoint, write_checkpoint
from pinnsolve.training.frozen_values import classes_of, put_together, take_apart
from pinnsolve.training.journal import Reached

TRUNK = ps.Method(hidden=(5, 4), points=ps.PointCounts(40, 24), max_steps=12, resample_every=3)
"""Long enough for the estimate of the error, which looks ten steps back."""

MIXED = replace(TRUNK, precision="bf16-mixed", max_seconds=1e4)

ADAM = Schedule(
    (
        Stage(Adam(policy=BF16_MIXED, updates_per_step=3), BF16_MIXED, HandOver(share=0.4)),
        Stage(GaussNewton(), FLOAT64),
    )
)

BRIEF = replace(TRUNK, max_steps=5)

GROWTH = ps.Method(trunk="random", max_features=500, max_seconds=1e4)

BOTH = ps.Method(max_features=500, points=ps.PointCounts(40, 24), max_steps=7, max_seconds=1e4)


class Killed(Exception):  # noqa: N818 - not an error
    """Raised by an observer; training knows nothing of it, as it knows nothing of a kill."""


def rod(conductivity: object = 2.0, source: object = 3.0, **options: object) -> ps.Problem:
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)]
    heat = ps.Heat(conductivity=conductivity, source=source)
    return ps.Problem(
        "rod", ps.Interval(0.0, 2.0), heat, **{"conditions": ends, "accuracy": 1e-11, **options}
    )


def curved(**options: object) -> ps.Problem:
    """Not linear, and too wavy for the first features."""
    return rod(lambda T, x: 1.0 + 0.1 * T, lambda x: 500.0 * ps.sin(60.0 * x.x), **options)


def straight() -> ps.Problem:
    """The same, but linear."""
    return rod(2.0, lambda x: 500.0 * ps.sin(60.0 * x.x))


def inverse() -> ps.Problem:
    readings = ps.Measurements([[0.5], [1.0]], {"temperature": [3.1, 4.4]}, sigma=0.1)
    unknown = ps.Unknown("k", initial=1.0, bounds=(0.1, 10.0))
    return rod(unknown, measurements=readings)


def closed_flow() -> ps.Problem:
    """A field whose level is free, and a network of several outputs in time."""
    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.5))
    walls = [ps.NoSlip(part) for part in domain.parts if part != "top"]
    lid = ps.Dirichlet("top", velocity=[1.0, 0.0])
    return ps.Problem(
        "lid",
        domain,
        ps.NavierStokes(density=1.0, dynamic_viscosity=0.1),
        [*walls, lid, ps.Initial(velocity=[0.0, 0.0])],
        time=ps.TimeInterval(0.0, 2.0),
    )


TRUNKS: dict[str, tuple[Callable[[], ps.Problem], ps.Method]] = {
    "Gauss-Newton": (curved, TRUNK),
    "float32": (curved, replace(BRIEF, precision="float32")),
    "ladder": (curved, replace(BRIEF, optimiser=Ladder())),
    "SOAP, then Gauss-Newton": (curved, MIXED),
    "Adam, then Gauss-Newton": (curved, replace(BRIEF, optimiser=ADAM, max_seconds=1e4)),
    "refusals": (curved, replace(BRIEF, optimiser=GaussNewton(max_trials=1), resample_every=0)),
    "unknown": (inverse, BRIEF),
    "range": (lambda: rod(ps.Range("k", 1.0, 3.0)), BRIEF),
    "flow": (
        closed_flow,
        replace(TRUNK, points=ps.PointCounts(40, 30, 20), max_steps=2, resample_every=2),
    ),
    "exact values": (curved, replace(BRIEF, boundary="exact")),
}


def facts(trained: Trained) -> dict[str, object]:
    """Return all of a run that has no time in it."""
    solution = trained.solution
    record: RunRecord = replace(
        solution.record,
        seconds=0.0,
        history=tuple(replace(step, seconds=0.0) for step in solution.record.history),
        rungs=tuple(replace(rung, seconds=0.0) for rung in solution.record.rungs),
    )
    return {
        "theta": trained.theta.tolist(),
        "rows": trained.system.residual(trained.theta).tolist(),
        "parameters": solution.parameters.tolist(),
        "estimates": solution.estimates,
        "levels": solution.levels,
        "record": record,
    }


def stopping_at(step: int) -> Callable[[StepRecord], None]:
    def observer(record: StepRecord) -> None:
        if record.step == step:
            raise Killed

    return observer


def kill_after_every_step(problem: ps.Problem, method: ps.Method, path: Path) -> Trained:
    """Return what a run comes to that is killed after every single step."""

    def observer(record: StepRecord) -> None:
        raise Killed

    for _ in range(method.max_steps):
        with pytest.raises(Killed):
            train(problem, method, checkpoint=path, checkpoint_seconds=0.0, observer=observer)
        if len(json_of(path)["reached"]["fields"]["history"]) == method.max_steps:
            break
    return train(problem, method, checkpoint=path)


def json_of(path: Path) -> dict[str, dict[str, dict[str, list[object]]]]:
    with h5py.File(path) as file:
        return json.loads(file["text"][...].tobytes())


@pytest.mark.parametrize("name", TRUNKS)
def test_killed_after_every_step_of_the_trunk(name: str, tmp_path: Path) -> None:
    make, method = TRUNKS[name]
    whole = train(make(), method)
    assert whole.solution.record.num_steps == method.max_steps
    pieces = kill_after_every_step(make(), method, tmp_path / "c.h5")
    assert facts(pieces) == facts(whole)


def test_killed_where_points_become_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do if losses on new points no longer fall, here whether or not the old ones are fitted by heart."""
    monkeypatch.setattr(trunk, "_BY_HEART", 1e9)
    method = replace(TRUNK, points=None, resample_every=1)
    whole = train(curved(), method)
    first, last = prepare(curved(), method, seed=0)[0].block_sizes, whole.system.block_sizes
    assert last["interior"] >= 2 * first["interior"]
    pieces = kill_after_every_step(curved(), method, tmp_path / "c.h5")
    assert facts(pieces) == facts(whole)


def test_refusals_were_among_them() -> None:
    make, method = TRUNKS["refusals"]
    accepted = [step.accepted for step in train(make(), method).solution.record.history]
    assert True in accepted
    assert False in accepted


@pytest.mark.parametrize(
    ("make", "method"),
    [(straight, GROWTH), (curved, BOTH)],
    ids=["linear growth", "growth that is not linear, and trunk"],
)
def test_killed_at_any_step_of_growth(
    make: Callable[[], ps.Problem], method: ps.Method, tmp_path: Path
) -> None:
    """Training goes back to the beginning of the stage."""
    problem = make()
    whole = train(problem, method)
    expected, steps = facts(whole), whole.solution.record.num_steps
    assert steps >= 3
    for step in range(1, steps + 1):
        path = tmp_path / f"{step}.h5"
        stop = stopping_at(step)
        with pytest.raises(Killed):
            train(problem, method, checkpoint=path, checkpoint_seconds=0.0, observer=stop)
        assert facts(train(problem, method, checkpoint=path)) == expected


def test_seconds_go_on(tmp_path: Path) -> None:
    path, stop = tmp_path / "c.h5", stopping_at(5)
    with pytest.raises(Killed):
        train(curved(), TRUNK, checkpoint=path, checkpoint_seconds=0.0, observer=stop)
    record = train(curved(), TRUNK, checkpoint=path).solution.record
    seconds = [step.seconds for step in record.history]
    assert seconds == sorted(seconds)
    assert record.seconds >= seconds[-1]


def test_interrupted_run_goes_on(tmp_path: Path) -> None:
    """Ctrl-C writes the state, however long ago it was written before."""

    def observer(record: StepRecord) -> None:
        if record.step == 4:
            raise KeyboardInterrupt

    path = tmp_path / "c.h5"
    first = train(curved(), TRUNK, checkpoint=path, observer=observer)
    assert first.solution.status.reason is ps.StopReason.INTERRUPTED
    assert facts(train(curved(), TRUNK, checkpoint=path)) == facts(train(curved(), TRUNK))


@pytest.mark.parametrize("method", [TRUNK, GROWTH, BOTH])
def test_finished_run_returns_at_once(method: ps.Method, tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    first = train(curved(), method, checkpoint=path)
    before = path.read_bytes()
    again = train(curved(), method, checkpoint=path, observer=stopping_at(1))
    assert facts(again) == facts(first)
    assert again.solution.record.history == first.solution.record.history
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["c.h5"]


def test_run_out_of_time_goes_on_with_more(tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    short = train(curved(), replace(TRUNK, max_seconds=1e-3), checkpoint=path)
    assert short.solution.status.reason is ps.StopReason.MAX_SECONDS
    again = train(curved(), replace(TRUNK, max_seconds=1e-3), checkpoint=path)
    assert facts(again) == facts(short)
    assert facts(train(curved(), TRUNK, checkpoint=path)) == facts(train(curved(), TRUNK))


def test_solve_takes_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    solutions = [ps.solve(rod(), TRUNK, checkpoint=str(path), progress=False) for _ in range(2)]
    assert torch.equal(solutions[0].parameters, solutions[1].parameters)
    assert solutions[0].verdict == solutions[1].verdict


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a finished run; not to be changed."""
    path = tmp_path_factory.mktemp("finished") / "c.h5"
    train(rod(), TRUNK, checkpoint=path)
    return path


OTHERS: list[tuple[dict[str, object], str]] = [
    ({"seed": 1}, "the seed was 0 and is now 1"),
    ({"method": replace(TRUNK, max_steps=13)}, "Method.max_steps was 12 and is now 13"),
    ({"method": replace(TRUNK, hidden=(5, 5))}, r"Method.hidden was \(5, 4\) and is now \(5, 5\)"),
    (
        {"method": replace(TRUNK, optimiser=GaussNewton(shrink=0.5))},
        r"Method.optimiser was .*shrink=0.333.* and is now .*shrink=0.5",
    ),
    ({"problem": replace(rod(), name="bar")}, "the problem was rod and is now bar"),
    ({"problem": rod(accuracy=1e-3)}, "the accuracy was 1e-11 and is now 0.001"),
    ({"problem": rod(2.1)}, "the equation energy of interior was "),
    ({"problem": rod(source=lambda x: 3.0 + 1e-3 * x.x)}, "the equation energy of interior was "),
    ({"problem": rod(ps.Range("k", 1.0, 3.0))}, "the coordinates was x and is now x, k"),
    ({"problem": inverse()}, "the unknowns was none and is now Unknown"),
    (
        {"problem": rod(conditions=[ps.Dirichlet(p, temperature=1.0) for p in ("left", "right")])},
        "the equation temperature of right: Dirichlet temperature was ",
    ),
]


@pytest.mark.parametrize(("change", "message"), OTHERS)
def test_checkpoint_of_another_run_is_refused(
    finished: Path, change: dict[str, object], message: str
) -> None:
    run = {"problem": rod(), "method": TRUNK, **change}
    with pytest.raises(ValueError, match=rf"c\.h5: the checkpoint of another run: {message}"):
        train(**run, checkpoint=finished)
    with pytest.raises(ValueError, match="repeat that run, or delete it to begin anew"):
        train(**run, checkpoint=finished)


def test_same_declaration_has_the_same_fingerprint() -> None:
    """Functions are compared by what they do."""
    assert first_difference(declared(curved()), declared(curved())) is None
    assert first_difference(declared(inverse()), declared(inverse())) is None


def test_other_data_have_another_fingerprint() -> None:
    one = inverse()
    assert one.measurements is not None
    noisier = replace(one, measurements=replace(one.measurements, sigma=0.2))
    assert first_difference(declared(one), declared(noisier)) == "the noise of the measurements"
    values = {"temperature": [3.1, 4.5]}
    other = replace(one, measurements=replace(one.measurements, values=values))
    what = first_difference(declared(one), declared(other))
    assert what == "the equation temperature of measurements"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_cut_off_file_is_refused(finished: Path, tmp_path: Path, share: float) -> None:
    content = finished.read_bytes()
    refused(tmp_path, content[: int(share * len(content))], "not a checkpoint, or damaged")


def test_flipped_bits_are_refused_or_do_no_harm(finished: Path, tmp_path: Path) -> None:
    """Wherever they are: what is read is what was written, or nothing is."""
    content, path = finished.read_bytes(), tmp_path / "c.h5"
    expected = facts(train(rod(), TRUNK, checkpoint=finished))
    places = np.random.default_rng(0).integers(0, len(content), 60)
    harmless = 0
    for place in places.tolist():
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            assert facts(train(rod(), TRUNK, checkpoint=path)) == expected
            harmless += 1
        except ValueError as error:
            assert "c.h5: " in str(error)  # noqa: PT017
    assert harmless < len(places) // 2


@pytest.mark.parametrize("content", [b"", b"text"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, "not a checkpoint, or damaged .*; delete it to begin anew")


def test_saved_solutions_are_refused(tmp_path: Path) -> None:
    train(rod(), TRUNK).solution.save(tmp_path / "c.h5")
    content = (tmp_path / "c.h5").read_bytes()
    refused(tmp_path, content, "an HDF5 file, but not a checkpoint")


def test_newer_formats_are_refused(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "c.h5").write_bytes(finished.read_bytes())
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        file.attrs["version"] = 99
    content = (tmp_path / "c.h5").read_bytes()
    refused(tmp_path, content, "a checkpoint in format 99, this pinnsolve reads 2")


def refused(folder: Path, content: bytes, message: str) -> None:
    path = folder / "c.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"c\.h5: {message}"):
        train(rod(), TRUNK, checkpoint=path)
    assert path.read_bytes() == content


def test_places_where_nothing_can_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, message in [
        (tmp_path / "no" / "c.h5", "there is no folder"),
        (tmp_path / "file" / "c.h5", "there is no folder"),
        (tmp_path, "a folder; name a file"),
        (Path("/proc/c.h5"), "no checkpoint can be written there"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(rod(), TRUNK, checkpoint=path, observer=stopping_at(1))


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_intervals_that_are_none_are_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ValueError, match="checkpoint_seconds must be finite and >= 0, got"):
        train(rod(), TRUNK, checkpoint=tmp_path / "c.h5", checkpoint_seconds=seconds)


@dataclass(frozen=True)
class Count:
    """A part of a state that only its optimiser knows."""

    steps: int
    seen: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True)
class OwnState(AdamState):
    """A state with a part."""

    count: Count | dict[str, int] = Count(0)


@dataclass(frozen=True)
class Own:
    """Gradient descent that counts its steps, and remembers where it was."""

    part: object = Count

    def init(self, system: System, theta: torch.Tensor, reduction: Reduction = ALONE) -> OwnState:
        state = Adam().init(system, theta, reduction)
        return OwnState(theta, state.loss, state.first, state.second, state.scales)

    def step(self, system: System, state: OwnState, reduction: Reduction = ALONE) -> OwnState:
        if self.part is not Count:
            return replace(state, count={"steps": 1})
        count = Count(state.count.steps + 1, (*state.count.seen[-2:], state.theta))
        at = loss_and_gradient(system, state.theta, FLOAT64, state.scales)
        theta = state.theta - 1e-6 * count.steps * at.value
        return replace(state, theta=theta, loss=at.loss, count=count)


def test_own_optimisers_go_on_too(tmp_path: Path) -> None:
    method = replace(BRIEF, optimiser=Own())
    pieces = kill_after_every_step(curved(), method, tmp_path / "c.h5")
    assert facts(pieces) == facts(train(curved(), method))


def test_own_states_that_no_file_can_hold_are_refused(tmp_path: Path) -> None:
    method = replace(BRIEF, optimiser=Own(part=None))
    with pytest.raises(ValueError, match="of class dict cannot be kept in a checkpoint"):
        train(rod(), method, checkpoint=tmp_path / "c.h5", checkpoint_seconds=0.0)


class Unnamed:
    """An optimiser that does not say what its state is."""

    def init(
        self, system: System, theta: torch.Tensor, reduction: Reduction = ALONE
    ) -> OptimiserState:
        return GaussNewton().init(system, theta, reduction)

    def step(self, system, state, reduction=ALONE):
        return GaussNewton().step(system, state, reduction)


def test_optimisers_with_unknown_states_are_refused(tmp_path: Path) -> None:
    method = replace(TRUNK, optimiser=Unnamed())
    with pytest.raises(ValueError, match="the class of Unnamed's state: annotate the result"):
        train(rod(), method, checkpoint=tmp_path / "c.h5")


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond a kilobyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_stops_no_run(tmp_path: Path) -> None:
    path = tmp_path / "c.h5"
    with full_disk():
        solution = train(rod(), TRUNK, checkpoint=path, checkpoint_seconds=0.0).solution
    assert torch.equal(solution.parameters, train(rod(), TRUNK).solution.parameters)
    assert solution.status.reason is ps.StopReason.MAX_STEPS
    assert "the checkpoint could not be written, there is none" in solution.status.message
    assert "c.h5: cannot be written (File too large)" in solution.status.message
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_up_keeps_the_older_checkpoint(tmp_path: Path) -> None:
    path, limit = tmp_path / "c.h5", full_disk()

    def observer(record: StepRecord) -> None:
        if record.step == 6:
            limit.__enter__()

    try:
        options = {"checkpoint": path, "checkpoint_seconds": 0.0}
        solution = train(rod(), TRUNK, observer=observer, **options).solution
    finally:
        limit.__exit__(None, None, None)
    assert "could not be written, an older one is there" in solution.status.message
    assert len(json_of(path)["reached"]["fields"]["history"]) == 6
    assert facts(train(rod(), TRUNK, checkpoint=path)) == facts(train(rod(), TRUNK))


def test_disk_that_has_room_again_is_no_matter(tmp_path: Path) -> None:
    limit = full_disk()

    def observer(record: StepRecord) -> None:
        if record.step == 3:
            limit.__enter__()
        if record.step == 5:
            limit.__exit__(None, None, None)

    options = {"checkpoint": tmp_path / "c.h5", "checkpoint_seconds": 0.0}
    message = train(rod(), TRUNK, observer=observer, **options).solution.status.message
    assert "checkpoint" not in message


def test_layout_of_tensors_is_kept(tmp_path: Path) -> None:
    """Bit by bit, not a number or zero with a sign among them."""
    columns = torch.randn(4, 3, 2, dtype=torch.float64).permute(2, 0, 1)
    state = (columns, torch.tensor([float("nan"), -0.0, float("inf")], dtype=torch.float32))
    more = (torch.zeros(0, 3), torch.tensor(2.0), torch.ones(1).expand(5), torch.arange(3))
    step = StepRecord(1, 0.1 + 0.2, float("inf"), float("nan"), -0.0, False)
    reached = Reached(history=(step, (*state, *more)))
    write_checkpoint(tmp_path / "c.h5", reached, {})
    again = read_checkpoint(tmp_path / "c.h5", {}, classes_of(Reached))
    read, values = again.history
    assert repr(read) == repr(step)
    assert [v.stride() for v in values[:2]] == [v.stride() for v in state]
    for old, new in zip((*state, *more), values, strict=True):
        assert old.dtype == new.dtype
        assert old.contiguous().numpy().tobytes() == new.contiguous().numpy().tobytes()


def test_only_named_classes_are_made() -> None:
    item = take_apart(HandOver(), [])
    assert put_together(item, [], {"HandOver": HandOver}) == HandOver()
    with pytest.raises(KeyError, match="HandOver"):
        put_together(item, [], classes_of(StepRecord))


def test_values_that_no_file_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="of class dict cannot be kept in a checkpoint"):
        take_apart(({},), [])
