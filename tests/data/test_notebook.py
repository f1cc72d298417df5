import doctest

import numpy as np
import pytest

from foldwise.core.errors import InputError
from foldwise.data import arrays, split
from foldwise.data.arrays import dataset_from_arrays
from foldwise.data.folds import training_indices, validation_indices
from foldwise.data.split import split_dataset

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 4, 5, 3), dtype=np.uint8)
LABELS = np.arange(12) % 2
CLASSES = ["cat", "dog"]


@pytest.mark.parametrize("module", [arrays, split])
def test_examples_in_the_docstrings_run(module):
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_arrays_become_a_data_set_without_test_images():
    dataset = dataset_from_arrays(np.concatenate([IMAGES, IMAGES[:2]]), np.arange(14) % 2, CLASSES)
    info = dataset.info
    assert (info.height, info.width, info.channels) == IMAGES.shape[1:]
    assert (info.n_train, info.n_test, info.n_duplicates, info.n_groups) == (14, 0, 2, 12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES / 255}, r"images is float64; expected uint8.*255 \* images"),
        ({"images": IMAGES[..., 0]}, r"images has shape \(12, 4, 5\); .*images\[..., None\]"),
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, r"\(12, 3, 4, 5\); .*transpose\(0, 2, 3, 1\)"),
        ({"images": np.repeat(IMAGES, 3, axis=3)}, r"\(12, 4, 5, 9\); expected .*8 channels"),
        ({"images": IMAGES[:0], "labels": []}, r"\(0, 4, 5, 3\); expected images"),
        ({"labels": LABELS[1:]}, r"labels has shape \(11,\); expected \(12,\)"),
        ({"labels": LABELS + 1}, r"labels holds 2, .* expected 0 to 1: subtract 1"),
        ({"labels": LABELS / 2}, r"labels holds 0.5, .*; expected 0 to 1$"),
        ({"labels": ["cat", "dog"] * 6}, r"labels is <U3; expected numbers: .*np.unique\(labels"),
        (
            {"classes": ["cat"], "labels": LABELS * 0},
            r"classes is \['cat'\]; expected at least two",
        ),
        ({"classes": ["cat", "cat"]}, r"classes is .*; expected at least two names, all different"),
        ({"classes": [0, 1]}, r"classes is \[0, 1\]; expected names"),
    ],
)
def test_arrays_that_are_no_data_set(changes, message):
    with pytest.raises(ValueError, match=message):
        dataset_from_arrays(**{"images": IMAGES, "labels": LABELS, "classes": CLASSES} | changes)


def test_lists_are_taken_as_arrays():
    dataset = dataset_from_arrays(list(IMAGES), LABELS.tolist(), np.array(CLASSES))
    assert np.array_equal(dataset.images, IMAGES)
    assert np.array_equal(dataset.labels, LABELS)
    assert dataset.info.classes == CLASSES


@pytest.mark.parametrize("groups", [None, np.arange(3), [f"patient {n}" for n in range(12)]])
def test_groups_that_are_no_numbers_of_the_images_are_refused(groups):
    with pytest.raises(InputError, match=r"groups is .*; expected .* each of 12"):
        split_dataset(dataset_from_arrays(IMAGES, LABELS, CLASSES), groups, 2)


def test_a_notebook_splits_with_the_groups_it_likes():
    groups = np.arange(12) // 3
    split = split_dataset(dataset_from_arrays(IMAGES, LABELS, CLASSES), groups, 2, repeat=1)
    assert (split.n_folds, len(split.digests.train)) == (2, 2)
    for fold in range(2):
        training, validation = training_indices(split, fold), validation_indices(split, fold)
        assert sorted([*training, *validation]) == list(range(12))
        assert not set(groups[training]) & set(groups[validation])


def test_a_class_with_fewer_groups_than_folds_is_named():
    with pytest.raises(InputError, match=r"class 'cat' has 6 .* fewer than the 7 folds"):
        split_dataset(dataset_from_arrays(IMAGES, LABELS, CLASSES), np.arange(12), 7, 0)
