import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.arrange import draw_stratified, draw_subset, draw_test_set

seeds = st.integers(0, 2**32 - 1)


@st.composite
def labels_and_n(draw_from):
    counts = draw_from(st.lists(st.integers(1, 30), min_size=1, max_size=5))
    labels = np.repeat(np.arange(len(counts)), counts)
    order = draw_from(st.permutations(range(len(labels))))
    return labels[order], draw_from(st.integers(len(counts), len(labels)))


@given(labels_and_n(), seeds)
def test_n_different_samples_are_drawn_at_least_one_of_each_class(case, seed):
    labels, n = case
    positions = draw_stratified(labels, n, seed, "x")
    assert len(positions) == n
    assert np.all(np.diff(positions) > 0)
    assert set(labels[positions]) == set(labels)


@given(labels_and_n(), seeds)
def test_classes_keep_their_share_by_websters_rule(case, seed):
    labels, n = case
    counts = np.bincount(labels)
    drawn = np.bincount(labels[draw_stratified(labels, n, seed, "x")])
    turn = (drawn + 0.5) / counts  # whoever was taken last came before whoever was not taken
    last = np.where(drawn > 1, (drawn - 0.5) / counts, 0)
    assert last.max() <= turn[drawn < counts].min(initial=1)


@given(st.integers(2, 6), st.integers(2, 20), seeds, st.data())
def test_equal_classes_differ_by_at_most_one(n_classes, size, seed, data):
    labels = np.tile(np.arange(n_classes), size)
    n = data.draw(st.integers(n_classes, len(labels)))
    drawn = np.bincount(labels[draw_stratified(labels, n, seed, "x")])
    assert drawn.max() - drawn.min() <= 1


@given(labels_and_n(), seeds, st.randoms())
def test_renaming_classes_changes_no_share_but_ties(case, seed, random):
    labels, n = case
    new = list(range(100))
    random.shuffle(new)
    renamed = np.array(new)[labels]
    assert np.array_equal(
        draw_stratified(labels, n, seed, "x"), draw_stratified(renamed, n, seed, "x")
    )


def test_draws_are_frozen():
    # Changes only if the random stream does: then every subset and held-out part does.
    labels = np.arange(20) % 2
    assert draw_stratified(labels, 6, 0, "prepare.limit").tolist() == [0, 1, 3, 6, 8, 15]
    assert draw_stratified(labels, 6, 0, "prepare.test_fraction").tolist() == [0, 9, 10, 14, 17, 19]


def test_draws_depend_on_the_seed():
    labels = np.zeros(100, dtype=np.int64)
    drawn = [tuple(draw_stratified(labels, 10, seed, "x")) for seed in range(5)]
    assert len(set(drawn)) == 5


def images_of(n):
    return [Image.new("L", (2, 2))] * n


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(4, 60), st.floats(0.01, 0.5), seeds)
def test_limit_is_the_number_of_training_images_after_holding_out(source_of, limit, fraction, seed):
    source = source_of(images_of(150), labels=[0, 1] * 75)
    taken = draw_subset(source, limit, fraction, seed)
    groups = np.arange(len(taken))
    is_test = draw_test_set(source.labels[taken], groups, source.classes, fraction, seed)
    assert np.sum(~is_test) == limit


def test_official_test_set_is_kept_whole(source_of):
    source = source_of(images_of(30), labels=[0, 1] * 15, is_test=[False] * 20 + [True] * 10)
    taken = draw_subset(source, 6, 0.2, 0)
    assert taken[-10:].tolist() == list(range(20, 30))
    assert len(taken) == 16


@pytest.mark.parametrize("limit", [None, 30, 1000])
def test_limit_above_the_number_of_images_takes_all(source_of, limit):
    source = source_of(images_of(30), labels=[0, 1] * 15)
    assert draw_subset(source, limit, 0.2, 0).tolist() == list(range(30))


def test_limit_below_the_number_of_classes(source_of):
    source = source_of(images_of(30), labels=[0, 1] * 15, classes="abcde")
    with pytest.raises(InputError, match=r"prepare.limit is 4; expected at least .* 5, or null"):
        draw_subset(source, 4, 0.2, 0)


@st.composite
def pure_groups(draw_from):
    """Groups of one class each, at least two a class, of one to three images."""
    n_groups = draw_from(st.lists(st.integers(2, 12), min_size=2, max_size=4))
    classes = np.repeat(np.arange(len(n_groups)), n_groups)
    sizes = draw_from(st.lists(st.integers(1, 3), min_size=len(classes), max_size=len(classes)))
    return np.repeat(classes, sizes), np.repeat(np.arange(len(classes)), sizes)


@given(pure_groups(), st.floats(0.01, 0.5), seeds)
def test_groups_are_held_out_whole_and_every_class_is_in_both_parts(case, fraction, seed):
    labels, groups = case
    n_classes = labels.max() + 1
    is_test = draw_test_set(labels, groups, list("abcd")[:n_classes], fraction, seed)
    assert not set(groups[is_test]) & set(groups[~is_test])
    assert set(labels[is_test]) == set(labels[~is_test]) == set(range(n_classes))
    n_groups = groups.max() + 1
    assert len(set(groups[is_test])) == max(round(n_groups * fraction), n_classes)


def test_class_too_small_to_hold_out_of():
    labels, groups = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 3])
    with pytest.raises(InputError, match=r"class 'dog' has 1 .*at least 2.*; add images"):
        draw_test_set(labels, groups, ["cat", "dog"], 0.2, 0)
