import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from foldwise.core.errors import InputError
from foldwise.data.arrange import draw_test_set
from foldwise.data.arrays import dataset_from_arrays
from foldwise.data.grouping import SMALL_GROUP, are_small, assign_groups
from foldwise.data.split import assign_folds, describe_folds, require_enough, split_dataset

CLASSES = ["cat", "dog", "eel"]
# Images of twelve patients, and those of the rare class among them.
SIZES = [5, 9, 89, 26, 2, 12, 5, 14, 2, 16, 16, 80]
RARE = [0, 1, 0, 3, 0, 0, 0, 1, 1, 0, 0, 40]


def uneven_patients(seed, n=16):
    """Return labels and groups of patients with few or many images, most of one class."""
    rng = np.random.default_rng(seed)
    sizes = np.maximum(1, rng.lognormal(3, 1, n)).astype(int)
    labels = [rng.choice(3, size, p=rng.dirichlet([0.5] * 3)) for size in sizes]
    return np.concatenate(labels), np.repeat(np.arange(n), sizes)


def class_counts(labels, parts):
    table = np.zeros((parts.max() + 1, labels.max() + 1), dtype=int)
    np.add.at(table, (parts, labels), 1)
    return table


@pytest.mark.parametrize("seed", range(25))
def test_a_test_set_of_uneven_patients_has_its_share_and_every_class_and_leaves_folds(seed):
    labels, groups = uneven_patients(seed)
    is_test = draw_test_set(labels, groups, CLASSES, 0.2, seed)
    assert not set(groups[is_test]) & set(groups[~is_test])
    assert 0.15 <= is_test.mean() <= 0.25
    assert set(labels[is_test]) == {0, 1, 2}
    require_enough(labels[~is_test], groups[~is_test], CLASSES, 4)


@pytest.mark.parametrize("seed", range(5))
def test_a_giant_group_is_never_held_out(seed):
    labels = np.arange(100) % 2
    groups = np.append(np.zeros(60, dtype=int), np.repeat(np.arange(1, 11), 4))
    is_test = draw_test_set(labels, groups, CLASSES[:2], 0.2, seed)
    assert is_test.sum() == 20


def test_every_fold_has_the_rare_class_where_another_assignment_misses_it():
    labels = np.concatenate([np.arange(n) < rare for n, rare in zip(SIZES, RARE, strict=True)])
    labels, groups = labels.astype(int), np.repeat(np.arange(12), SIZES)
    reference = np.zeros(len(labels), dtype=int)
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    for number, (_, validation) in enumerate(splitter.split(labels, labels, groups)):
        reference[validation] = number
    assert class_counts(labels, reference).min() == 0
    assert class_counts(labels, assign_folds(labels, groups, 4, 0, 0)).min() > 0


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_at_least_as_even_as_those_of_scikit_learn(seed):
    def unevenness(fold):
        table = class_counts(labels, fold)
        sizes = table.sum(axis=1) / len(labels) - 0.2
        return ((table / table.sum(axis=0) - 0.2) ** 2).sum() / 3 + (sizes**2).sum()

    labels, groups = uneven_patients(seed)
    reference = np.zeros(len(labels), dtype=int)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for number, (_, validation) in enumerate(splitter.split(labels, labels, groups)):
        reference[validation] = number
    fold = assign_folds(labels, groups, 5, seed, 0)
    assert unevenness(fold) <= 1.01 * unevenness(reference)


def test_parts_of_many_equal_groups_are_exact():
    labels, groups = np.arange(3000) % 10, np.arange(3000) // 10
    rng = np.random.default_rng(0)
    part = assign_groups(labels, groups, [0.2, 0.8], [1, 5], rng)
    assert class_counts(labels, part).tolist() == [[60] * 10, [240] * 10]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=30))
def test_groups_are_small_if_they_are_pure_and_have_few_images(images):
    labels, groups = np.array(images).T
    groups = np.unique(groups, return_inverse=True)[1]
    members = [labels[groups == group] for group in set(groups.tolist())]
    expected = all(len(set(m)) == 1 and len(m) <= SMALL_GROUP for m in members)
    assert are_small(labels, groups) == expected


def test_nothing_is_held_out_of_very_small_data():
    labels = np.array([0, 0, 1])
    with pytest.raises(InputError, match=r"class 'dog' has 1 .* set prepare.test_fraction to 0"):
        draw_test_set(labels, np.arange(3), CLASSES[:2], 0.2, 0)
    assert not draw_test_set(labels, np.arange(3), CLASSES[:2], 0, 0).any()


def test_groups_and_a_class_that_a_fold_lacks_are_in_the_line():
    labels = np.array([0] * 12 + [1] * 4)
    groups = np.append(np.arange(12) // 3, [0, 0, 0, 1])
    images = np.zeros((16, 4, 4, 1), dtype=np.uint8)
    dataset = dataset_from_arrays(images, labels, CLASSES[:2])
    split = split_dataset(dataset, groups, 2)
    line = describe_folds(split, dataset, groups)
    assert line.startswith("16 images in 4 groups in 2 folds of ")
    assert "has no image" not in line
    split.fold[split.fold == 1] = 0
    assert "fold 1 has no image of 'cat'; fold 1 has no image of 'dog'" in describe_folds(
        split, dataset, groups
    )
