from pathlib import Path

import numpy as np
import pytest
import yaml
from dataset_info import info_of

from foldwise.core.errors import InputError
from foldwise.data.folds import training_indices, validation_indices
from foldwise.files.dataset import Samples, create_images, write_dataset
from foldwise.files.split import read_split
from stages.prepare import main as prepare
from stages.split import main

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fashion-mnist"


@pytest.fixture
def dataset(tmp_path):
    """Twelve training and three test images of two classes."""
    images = create_images(tmp_path / "prepared", (15, 4, 4, 1))
    images[:] = np.random.default_rng(0).integers(0, 256, images.shape)
    labels = np.arange(15) % 2
    samples = Samples([str(i) for i in range(15)], labels, np.arange(15), np.arange(15) >= 12)
    info = info_of(["cat", "dog"], (4, 4, 1), 12, 3, seed=5)
    write_dataset(tmp_path / "prepared", info, samples)
    return tmp_path / "prepared"


@pytest.fixture
def split(tmp_path):
    def split(dataset, k=3, repeat=0, resplit=True):
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump({"folds": list(range(k)), "resplit": resplit}))
        output = tmp_path / f"splits-{k}" / str(repeat)
        paths = ["--params", str(params), "--dataset", str(dataset), "--output", str(output)]
        main([*paths, "--repeat", str(repeat)])
        return output

    return split


def test_every_training_image_is_validated_once_and_no_test_image_ever(split, dataset, capsys):
    output = split(dataset)
    read = read_split(output)
    validated = np.concatenate([validation_indices(read, fold) for fold in range(read.n_folds)])
    assert sorted(validated) == list(range(12))
    assert all(12 not in training_indices(read, fold) for fold in range(3))
    assert capsys.readouterr().out == f"split: repeat 0, 12 images in 3 folds of 4 -> {output}\n"


def test_test_images_change_nothing(split, dataset):
    before = {path.name: path.read_bytes() for path in split(dataset).iterdir()}
    images = np.load(dataset / "images.npy", mmap_mode="r+")
    images[12:] = 255
    images.flush()
    assert {path.name: path.read_bytes() for path in split(dataset).iterdir()} == before


def test_another_validation_image_changes_only_the_validation_digest_of_its_fold(split, dataset):
    before = read_split(split(dataset))
    images = np.load(dataset / "images.npy", mmap_mode="r+")
    images[validation_indices(before, 0)[0]] ^= 1
    images.flush()
    after = read_split(split(dataset)).digests
    assert after.train[0] == before.digests.train[0]
    assert after.validation[0] != before.digests.validation[0]
    assert after.validation[1:] == before.digests.validation[1:]
    assert not set(after.train[1:]) & set(before.digests.train)


def test_without_resplit_a_repeat_keeps_the_folds_of_the_first(split, dataset):
    first, other = read_split(split(dataset)).fold, read_split(split(dataset, repeat=1)).fold
    unchanged = read_split(split(dataset, repeat=1, resplit=False)).fold
    assert np.array_equal(unchanged, first)
    assert not np.array_equal(other, first)


def test_same_inputs_same_bytes_and_another_repeat_other_folds(split, dataset):
    files = {path.name: path.read_bytes() for path in split(dataset).iterdir()}
    assert files == {path.name: path.read_bytes() for path in split(dataset).iterdir()}
    assert files["folds.csv"] != (split(dataset, repeat=1) / "folds.csv").read_bytes()


def test_class_too_small_for_the_folds(split, dataset):
    with pytest.raises(InputError, match=r"class 'cat' has 6 images .* fewer than the 7 folds of"):
        split(dataset, k=7)


def test_missing_data_set(split, tmp_path):
    with pytest.raises(InputError, match=r"dataset.json is missing; run 'dvc repro' to make it"):
        split(tmp_path / "nowhere")


def test_fashion_mnist_from_the_files_to_the_folds(split, tmp_path):
    if not SHARED.is_dir():
        pytest.skip(f"needs the files of FashionMNIST in {SHARED}")
    section = {"dataset": "FashionMNIST", "root": str(SHARED), "image_size": "native"}
    section |= {"test_fraction": 0.2, "limit": 3000, "groups": None}
    params = tmp_path / "prepare.yaml"
    params.write_text(yaml.safe_dump({"seed": 0, "prepare": section}))
    prepare(["--params", str(params), "--output", str(tmp_path / "prepared")])
    read = read_split(split(tmp_path / "prepared", k=5))
    labels = np.load(tmp_path / "prepared" / "labels.npy")
    for fold in range(5):
        assert np.bincount(labels[validation_indices(read, fold)]).tolist() == [60] * 10
        assert read.normalisation.mean[fold] == [pytest.approx(0.2860, abs=0.01)]
        assert read.normalisation.std[fold] == [pytest.approx(0.3530, abs=0.01)]
