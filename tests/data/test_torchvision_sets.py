import inspect
import socket
from types import SimpleNamespace

import numpy as np
import pytest
import torchvision

from foldwise.core.errors import InputError
from foldwise.data import torchvision_sets as torchvision_sets
from foldwise.data.torchvision_sets import _classes, open_torchvision
from foldwise.files.catalogue import TORCHVISION_SETS

NOWHERE = ["http://127.0.0.1:9/"]  # the discard port: refused at once, network or not


def test_failed_download_is_an_error_of_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", NOWHERE)
    with pytest.raises(InputError, match=r"not readable in prepare.root '.*/raw'") as caught:
        open_torchvision("FashionMNIST", str(tmp_path / "raw"))
    assert len(str(caught.value).splitlines()) == 1
    assert "connect to the network, or put the files there" in str(caught.value)


def test_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", [mirror])
        monkeypatch.setattr(torchvision_sets, "TIMEOUT_SECONDS", 0.1)
        with pytest.raises(InputError, match=r"could not be downloaded \(.*timed out\)"):
            open_torchvision("FashionMNIST", str(tmp_path))
    assert socket.getdefaulttimeout() is None


def test_root_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"CIFAR10 is not readable in prepare.root '.*/file'"):
        open_torchvision("CIFAR10", str(tmp_path / "file"))


@pytest.mark.parametrize("name", TORCHVISION_SETS)
def test_torchvision_takes_the_keywords_of_the_catalogue(name):
    parameters = inspect.signature(getattr(torchvision.datasets, name)).parameters
    for part in TORCHVISION_SETS[name]:
        assert set(part or {}) | {"root", "download"} <= set(parameters)


@pytest.mark.parametrize("name", TORCHVISION_SETS)
def test_torchvision_keeps_labels_where_we_look_for_them(name):
    kinds = inspect.getmro(getattr(torchvision.datasets, name))
    source = "".join(inspect.getsource(k) for k in kinds if "torchvision" in k.__module__)
    places = ("targets", "labels", "_labels", "y", "_samples")
    assert any(f"self.{place} =" in source or f"self.{place}:" in source for place in places) or (
        "self.data, self.targets =" in source
    )


def test_classes_without_names_are_numbered_and_the_first_of_several_names_counts():
    names, labels = _classes(object(), np.array([7, 3, 7]))
    assert (names, labels.tolist()) == (["3", "7"], [1, 0, 1])
    named = SimpleNamespace(classes=[("tench", "Tinca tinca"), "church"])
    assert _classes(named, np.array([1, 0]))[0] == ["tench", "church"]
