"""Folds trained on a Ray cluster of two nodes, with a DVC remote between, to the end and not."""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from trainings import (
    COMMAND,
    earlier_runs,
    forget_trainings,
    processes,
    results,
    trainings,
    wait_until,
)

from benchmarks.ray_nodes import LOOPBACK, ray_nodes

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]
# A network of which one fold fails, as one might that runs out of memory.
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
    """A cluster whose head takes no folds, and what its workers do.

    Attributes:
        ray: The cluster.
        folder: TMPDIR of the workers.
    """

    ray: Any
    folder: Path

    def trainers(self):
        """Return the trainings that run on the workers."""
        return processes(self.folder, b"stages.train")

    def lose_one_at_work(self):
        """Kill the node of a running training, and return the number of that training."""
        trainer = wait_until(self.trainers)[0]
        node = next(node for node in self.ray.worker_nodes if raylet(node) in ancestors(trainer))
        self.ray.remove_node(node, allow_graceful=False)
        return trainer


def raylet(node):
    """Return the number of the process that is a node."""
    return node.all_processes["raylet"][0].process.pid


def ancestors(process):
    """Return the numbers of all above a process."""
    found = []
    while process > 1:
        status = Path(f"/proc/{process}/status").read_text()
        process = int(re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)[1])
        found.append(process)
    return found


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Return a cluster with two workers, of two CPUs each, so that the one that stays is quick."""
    folder = tmp_path_factory.mktemp("nodes")
    with ray_nodes(2, 2, folder) as cluster:
        yield Nodes(cluster, folder)


@pytest.fixture
def sharing(clone):
    """Return a clone with a DVC remote in which no fold was trained."""
    clone.dvc("remote", "add", "--default", "store", str(clone.path.parent / "store"))
    forget_trainings(clone)
    return clone


def command(nodes):
    return (*COMMAND, "--address", nodes.ray.address)


def test_a_cluster_gives_what_one_machine_gives_though_it_loses_a_node(
    finished, sharing, start, nodes
):
    process = start(*command(nodes), **LOOPBACK)
    trainer = nodes.lose_one_at_work()
    wait_until(lambda: trainer not in nodes.trainers())
    process.wait(300)
    output = sharing.output.read_text()
    assert process.returncode == 0, output
    assert re.findall(r"^\[(\d)/4\] train: ", output, re.MULTILINE) == ["1", "2", "3", "4"]
    assert results(sharing) == results(finished)
    assert earlier_runs(sharing) == earlier_runs(finished)
    assert trainings(sharing) == trainings(finished)
    assert sharing.dvc("repro") == []
    assert nodes.trainers() == []


def test_killed_it_goes_on_with_what_is_left_and_a_fold_that_fails_stops_no_other(
    sharing, start, nodes
):
    (sharing.path / "nets/fragile.py").write_text(FRAGILE)
    own = {"architectures": {"fragile": {"file": "nets/fragile.py:Fragile"}}}
    sharing.change_params(candidates=["lenet5", "fragile", "lenet5"], build=own)
    (sharing.path / "reports/report.md").unlink()
    process = start(*command(nodes), **LOOPBACK)
    store = sharing.path.parent / "store"
    entry = wait_until(lambda: next(store.glob("runs/*/*/*"), None))
    process.kill()
    process.wait()
    wait_until(lambda: not nodes.trainers())
    done = sharing.run(*command(nodes), **LOOPBACK)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith("error: train@fragile-0-1: RuntimeError: out of memory (all of it in ")
    assert len(trainings(sharing)) == 3
    # Its times would be others had it been trained again.
    record = yaml.safe_load(entry.read_text())["outs"][1]
    content = (sharing.path / record["path"]).read_bytes()
    assert hashlib.md5(content).hexdigest() == record["md5"]
    assert not (sharing.path / "reports/report.md").exists()
