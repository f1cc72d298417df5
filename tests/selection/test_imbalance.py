"""Classes of unequal size: what the report says of them, and of networks that see only one."""

import numpy as np
import pytest
from comparisons import findings
from records import record

from foldwise.files.fold_record import Calibration, FoldCounts, encode_ranks
from foldwise.selection.diagnosis import predicts_one_class

RARE, OTHER = 0, 1
CLASSES = ["rare", "other"]
CONSTANT = {(RARE, OTHER): 8, (OTHER, OTHER): 80}  # in each of 5 folds: 40 and 400 images
USEFUL = {(RARE, RARE): 6, (RARE, OTHER): 2, (OTHER, OTHER): 78, (OTHER, RARE): 2}


def counts(confusion):
    labels, ranks = np.array(
        [(true, 1 + (true != p)) for (true, p), n in confusion.items() for _ in range(n)]
    ).T
    n, correct = sum(confusion.values()), sum(n for (t, p), n in confusion.items() if t == p)
    return FoldCounts(
        n_classes=2,
        confusion=[(*pair, n) for pair, n in confusion.items()],
        log_loss=0.3 * n,
        ranks=[correct, n - correct],
        calibration=Calibration(images=[n], correct=[correct], confidence=[correct]),
        mistakes=[],
        image_ranks=encode_ranks(ranks, labels),
    )


def compared(confusion, other=None, **section):
    """Return the result for two networks with these confusions in each of five folds."""
    by_name = {"a": counts(confusion), "b": counts(other or confusion)}
    cards = {name: {"classes": CLASSES} for name in ("a", "b")}
    scores = {"a": [[0.9] * 5], "b": [[0.9] * 5]}
    return findings(scores, cards, section, n_validation=88, fold_counts=by_name.get)


def test_networks_that_predict_one_class_are_not_healthy_and_the_verdict_says_so():
    result = compared(CONSTANT)
    for architecture in result.comparison.architectures:
        assert architecture.diagnosis.fit == "constant"
        assert "5 of 5 folds, it predicts “other”" in architecture.diagnosis.evidence
    assert "has learned nothing" in result.verdict.summary.sure
    assert not any("suggest no change" in step for step in result.verdict.next)
    (step,) = (step for step in result.verdict.next if "train.class_weights=balanced`, or" in step)
    assert "constant" in step


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "balanced_accuracy", "macro_f1"])
def test_unequal_classes_ask_for_a_metric_in_which_all_count(metric):
    result = compared(USEFUL, metric=metric)
    assert result.comparison.class_images == [40, 400]
    assert {a.diagnosis.fit for a in result.comparison.architectures} != {"constant"}
    steps = [step for step in result.verdict.next if "compare.metric=balanced_accuracy" in step]
    assert len(steps) == (metric in ("accuracy", "log_loss"))
    keys = ("“other” has 400 images", "“rare”, 40;", "class gives accuracy 0.9091")
    assert all(key in step for step in steps for key in keys)


def test_better_one_in_balanced_accuracy_is_named():
    """One is right in 84 of 88 images and half of the rare ones, the other in 81 and in all."""
    sure = {(RARE, RARE): 4, (RARE, OTHER): 4, (OTHER, OTHER): 80}
    fair = {(RARE, RARE): 8, (OTHER, OTHER): 73, (OTHER, RARE): 7}
    verdict = compared(sure, fair).verdict
    assert verdict.chosen == "a"
    assert (
        "By balanced accuracy, in which rare classes count, b has the best mean (0.9563 instead of "
        "0.7500)."
    ) in verdict.summary.change
    assert "balanced" not in compared(USEFUL).verdict.summary.change
    assert "balanced" not in compared(sure, fair, metric="balanced_accuracy").verdict.summary.change


def test_a_third_is_still_equal_enough():
    result = compared({(RARE, RARE): 20, (OTHER, OTHER): 58, (OTHER, RARE): 2})
    assert not any("balanced" in step for step in result.verdict.next)


def test_one_class_in_most_folds_counts():
    constant, useful = counts(CONSTANT), counts(USEFUL)
    records = [record("a", fold=fold, fold_counts=constant, n_validation=88) for fold in range(3)]
    records += [record("a", fold=fold, fold_counts=useful, n_validation=88) for fold in range(3)]
    assert predicts_one_class(records, CLASSES) is None
    assert "3 of 5 folds" in predicts_one_class(records[:5], CLASSES)
