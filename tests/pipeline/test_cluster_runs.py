"""Trainings on a Ray cluster of two nodes: a killed driver, a lost node and a failed fold."""

import hashlib
import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from trainings import (
    COMMAND,
    PATIENCE_SECONDS,
    forget_trainings,
    processes,
    results,
    run_cache_keys,
    trainings,
    wait_until,
)

from benchmarks.ray_nodes import LOOPBACK, ray_nodes

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]
# A network that fails in one fold, like one that runs out of memory.
FRAGILE = """
import sys

from torch import nn


class Fragile(nn.Sequential):
    def __init__(self, channels, height, width, n_classes):
        super().__init__(nn.Flatten(), nn.Linear(channels * height * width, n_classes))

    def forward(self, images):
        if " --fold 1 " in " ".join(sys.argv):
            raise RuntimeError("out of memory")
        return super().forward(images)
"""


@dataclass
class Nodes:
    """A cluster whose head node takes no folds.

    Attributes:
        ray: The cluster.
        folder: TMPDIR of the workers.
    """

    ray: Any
    folder: Path

    def trainers(self):
        """Return the processes of trainings on the workers."""
        return processes(self.folder, b"stages.train")

    def remove_busy_node(self):
        """Kill the node of a running training; return the process of that training."""
        trainer = wait_until(self.trainers)[0]
        node = next(node for node in self.ray.worker_nodes if raylet(node) in ancestors(trainer))
        self.ray.remove_node(node, allow_graceful=False)
        return trainer


def raylet(node):
    """Return the ID of the main process of a node."""
    return node.all_processes["raylet"][0].process.pid


def ancestors(process):
    """Return the IDs of all ancestors of a process."""
    ids = []
    while process > 1:
        status = Path(f"/proc/{process}/status").read_text()
        process = int(re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)[1])
        ids.append(process)
    return ids


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Return a cluster with two workers of two CPUs each."""
    folder = tmp_path_factory.mktemp("nodes")
    with ray_nodes(2, 2, folder) as cluster:
        yield Nodes(cluster, folder)


@pytest.fixture
def sharing(clone):
    """Return a clone with a DVC remote, without trainings, and with a network that fails."""
    clone.dvc("remote", "add", "--default", "store", str(clone.path.parent / "store"))
    forget_trainings(clone)
    (clone.path / "nets/fragile.py").write_text(FRAGILE)
    own = {"architectures": {"fragile": {"file": "nets/fragile.py:Fragile"}}}
    clone.change_params(candidates=["lenet5", "fragile", "lenet5"], build=own)
    (clone.path / "reports/report.md").unlink()
    return clone


def test_a_cluster_survives_a_killed_driver_a_lost_node_and_a_failed_fold(
    finished, sharing, start, nodes
):
    """Its results are those of one machine."""
    command = (*COMMAND, "--address", nodes.ray.address)
    process = start(*command, **LOOPBACK)
    store = sharing.path.parent / "store"
    entry = wait_until(lambda: next(store.glob("runs/*/*/*"), None))
    process.kill()
    process.wait()
    wait_until(lambda: not nodes.trainers())

    process = start(*command, **LOOPBACK)
    trainer = nodes.remove_busy_node()
    wait_until(lambda: trainer not in nodes.trainers())
    assert process.wait(PATIENCE_SECONDS) == 1
    output = sharing.output.read_text()
    (error,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert error.startswith("error: train@fragile-0-1: RuntimeError: out of memory (see ")
    assert nodes.trainers() == []
    assert not (sharing.path / "reports/report.md").exists()

    assert set(trainings(sharing)) == {"train@fragile-0-0", *trainings(finished, "lenet5")}
    assert trainings(sharing, "lenet5") == trainings(finished, "lenet5")
    assert results(sharing, "lenet5") == results(finished, "lenet5")
    assert run_cache_keys(sharing, "lenet5") == run_cache_keys(finished, "lenet5")
    assert sharing.dvc("repro", "--single-item", *trainings(sharing)) == []
    # The run time in the first record shows that this fold was not trained a second time.
    record = yaml.safe_load(entry.read_text())["outs"][1]
    content = (sharing.path / record["path"]).read_bytes()
    assert hashlib.md5(content).hexdigest() == record["md5"]


def test_a_race_on_a_cluster_gives_the_results_of_one_machine(clone, nodes):
    clone.dvc("remote", "add", "--default", "store", str(clone.path.parent / "store"))
    clone.change_params(
        folds=[0, 1, 2],
        train={"epochs": 20, "learning_rate": "auto"},
        prepare={"limit": 200},
        compare={"race": True, "confidence": 0.500001, "worth": 0.0},  # so that one is stopped
    )
    result = clone.run(*COMMAND, "--address", nodes.ray.address, **LOOPBACK)
    assert result.returncode == 0, result.stderr
    assert "1 of 2 architectures go on" in result.stdout
    assert result.stdout.count(f"2 stale trainings, on {nodes.ray.address}") == 3  # of each kind
    expected = results(clone)
    statuses = [record["status"] for record in expected.values() if isinstance(record, dict)]
    assert sorted(statuses) == ["finished"] * 4 + ["stopped"] * 2
    assert clone.dvc("repro") == []

    clone.git("checkout", "--quiet", "reports", "dvc.lock")
    shutil.rmtree(clone.path / ".dvc" / "cache" / "runs")  # so that everything trains again
    clone.dvc("repro")
    assert results(clone) == expected
