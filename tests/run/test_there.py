"""A cluster that cannot be used is one line, and at once."""

import importlib.util

import pytest

from foldwise.core.errors import InputError
from foldwise.run.requirements import WorkerResources

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]


@pytest.fixture
def there():
    """Return the module, which imports Ray."""
    return importlib.import_module("foldwise.run.ray")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "^--address 127.0.0.1:1: .*refused; expected HOST:PORT as"),
        ("127.0.0.1", "^--address 127.0.0.1: .*; expected HOST:PORT as"),
        ("127.0.0.1:99999", "^--address 127.0.0.1:99999: .*; expected HOST:PORT as"),
        ("ray://127.0.0.1:1", "^--address is 'ray://127.0.0.1:1'; expected HOST:PORT or auto"),
    ],
)
def test_an_address_where_no_cluster_is_fails_at_once(there, address, message):
    with pytest.raises(InputError, match=message), there.connected(address):
        pass


def test_auto_without_a_cluster_here_is_one_line(there, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # where Ray notes which one it started last
    with pytest.raises(InputError, match=r"^--address auto: "), there.connected("auto"):
        pass


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


def test_a_cluster_with_room_for_one_fold_on_one_node_is_taken(there):
    there.require_room([node(), node(CPU=4.0, GPU=1.0)], WorkerResources(threads=4, gpus=0.5))


@pytest.mark.parametrize(
    "nodes",
    [
        [node(CPU=1.0), node(CPU=1.0)],  # two in all, and none has two
        [node(CPU=1.0), node(alive=False, CPU=2.0)],
    ],
)
def test_a_cluster_on_which_no_fold_would_ever_start_is_refused(there, nodes):
    with pytest.raises(InputError, match=r"^a fold takes 2 CPUs \(hardware\.threads\) and 0 GPUs"):
        there.require_room(nodes, WorkerResources(threads=2, gpus=0))
