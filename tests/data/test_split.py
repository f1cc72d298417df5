import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from foldwise.core.errors import InputError
from foldwise.data.split import _random_state, assign_folds, require_enough

seeds = st.integers(0, 2**32 - 1)
folds = st.integers(2, 5)


@st.composite
def single_images(draw):
    """Labels with at least five images a class."""
    counts = draw(st.lists(st.integers(5, 20), min_size=2, max_size=4))
    return np.array(draw(st.permutations(np.repeat(np.arange(len(counts)), counts).tolist())))


@st.composite
def grouped_images(draw):
    """Labels and groups, drawn apart, so that groups hold several classes."""
    n = draw(st.integers(20, 60))
    labels = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(0, 14), min_size=n, max_size=n))
    return np.array(labels), np.array(groups)


def fewest_groups(labels, groups):
    return min(len(set(groups[labels == label])) for label in range(3))


def renamed(values, random):
    names = random.sample(range(1000), int(values.max()) + 1)
    return np.array(names)[values]


@given(single_images(), folds, seeds)
def test_fold_sizes_and_counts_of_each_class_differ_by_at_most_one(labels, n_folds, seed):
    fold = assign_folds(labels, np.arange(len(labels)), n_folds, seed, 0)
    for part in (fold, *(fold[labels == label] for label in np.unique(labels))):
        sizes = np.bincount(part, minlength=n_folds)
        assert len(sizes) == n_folds
        assert sizes.max() - sizes.min() <= 1


@given(single_images(), folds, seeds, st.randoms())
def test_renaming_classes_or_groups_changes_nothing(labels, n_folds, seed, random):
    groups = np.arange(len(labels))
    fold = assign_folds(labels, groups, n_folds, seed, 0)
    other = assign_folds(renamed(labels, random), renamed(groups, random), n_folds, seed, 0)
    assert np.array_equal(fold, other)


@settings(deadline=None)
@given(grouped_images(), folds, seeds, st.randoms())
def test_renaming_changes_nothing_where_groups_hold_several_classes(case, n_folds, seed, random):
    labels, groups = case
    assume(fewest_groups(labels, groups) >= n_folds)
    fold = assign_folds(labels, groups, n_folds, seed, 0)
    other = assign_folds(renamed(labels, random), renamed(groups, random), n_folds, seed, 0)
    assert np.array_equal(fold, other)


@settings(deadline=None)
@given(grouped_images(), folds, seeds)
def test_a_group_lies_in_one_fold_and_no_fold_is_empty(case, n_folds, seed):
    labels, groups = case
    assume(fewest_groups(labels, groups) >= n_folds)
    fold = assign_folds(labels, groups, n_folds, seed, 0)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    assert set(fold) == set(range(n_folds))


@given(single_images(), folds, seeds, st.data())
def test_duplicates_follow_their_first_and_each_class_stays_balanced(labels, n_folds, seed, data):
    n = len(labels)
    copies = st.lists(st.integers(0, n - 1), min_size=1, max_size=3)
    twins = np.array(data.draw(copies))
    all_labels, groups = np.append(labels, labels[twins]), np.append(np.arange(n), twins)
    fold = assign_folds(all_labels, groups, n_folds, seed, 0)
    assert np.array_equal(fold[n:], fold[twins])
    assert np.array_equal(fold[:n], assign_folds(labels, np.arange(n), n_folds, seed, 0))


def test_folds_of_single_images_are_those_of_scikit_learn():
    labels = np.random.default_rng(0).integers(0, 3, 100)
    fold = assign_folds(labels, np.arange(100), 4, 7, 2)
    reference = StratifiedKFold(4, shuffle=True, random_state=_random_state(7, 2))
    for number, (_, validation) in enumerate(reference.split(labels, labels)):
        assert np.flatnonzero(fold == number).tolist() == validation.tolist()


def test_grouped_folds_are_balanced_by_class():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 2, 600), rng.integers(0, 60, 600)
    fold = assign_folds(labels, groups, 5, 0, 0)
    counts = np.array([np.bincount(labels[fold == number], minlength=2) for number in range(5)])
    assert np.abs(counts - counts.mean(axis=0)).max() <= 6


def test_folds_are_frozen():
    # Changes only if the random stream does: then every result of every model does.
    labels = np.arange(20) % 2
    for repeat, frozen in enumerate(["12210001021012012021", "20021202111021010021"]):
        fold = assign_folds(labels, np.arange(20), 3, 0, repeat)
        assert "".join(map(str, fold)) == frozen


def test_repeats_and_seeds_are_different_draws():
    labels = np.arange(100) % 2
    cases = [(seed, repeat) for seed in range(4) for repeat in range(4)]
    drawn = {tuple(assign_folds(labels, np.arange(100), 5, *case)) for case in cases}
    assert len(drawn) == len(cases)


def test_every_class_with_fewer_groups_than_folds_is_listed():
    labels = np.array([0] * 5 + [1] * 5 + [2])
    groups = np.array([0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8])
    with pytest.raises(InputError) as caught:
        require_enough(labels, groups, ["cat", "dog", "eel", "fly"], 5)
    dog, eel, fly = str(caught.value).splitlines()
    assert dog.startswith("class 'dog' has 3 ")
    assert "fewer than the 5 folds of params.yaml; use fewer folds" in dog
    assert dog.endswith("raise prepare.limit, or lower prepare.test_fraction")
    assert "class 'eel' has 1 " in eel
    assert "class 'fly' has 0 " in fly
    require_enough(labels[:10], groups[:10], ["cat", "dog"], 3)
