import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from dataset_info import info_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.dataset import (
    Samples,
    create_images,
    read_dataset,
    read_digests,
    read_info,
    read_samples,
    write_dataset,
    write_digests,
)

INFO = info_of(["cat", "dog"], (2, 3, 1), 3, 1, official_test=True)
SAMPLES = Samples(
    ["a.png", "b.png", "c.png", "d.png"],
    np.array([0, 1, 0, 1]),
    np.array([0, 1, 2, 3]),
    np.array([False, False, False, True]),
)


@pytest.fixture
def folder(tmp_path):
    create_images(tmp_path, (4, 2, 3, 1))[:] = np.arange(24).reshape(4, 2, 3, 1)
    write_dataset(tmp_path, INFO, SAMPLES)
    return tmp_path


def test_what_is_written_is_read(folder):
    dataset, samples = read_dataset(folder), read_samples(folder)
    assert dataset.info == read_info(folder) == INFO
    assert dataset.images.ravel().tolist() == list(range(24))
    assert dataset.labels.tolist() == samples.labels.tolist() == [0, 1, 0, 1]
    assert samples.files == SAMPLES.files
    assert samples.groups.tolist() == [0, 1, 2, 3]
    assert samples.is_test.tolist() == [False, False, False, True]


def test_images_stay_on_disk_until_they_are_touched(folder):
    images = read_dataset(folder).images
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(names, min_size=1, max_size=5))
def test_any_file_name_survives(tmp_path, files):
    zeros = np.zeros(len(files), dtype=np.int64)
    write_dataset(tmp_path, INFO, Samples(files, zeros, zeros, zeros.astype(bool)))
    assert read_samples(tmp_path).files == files


@pytest.mark.parametrize("name", ["dataset.json", "images.npy", "labels.npy"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing; run 'dvc repro' to make it"):
        read_dataset(folder)


def test_missing_samples_are_named(folder):
    (folder / "samples.csv").unlink()
    with pytest.raises(InputError, match=r"samples.csv is missing; run 'dvc repro' to make it"):
        read_samples(folder)


def test_arrays_of_another_size_are_refused(folder):
    create_images(folder, (4, 2, 2, 1))
    with pytest.raises(
        InputError, match=r"images of shape \(4, 2, 2, 1\) do not fit dataset.json with"
    ):
        read_dataset(folder)


def test_digests_go_round_and_must_fit_the_data_set(folder):
    with pytest.raises(InputError, match=r"digests.npy is missing; run 'dvc repro' to make it"):
        read_digests(folder)
    write_digests(folder, np.array([5, 2**64 - 1, 6, 7], dtype=np.uint64))
    assert [part.tolist() for part in read_digests(folder)] == [[5, 2**64 - 1, 6], [7]]
    write_digests(folder, np.array([5], dtype=np.uint64))
    with pytest.raises(InputError, match=r"digests.npy: .* with 4 images; run 'dvc repro -f prep"):
        read_digests(folder)


def test_weights_are_a_column_only_if_there_are_any(folder, tmp_path):
    assert b"weight" not in (folder / "samples.csv").read_bytes()
    assert read_dataset(folder).weights is None
    weights = np.arange(1, len(SAMPLES.files) + 1) / 3
    write_dataset(tmp_path, INFO, replace(SAMPLES, weights=weights))
    assert read_samples(tmp_path).weights.tolist() == weights.tolist()
    create_images(tmp_path, (4, 2, 3, 1))
    assert read_dataset(tmp_path).weights.tolist() == weights.tolist()
    np.save(tmp_path / "weights.npy", weights[1:])
    with pytest.raises(InputError, match=r"weights of shape \(3,\) do not fit .* 4 images; run"):
        read_dataset(tmp_path)
    write_dataset(tmp_path, INFO, SAMPLES)
    assert read_dataset(tmp_path).weights is None


def test_a_row_of_samples_takes_few_bytes_while_it_is_read_and_written(tmp_path):
    """A million images would take under 0.4 GB; a list of rows took 0.9."""
    n = 20_000
    files = [f"train/cat/{index:08d}.jpg" for index in range(n)]
    samples = Samples(files, np.zeros(n, np.int64), np.arange(n), np.zeros(n, np.bool_))
    for use in (lambda: write_dataset(tmp_path, INFO, samples), lambda: read_samples(tmp_path)):
        tracemalloc.start()
        use()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 400 * n
