"""The suite on a Ray cluster of several nodes, here all on one machine; one of them is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pinnsolve.validation.regression.cluster import on_cluster
from pinnsolve.validation.suite import Case

SCRIPT = """
import json, sys
from pinnsolve.validation.regression.cluster import on_cluster
from pinnsolve.validation.regression.processes import Run
from pinnsolve.validation.suite import Case
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
second = cluster.add_node(num_cpus=1)
cases = [Case(**case) for case in json.loads(sys.argv[1])]
found, lost = [], []

def watch(run, document):
    if document is not None:
        found.append(document)
        if not lost:  # the other node still has runs
            lost.append(second)
            cluster.remove_node(second, allow_graceful=False)

good, crash = cases
on_cluster(cluster.address)([Run(good, 0), Run(crash, 0), Run(good, 1)], watch)
cluster.shutdown()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(rods: dict[str, Case]) -> list[dict[str, Any]]:
    """Documents of three runs on two nodes, of which one is lost once the first run has ended."""
    pytest.importorskip("ray")
    cases = [{"name": case.name, "problem": case.problem} for case in (rods["good"], rods["crash"])]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(cases)],
        check=False,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    documents: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return documents


def test_every_run_is_made_though_a_node_is_lost(found: list[dict[str, Any]]) -> None:
    keys = sorted((item["case"], item["seed"]) for item in found)
    assert keys == [("crash", 0), ("good", 0), ("good", 1)]


def test_numbers_are_those_of_one_machine(
    found: list[dict[str, Any]], measured: dict[str, dict[str, Any]]
) -> None:
    (good,) = (item for item in found if (item["case"], item["seed"]) == ("good", 0))
    assert good["error"] is None
    assert good["threads"] == 1
    for one, other in zip(good["quantities"], measured["good"]["quantities"], strict=True):
        assert one["value"] == pytest.approx(other["value"], rel=1e-12)


def test_a_crash_is_an_error_and_no_lost_worker(found: list[dict[str, Any]]) -> None:
    (crash,) = (item for item in found if item["case"] == "crash")
    assert crash["error"].startswith("ended by SIGABRT")


def test_no_cluster() -> None:
    pytest.importorskip("ray")
    with pytest.raises(ValueError, match=r"no Ray cluster at '127\.0\.0\.1:1' .*ray start --head"):
        on_cluster("127.0.0.1:1")([], lambda run, document: None)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"pip install 'pinnsolve\[cluster\]'"):
        on_cluster("auto")
