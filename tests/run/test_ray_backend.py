"""A cluster that cannot be used is one error line, at once."""

import importlib.util

import pytest

from foldwise.core.errors import InputError

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]


@pytest.fixture
def backend():
    """Return the module, which imports Ray."""
    return importlib.import_module("foldwise.run.ray_backend")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "^--address 127.0.0.1:1: .*refused; expected auto, or HOST:PORT"),
        ("127.0.0.1", "^--address 127.0.0.1: .*; expected auto, or HOST:PORT"),
        ("127.0.0.1:99999", "^--address 127.0.0.1:99999: .*; expected auto, or HOST:PORT"),
        ("ray://127.0.0.1:1", "^--address ray://127.0.0.1:1: .*; expected auto, or HOST:PORT"),
    ],
)
def test_an_address_without_a_cluster_fails_at_once(backend, address, message):
    with pytest.raises(InputError, match=message), backend.connect(address):
        pass


def test_auto_without_a_local_cluster_is_one_line(backend, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "RAY_TMPDIR", str(tmp_path)
    )  # where Ray records the last cluster that it started
    with pytest.raises(InputError, match=r"^--address auto: "), backend.connect("auto"):
        pass


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


def test_a_cluster_with_room_on_one_node_is_accepted(backend):
    backend.require_room([node(), node(CPU=4.0, GPU=1.0)], threads=4, gpus=0.5)


@pytest.mark.parametrize(
    "nodes",
    [
        [node(CPU=1.0), node(CPU=1.0)],  # two in all, but none has two
        [node(CPU=1.0), node(alive=False, CPU=2.0)],
    ],
)
def test_a_cluster_without_room_for_a_fold_is_rejected(backend, nodes):
    with pytest.raises(InputError, match=r"^a fold needs 2 CPUs \(hardware\.threads\) and 0 GPUs"):
        backend.require_room(nodes, threads=2, gpus=0)
