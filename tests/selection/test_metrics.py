import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st
from records import counts_of, fold_counts
from sklearn.dummy import DummyClassifier

from foldwise.engine.scores import count_fold
from foldwise.files.fold_record import Calibration
from foldwise.selection.metrics import confusion_matrix, fold_metrics, majority_baseline


@st.composite
def predictions(draw):
    """Return logits and classes; some classes may not occur, or never be said."""
    n_classes, n = draw(st.integers(2, 12)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, n_classes, n)
    # A step of half keeps probabilities, whose exact ties would rank at will, apart.
    logits = rng.permuted(np.tile(np.arange(n_classes) / 2, (n, 1)), axis=1)
    return (logits * draw(st.sampled_from([0.1, 1, 4]))).astype(np.float32), labels


def shares(logits):
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@given(predictions(), st.integers(1, 10))
def test_agrees_with_scikit_learn(given_, top_k):
    logits, labels = given_
    found = fold_metrics(count_fold(logits, labels, np.arange(len(labels))), top_k)
    said, classes = logits.argmax(axis=1), range(logits.shape[1])
    top = (
        1.0
        if top_k >= len(classes)
        else sk.top_k_accuracy_score(labels, logits, k=top_k, labels=classes)
        if len(classes) > 2
        else sk.accuracy_score(labels, said)
    )
    assert found == pytest.approx(
        {
            "accuracy": sk.accuracy_score(labels, said),
            "balanced_accuracy": recall_of_those_that_occur(labels, said),
            "macro_f1": sk.f1_score(labels, said, average="macro", zero_division=0),
            "log_loss": sk.log_loss(labels, shares(logits), labels=classes),
            "top_k": top,
            "calibration_error": found["calibration_error"],
        }
    )


def recall_of_those_that_occur(labels, said):
    if len(set(labels)) == 1:  # scikit-learn warns of a single class
        return (labels == said).mean()
    return sk.balanced_accuracy_score(labels, said)


@given(predictions())
def test_calibration_error_is_that_of_guo_et_al(given_):
    logits, labels = given_
    confidence, right = shares(logits).max(axis=1), logits.argmax(axis=1) == labels
    expected = 0.0
    for b in range(15):
        own = (confidence * 15 >= b) & ((confidence * 15 < b + 1) | (b == 14))
        if own.any():
            expected += own.mean() * abs(right[own].mean() - confidence[own].mean())
    found = fold_metrics(count_fold(logits, labels, np.arange(len(labels))), 1)
    assert found["calibration_error"] == pytest.approx(expected, abs=1e-12)


def test_perfectly_calibrated():
    one = fold_counts(0.5).model_copy(
        update={
            "calibration": Calibration(images=[40, 60], correct=[10, 45], confidence=[10.0, 45.0])
        }
    )
    assert fold_metrics(one, 1)["calibration_error"] == 0


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12).filter(any), st.integers(1, 10))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_majority_baseline_is_scikit_learns_dummy(images, top_k):
    labels = np.repeat(np.arange(len(images)), images)
    truth = counts_of(labels.tolist(), labels[::-1].tolist(), [0.9] * len(labels), len(images))
    found = majority_baseline([truth, truth], top_k)  # twice as many images of each class
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(labels), 1)), labels)
    said = dummy.predict(np.zeros((len(labels), 1)))
    prior = dummy.predict_proba(np.zeros((len(labels), 1)))
    occur = np.unique(labels)
    assert found.label == images.index(max(images)) == said[0]
    assert found.metrics == pytest.approx(
        {
            "accuracy": (said == labels).mean(),
            "balanced_accuracy": recall_of_those_that_occur(labels, said),
            "macro_f1": sk.f1_score(labels, said, average="macro", zero_division=0),
            "log_loss": 0 if len(occur) == 1 else sk.log_loss(labels, prior, labels=occur),
            "top_k": sum(sorted(images)[-top_k:]) / sum(images),
            "calibration_error": 0,
        },
        abs=1e-12,
    )


def test_counts_of_several_folds_add_up():
    one, two = fold_counts(0.9), fold_counts(0.6)
    both = confusion_matrix([one, two])
    assert (both == confusion_matrix([one]) + confusion_matrix([two])).all()
    assert (both.sum(), both.trace()) == (200, 150)
    assert confusion_matrix([one]).shape == (4, 4)


def test_records_made_to_measure_are_what_they_say():
    truth, said, sure = [0, 1, 2, 2, 0], [0, 2, 2, 0, 1], [0.9, 0.6, 0.8, 0.7, 0.55]
    made = counts_of(truth, said, sure, 3, first=10)
    logits = np.log([[0.9, 0.05, 0.05], [0.2, 0.2, 0.6], [0.1, 0.1, 0.8], [0.7, 0.15, 0.15],
                     [0.225, 0.55, 0.225]]).astype(np.float32)  # fmt: skip
    real = count_fold(logits, np.array(truth), np.arange(10, 15))
    assert made.confusion == real.confusion
    assert (made.ranks, made.calibration.images) == (real.ranks, real.calibration.images)
    assert made.log_loss == pytest.approx(real.log_loss, rel=1e-6)
    assert {one.image for one in made.mistakes} == {one.image for one in real.mistakes}
