from statistics import fmean

import numpy as np
import pytest
from comparisons import findings
from hypothesis import given
from hypothesis import strategies as st
from records import CLASSES, counts_of, fold_counts

from foldwise.files.fold_record import Mistake
from foldwise.selection.metrics import (
    MAX_EXAMPLES,
    MAX_PAIRS,
    confusion_matrix,
    most_confused,
)

TWICE = {"a": [[0.9, 0.8], [0.7, 0.9]], "b": [[0.5, 0.5], [0.5, 0.5]], "bad": [[1, None], [1, 1]]}


def mistake(image, confidence, true=0, predicted=1):
    return Mistake(true=true, predicted=predicted, image=image, confidence=confidence)


def confused(matrix, mistakes=()):
    return most_confused("a", np.array(matrix), mistakes, CLASSES)


def test_most_images_first_and_the_diagonal_is_no_mistake():
    found = confused([[9, 1, 0, 0], [3, 90, 7, 0], [0, 3, 1, 0], [0, 0, 0, 0]])
    assert found.model == "a"
    assert [(one.true, one.predicted, one.images, one.share) for one in found.pairs] == [
        ("dog", "emu", 7, 0.07),
        ("dog", "cat", 3, 0.03),
        ("emu", "dog", 3, 0.75),
        ("cat", "dog", 1, 0.1),
    ]


def test_of_equal_pairs_the_one_with_an_image_to_show_comes_first():
    matrix = [[0, 2, 2, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = confused(matrix, [mistake(7, 0.9, true=0, predicted=2)]).pairs
    assert [(one.true, one.predicted) for one in found] == [
        (CLASSES[1], CLASSES[0]),
        (CLASSES[0], CLASSES[2]),
        (CLASSES[0], CLASSES[1]),
    ]


def test_no_mistake_at_all():
    assert confused(np.diag([1, 2, 3, 4])).pairs == []


def test_each_image_is_shown_once_and_the_surest_mistake_first():
    mistakes = [mistake(5, 0.6), mistake(3, 0.7), mistake(5, 0.9), mistake(1, 0.7)]
    (pair,) = confused([[0, 4, 0, 0], *np.zeros((3, 4), int)], mistakes).pairs
    assert pair.examples == [5, 1, 3]


@given(
    st.lists(
        st.builds(
            mistake,
            st.integers(0, 60),
            st.floats(0.5, 1),
            st.integers(0, 3),
            st.integers(0, 3),
        ).filter(lambda one: one.true != one.predicted),
        max_size=80,
    )
)
def test_few_pairs_with_few_examples_of_their_own(mistakes):
    matrix = np.zeros((4, 4), int)
    for one in mistakes:
        matrix[one.true, one.predicted] += 1
    found = confused(matrix, mistakes).pairs
    assert len(found) == min(MAX_PAIRS, np.count_nonzero(matrix))
    for pair in found:
        true, predicted = CLASSES.index(pair.true), CLASSES.index(pair.predicted)
        confidences = {}
        for one in mistakes:
            if (one.true, one.predicted) == (true, predicted):
                confidences.setdefault(one.image, []).append(one.confidence)
        assert len(pair.examples) == len({*pair.examples}) == min(MAX_EXAMPLES, len(confidences))
        highest = [max(confidences[image]) for image in pair.examples]
        assert highest == sorted(highest, reverse=True)
    images = [pair.images for pair in found]
    assert images == sorted(images, reverse=True)


def test_confusions_are_those_of_the_choice_over_all_folds_and_repeats():
    found = findings(TWICE, n_validation=100)
    expected = confusion_matrix([fold_counts(x) for x in (0.9, 0.8, 0.7, 0.9)])
    table = found.confusion
    assert found.confused.model == found.verdict.chosen == "a"
    assert table["images"].sum() == expected.sum() == 400
    for row in table.itertuples():
        true, predicted = CLASSES.index(row.true), CLASSES.index(row.predicted)
        assert row.images == expected[true, predicted] > 0
        assert row.share == pytest.approx(row.images / expected[true].sum())
    wrong = table[table["true"] != table["predicted"]]["images"].max()
    assert found.confused.pairs[0].images == wrong


def test_recall_and_precision_of_every_class_of_those_that_finished():
    found = findings(TWICE, n_validation=100)
    table = found.classes
    assert table["model"].tolist() == ["a"] * 4 + ["b"] * 4
    assert table["class"].tolist() == CLASSES * 2
    assert table["images"].tolist() == [100] * 8  # 25 a fold, 2 folds, 2 repeats
    accuracy = fmean(found.comparison.architectures[0].scores.interval)
    assert table[table["model"] == "a"]["recall"].mean() == pytest.approx(accuracy)


def test_class_without_images_has_no_recall_and_one_never_said_no_precision():
    odd = counts_of([0, 1, 1], [0, 0, 1], [0.9] * 3, 4)
    found = findings({"a": [[0.5, 0.5]]}, n_validation=3, fold_counts=odd).classes
    assert found["images"].tolist() == [2, 4, 0, 0]
    assert found["recall"].fillna(-1).tolist() == [1, 0.5, -1, -1]
    assert found["precision"].fillna(-1).tolist() == [0.5, 1, -1, -1]


def test_tables_without_a_choice_have_no_rows():
    found = findings({"a": [[None, 1]]})
    assert found.confused.model is None
    assert found.confused.pairs == []
    assert found.classes.empty
    assert found.confusion.empty
