import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core import machine
from foldwise.data.digests import digest_folds

INDEX = np.array([3, 11, 0, 7])


def images_of(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (15, 4, 5, 3), dtype=np.uint8)


def labels_of():
    return np.arange(15) % 4


def digest(images=None, labels=None, index=INDEX):
    """Digest of the images at `index`, which validate the first of two folds."""
    order = np.append(index, np.setdiff1d(np.arange(15), index)).astype(np.int64)
    images = (images_of() if images is None else images)[order]
    labels = (labels_of() if labels is None else labels)[order]
    fold = (np.arange(len(order)) >= len(index)).astype(np.int64)
    digests = digest_folds(images, labels, fold, 2)
    assert digests.train == digests.validation[::-1]
    return digests.validation[0]


@given(st.permutations(INDEX.tolist()))
def test_order_of_the_index_changes_nothing(index):
    assert digest(index=np.array(index)) == digest()


@given(st.permutations(range(15)))
def test_position_in_the_data_set_changes_nothing(order):
    moved = np.array([order.index(position) for position in INDEX])
    assert digest(images_of()[order], labels_of()[order], moved) == digest()


def test_another_pixel_changes_the_digest():
    for place in np.ndindex(4, 5, 3):
        images = images_of()
        images[(7, *place)] ^= 1
        assert digest(images) != digest()


def test_another_label_changes_the_digest():
    labels = labels_of()
    labels[7] += 1
    assert digest(labels=labels) != digest()


def test_labels_that_change_places_change_the_digest():
    labels = labels_of()
    labels[[3, 0]] = labels[[0, 3]]
    assert sorted(labels[INDEX]) == sorted(labels_of()[INDEX])
    assert digest(labels=labels) != digest()


@pytest.mark.parametrize("index", [INDEX[:3], [*INDEX, 1], [*INDEX, 7], [3, 11, 0, 8], []])
def test_other_images_have_another_digest(index):
    assert digest(index=np.array(index, dtype=np.int64)) != digest()


def test_images_outside_the_index_change_nothing():
    images, labels = images_of(1), labels_of() + 1
    images[INDEX], labels[INDEX] = images_of()[INDEX], labels_of()[INDEX]
    assert digest(images, labels) == digest()


def test_another_shape_of_the_same_bytes_changes_the_digest():
    assert digest(images_of().reshape(15, 5, 4, 3)) != digest()


@pytest.mark.parametrize("n_images", [1, 3, 1000])
def test_chunks_change_nothing(monkeypatch, n_images):
    expected = digest()
    monkeypatch.setattr(machine, "CHUNK_BYTES", n_images * images_of()[0].nbytes)
    assert digest() == expected


def test_memory_mapped_images_have_the_same_digest(tmp_path):
    np.save(tmp_path / "images.npy", images_of())
    mapped, fold = np.load(tmp_path / "images.npy", mmap_mode="r"), np.arange(15) % 3
    expected = digest_folds(images_of(), labels_of(), fold, 3)
    assert digest_folds(mapped, labels_of(), fold, 3) == expected


def test_digest_is_the_sha256_of_the_sorted_digests():
    contents = (int(labels_of()[i]).to_bytes(8, "little") + images_of()[i].tobytes() for i in INDEX)
    digests = sorted(hashlib.sha256(content).digest() for content in contents)
    shape = b"".join(side.to_bytes(8, "little") for side in (4, 5, 3))
    assert digest() == hashlib.sha256(shape + b"".join(digests)).hexdigest()
