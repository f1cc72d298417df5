"""IDX files are read as torchvision reads them."""

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torchvision

from foldwise.core.errors import InputError
from foldwise.data.decode import decode_images
from foldwise.data.idx import CLASSES
from foldwise.data.pixels import PixelSettings
from foldwise.data.prepare import open_source

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fashion-mnist"


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
    assert len(open_source("FashionMNIST", str(tmp_path / "laid_out")).files) == 18


def test_missing_flat_file_is_named(idx_files):
    (idx_files / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        InputError, match=r"FashionMNIST is not readable .*t10k-labels-idx1-ubyte.gz"
    ):
        open_source("FashionMNIST", str(idx_files))


def test_broken_flat_file_is_an_error_of_one_line(idx_files):
    path = idx_files / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="MNIST is not readable") as caught:
        open_source("MNIST", str(idx_files))
    assert len(str(caught.value).splitlines()) == 1


def test_images_and_labels_of_different_number(idx_files):
    labels = struct.pack(">2i", 0x801, 5) + bytes(5)
    (idx_files / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(InputError, match="12 images but 5 labels"):
        open_source("MNIST", str(idx_files))


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_those_of_torchvision(name):
    assert CLASSES[name].split(",") == getattr(torchvision.datasets, name).classes


@pytest.mark.parametrize("part", ["train", "t10k"])
def test_a_file_of_another_kind_is_one_line(idx_files, part):
    path = idx_files / f"{part}-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">2i", 0xD01, 2) + bytes(8)))
    with pytest.raises(InputError, match=f"{path.stem} is no IDX file of bytes with 1 axes"):
        open_source("KMNIST", str(idx_files))


@pytest.mark.parametrize("name", ["digits", "MNIST"])
def test_images_in_memory_are_what_decoding_one_by_one_gives(name, idx_files, tmp_path):
    source = open_source(name, str(idx_files))
    in_memory = decode_images(source, PixelSettings(), tmp_path / "a.npy")
    decoded = decode_images(replace(source, pixels=None), PixelSettings(), tmp_path / "b.npy")
    assert in_memory.is_grey
    assert decoded.is_grey
    assert np.array_equal(in_memory.pixels[..., 0], decoded.pixels[..., 0])
    assert np.array_equal(in_memory.content_ids, decoded.content_ids)


@pytest.fixture(scope="module")
def fashion_mnist():
    if not SHARED.is_dir():
        pytest.skip(f"needs the files of FashionMNIST in {SHARED}")
    return open_source("FashionMNIST", str(SHARED))


def test_fashion_mnist_has_6000_training_and_1000_test_images_a_class(fashion_mnist):
    assert fashion_mnist.is_test.sum() == 10_000
    assert np.bincount(fashion_mnist.labels[~fashion_mnist.is_test]).tolist() == [6000] * 10
    assert np.bincount(fashion_mnist.labels[fashion_mnist.is_test]).tolist() == [1000] * 10


def test_fashion_mnist_has_its_published_mean_and_deviation(fashion_mnist):
    pixels = fashion_mnist.pixels[:60_000]
    assert pixels.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert pixels.std() / 255 == pytest.approx(0.3530, abs=5e-5)
