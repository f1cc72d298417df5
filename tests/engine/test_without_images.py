import numpy as np

from foldwise.engine.scores import count_fold
from foldwise.engine.without_images import count_without
from foldwise.files.fold_record import Predictions

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
LOGITS = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)


def predictions(*index):
    at = np.array(index, dtype=np.int64)
    return Predictions(at, LOGITS[at], LOGITS[at])


def test_counts_are_those_of_the_other_images():
    runs = {("a", 0, 0): predictions(0, 2, 4, 6), ("a", 0, 1): predictions(1, 3, 5, 7)}
    first, second = count_without(runs, LABELS, np.array([2, 5])).runs
    for counts, index in ((first, [0, 4, 6]), (second, [1, 3, 7])):
        expected = count_fold(LOGITS[index], LABELS[index], np.array(index))
        assert counts.fold_counts == expected.model_copy(update={"mistakes": []})
    assert (second.model, second.repeat, second.fold) == ("a", 0, 1)


def test_a_diverged_run_and_one_without_other_images_have_no_counts():
    runs = {("a", 0, 0): predictions(), ("a", 0, 1): predictions(1, 3)}
    counts = count_without(runs, LABELS, np.array([1, 3])).runs
    assert [run.fold_counts for run in counts] == [None, None]
