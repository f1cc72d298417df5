import gzip
import inspect
import socket
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torchvision

from foldwise.core.errors import InputError
from foldwise.data import torchvision_sets as torchvision_sets
from foldwise.data.prepare import open_source
from foldwise.data.torchvision_sets import _classes, open_torchvision
from foldwise.files.catalogue import TORCHVISION_SETS

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fashion-mnist"
NOWHERE = ["http://127.0.0.1:9/"]  # the discard port: refused at once, network or not


@pytest.fixture
def idx_files(tmp_path):
    """The four .gz files of MNIST, of 12 training and 6 test images, flat in a folder."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 12), ("t10k", 6)):
        images, labels = rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10
        contents = {
            "images-idx3": struct.pack(">4i", 0x803, n, 28, 28) + images.astype(np.uint8).tobytes(),
            "labels-idx1": struct.pack(">2i", 0x801, n) + labels.astype(np.uint8).tobytes(),
        }
        for kind, content in contents.items():
            (tmp_path / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    return tmp_path


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_flat_idx_files_are_read_as_torchvision_reads_them(idx_files, name):
    source = open_source(name, str(idx_files))
    content = gzip.decompress((idx_files / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert np.asarray(source.load(13)).tobytes() == content[16 + 28 * 28 : 16 + 2 * 28 * 28]
    assert source.files[:2] == ["train/0", "train/1"]
    assert source.files[12] == "test/0"
    assert source.is_test.tolist() == [False] * 12 + [True] * 6
    assert source.labels.tolist() == [*range(10), 0, 1, *range(6)]
    assert source.classes == getattr(torchvision.datasets, name).classes
    assert len(list(idx_files.iterdir())) == 4, "the root stays as it was"


def test_files_laid_out_by_torchvision_are_read_without_a_download(idx_files, tmp_path):
    raw = tmp_path / "laid_out" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in idx_files.glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert len(open_torchvision("FashionMNIST", str(tmp_path / "laid_out")).files) == 18


def test_missing_flat_file_is_named(idx_files):
    (idx_files / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        InputError, match=r"FashionMNIST is not readable .*t10k-labels-idx1-ubyte.gz"
    ):
        open_torchvision("FashionMNIST", str(idx_files))


def test_broken_flat_file_is_an_error_of_one_line(idx_files):
    path = idx_files / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="MNIST is not readable") as caught:
        open_torchvision("MNIST", str(idx_files))
    assert len(str(caught.value).splitlines()) == 1


def test_images_and_labels_of_different_number(idx_files):
    labels = struct.pack(">2i", 0x801, 5) + bytes(5)
    (idx_files / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(InputError, match="12 images but 5 labels"):
        open_torchvision("MNIST", str(idx_files))


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


@pytest.fixture(scope="module")
def fashion_mnist():
    if not SHARED.is_dir():
        pytest.skip(f"needs the files of FashionMNIST in {SHARED}")
    return open_torchvision("FashionMNIST", str(SHARED))


def test_fashion_mnist_has_6000_training_and_1000_test_images_a_class(fashion_mnist):
    assert fashion_mnist.is_test.sum() == 10_000
    assert np.bincount(fashion_mnist.labels[~fashion_mnist.is_test]).tolist() == [6000] * 10
    assert np.bincount(fashion_mnist.labels[fashion_mnist.is_test]).tolist() == [1000] * 10


def test_fashion_mnist_has_its_published_mean_and_deviation(fashion_mnist):
    pixels = np.stack([np.asarray(fashion_mnist.load(index)) for index in range(60_000)])
    assert pixels.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert pixels.std() / 255 == pytest.approx(0.3530, abs=5e-5)
